"""`skytui swap`, `abort`, `hold`, `release`."""

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from skytui.commands.answers import Answers
from skytui.commands.console import chosen_pair, known_pair, require_terminal
from skytui.commands.starting import NOTHING_SAID, Start
from skytui.errors import RunRefusedError, UsageError
from skytui.link.start import attach
from skytui.link.wire import HoldRun, ReleaseRun, Reply, Request, Unwatch
from skytui.runbook.steps import Kind

__all__ = ["Start", "abort", "console", "headless", "hold", "kind_of", "latest_time", "narrate", "release"]


def headless(pair: str, answers: Answers, start: Start = NOTHING_SAID) -> int:
    """Run a swap without a screen; returns the exit code."""
    from skytui.commands.headless import swap  # noqa: PLC0415

    known_pair(pair)
    return asyncio.run(swap(pair, answers, sys.stdout, narrate, start=start))


def latest_time(text: str, now: datetime | None = None) -> datetime | None:
    """The next moment at which the clock here shows `HH:MM`, in UTC; None for no text.

    Raises UsageError for what is no time of day.
    """
    if not text:
        return None
    here = (now or datetime.now(UTC)).astimezone()
    try:
        at = datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - a time of day has no zone
    except ValueError as error:
        raise UsageError(f"--promote-before {text}: write a time of day such as 02:30.") from error
    latest = datetime.combine(here.date(), at).astimezone()
    if latest <= here:
        latest = datetime.combine(here.date() + timedelta(days=1), at).astimezone()
    return latest.astimezone(UTC)


def kind_of(*, unplanned: bool, convert: bool) -> Kind:
    """The kind of run the options ask for. Raises UsageError for both at once."""
    if unplanned and convert:
        raise UsageError("--unplanned and --convert are two kinds of run: give one of them.")
    if unplanned:
        return Kind.UNPLANNED
    return Kind.CONVERT if convert else Kind.PLANNED


def console(pair: str, start: Start = NOTHING_SAID, *, slow_link: bool, ascii_only: bool) -> int:
    """Open the console, and with it a run if none is open."""
    from skytui.commands.console import console as show  # noqa: PLC0415

    require_terminal()
    refused = asyncio.run(_ask(chosen_pair(pair), start.request))
    if refused and not refused.startswith("run "):
        raise RunRefusedError(f"No run was started: {refused}.")
    return show(pair, slow_link=slow_link, ascii_only=ascii_only)


def abort(pair: str, reason: str) -> int:
    """Take the open run back, without a screen; returns the exit code."""
    from skytui.commands.headless import abort as go_back  # noqa: PLC0415

    known_pair(pair)
    return asyncio.run(go_back(pair, reason, sys.stdout, narrate))


def hold(pair: str, reason: str) -> None:
    """Stop the open run at its next gate."""
    refused = asyncio.run(_ask(known_pair(pair), lambda number: HoldRun(number, reason)))
    if refused:
        raise RunRefusedError(f"{pair} was not held: {refused}.")


def release(pair: str) -> None:
    """Let a held run go on."""
    refused = asyncio.run(_ask(known_pair(pair), ReleaseRun))
    if refused:
        raise RunRefusedError(f"{pair} was not released: {refused}.")


def unwatch(pair: str, reason: str) -> None:
    """End the watch after the last run."""
    refused = asyncio.run(_ask(known_pair(pair), lambda number: Unwatch(number, reason)))
    if refused:
        raise RunRefusedError(f"{pair}: {refused}.")


def narrate(says: str) -> None:
    """Say something on stderr, where narration goes."""
    sys.stderr.write(f"{says}\n")
    sys.stderr.flush()


async def _ask(pair: str, make: Callable[[int], Request]) -> str:
    client = await attach(pair, "headless")
    try:
        reply: Reply = await client.request(make)
        return reply.refused
    finally:
        await client.close()
