"""Making a former master a standby of the new one: behind `masterToStandby.sh`.

Reads three lines from standard input: admin password, address, port (the HTTPS listen port) of the new
master. Everything that can be refused is refused before the data directory is touched. While it is being
rewritten a note (`conf/reseeding`) keeps the server from being started on it; a second run then takes a
fresh copy.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TextIO

from skytui.errors import LabError, RefusedError, RemoteError
from skytui.lab import command, reseed, service
from skytui.lab.api import Api
from skytui.lab.command import CommandError, Say
from skytui.lab.node import NodeConfig
from skytui.lab.postgres import Cluster

BAD_INPUT, WRONG_ROLE, LOGIN_REFUSED, UNREACHABLE, NO_SPACE, RESEED_FAILED = 2, 3, 4, 5, 6, 7


@dataclass(frozen=True)
class NewMaster:
    """Where the new master is, and the password to log in there with."""

    password: str = field(repr=False)
    address: str
    port: int

    @classmethod
    def read(cls, stream: TextIO) -> "NewMaster":
        """Take three lines from `stream`; `CommandError` 2 when they are not what is wanted."""
        lines = [stream.readline() for _ in range(3)]
        password, address, port = (line.rstrip("\r\n") for line in lines)
        if not all(lines) or not password or not address:
            wanted = "admin password, address, port of the new master"
            raise CommandError(BAD_INPUT, f"Three lines are wanted on standard input: {wanted}.")
        if any(character.isspace() or character in "/@" for character in address):
            raise CommandError(BAD_INPUT, "The address, line 2, is not a host name or IP address.")
        if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
            raise CommandError(BAD_INPUT, "The port, line 3, is not a number from 1 to 65535.")
        return cls(password, address, int(port))

    def __str__(self) -> str:
        return f"The new master at {self.address}:{self.port}"

    @property
    def url(self) -> str:
        """The base of its HTTPS addresses."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"https://{host}:{self.port}"


def convert(node: NodeConfig, stream: TextIO, say: Say) -> None:
    """Check, re-seed, start as standby, wait until it streams. `CommandError` has the script's exit code."""
    master = NewMaster.read(stream)
    cluster = Cluster.of(node)
    interrupted = service.reseeding(node)
    _check_own_side(node, cluster, interrupted)
    identifier = None if interrupted else cluster.control().system_identifier
    source = _ask(master, node, identifier)
    if lacking := reseed.space_lacking(source, cluster.data.parent, service.disk_limit(node)):
        raise CommandError(NO_SPACE, f"{lacking} Nothing changed.")
    try:
        reseed.make_slot(source)
        service.mark_reseeding(node, on=True)
        _copy(cluster, source, say, fresh=interrupted)
        reseed.follow(cluster, source)
        _start(node, cluster, say)
    except LabError as error:
        if cluster.pids():
            cluster.stop()
        raise CommandError(
            RESEED_FAILED, f"{node.name} was not converted: {error} Run masterToStandby.sh again."
        ) from error


def _check_own_side(node: NodeConfig, cluster: Cluster, interrupted: bool) -> None:
    if parts := service.running(node):
        raise CommandError(
            WRONG_ROLE, f"The {' and '.join(parts)} of {node.name} runs: stop it first. Nothing changed."
        )
    if interrupted:
        return
    if not cluster.exists:
        raise CommandError(WRONG_ROLE, f"{node.name} has no database at {cluster.data}. Nothing changed.")
    if cluster.is_standby:
        raise CommandError(WRONG_ROLE, f"{node.name} is a standby already. Nothing changed.")


def _ask(master: NewMaster, node: NodeConfig, identifier: str | None) -> reseed.Source:
    """What the new master says a standby needs; refuses what is not the master of this database."""
    try:
        with Api(master.url, node.http.ca) as api:
            found = api.get("/identity")
            if found["role"] != "master" or found["name"] == node.name:
                raise CommandError(
                    WRONG_ROLE, f"{master} is {found['name']}, a {found['role']}. Nothing changed."
                )
            if identifier is not None and found["system_identifier"] != identifier:
                raise CommandError(
                    WRONG_ROLE, f"{master} has another database than {node.name} had. Nothing changed."
                )
            api.login(master.password)
            try:
                seed = api.get("/replication/seed")
            finally:
                api.logout()
    except RefusedError as error:
        raise CommandError(LOGIN_REFUSED, f"{master} refused the admin login. Nothing changed.") from error
    except RemoteError as error:
        raise CommandError(UNREACHABLE, f"{master} cannot be asked: {error} Nothing changed.") from error
    return reseed.Source(
        address=str(seed["address"]), port=int(seed["port"]), user=str(seed["user"]),
        password=str(seed["password"]), slot=str(seed["slot"]), bytes=int(seed["bytes"]),
    )  # fmt: skip


def _copy(cluster: Cluster, source: reseed.Source, say: Say, *, fresh: bool) -> None:
    if not fresh:
        say(f"rewinding database of {cluster.name}")
        try:
            reseed.rewind(cluster, source, say)
        except LabError as error:
            say(f"{error}")
            say("a rewind is not possible")
        else:
            return
    say("taking a fresh copy of the new master's database")
    reseed.basebackup(cluster, source, say)


def _start(node: NodeConfig, cluster: Cluster, say: Say) -> None:
    superuser = node.secrets().superuser
    say(f"starting database of {node.name} as standby")
    cluster.start()
    reseed.wait_streaming(cluster, superuser)
    say(f"database of {node.name} streams from the new master")
    for slot in reseed.drop_slots(cluster, superuser):
        say(f"dropped slot {slot}, of the time when {node.name} was master")
    service.start_server(node, say)
    service.promotion_note(node).unlink(missing_ok=True)
    service.mark_reseeding(node, on=False)
    service.set_autostart(node, yes=True)
    say(f"{node.name} is a standby now")


def main() -> int:
    """`python -m skytui.lab.convert --config conf/node.toml`, the three lines on standard input."""

    def work(node: NodeConfig, _words: Sequence[str]) -> None:
        with command.exclusive(node):
            convert(node, sys.stdin, command.say)

    return command.run(work, "convert")


if __name__ == "__main__":
    sys.exit(main())
