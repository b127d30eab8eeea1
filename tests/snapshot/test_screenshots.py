"""The pictures in the README are what the console looks like now."""

import pytest

from tests.snapshot.moments import MOMENTS, Moment
from tests.snapshot.write_screenshots import FOLDER, picture

PICTURED = [moment for moment in MOMENTS if moment.picture]


@pytest.mark.parametrize("moment", PICTURED, ids=lambda moment: moment.name)
async def test_screenshot_is_not_stale(moment: Moment) -> None:
    kept = (FOLDER / f"{moment.name}.svg").read_text(encoding="utf-8")
    assert kept == await picture(moment), "run `python -m tests.snapshot.write_screenshots` and look at it"


def test_there_are_no_others_and_none_is_large() -> None:
    kept = {path.name: path.stat().st_size for path in FOLDER.glob("*.svg")}
    assert set(kept) == {f"{moment.name}.svg" for moment in PICTURED}
    assert max(kept.values()) < 200_000
