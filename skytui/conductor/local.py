"""Runs a command of the operators' own on this machine, and says what came of it."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence

from skytui.config.pairs import PairConfig
from skytui.plaintext import plain_bytes

LONGEST = 300
"""Characters of its last line that are recorded."""
LONGEST_LINE = 64 * 1024
"""Bytes after which a line is taken to be one, though it goes on."""
REST_SECONDS = 1.0
"""How long the rest of its output is waited for when it has ended, and what it started still holds it."""


def environment(config: PairConfig, **about: str) -> Mapping[str, str]:
    """The conductor's own, without the variables that hold secrets, and what the command is about."""
    secret = {source.env for source in config.secrets.values() if source.env}
    own = {name: value for name, value in os.environ.items() if name not in secret}
    return own | about


async def run_here(
    command: Sequence[str], environ: Mapping[str, str], deadline: float, said: Callable[[str], None]
) -> tuple[bool, str]:
    """Whether the command succeeded within `deadline` seconds, and what became of it.

    `said` is told every line it prints. Never raises for what the command does.
    """
    output, inlet = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=inlet,
            stderr=inlet,
            env=environ,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:  # ValueError: a NUL in it
        os.close(output)
        why = error.strerror if isinstance(error, OSError) else "there is a NUL in it"
        return False, f"{command[0]} cannot be run: {why}"
    finally:
        os.close(inlet)
    last = _Last()
    reading = asyncio.create_task(_read(output, said, last))
    try:
        async with asyncio.timeout(deadline):
            code = await process.wait()
    except TimeoutError:
        return False, f"it took longer than {deadline:g} s, and was ended"
    finally:
        _end(process)
        await asyncio.wait({reading}, timeout=REST_SECONDS)
        reading.cancel()
        await asyncio.gather(reading, process.wait(), return_exceptions=True)
    return code == 0, f"ended with {code}{f': {last.line}' if last.line else ''}"


async def _read(output: int, said: Callable[[str], None], last: "_Last") -> None:
    """Every line until the end. The pipe is ours: what the command has started may hold it for ever."""
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
                _say(line, said, last)
    finally:
        transport.close()
        if begun:
            _say(begun, said, last)


def _say(line: bytes, said: Callable[[str], None], last: "_Last") -> None:
    text = plain_bytes(line)
    if text.strip():
        last.line = text.strip()[:LONGEST]
    said(text)


class _Last:
    """The last line that was printed."""

    line = ""


def _end(process: asyncio.subprocess.Process) -> None:
    """End the command with all it started, if it has not ended yet."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
