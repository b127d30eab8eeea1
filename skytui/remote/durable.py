"""Commands that outlive the connection they were started over.

A command runs detached in a folder of its own below `~/.skytui/commands`, claimed by `mkdir` of its token:
`output` is what it says, `pid` its process, `code` its exit code. The same token runs once, whoever starts it
and how often. Needs a POSIX sh on the host, nothing else.
"""

import asyncio
import enum
import re
from pathlib import Path

import msgspec

from skytui.config.secrets import Secret
from skytui.errors import RefusedError, RemoteError, UnreachableError
from skytui.plaintext import plain, plain_bytes
from skytui.remote import quoting
from skytui.remote.lines import LineSplitter, Said
from skytui.remote.ssh import Host, LostError

_START = (Path(__file__).parent / "start.sh").read_text()
_LOOK = (Path(__file__).parent / "look.sh").read_text()
_TOKEN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")

START_SECONDS = 20.0
"""How long the host may take to make sure of itself and start a command."""
_TURNS = 25  # of look.sh, each 0.2 s or, where sleep knows no fractions, 1 s
_LOOK_SECONDS = _TURNS + 10.0
_RETRY_SECONDS = 0.5
_CLAIMED_LOOKS = 3


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A command to be started once.

    `check` is run in the same shell immediately before and must print exactly `expect`. `argv` reaches the
    program literally. `stdin` are lines for its standard input, which then is at its end.
    """

    token: str
    check: list[str]
    expect: str
    argv: list[str]
    stdin: tuple[Secret, ...] = ()


class Progress(enum.StrEnum):
    """Where a command stands."""

    ABSENT = "absent"
    """Nobody has used the token."""
    VOID = "void"
    """A probe used the token up before anything started: it never ran and never will."""
    CLAIMED = "claimed"
    """The token is taken and nothing has been seen to start."""
    RUNNING = "running"
    ENDED = "ended"
    VANISHED = "vanished"
    """It left no exit code, and it is proven that nothing of it is left: killed, or its host went down."""
    ORPHANED = "orphaned"
    """Its shell is gone and left no exit code, but something of it may still run."""


class State(msgspec.Struct, frozen=True):
    """Where a command stands, with its exit code once it has ended."""

    progress: Progress
    code: int | None = None


class CheckFailedError(RefusedError):
    """The host is not the one, or not in the role, that was expected; nothing was started."""


async def start(host: Host, command: Command, deadline: float = START_SECONDS) -> None:
    """Start a command, or do nothing when its token was used before.

    Raises CheckFailedError and RefusedError when nothing was started; LostError when it may have been;
    UnreachableError when nothing was sent; RemoteError when the host's sh cannot do this at all.
    """
    if not _TOKEN.fullmatch(command.token):
        raise RefusedError(f"{host.name}: `{command.token}` cannot be a token; nothing was started.")
    lines = [line.reveal() for line in command.stdin]
    if any(set("\n\r\0") & set(line) or len(line) > 4096 for line in lines):
        raise RefusedError(f"{host.name}: a line for standard input has a line break or is too long.")
    text = sh(_START, command.token, len(lines), command.expect, quoting.posix(command.check), *command.argv)
    stdin = "".join(f"{line}\n" for line in lines).encode()
    done = await host.run(text, stdin=stdin, deadline=deadline)
    answer, _, why = plain_bytes(done.stdout.splitlines()[-1] if done.stdout.strip() else b"").partition(" ")
    match answer:
        case "started" | "already" | "unsure":
            return
        case "refused":
            said = f"`{why}`" if why else "nothing"
            raise CheckFailedError(
                f"{host.name}: refused, the host says {said} where `{command.expect}` was expected; "
                "nothing was started."
            )
        case "cut":
            raise LostError(f"{host.name}: the connection was cut before all lines had come.")
        case "failed":
            raise RefusedError(f"{host.name}: nothing was started: {why}.")
    raise RemoteError(f"{host.name}: sh could not start the command: {done.complaint} (exit {done.code}).")


async def look(
    host: Host, token: str, offset: int = 0, *, wait: bool = False, void: bool = False
) -> tuple[State, bytes]:
    """Where a command stands, and what it has said from byte `offset` on (at most 64 KiB of it).

    With `wait` the host answers as soon as there is something new, or after some seconds. With `void` a token
    nobody has used is used up. Raises RemoteError.
    """
    text = sh(_LOOK, token, offset, _TURNS if wait else 0, "void" if void else "")
    done = await host.run(text, deadline=_LOOK_SECONDS)
    first, _, rest = done.stdout.partition(b"\n")
    word, _, code = first.decode("ascii", "replace").partition(" ")
    try:
        progress = Progress(word)
        number = int(code) if progress is Progress.ENDED else None
    except ValueError:
        if word == Progress.ENDED:
            return State(Progress.ORPHANED), rest  # its exit code cannot be read
        raise RefusedError(
            f"{host.name}: sh could not look after the command: {plain(done.complaint)}."
        ) from None
    return State(progress, number), rest


async def follow(host: Host, token: str, said: Said, deadline: float) -> State:
    """Hand on every line a command says until it has ended; no line is lost or doubled by a lost connection.

    Returns the last state seen, which is *running* when `deadline` (in seconds) comes first.
    Raises UnreachableError when the host could not be asked until then.
    """
    end = asyncio.get_running_loop().time() + deadline
    splitter = LineSplitter(said)
    offset, claimed = 0, 0
    state: State | None = None
    lost: RemoteError | None = None
    try:
        async with asyncio.timeout_at(end):
            while True:
                try:
                    state, chunk = await look(host, token, offset, wait=state is not None)
                    lost = None
                except UnreachableError as error:
                    lost = error
                    await asyncio.sleep(_RETRY_SECONDS)
                    continue
                splitter.feed(chunk)
                offset += len(chunk)
                claimed = claimed + 1 if state.progress is Progress.CLAIMED else 0
                over = state.progress not in (Progress.RUNNING, Progress.CLAIMED)
                if not chunk and (over or claimed >= _CLAIMED_LOOKS):
                    return state
    except TimeoutError:
        if state is None or lost is not None:
            raise lost or UnreachableError(f"{host.name}: no answer within {deadline:g} s.") from None
        return state
    finally:
        splitter.end()


def sh(script: str, *arguments: object) -> str:
    """A command line that has the host's sh run `script`, each argument reaching it literally."""
    return quoting.posix(["sh", "-c", script, "skytui", *map(str, arguments)])
