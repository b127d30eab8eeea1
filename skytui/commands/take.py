"""`skytui take`: operate a run that another person, or another of one's own clients, operated until now."""

import asyncio

from skytui.commands.console import known_pair
from skytui.errors import RunRefusedError, UsageError
from skytui.link.start import attach, conductor_listens
from skytui.link.wire import Take
from skytui.runbook.model import Run


def take(pair: str, reason: str) -> str:
    """Take the open run over; a sentence that says so.

    A conductor that lives goes on with the keys it has. Where it died, a new one is started, and the run goes
    on with ours. Raises UsageError without a reason, RunRefusedError when there is nothing to take over or it
    is refused.
    """
    if not reason.strip():
        raise UsageError("Taking a run over needs a reason.", hint="Give it with --reason.")
    return asyncio.run(_take(known_pair(pair), reason))


async def _take(pair: str, reason: str) -> str:
    lived = conductor_listens(pair)
    client = await attach(pair, "headless", take_over=reason)
    try:
        run, you = client.welcome.run, client.welcome.you
        if run is None or run.over:
            raise RunRefusedError(f"Nothing was taken over: {pair} has no open run.")
        reply = await client.request(lambda number: Take(number, run.id, reason))
        if reply.refused:
            raise RunRefusedError(f"Run {run.id} was not taken over: {reply.refused}.")
        return _says(run, you.who, keys_of=client.welcome.keys_of, lived=lived)
    finally:
        await client.close()


def _says(run: Run, who: str, *, keys_of: str, lived: bool) -> str:
    went_on = "its conductor lives" if lived else "a new conductor has taken it up"
    return (
        f"Run {run.id} is operated by {who} from here on; {went_on}, with the keys of {keys_of}."
        f" Go on with: skytui {run.pair}"
    )
