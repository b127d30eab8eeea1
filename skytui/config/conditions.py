"""Conditions on readings: when a repair applies."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from skytui.config.values import Pick
from skytui.pair.reading import Cause, Known, Stale, Unknown


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """What must be so of one reading, now; exactly one of its keys is given. A stale value fulfils none."""

    is_: Annotated[Any, Meta(description="it reads exactly this")] = msgspec.field(name="is", default=None)
    pick: Annotated[
        Pick | None, Meta(description="a JMESPath that finds something true, and not empty, in what it reads")
    ] = None
    unknown: Annotated[
        Cause | None,
        Meta(
            description="it gives no value, because: `process gone`, `port closed`, `does not answer`,"
            " `standby`"
        ),
    ] = None

    def given(self) -> list[str]:
        """The keys that are given."""
        keys = {"is": self.is_, "pick": self.pick, "unknown": self.unknown}
        return [key for key, value in keys.items() if value is not None]

    def holds(self, reading: Known[Any] | Stale[Any] | Unknown) -> bool:
        """Whether it is so."""
        if not isinstance(reading, Known):
            return self.unknown is not None and reading.cause is self.unknown
        value = msgspec.to_builtins(reading.value)
        if self.pick is not None:
            try:
                return bool(self.pick.search(value))
            except ValueError:
                return False
        return self.is_ is not None and type(value) is type(self.is_) and bool(value == self.is_)
