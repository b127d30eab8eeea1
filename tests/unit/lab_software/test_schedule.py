from datetime import UTC, datetime, timedelta

import pytest

from skytui.lab.server.schedule import DOWN, FAILED, LATE, STOPPED, Scheduled, coming, uncovered, why_missed

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("due", "now", "since", "begun", "reason"),
    [
        pytest.param(0, 1, -60, -60, None, id="fresh: it is queued"),
        pytest.param(0, LATE.total_seconds(), -60, -60, None, id="just in time"),
        pytest.param(0, 6, -60, -60, FAILED, id="late, though this process was there"),
        pytest.param(0, 6, -60, 3, DOWN, id="late, and this process was not there yet"),
        pytest.param(0, 1, -60, 0.5, None, id="fresh, though this process has just begun"),
        pytest.param(0, 1, 0.5, -60, STOPPED, id="fresh, but due while the scheduler was stopped"),
        pytest.param(0, 90, 80, 85, STOPPED, id="stopped wins over not running"),
    ],
)
def test_why_a_tick_is_missed(due: float, now: float, since: float, begun: float, reason: str | None) -> None:
    assert why_missed(after(due), after(now), after(since), after(begun)) == reason


def job(name: str, cron: str, mark: datetime | None) -> Scheduled:
    return Scheduled(name, "NIGHT-01", "NIGHT-01", cron, ":", False, mark)


def test_coming_ticks_of_all_jobs_are_in_order() -> None:
    jobs = [job("b", "*/4 * * * * *", None), job("a", "*/6 * * * * *", None)]
    ticks = [(each.name, at) for each, at in coming(jobs, NOON, timedelta(seconds=12))]
    assert ticks == [("b", after(4)), ("a", after(6)), ("b", after(8)), ("a", after(12)), ("b", after(12))]


def test_uncovered_ticks_begin_behind_the_mark_and_reach_an_hour_back() -> None:
    jobs = [job("new", "* * * * * *", None), job("old", "0 */10 * * * *", after(-86_400))]
    assert [at for _, at in uncovered(jobs, NOON)] == [after(600 * n) for n in range(-5, 1)]
    jobs = [job("a", "*/5 * * * * *", after(-10))]
    assert [at for _, at in uncovered(jobs, NOON)] == [after(-5), NOON]
