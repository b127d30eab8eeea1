"""The faults that are files made wrong: what `skytui check` is there to find."""

import re
import time

from skytui import paths
from skytui.lab import files
from skytui.lab.fault import Fault


def _file(
    name: str,
    does: str,
    fault: files.FileFault,
    *,
    breaks: tuple[str, ...] = (),
    hides: tuple[str, ...] = (),
    host: bool = True,
) -> Fault:
    """A file made wrong."""
    undoing = "it is as it was"
    return Fault(name, does, undoing, host, fault.inject, fault.undo, breaks=breaks, hides=hides)


def _now(_before: str) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}\n"


_SLOW_CHECKS = (
    *("scripts-present", "scripts-executable", "scripts-run", "scripts-alike"),
    *("master-reaches-standby", "standby-reaches-master", "run-mark", "last-boot"),
)
_ASKS = "#!/bin/sh\nprintf 'Password: '\nread -r answer || exit 1\n"
_ODD = '#!/bin/sh\necho \'{"autostart":"yes","disk_free":"many","processes":[],"control":7,"marker":3}\'\n'

WRONG_FILES: tuple[Fault, ...] = (
    _file(
        "script-gone",
        "bin/stop.sh of a host is not there",
        files.FileFault(files.of_host("bin", "stop.sh"), files.gone),
        breaks=("scripts-present",),
    ),
    _file(
        "script-not-executable",
        "bin/stop.sh of a host may not be executed",
        files.FileFault(files.of_host("bin", "stop.sh"), lambda before: before, 0o644),
        breaks=("scripts-executable",),
    ),
    _file(
        "script-asks",
        "bin/stop.sh of a host asks for a password",
        files.FileFault(files.of_host("bin", "stop.sh"), files.becomes(_ASKS)),
        breaks=("scripts-run", "scripts-alike", "scripts-unchanged"),
    ),
    _file(
        "script-changed",
        "bin/stop.sh of a host is another one than before",
        files.FileFault(files.of_host("bin", "stop.sh"), files.says_more("# changed\n")),
        breaks=("scripts-alike", "scripts-unchanged"),
    ),
    _file(
        "no-preflight",
        "bin/preflight.sh of a host is not there: scripts, ports of the peer and marks cannot be looked at",
        files.FileFault(files.of_host("bin", "preflight.sh"), files.gone),
        hides=_SLOW_CHECKS,
    ),
    _file(
        "no-state",
        "bin/state.sh of a host is not there: processes, disk, guard and control data cannot be read",
        files.FileFault(files.of_host("bin", "state.sh"), files.gone),
        breaks=("scripts-present",),
        hides=("processes", "control-data", "disk", "guard", "marker"),
    ),
    _file(
        "odd-answers",
        "bin/state.sh of a host answers in another form than the profile expects",
        files.FileFault(files.of_host("bin", "state.sh"), files.becomes(_ODD)),
        breaks=("profile", "scripts-alike"),
        hides=("control-data", "disk", "marker"),
    ),
    _file(
        "guard-left",
        "a host does not start its server at boot",
        files.FileFault(files.of_host("conf", "autostart"), files.becomes("no\n")),
        breaks=("guard",),
    ),
    _file(
        "marker-left",
        "an earlier run has left a marker on a host",
        files.FileFault(files.of_host("conf", "marker"), files.becomes("an earlier run\n")),
        breaks=("marker",),
    ),
    _file(
        "foreign-mark",
        "a host carries the mark of another jump host's run",
        files.FileFault(
            files.of_host(".skytui", "marks", "practice", "held", "mark"),
            files.becomes('20260101-020000/elsewhere\n1767232800\n{"pair":"practice"}\n'),
        ),
        breaks=("run-mark",),
    ),
    _file(
        "just-booted",
        "a host says that it booted a moment ago",
        files.FileFault(
            files.of_host("run", "booted"),
            lambda _: f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}\n",
        ),
        breaks=("last-boot",),
    ),
    _file(
        "locked-out",
        "a host lets our SSH key in no more",
        files.FileFault(files.of_host("conf", "authorized_keys"), files.becomes("")),
        breaks=("ssh",),
        hides=("processes", "control-data", "disk", "guard", "marker"),
    ),
    _file(
        "cut-peer",
        "a host cannot reach the port of the other one's server",
        files.FileFault(files.of_host("conf", "node.sh"), lambda before: before + f"peer_http_port={9}\n"),
        breaks=("master-reaches-standby", "standby-reaches-master"),
    ),
    _file(
        "wrong-password",
        "the password the console has is wrong",
        files.FileFault(files.of_pair("admin.password"), files.becomes("wrong\n")),
        breaks=("login",),
        hides=("users", "queues", "agents", "scheduler"),
        host=False,
    ),
    _file(
        "wrong-address",
        "the console's configuration gives the servers another listen port than they have",
        files.FileFault(
            files.of_pair("pair.toml"),
            lambda before: re.sub(r"(?m)^listen_port = .*$", "listen_port = 9", before),
        ),
        breaks=("address",),
        host=False,
    ),
    _file(
        "rebuilt-pair",
        "the last run was made on another database than the one that is there",
        files.FileFault(
            lambda _places, _host: paths.pair_state_dir(paths.PRACTICE) / "remembered.json",
            files.becomes('{"run":"20260101-020000","database":"4711","scripts":{}}\n'),
        ),
        breaks=("pinned",),
        host=False,
    ),
    _file(
        "torn-memory",
        "what the last run remembered cannot be read",
        files.FileFault(
            lambda _places, _host: paths.pair_state_dir(paths.PRACTICE) / "remembered.json",
            files.becomes("{"),
        ),
        hides=("pinned", "scripts-unchanged"),
        host=False,
    ),
    _file(
        "runs-in-the-way",
        "where the runs of the pair are kept there is a file",
        files.FileFault(
            lambda _places, _host: paths.pair_state_dir(paths.PRACTICE) / "runs", files.becomes("")
        ),
        breaks=("state-folder",),
        hides=("open-ledger", "cadence"),
        host=False,
    ),
)
