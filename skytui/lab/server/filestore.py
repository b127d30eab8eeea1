"""Output files on this host's own disk, one a run, named after it."""

import hashlib
import os
from pathlib import Path

from skytui.lab.jobset import file_name


class FileStore:
    """The files of one host. A file is there whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._hashes: dict[str, tuple[tuple[int, int, int], str]] = {}

    def path(self, run: str) -> Path:
        """Where the file of `run` lies."""
        return self.folder / file_name(run)

    def save(self, run: str, content: bytes) -> str:
        """Write the file of `run` through to the disk; its SHA-256 in hex."""
        final = self.path(run)
        part = final.with_name(final.name + ".part")
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(final)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return hashlib.sha256(content).hexdigest()

    def load(self, run: str) -> bytes | None:
        """The file of `run`, if it is here."""
        try:
            return self.path(run).read_bytes()
        except FileNotFoundError:
            return None

    def sha256(self, run: str) -> str | None:
        """The hash of the file of `run`, if it is here. Read again only when the file has changed."""
        path = self.path(run)
        try:
            stat = path.stat()
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            known = self._hashes.get(run)
            if known is None or known[0] != seen:
                known = (seen, hashlib.sha256(path.read_bytes()).hexdigest())
                self._hashes[run] = known
        except FileNotFoundError:
            self._hashes.pop(run, None)
            return None
        return known[1]

    def missing(self, expected: dict[str, str]) -> list[str]:
        """The runs of `expected` (run to hash) whose file is not here with that hash."""
        return [run for run, sha256 in expected.items() if self.sha256(run) != sha256]
