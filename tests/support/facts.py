"""A jump host on which all is well."""

from skytui.clock import Instant
from skytui.pair.facts import Calendar, Facts, Folder, Logout, Past, Remembered
from skytui.pair.reading import Known
from skytui.pair.vocabulary import Port, Script

SHA = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def all_well(at: Instant, addresses: dict[str, str]) -> Facts:
    return Facts(
        addresses=addresses,
        folder=Known(Folder("/var/lib/skytui/pairs/test", 20_000_000_000), at),
        logout=Known(Logout("ann", kills=False, lingers=False), at),
        past=Known(Past(), at),
        calendar=Known(Calendar(), at),
        remembered=Known(Remembered(), at),
    )


def scripts() -> list[Script]:
    names = ("identity.sh", "masterToStandby.sh", "standbyToMaster.sh", "stop.sh")
    return [Script(name, True, True, SHA, True) for name in names]


def ports_of_peer() -> list[Port]:
    return [Port(8443, "open"), Port(5432, "open")]
