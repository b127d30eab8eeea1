"""Where skytui keeps things: configuration and state, as the XDG base directory specification says.

Source: https://specifications.freedesktop.org/basedir-spec/latest/ (a relative value is invalid and ignored).
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

PRACTICE = "practice"


def _base(variable: str, default: str) -> Path:
    value = os.environ.get(variable, "")
    return Path(value) if value.startswith("/") else Path.home() / default


def config_dir() -> Path:
    """The person's own configuration folder."""
    return _base("XDG_CONFIG_HOME", ".config") / "skytui"


def state_dir() -> Path:
    """The person's own state folder; everything skytui writes on this machine lies below it."""
    return _base("XDG_STATE_HOME", ".local/state") / "skytui"


def pair_state_dir(pair: str) -> Path:
    """The folder of one pair: its conductor's socket and log, and its runs."""
    return state_dir() / "pairs" / pair


def lab_dir(pair: str = PRACTICE) -> Path:
    """The folder the practice pair lives in."""
    return state_dir() / "lab" / pair


def private(folder: Path) -> Path:
    """`folder`, made with its parents if need be, readable by its owner alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def mask_of(folder: Path) -> int:
    """The umask for what is made in `folder`: for its group too where that may write in it, else for nobody.

    Raises OSError when the folder is not there.
    """
    return 0o007 if folder.stat().st_mode & 0o020 else 0o077


@contextlib.contextmanager
def masked(mask: int) -> Iterator[None]:
    """Make files and folders under this umask, whatever the person's own one is."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def own_style(name: str) -> Path:
    """A style sheet: beside the package in the wheel, beside it in a checkout otherwise.

    A checkout is looked at first, because an editable install keeps a stale copy in site-packages.
    """
    package = Path(__file__).parent
    checkout = package.parent / "styles" / name
    return checkout if checkout.is_file() else package / "styles" / name
