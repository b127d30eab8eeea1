"""A console on the terminal it is started on, over a scripted session: what the pty tests run.

Its argument: a file to which it writes what was asked for, and how it was left.
"""

import asyncio
import sys
import time
from pathlib import Path

from skytui.tui.app import run_console
from tests.tui.scenarios import idle


async def main() -> None:
    session = idle()
    session.open()
    session.show(received=time.monotonic())
    leaving = await run_console(session)
    Path(sys.argv[1]).write_text(f"{session.asked}\n{leaving.says}\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
