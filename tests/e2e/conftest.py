"""A practice pair for the tests that need one: real servers on this machine.

Every pair has a state folder of its own, starts from one saved database a test worker, and is brought down
whatever the test did to it.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from skytui import paths
from skytui.commands import lab as lab_commands
from skytui.lab import pair
from skytui.lab.node import DATABASE, SUPERUSER, NodeConfig
from skytui.lab.places import Places
from skytui.lab.postgres import Cluster

SHORT_JOBS = Path(__file__).with_name("short-jobs.toml")
DENSE_JOBS = Path(__file__).with_name("dense-jobs.toml")


class Practice:
    """A practice pair that is up, and ways to look at it that do not go through our own API."""

    def __init__(self, places: Places) -> None:
        self.places = places

    def node(self, host: str) -> NodeConfig:
        return NodeConfig.load(self.places.node_toml(host))

    def psql(self, host: str, sql: str) -> str:
        """What `psql` prints for a query to the database of a host, as its superuser."""
        node = self.node(host)
        environment = {**os.environ, "PGPASSWORD": node.secrets().superuser}
        server = ["-h", node.http.address, "-p", str(node.postgres.port), "-U", SUPERUSER, "-d", DATABASE]
        command = [str(Cluster.of(node).bin / "psql"), "-XAtq", *server, "-c", sql]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == 0, f"psql on {host}: {done.stderr}"
        return done.stdout.strip()

    def skytui(self, *arguments: str, seconds: float = 240) -> "subprocess.CompletedProcess[str]":
        """Run the command line, as a user would."""
        return subprocess.run(
            [sys.executable, "-m", "skytui", *arguments],
            capture_output=True, text=True, timeout=seconds, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    @property
    def runs(self) -> Path:
        return paths.pair_state_dir(paths.PRACTICE) / "runs"


PairUp = Callable[..., Practice]


@pytest.fixture(scope="session")
def saved_databases(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path | None], Path]:
    """A saved database for a job set, made the first time it is asked for."""
    made: dict[Path | None, Path] = {}

    def saved(jobs: Path | None) -> Path:
        if jobs not in made:
            made[jobs] = pair.save(tmp_path_factory.mktemp("saved") / "database", jobs=jobs)
        return made[jobs]

    return saved


@pytest.fixture
def pair_up(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    saved_databases: Callable[[Path | None], Path],
    capsys: pytest.CaptureFixture[str],
) -> Iterator[PairUp]:
    """Brings a practice pair up; it is brought down after the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("SKYTUI_CONFIG", raising=False)

    def up(jobs: Path | None = None) -> Practice:
        return Practice(pair.up(print, jobs=jobs, fast=True, saved=saved_databases(jobs)))

    try:
        yield up
    finally:
        lab_commands.down()


@pytest.fixture
def practice(pair_up: PairUp) -> Practice:
    """A practice pair whose jobs are short."""
    return pair_up(SHORT_JOBS)
