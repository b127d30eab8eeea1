"""What both sides say of the standby."""

from skytui.pair.vocabulary import ACTIVE, ACTIVE_AND_CONNECTED
from skytui.runbook.model import Run
from skytui.runbook.proofs.proof import Found
from skytui.runbook.sight import Sight


def master_says_active(run: Run, sight: Sight) -> Found:
    """The new master's STANDBY SERVER status is Active."""
    return _standby_is_active(run.new, sight)


def old_master_says_active(run: Run, sight: Sight) -> Found:
    """The original master's STANDBY SERVER status is Active."""
    return _standby_is_active(run.old, sight)


def _standby_is_active(master: str, sight: Sight) -> Found:
    status = sight.take("STANDBY SERVER status", sight.server(master).standby_status)
    return status.casefold().startswith(ACTIVE), f"STANDBY SERVER on {master}: {status}"


def standby_says_active(run: Run, sight: Sight) -> Found:
    """The new standby's own page says that it is active and connected to the master."""
    return _says_active(run.old, sight)


def old_standby_says_active(run: Run, sight: Sight) -> Found:
    """The original standby's own page says that it is active and connected to the master."""
    return _says_active(run.new, sight)


def _says_active(standby: str, sight: Sight) -> Found:
    status = sight.take(f"{standby}'s own page", sight.server(standby).standby_status)
    return status.casefold().startswith(ACTIVE_AND_CONNECTED), f"{standby} says: {status}"
