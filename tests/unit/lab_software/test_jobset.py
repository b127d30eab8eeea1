from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skytui.errors import ConfigError
from skytui.lab.jobset import USUAL, file_name, load_jobs, parse_run_id, run_id, ticks

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
DENSE = Path(__file__).parents[2] / "e2e" / "dense-jobs.toml"


@pytest.mark.parametrize("file", [USUAL, DENSE])
def test_the_job_sets_of_the_pair_are_valid(file: Path) -> None:
    jobs = load_jobs(file)
    assert len(jobs.job) >= 12
    assert [agent.name for agent in jobs.agent] == ["NIGHT-01", "NIGHT-02", "NIGHT-03"]
    queues = {queue for agent in jobs.agent for queue in agent.queues}
    assert {"ARCHIVE", "PAYROLL"} < queues
    assert len(queues) == 8


def test_the_usual_set_has_every_kind_of_job() -> None:
    jobs = load_jobs().job
    assert any("exit 3" in job.command for job in jobs)
    assert any(job.output for job in jobs)
    assert any(not job.output for job in jobs)
    assert max(len(ticks(job.cron, NOON, NOON + timedelta(minutes=1))) for job in jobs) >= 10
    assert min(len(ticks(job.cron, NOON, NOON + timedelta(minutes=1))) for job in jobs) == 1


def test_the_dense_set_makes_two_hundred_runs_in_a_minute() -> None:
    minute = timedelta(minutes=1)
    assert sum(len(ticks(job.cron, NOON, NOON + minute)) for job in load_jobs(DENSE).job) >= 200


def test_ticks_leave_out_the_first_moment_and_keep_the_last() -> None:
    due = ticks("*/5 * * * * *", NOON, NOON + timedelta(seconds=10))
    assert due == [NOON + timedelta(seconds=5), NOON + timedelta(seconds=10)]


@given(st.integers(0, 400), st.integers(0, 400), st.integers(0, 400))
def test_ticks_of_neighbouring_intervals_join_without_gap_or_overlap(a: int, b: int, c: int) -> None:
    first, middle, last = (NOON + timedelta(seconds=each / 10) for each in sorted((a, b, c)))
    cron = "*/7 * * * * *"
    assert ticks(cron, first, middle) + ticks(cron, middle, last) == ticks(cron, first, last)


def test_a_run_id_comes_back_as_job_and_due_time() -> None:
    run = run_id("ledger-export", NOON)
    assert run == "ledger-export@2026-11-22T12:00:00Z"
    assert parse_run_id(run) == ("ledger-export", NOON)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "job",
        "job@noon",
        "../x@2026-11-22T12:00:00Z",
        "job@2026-13-22T12:00:00Z",
        "j\n@2026-11-22T12:00:00Z",
    ],
)
def test_what_is_no_run_id_is_told_apart(text: str) -> None:
    assert parse_run_id(text) is None


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_file_names_stay_in_their_folder_and_apart(one: str, other: str) -> None:
    names = [file_name(f"{job}@2026-11-22T12:00:00Z") for job in (one, other)]
    assert all("/" not in name and name not in (".", "..") for name in names)
    assert (names[0] == names[1]) == (one == other)


@pytest.mark.parametrize(
    ("job", "says"),
    [
        ('name="a"\nagent="N"\nqueue="M"\ncron="* * * * * *"\ncommand=":"', "waits in queue"),
        ('name="a@b"\nagent="N"\nqueue="N"\ncron="* * * * * *"\ncommand=":"', "the job name"),
        ('name="a"\nagent="N"\nqueue="N"\ncron="* * * * *"\ncommand=":"', "6 wanted"),
        ('name="a"\nagent="N"\nqueue="N"\ncron="61 * * * * *"\ncommand=":"', "cron line"),
        ('name="a"\nagent="N"\nqueue="N"\ncron="* * * * * *"\ncomand=":"', "comand"),
    ],
)
def test_a_wrong_job_set_is_refused_with_its_file(tmp_path: Path, job: str, says: str) -> None:
    file = tmp_path / "jobs.toml"
    file.write_text(f'[[agent]]\nname="N"\nqueues=["N"]\n[[job]]\n{job}\n')
    with pytest.raises(ConfigError, match=says) as caught:
        load_jobs(file)
    assert str(file) in str(caught.value)
