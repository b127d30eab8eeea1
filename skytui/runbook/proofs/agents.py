"""The agents of the baseline, by name."""

from skytui.pair.vocabulary import ACTIVE
from skytui.runbook.model import Run
from skytui.runbook.proofs.proof import Found
from skytui.runbook.sight import Sight


def agents_connected(run: Run, sight: Sight) -> Found:
    """Every agent that was active before has a connection to the new master now."""
    agents = {agent.name: agent for agent in sight.take("the list of agents", sight.server(run.new).agents)}
    wanted = run.baseline.active_agents() if run.baseline else ()
    if not wanted:
        return False, f"no agent was active before: nothing shows that agents reach {run.new}"
    missing: list[str] = []
    for name in wanted:
        agent = agents.get(name)
        if agent is None:
            missing.append(f"{name} (not listed)")
        elif agent.connected is not True:
            seen = f", last seen {agent.last_seen}" if agent.last_seen else ""
            missing.append(f"{name} (not connected{seen})")
        elif agent.state != ACTIVE:
            missing.append(f"{name} ({agent.state})")
    if missing:
        return False, f"{len(missing)} of {len(wanted)} agents missing: {', '.join(missing)}"
    return True, f"{len(wanted)} of {len(wanted)} agents connected and active"
