"""What a proof is."""

from typing import Protocol

from skytui.runbook.model import Run
from skytui.runbook.sight import Sight

Found = tuple[bool, str]
"""Whether it holds, and the sentence."""


class Proof(Protocol):
    """One conjunct of a gate."""

    __name__: str

    def __call__(self, run: Run, sight: Sight) -> Found:
        """Whether it holds, and the sentence."""
