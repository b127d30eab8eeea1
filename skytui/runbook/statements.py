"""A person's word that the original master is powered off: when it may be given, and what refutes it.

Source: the procedure's *fence-master* and *shut-down*: a typed statement stands for the proof where the host
cannot be reached at all. It never outweighs a reading: see `proofs/down.py`.
"""

from skytui.pair.pair import PairReading
from skytui.pair.reading import Known
from skytui.pair.vocabulary import Role
from skytui.runbook import proofs
from skytui.runbook.gates import AFTER, BEFORE
from skytui.runbook.model import Proving, Run, Running

_STANDS_FOR = {proofs.old_ports_refuse, proofs.old_processes_gone}


def takes_a_statement(step: str) -> bool:
    """Whether a gate of this step wants the original master proven down."""
    return bool(_STANDS_FOR & {*BEFORE.get(step, ()), *AFTER[step]})


def why_no_statement(run: Run) -> str:
    """Why the operator cannot state now that the original master is powered off; empty when they can."""
    if run.step is None or run.complete:
        return "the run has ended"
    if run.hold:
        return f"held by {run.hold.who}: {run.hold.reason}"
    if not takes_a_statement(run.step.id):
        return f"{run.step.id} does not depend on {run.old} being down"
    if isinstance(run.stage, Proving | Running):
        return f"{run.step.id} is under way"
    return f"{run.statement.who} has stated it already" if run.statement else ""


def sign_of_life(run: Run, reading: PairReading) -> str:
    """What was read of the original master since it was stated to be powered off; empty for nothing.

    Its conversion brings it back; from its intent on that refutes nothing. A salvage runs its database where
    nobody reaches it; from its intent on a process alone refutes nothing.
    """
    stated = run.statement
    if stated is None or run.attempts.get("convert"):
        return ""
    server = reading.server(run.old)
    identity = server.identity
    if isinstance(identity, Known) and identity.value.name != run.old:
        return ""  # somebody else answers at its address: no gate takes anything from there
    signs: list[str] = []
    if isinstance(server.role, Known) and server.role.at.later_than(stated.at):
        signs += [f"it reads {server.role.value}"] if server.role.value is Role.MASTER else []
    if isinstance(server.ports, Known) and server.ports.at.later_than(stated.at):
        signs += [f"port {port.port} is open" for port in server.ports.value if port.state == "open"]
    salvaged = bool(run.attempts.get("salvage"))
    if not salvaged and isinstance(server.process, Known) and server.process.at.later_than(stated.at):
        signs += [f"{process.name} runs" for process in server.process.value if process.running]
    return f"{run.old} is not powered off: {', '.join(signs)}" if signs else ""
