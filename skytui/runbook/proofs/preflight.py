"""That nothing speaks against beginning a swap."""

from skytui.runbook.checks import Checked, check_all
from skytui.runbook.model import Run
from skytui.runbook.proofs.proof import Part
from skytui.runbook.sight import Sight


def no_check_blocks(run: Run, sight: Sight) -> list[Part]:
    """No check blocks, but those that were waived by name."""
    waived = {waiver.check: waiver for waiver in run.waivers if waiver.check}
    parts: list[Part] = []
    for checked in check_all(sight, run.id):
        waiver = waived.get(checked.id) if checked.blocks else None
        if waiver is None:
            parts.append(Part(not checked.blocks, _says(checked), checked.early))
        else:
            parts.append(Part(True, f"{checked.says}; waived by {waiver.who}: {waiver.reason}"))
    return parts


def _says(checked: Checked) -> str:
    return f"{checked.says}. {checked.hint}" if checked.blocks and checked.hint else checked.says
