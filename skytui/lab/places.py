"""Where the parts of the practice pair lie, and which account its databases run under.

PostgreSQL refuses to run as root. Started by root, its databases run under an unprivileged account, which
cannot reach root's state folder; their data then lies on a *shelf* below /var/tmp.
"""

import hashlib
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from skytui import paths
from skytui.errors import LabError

HOSTS = ("sky-a", "sky-b")

# sockaddr_un holds 108 bytes with the closing NUL.
_SOCKET_LIMIT = 107
_SOCKET_TAIL = len("/sky-a/sock/.s.PGSQL.65535.lock")


@dataclass(frozen=True)
class Account:
    """The unprivileged account databases run under when we are root."""

    name: str
    uid: int
    gid: int


def database_account() -> Account | None:
    """`postgres` if it exists, else `nobody`; None when we are not root and need no other account."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        account = named_account(name)
        if account is not None:
            return account
    raise LabError("PostgreSQL does not run as root, and there is no account postgres or nobody: add one.")


def named_account(name: str) -> Account | None:
    """The account of that name, or None when the system has none."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(name, entry.pw_uid, entry.pw_gid)


@dataclass(frozen=True)
class Places:
    """The folders and files of one practice pair. `lab` is its own folder, `shelf` that of its databases."""

    lab: Path
    shelf: Path

    @classmethod
    def of(cls, lab: Path | None = None) -> "Places":
        """The places of the pair in `lab`; without it, of the pair called *practice*."""
        # Resolved: processes are found by their working directory, which the kernel gives without links.
        folder = (lab or paths.lab_dir()).resolve()
        inside = folder / "pg"
        digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
        outside = Path("/var/tmp") / f"skytui-{digest}"  # noqa: S108 (made 0700/0711 and checked below)
        too_long = len(os.fsencode(inside)) + _SOCKET_TAIL > _SOCKET_LIMIT
        return cls(folder, outside if os.geteuid() == 0 or too_long else inside)

    def make_shelf(self, host: str, account: Account | None) -> Path:
        """SHELF/<host>, made for `account`; `LabError` when somebody else's folder stands in its place."""
        self.shelf.mkdir(parents=True, exist_ok=True, mode=0o711)
        facts = self.shelf.lstat()
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid():
            raise LabError(f"{self.shelf} belongs to somebody else: remove it, then try again.")
        self.shelf.chmod(0o711)
        folder = self.shelf / host
        for each in (folder, folder / "sock"):
            each.mkdir(exist_ok=True, mode=0o700)
            if account is not None:
                os.chown(each, account.uid, account.gid)
        return folder

    @property
    def pair_toml(self) -> Path:
        """The console's configuration of this pair."""
        return self.lab / "pair.toml"

    @property
    def lab_json(self) -> Path:
        """What was started."""
        return self.lab / "lab.json"

    @property
    def admin_password(self) -> Path:
        """The password of the user `admin`, one line, readable by its owner alone."""
        return self.lab / "admin.password"

    @property
    def jobs(self) -> Path:
        """The job set of this pair."""
        return self.lab / "jobs.toml"

    @property
    def ca(self) -> Path:
        """The certificate of the pair's own CA."""
        return self.lab / "ca.pem"

    @property
    def operator_key(self) -> Path:
        """The key both hosts let in."""
        return self.lab / "operator_key"

    @property
    def known_hosts(self) -> Path:
        """The host keys of both hosts."""
        return self.lab / "known_hosts"

    @property
    def lock(self) -> Path:
        """Held while a pair is brought up or down. It lies beside the folder, which `down` removes."""
        return self.lab.with_name(f"{self.lab.name}.lock")

    def home(self, host: str) -> Path:
        """The home folder of a host."""
        return self.lab / "hosts" / host

    def node_toml(self, host: str) -> Path:
        """The configuration of a host."""
        return self.home(host) / "conf" / "node.toml"

    def agent(self, name: str) -> Path:
        """The folder of an agent."""
        return self.lab / "agents" / name
