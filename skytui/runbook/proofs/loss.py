"""What an unplanned swap begins with: what the standby is, and that its loss is accepted."""

from skytui.runbook.model import Run
from skytui.runbook.proofs.proof import Found
from skytui.runbook.sight import Sight


def new_tells_its_queues(run: Run, sight: Sight) -> Found:
    """The standby lists its queues: which are locked in it stays locked."""
    queues = sight.take(f"the list of queues of {run.new}", sight.server(run.new).queues)
    locked = sum(queue.locked for queue in queues)
    return True, f"{run.new} knows {len(queues)} queues, {locked} of them locked"


def loss_accepted(run: Run, sight: Sight) -> Found:
    """The operator accepted, for this run, that what had not reached the standby is lost."""
    if not run.accepted:
        return False, "nobody has accepted the loss"
    return True, f"{run.accepted} accepts the loss of what had not reached {run.new}"
