"""A repair applies where all its conditions are read, and never to what may be a master."""

import itertools
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from skytui.clock import Instant
from skytui.config.profile import Profile
from skytui.config.profile_file import read_profile
from skytui.config.repairs import applicable, proven_no_master
from skytui.config.tables import Document
from skytui.errors import ConfigError
from skytui.pair.pair import PairReading
from skytui.pair.reading import Cause, Known, Stale, Unknown
from skytui.pair.vocabulary import Control, Link, Process, Role, ServerReading

AT = Instant("test", 1.0)
SILENT = Unknown("no answer", AT, cause=Cause.SILENT)
MASTER, STANDBY = Known(Role.MASTER, AT), Known(Role.STANDBY, AT)
RECOVERY = Known(Control("in archive recovery", "0/1"), AT)
STREAMS = Known(Link("streaming", "sky-b"), AT)
UP = Known([Process("skybot", True)], AT)

PROFILE = """
schema = 1
[check]
run = ["id"]
[repair.stop_hung]
says = "Stop the hung server"
run = ["{home}/bin/stop.sh", "--force"]
deadline = "1m"
[repair.stop_hung.when]
process = { pick = "[?running]" }
scheduler = { unknown = "does not answer" }
[repair.by_hand]
says = "Look at it"
manual = "Look at {server.name}"
when = { guard = { is = true } }
"""


def read(written: str = PROFILE) -> Profile:
    return read_profile(Document(Path("p.toml"), written))


def pair(a: dict[str, Any], b: dict[str, Any]) -> PairReading:
    servers = {"sky-a": ServerReading(**a), "sky-b": ServerReading(**b)}
    return PairReading(AT, AT, datetime(2026, 1, 1, tzinfo=UTC), servers)


HUNG = {"process": UP, "scheduler": SILENT}


@pytest.mark.parametrize(
    ("a", "b", "names"),
    [
        ({"role": MASTER}, {"role": STANDBY, **HUNG}, ["stop_hung"]),
        ({"role": MASTER}, {"role": SILENT, "control": RECOVERY, **HUNG}, ["stop_hung"]),
        ({"role": MASTER, "replication_link": STREAMS}, {"role": SILENT, **HUNG}, ["stop_hung"]),
        ({"role": MASTER}, {"role": SILENT, **HUNG}, []),
        ({"role": MASTER}, {"role": MASTER, "control": RECOVERY, **HUNG}, []),
        ({"role": STANDBY}, {"role": MASTER, **HUNG}, []),
        ({"role": SILENT}, {"role": SILENT, "control": RECOVERY, **HUNG}, []),
        ({"role": MASTER}, {"role": Stale(Role.STANDBY, AT, "gone"), **HUNG}, []),
        ({"role": MASTER, "replication_link": Known(Link("streaming"), AT)}, {"role": SILENT, **HUNG}, []),
        ({"role": MASTER, "replication_link": Known(Link("", "sky-b"), AT)}, {"role": SILENT, **HUNG}, []),
        (
            {"role": MASTER},
            {"role": SILENT, "control": Known(Control("in production", "0/1"), AT), **HUNG},
            [],
        ),
        ({"role": MASTER}, {"role": STANDBY, **HUNG, "process": Known([Process("skybot", False)], AT)}, []),
        ({"role": MASTER}, {"role": STANDBY, **HUNG, "process": Stale(UP.value, AT, "gone")}, []),
        ({"role": MASTER}, {"role": STANDBY, **HUNG, "scheduler": Unknown("x", cause=Cause.CLOSED)}, []),
        ({"role": MASTER}, {"role": STANDBY, "guard": Known(True, AT)}, ["by_hand"]),
        ({"role": MASTER}, {"role": STANDBY, "guard": Known(False, AT)}, []),
        ({"role": MASTER}, {"role": STANDBY, "guard": SILENT}, []),
    ],
)
def test_which_repairs_apply(a: dict[str, Any], b: dict[str, Any], names: list[str]) -> None:
    assert applicable(read(), pair(a, b), "sky-b") == names


def test_never_to_what_reads_master_or_may_be_one() -> None:
    roles = [MASTER, STANDBY, SILENT, Stale(Role.STANDBY, AT, "gone")]
    controls = [RECOVERY, SILENT, Known(Control("in production", "0/1"), AT)]
    links = [STREAMS, SILENT, Known(Link("streaming", "sky-c"), AT)]
    for own, other, control, link in itertools.product(roles, roles, controls, links):
        both = pair({"role": other, "replication_link": link}, {"role": own, "control": control})
        if own is MASTER or (
            own is not STANDBY and (other is not MASTER or not {RECOVERY, STREAMS} & {control, link})
        ):
            assert not proven_no_master(both, "sky-b"), both
        else:
            assert proven_no_master(both, "sky-b"), both
    assert not proven_no_master(pair({}, {"role": STANDBY}), "sky-c")


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("run = ['x']\nwhen = {guard = {is = true}}", "p.toml:4: [repair.x] says: is missing"),
        ("says = 's'\nrun = ['x']", "[repair.x] when: is missing"),
        ("says = 's'\nrun = ['x']\nwhen = {}", "[repair.x] when: names at least one reading"),
        (
            "says = 's'\nrun = ['x']\nwhen = {gard = {is = true}}",
            "gard: is no reading; did you mean `guard`?",
        ),
        ("says = 's'\nrun = ['x']\nwhen = {guard = {}}", "give exactly one of is, pick, unknown; none given"),
        ("says = 's'\nrun = ['x']\nwhen = {guard = {is = true, pick = 'x'}}", "is and pick given"),
        ("says = 's'\nrun = ['x']\nwhen = {role = {is = 'master'}}", "never applies to a server that reads"),
        ("says = 's'\nrun = ['x']\nwhen = {role = {unknown = 'hung'}}", "unknown: Invalid enum value 'hung'"),
        ("says = 's'\nabsent = true\nwhen = {guard = {is = true}}", "a repair does something"),
        ("says = 's'\nwhen = {guard = {is = true}}", "give exactly one of post, run, shell, steps, manual"),
    ],
)
def test_what_is_wrong_with_a_repair_is_said(written: str, says: str) -> None:
    with pytest.raises(ConfigError, match="repair") as error:
        read(f"schema = 1\n[check]\nrun = ['id']\n[repair.x]\n{written}")
    assert says in str(error.value)
