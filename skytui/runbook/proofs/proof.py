"""What a proof is."""

from typing import Protocol

import msgspec

from skytui.runbook.model import Run
from skytui.runbook.sight import Sight

Found = tuple[bool, str]
"""Whether it holds, and the sentence."""


class Part(msgspec.Struct, frozen=True):
    """One of several things a proof looked at; `early`: what it needs has not been asked for again yet."""

    holds: bool
    says: str
    early: bool = False


class Proof(Protocol):
    """One conjunct of a gate."""

    __name__: str

    def __call__(self, run: Run, sight: Sight) -> Found | list[Part]:
        """Whether it holds, and the sentence; or its parts, of which all must hold."""
