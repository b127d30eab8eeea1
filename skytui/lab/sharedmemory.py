"""What a killed postmaster leaves in the kernel: a small System V shared memory segment.

PostgreSQL removes it at its next start on the same data directory. A directory that is removed has no next
start, and the segment would stay until the machine boots.
"""

import subprocess
from pathlib import Path

_TABLE = Path("/proc/sysvipc/shm")


def release(data: Path) -> bool:
    """Remove the segment that `data`'s `postmaster.pid` names, if nobody is attached to it; whether it did.

    Line 7 of that file holds key and id. Both must fit: an id alone may be somebody else's by now.
    """
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        table = _TABLE.read_text().splitlines()
    except OSError:
        return False  # stopped in order, never started, or not Linux
    named = lines[6].split() if len(lines) > 6 else []
    heads, *rows = (row.split() for row in table)
    for row in rows:
        segment = dict(zip(heads, row, strict=True))
        if [segment["key"], segment["shmid"]] == named and segment["nattch"] == "0":
            command = ["ipcrm", "-m", segment["shmid"]]
            done = subprocess.run(command, check=False, capture_output=True, timeout=20)
            return done.returncode == 0
    return False
