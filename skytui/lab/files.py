"""Faults that are files made wrong: a script that is gone, a guard that was left, a password that changed.

What stood there before is set aside in the pair's folder, and put back when the fault is undone.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from skytui.errors import LabError
from skytui.lab.places import Places


@dataclass(frozen=True)
class FileFault:
    """A file made wrong. `path` gives it, of a host or of the pair; `change` makes its new content.

    `change` gives None for a file that is gone. `mode` is the file's new mode, None for the one it had.
    """

    path: Callable[[Places, str], Path]
    change: Callable[[str], str | None]
    mode: int | None = None

    def inject(self, places: Places, host: str) -> None:
        """Make it wrong. LabError when it is so already."""
        path, kept = self.path(places, host), self._kept(places, host)
        if kept.exists():
            raise LabError(f"{path} is made wrong already: undo that first.")
        kept.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text() if path.exists() else None
        if before is None:
            kept.touch()
            kept.chmod(0)
        else:
            shutil.copy2(path, kept)
        after = self.change(before or "")
        if after is None:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(after)
        if self.mode is not None:
            path.chmod(self.mode)

    def undo(self, places: Places, host: str) -> None:
        """Put back what stood there. LabError when it is not wrong."""
        path, kept = self.path(places, host), self._kept(places, host)
        if not kept.exists():
            raise LabError(f"{path} is as it was.")
        if kept.stat().st_mode & 0o777:
            shutil.copy2(kept, path)
        else:
            path.unlink(missing_ok=True)
        kept.unlink()

    def _kept(self, places: Places, host: str) -> Path:
        name = self.path(places, host).as_posix().replace("/", "+")
        return places.lab / "faults" / (host or "pair") / name[-200:]


def of_host(*parts: str) -> Callable[[Places, str], Path]:
    """A file below a host's home."""
    return lambda places, host: places.home(host).joinpath(*parts)


def of_pair(name: str) -> Callable[[Places, str], Path]:
    """A file of the pair itself."""
    return lambda places, _host: places.lab / name


def becomes(text: str) -> Callable[[str], str]:
    """Whatever it said, it says this now."""
    return lambda _before: text


def says_more(text: str) -> Callable[[str], str]:
    """It says this, too."""
    return lambda before: before + text


def instead(old: str, new: str) -> Callable[[str], str]:
    """It says something else in one place."""
    return lambda before: before.replace(old, new)


def gone(_before: str) -> None:
    """It is not there any more."""
