"""After a run: what would show that it comes undone. Two masters, and agents that leave the new one.

Source: old masters that came back as masters, and agents that reconnected to the wrong server, hours after a
swap that was called done.
"""

from datetime import datetime, timedelta

import msgspec

from skytui.pair.pair import PairReading
from skytui.pair.reading import Known, Stale, Unknown
from skytui.pair.vocabulary import Role
from skytui.runbook.model import Run


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """What is watched after `run`, until when. `agents` are those that were connected at its end."""

    run: str
    master: str
    other: str
    since: datetime
    until: datetime
    agents: tuple[str, ...] = ()


class Finding(msgspec.Struct, frozen=True):
    """Something that must not be so. `about` is the same for the same thing in every poll.

    `alarm`: somebody has to be called. Otherwise it only says that nothing can be seen.
    """

    about: str
    says: str
    alarm: bool = True


def watch_of(run: Run, reading: PairReading, hours: float) -> Watch | None:
    """What is to be watched after a run that has ended; None when nothing is."""
    if hours <= 0 or not run.over or not run.attempts:
        return None
    master, other = (run.old, run.new) if run.abort else (run.new, run.old)
    agents = reading.server(master).agents
    here = agents.value if isinstance(agents, Known) else []
    return Watch(
        run=run.id,
        master=master,
        other=other,
        since=reading.wall,
        until=reading.wall + timedelta(hours=hours),
        agents=tuple(agent.name for agent in here if agent.connected),
    )


def findings(watch: Watch, reading: PairReading) -> tuple[Finding, ...]:
    """What this poll found."""
    masters = reading.masters()
    if len(masters) > 1:
        says = f"TWO MASTERS: {' and '.join(masters)} both read master, and jobs may run twice"
        return (Finding("masters", says),)
    server = reading.server(watch.master)
    if not isinstance(server.role, Known):
        return (Finding("sight", f"{watch.master} cannot be watched: {_why(server.role)}", alarm=False),)
    if server.role.value is not Role.MASTER:
        return (Finding("role", f"{watch.master} reads {server.role.value}, and no server reads master"),)
    return _drifted(watch, reading)


def _drifted(watch: Watch, reading: PairReading) -> tuple[Finding, ...]:
    agents = reading.server(watch.master).agents
    if not isinstance(agents, Known):
        if not watch.agents:
            return ()
        return (Finding("sight", f"the agents cannot be watched: {_why(agents)}", alarm=False),)
    known = {agent.name: agent for agent in agents.value}
    found: list[Finding] = []
    for name in watch.agents:
        agent = known.get(name)
        if agent is None:
            found.append(Finding(f"agent {name}", f"{watch.master} does not list agent {name} any more"))
        elif not agent.connected:
            seen = f", last seen {agent.last_seen}" if agent.last_seen else ""
            says = f"agent {name} has left {watch.master} since the swap{seen}"
            found.append(Finding(f"agent {name}", says))
    return tuple(found)


def _why(reading: Known[object] | Stale[object] | Unknown) -> str:
    return "it was not read" if isinstance(reading, Known) else reading.reason
