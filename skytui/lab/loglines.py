"""The form of the practice pair's log files: `2026-11-22T12:01:02Z LEVEL text`, times in UTC."""

import logging
import time
from logging.handlers import WatchedFileHandler
from pathlib import Path


class _Lines(logging.Formatter):
    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")


def file_handler(file: Path) -> logging.Handler:
    """A handler that appends such lines to `file`, and opens it anew when it has been moved away."""
    handler = WatchedFileHandler(file, encoding="utf-8", delay=True)
    handler.setFormatter(_Lines())
    return handler
