"""Runs the operators' own commands before and after a phase, on this machine, and says what came of them."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping

from skytui.config.pairs import PairConfig
from skytui.plaintext import plain_bytes
from skytui.runbook.model import Run

LONGEST = 300
"""Characters of its last line that are recorded."""
LONGEST_LINE = 64 * 1024
"""Bytes after which a line is taken to be one, though it goes on."""
REST_SECONDS = 1.0
"""How long the rest of its output is waited for when it has ended, and what it started still holds it."""

Said = Callable[[str, str], None]
"""Takes a hook's name and a line that it printed."""


class HookRunner:
    """The hooks of a pair. `said` is told every line they print."""

    def __init__(self, config: PairConfig, said: Said) -> None:
        self._config = config
        self._said = said

    @property
    def names(self) -> tuple[str, ...]:
        """Those that are configured."""
        hooks = self._config.hooks
        keys = [key for key in hooks.__struct_fields__ if key != "deadline" and getattr(hooks, key)]
        return tuple(" ".join(key.replace("_", "-").split("-", 1)) for key in keys)

    async def run(self, name: str, run: Run) -> tuple[bool, str]:
        """Whether the hook succeeded, and what became of it. Never raises for what the command does."""
        when, _, phase = name.partition(" ")
        command = self._config.hooks.command(when, phase)
        if command is None:
            return False, "it is not configured any more"
        output, inlet = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=inlet,
                stderr=inlet,
                env=self._environment(run, when, phase),
                start_new_session=True,
            )
        except (OSError, ValueError) as error:  # ValueError: a NUL in it
            os.close(output)
            why = error.strerror if isinstance(error, OSError) else "there is a NUL in it"
            return False, f"{command[0]} cannot be run: {why}"
        finally:
            os.close(inlet)
        last = _Last()
        reading = asyncio.create_task(self._read(output, name, last))
        try:
            async with asyncio.timeout(self._config.hooks.deadline):
                code = await process.wait()
        except TimeoutError:
            return False, f"it took longer than {self._config.hooks.deadline:g} s, and was ended"
        finally:
            _end(process)
            await asyncio.wait({reading}, timeout=REST_SECONDS)
            reading.cancel()
            await asyncio.gather(reading, process.wait(), return_exceptions=True)
        return code == 0, f"ended with {code}{f': {last.line}' if last.line else ''}"

    def _environment(self, run: Run, when: str, phase: str) -> Mapping[str, str]:
        """The conductor's own, without the variables that hold secrets, and what the hook is about."""
        secret = {source.env for source in self._config.secrets.values() if source.env}
        own = {name: value for name, value in os.environ.items() if name not in secret}
        return own | {
            "SKYTUI_RUN": run.id,
            "SKYTUI_PAIR": run.pair,
            "SKYTUI_PHASE": phase,
            "SKYTUI_WHEN": when,
            "SKYTUI_OLD": run.old,
            "SKYTUI_NEW": run.new,
        }

    async def _read(self, output: int, name: str, last: "_Last") -> None:
        """Every line until the end. The pipe is ours: what the hook has started may hold it for ever."""
        stream = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(output, "rb", 0)
        )
        begun = b""
        try:
            while chunk := await stream.read(65536):
                *lines, begun = (begun + chunk).split(b"\n")
                if len(begun) > LONGEST_LINE:
                    lines, begun = [*lines, begun], b""
                for line in lines:
                    self._say(name, line, last)
        finally:
            transport.close()
            if begun:
                self._say(name, begun, last)

    def _say(self, name: str, line: bytes, last: "_Last") -> None:
        text = plain_bytes(line)
        if text.strip():
            last.line = text.strip()[:LONGEST]
        self._said(name, text)


class _Last:
    """The last line that was printed."""

    line = ""


def _end(process: asyncio.subprocess.Process) -> None:
    """End the command with all it started, if it has not ended yet."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
