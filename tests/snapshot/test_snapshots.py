"""Every main moment, window size and dialog, compared with the picture that was looked at and accepted."""

from collections.abc import Callable

import pytest

from tests.snapshot.moments import MOMENTS, Moment

Compare = Callable[..., bool]


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.name)
def test_moment(moment: Moment, snap_compare: Compare) -> None:
    session, console = moment.console()
    assert snap_compare(console, terminal_size=moment.size, run_before=moment.play(session))


def test_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    moment = Moment("no-colour", "blocked")
    session, console = moment.console()
    assert snap_compare(console, terminal_size=moment.size, run_before=moment.play(session))
