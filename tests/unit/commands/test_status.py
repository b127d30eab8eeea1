"""What `skytui status` prints of a pair, beside its readings."""

import msgspec

from skytui.commands.look import Looked
from skytui.commands.status import as_data, as_text
from skytui.pair.pair import PairReading
from skytui.pair.vocabulary import ServerReading
from tests.support.world import START, World


def looked(*unverified: str) -> Looked:
    now = World().clock.instant()
    reading = PairReading(now, now, START, {"sky-a": ServerReading(), "sky-b": ServerReading()})
    return Looked("night", False, False, reading, None, {}, unverified=unverified)


def test_a_server_that_is_not_verified_is_named() -> None:
    row = next(line for line in as_text(looked("sky-b")).splitlines() if line.startswith("certificate"))
    assert row.split(maxsplit=2) == ["certificate", "verified", "NOT VERIFIED"]
    assert msgspec.json.decode(as_data(looked("sky-b")))["unverified"] == ["sky-b"]


def test_nothing_is_said_where_everything_is_verified() -> None:
    assert "certificate" not in as_text(looked())
    assert msgspec.json.decode(as_data(looked()))["unverified"] == []
