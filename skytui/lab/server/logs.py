"""The server's log files: lines of `2026-11-22T12:01:02Z LEVEL text`, and one JSON line per request."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from skytui.lab.loglines import file_handler
from skytui.plaintext import plain

NAMES = ("server", "scheduler", "replication")


@contextmanager
def open_logs(folder: Path) -> Iterator[dict[str, logging.Logger]]:
    """The loggers `server`, `scheduler` and `replication`, each into its own file below `folder`.

    A file that is moved away is opened anew, so rotation needs no signal. uvicorn's and the libraries'
    warnings go to `server.log`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handlers: list[tuple[logging.Logger, logging.Handler]] = []
    loggers: dict[str, logging.Logger] = {}
    for name in NAMES:
        logger = logging.getLogger(f"skytui.lab.{name}")
        handler = file_handler(folder / f"{name}.log")
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        handlers.append((logger, handler))
        loggers[name] = logger
        if name == "server":
            root = logging.getLogger()
            root.addHandler(handler)
            root.setLevel(logging.WARNING)
            handlers.append((root, handler))
    # Its pool says at every try that there is no database; our own line says it once.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    try:
        yield loggers
    finally:
        for logger, handler in handlers:
            logger.removeHandler(handler)
            handler.close()


class _Request(msgspec.Struct):
    at: datetime
    method: str
    path: str
    user: str
    status: int


class RequestLog:
    """`requests.jsonl`: what was asked to change something, by whom, and what the answer was."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def add(self, at: datetime, method: str, path: str, user: str, status: int) -> None:
        """Append one line."""
        line = msgspec.json.encode(_Request(at, method, plain(path), plain(user), status))
        with self._file.open("ab") as file:
            file.write(line + b"\n")
