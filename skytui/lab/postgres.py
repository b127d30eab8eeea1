"""One PostgreSQL database cluster, driven by PostgreSQL's own programs.

Settings that must be equal on both hosts stand in the data directory's `postgresql.conf`; `pg_rewind` and
`pg_basebackup` copy that file from the other side. What differs (port, socket folder, name) is therefore
given on the command line at each start, and nothing in the data directory has to be put right afterwards.
"""

import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from skytui.errors import LabError
from skytui.lab import processes
from skytui.lab.node import REPLICATION_ROLE, SUPERUSER, NodeConfig
from skytui.lab.places import Account, named_account

START_SECONDS = 60
STOP_SECONDS = 60
PROMOTE_SECONDS = 60
_SHORT_SECONDS = 60

# The standby is asynchronous (synchronous_standby_names is empty). Slot and wal_keep_size both keep WAL for a
# standby that is away; max_slot_wal_keep_size bounds what a dead one can hold. wal_log_hints is not needed:
# data checksums do the same for pg_rewind.
SETTINGS: dict[str, str] = {
    "wal_level": "replica",
    "hot_standby": "on",
    "hot_standby_feedback": "on",
    "max_wal_senders": "10",
    "max_replication_slots": "10",
    "wal_keep_size": "'128MB'",
    "max_slot_wal_keep_size": "'1GB'",
    "wal_sender_timeout": "'10s'",
    "wal_receiver_timeout": "'10s'",
    "wal_receiver_status_interval": "'1s'",
    "wal_retrieve_retry_interval": "'500ms'",
    "max_connections": "100",
    "shared_buffers": "'32MB'",
    "max_wal_size": "'256MB'",
    "password_encryption": "'scram-sha-256'",
    "fsync": "on",
    "log_line_prefix": "'%m '",
    "log_timezone": "'UTC'",
    "timezone": "'UTC'",
    "logging_collector": "off",
    "jit": "off",
}

_HBA = f"""\
local  all          all                          scram-sha-256
host   all          all                 samenet  scram-sha-256
host   all          all                 samehost scram-sha-256
host   replication  {REPLICATION_ROLE}  samenet  scram-sha-256
host   replication  {REPLICATION_ROLE}  samehost scram-sha-256
"""


@dataclass(frozen=True)
class Control:
    """What the control file of a data directory says (`pg_controldata`).

    `state` in PostgreSQL's words, such as *in production*, *shut down*, *shut down in recovery*;
    `checkpoint` and `timeline` of the latest checkpoint.
    """

    state: str
    checkpoint: str
    timeline: int
    system_identifier: str


@dataclass(frozen=True)
class Cluster:
    """A data directory and how to run it. `account` is set where we are root."""

    name: str
    bin: Path
    data: Path
    socket_dir: Path
    address: str
    port: int
    log: Path
    lab: Path
    account: Account | None = None

    @classmethod
    def of(cls, node: NodeConfig) -> "Cluster":
        """The database of a host."""
        account = None
        if node.postgres.account is not None:
            account = named_account(node.postgres.account)
            if account is None:
                raise LabError(
                    f"{node.path} names the account {node.postgres.account}, which does not exist."
                )
        return cls(
            name=node.name,
            bin=node.postgres.bin,
            data=node.postgres.data,
            socket_dir=node.postgres.socket_dir,
            address=node.http.address,
            port=node.postgres.port,
            log=node.logs / "database.log",
            lab=node.node.lab,
            account=account,
        )

    @property
    def is_standby(self) -> bool:
        """Whether the next start would be as a standby (or this one was)."""
        return (self.data / "standby.signal").exists()

    @property
    def exists(self) -> bool:
        """Whether there is a data directory."""
        return (self.data / "PG_VERSION").exists()

    def pids(self) -> list[int]:
        """The processes that run on this data directory, the one its pid file names first."""
        found = processes.postgres_in(self.data)
        said = self.postmaster_pid()
        return sorted(found, key=lambda pid: (pid != said, pid))

    def postmaster_pid(self) -> int | None:
        """The first line of `postmaster.pid`, true or not; None without the file."""
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def initdb(self, password: str) -> None:
        """Make the data directory, with checksums, our settings, and a superuser with `password`."""
        secret = self.data.with_name("superuser.password")
        self.write(secret, password + "\n")
        try:
            self.run(
                "initdb", "--pgdata", str(self.data), "--username", SUPERUSER, "--pwfile", str(secret),
                "--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--data-checksums",
                "--no-sync", "--no-instructions",
            )  # fmt: skip
        finally:
            secret.unlink()
        settings = "".join(f"{key} = {value}\n" for key, value in SETTINGS.items())
        self.write(self.data / "postgresql.conf", settings)
        self.write(self.data / "pg_hba.conf", _HBA)

    def start(self, **more: str) -> None:
        """Start it in whatever role the data directory has; returns when it takes connections.

        `more` are settings for this one start.
        """
        options = {
            "port": str(self.port),
            "listen_addresses": self.address,
            "unix_socket_directories": str(self.socket_dir),
            "cluster_name": self.name,
            **more,
        }
        line = " ".join(f"-c {shlex.quote(f'{key}={value}')}" for key, value in options.items())
        self.forget_the_dead()
        with self.log.open("ab") as log:
            size = log.tell()
            # The postmaster inherits pg_ctl's output: a file that root may open where the account may not.
            code = self._run(
                ["pg_ctl", "start", "-w", "-t", str(START_SECONDS), "-D", str(self.data), "-o", line],
                START_SECONDS + 10, stdout=log,
            ).returncode  # fmt: skip
        if code != 0:
            raise LabError(f"The database of {self.name} did not start: {_last_words(self.log, size)}")

    def forget_the_dead(self) -> None:
        """Remove what a postmaster that was killed left lying, where nothing runs on this data directory.

        After a power cut these files name a number that may be another process's by now, or that of a zombie
        nobody has collected yet; PostgreSQL, and `pg_rewind` with it, would refuse to start for either.
        """
        if not self.pids():
            for lock in (self.data / "postmaster.pid", self.socket_dir / f".s.PGSQL.{self.port}.lock"):
                lock.unlink(missing_ok=True)

    def stop(self, mode: str = "fast") -> None:
        """Stop it in order (`fast`), or as `mode` says; returns when its processes are gone."""
        self.run("pg_ctl", "stop", "-w", "-t", str(STOP_SECONDS), "-m", mode, "-D", str(self.data),
                 seconds=STOP_SECONDS + 10)  # fmt: skip

    def promote(self) -> None:
        """Make a running standby a master; returns when it takes writes."""
        self.run("pg_ctl", "promote", "-w", "-t", str(PROMOTE_SECONDS), "-D", str(self.data),
                 seconds=PROMOTE_SECONDS + 10)  # fmt: skip

    def control(self) -> Control:
        """What the control file says; works with the database up or down."""
        facts = dict(
            re.findall(r"^(.+?):\s+(.+)$", self.run("pg_controldata", "-D", str(self.data)), re.MULTILINE)
        )
        return Control(
            state=facts["Database cluster state"],
            checkpoint=facts["Latest checkpoint location"],
            timeline=int(facts["Latest checkpoint's TimeLineID"]),
            system_identifier=facts["Database system identifier"],
        )

    def run(self, program: str, *arguments: str, seconds: float = _SHORT_SECONDS) -> str:
        """Run one of PostgreSQL's programs under the account; its output, or `LabError`."""
        done = self._run([program, *arguments], seconds, stdout=subprocess.PIPE)
        if done.returncode != 0:
            said = (done.stdout or b"").decode("utf-8", "replace").strip().splitlines()
            raise LabError(f"{program} on {self.name} ended with {done.returncode}: {' / '.join(said[-3:])}")
        return str((done.stdout or b"").decode("utf-8", "replace"))

    def popen(self, program: str, *arguments: str) -> "subprocess.Popen[str]":
        """Start one of PostgreSQL's programs under the account, its output to be read line by line."""
        return subprocess.Popen(
            [self.bin / program, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", bufsize=1, cwd=self.data.parent,
            env=self._environment(), start_new_session=True, user=self._uid,
            group=self._gid, extra_groups=self._groups,
        )  # fmt: skip

    def write(self, path: Path, text: str) -> None:
        """Write a file for the database: the account's own, readable by it alone."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 (it is a descriptor)
            if self.account is not None:
                os.fchown(descriptor, self.account.uid, self.account.gid)
            file.write(text)

    def _run(
        self, command: Sequence[str], seconds: float, *, stdout: int | IO[bytes]
    ) -> "subprocess.CompletedProcess[bytes]":
        try:
            return subprocess.run(
                [self.bin / command[0], *command[1:]], stdin=subprocess.DEVNULL, stdout=stdout,
                stderr=subprocess.STDOUT, cwd=self.data.parent, timeout=seconds, check=False,
                env=self._environment(), start_new_session=True, user=self._uid,
            group=self._gid, extra_groups=self._groups,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise LabError(f"{command[0]} on {self.name} did not end within {seconds:.0f} s.") from error
        except OSError as error:
            raise LabError(
                f"{self.bin / command[0]} cannot be run for {self.name}: {error.strerror}."
            ) from error

    @property
    def _uid(self) -> int | None:
        return self.account.uid if self.account else None

    @property
    def _gid(self) -> int | None:
        return self.account.gid if self.account else None

    @property
    def _groups(self) -> list[int] | None:
        return [] if self.account else None

    def _environment(self) -> dict[str, str]:
        # PATH for the programs these programs start; nothing of ours (PGHOST, PGPASSWORD…) comes in.
        return {"PATH": f"{self.bin}:/usr/bin:/bin", "LC_ALL": "C", processes.MARK: str(self.lab)}


def _last_words(log: Path, since: int) -> str:
    with log.open("rb") as file:
        file.seek(since)
        lines = file.read().decode("utf-8", "replace").splitlines()
    telling = [line for line in lines if re.search(r"FATAL|PANIC|ERROR|HINT", line)] or lines
    return " / ".join(telling[-3:]) or f"it said nothing; see {log}."
