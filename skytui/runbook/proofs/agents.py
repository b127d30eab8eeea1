"""The agents of the baseline, by name."""

from datetime import datetime

from skytui.pair.reading import shown
from skytui.pair.vocabulary import ACTIVE, Agent
from skytui.runbook.model import Run
from skytui.runbook.proofs.proof import Found
from skytui.runbook.sight import Sight


def agents_connected(run: Run, sight: Sight) -> Found:
    """Every agent that was active before has a connection to the new master now."""
    agents = {agent.name: agent for agent in sight.take("the list of agents", sight.server(run.new).agents)}
    clock = shown(sight.server(run.new).clock)
    wanted = run.baseline.active_agents() if run.baseline else ()
    if not wanted:
        return False, f"no agent was active before: nothing shows that agents reach {run.new}"
    missing: list[str] = []
    for name in wanted:
        agent = agents.get(name)
        if agent is None:
            missing.append(f"{name} (not listed)")
        elif agent.connected is not True:
            missing.append(f"{name} (not connected{_last_seen(agent, clock)})")
        elif agent.state != ACTIVE:
            missing.append(f"{name} ({agent.state})")
    if missing:
        return False, f"{len(missing)} of {len(wanted)} agents missing: {', '.join(missing)}"
    return True, f"{len(wanted)} of {len(wanted)} agents connected and active"


def _last_seen(agent: Agent, clock: datetime | None) -> str:
    """When it was last seen: how long ago by the server's own clock, which also wrote the time down.

    As the server wrote it where it is no time of day in some zone, or the server's clock was never read.
    """
    if not agent.last_seen:
        return ""
    try:
        seen = datetime.fromisoformat(agent.last_seen)
    except ValueError:
        seen = None
    if seen is None or clock is None or (seen.tzinfo is None) != (clock.tzinfo is None):
        return f", last seen {agent.last_seen}"
    seconds = max(0.0, (clock - seen).total_seconds())
    if seconds < 120:
        return f", last seen {seconds:.0f} s ago"
    return (
        f", last seen {seconds / 60:.0f} min ago"
        if seconds < 7200
        else f", last seen {seconds / 3600:.0f} h ago"
    )
