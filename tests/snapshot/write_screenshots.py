"""Write screenshots/*.svg anew: `python -m tests.snapshot.write_screenshots`."""

import asyncio
from pathlib import Path

from tests.snapshot.moments import MOMENTS, Moment

FOLDER = Path(__file__).parents[2] / "screenshots"


async def picture(moment: Moment) -> str:
    """The moment as an SVG."""
    session, console = moment.console()
    async with console.run_test(size=moment.size) as pilot:
        await moment.play(session)(pilot)
        return console.export_screenshot(title="skytui") + "\n"


async def write() -> None:
    FOLDER.mkdir(exist_ok=True)
    wanted = {f"{moment.name}.svg": moment for moment in MOMENTS if moment.picture}
    for stray in FOLDER.glob("*.svg"):
        if stray.name not in wanted:
            stray.unlink()
    for name, moment in wanted.items():
        (FOLDER / name).write_text(await picture(moment), encoding="utf-8")
        print(FOLDER / name)


if __name__ == "__main__":
    asyncio.run(write())
