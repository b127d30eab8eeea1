"""The operator's own keys: the `[keys]` tables of the configuration files."""

import sys

from skytui.conductor.runs import open_run
from skytui.config.pairs import config_files
from skytui.config.state import pair_folder
from skytui.config.tables import Document
from skytui.errors import ConfigError
from skytui.link.start import conductor_listens


def check_keys(document: Document) -> None:
    """A fault for every key in the `[keys]` table of a file that cannot be that."""
    from skytui.tui.keyboard import keyboard  # noqa: PLC0415 - textual comes with it

    for name, says in keyboard(document.table(document.data, "keys", ()))[1].items():
        document.fault(("keys", name), says)


def chosen_keys() -> dict[str, object]:
    """Which binding is on which key: of several files the first that says it counts.

    Raises ConfigError with every fault of the first file with faulty keys.
    """
    chosen: dict[str, object] = {}
    for file in config_files():
        document = Document(file)
        keys = document.table(document.data, "keys", ())
        check_keys(document)
        document.check()
        chosen = {**keys, **chosen}
    check_together(chosen)
    return chosen


def check_together(chosen: dict[str, object]) -> None:
    """Raises ConfigError where keys that are sound in each file clash with those of another."""
    from skytui.tui.keyboard import keyboard  # noqa: PLC0415 - textual comes with it

    faults = [f"[keys] {name}: {says}" for name, says in keyboard(chosen)[1].items()]
    if faults:
        raise ConfigError(f"The keys of several configuration files clash: {'; '.join(faults)}.")


def keys_for(pair: str) -> dict[str, object]:
    """The keys for a console on `pair`. A run that is open is not out of reach while somebody edits them.

    Raises ConfigError when they are faulty and no run is open.
    """
    try:
        return chosen_keys()
    except ConfigError as error:
        if not conductor_listens(pair) and open_run(pair_folder(pair)) is None:
            raise
        sys.stderr.write(f"{error}\nThe usual keys are used.\n")
        return {}
