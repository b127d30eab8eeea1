"""What a former master knows and this one does not: asked by `salvage.sh` before that one is converted."""

import msgspec

from skytui.lab.server.calls import Call
from skytui.lab.server.database import every

_FAR = {"queued": 0, "running": 1, "ended": 2}


class Told(msgspec.Struct, frozen=True):
    """A run as the former master's database has it."""

    id: str
    state: str
    code: int | None = None
    sha256: str | None = None


class History(msgspec.Struct, frozen=True):
    """Runs of the former master, completions it did not recognise, and its output files with their hashes."""

    runs: list[Told] = []
    unrecognised: list[str] = []
    files: dict[str, str] = {}


async def lacking(call: Call) -> object:
    """POST from the peer's host: which of these are not here, or not as far; which files are not here."""
    call.need_master()
    told = call.decode(History)
    names = [*(run.id for run in told.runs), *told.unrecognised]
    query = "SELECT id, state, code, sha256 FROM sky.run WHERE id = ANY(%s)"
    known = {row["id"]: row for row in await every(call.conn, query, names)}
    query = "SELECT run, code, sha256 FROM sky.server_history WHERE run = ANY(%s)"
    delivered = {row["run"]: row for row in await every(call.conn, query, names)}
    return {
        "runs": [run.id for run in told.runs if not _here(run, known.get(run.id), delivered.get(run.id))],
        "unrecognised": [run for run in told.unrecognised if run not in delivered and run not in known],
        "files": call.site.files.missing(told.files),
    }


def _here(run: Told, row: dict[str, object] | None, delivered: dict[str, object] | None) -> bool:
    """Whether this master knows as much of a run; its agent may have told it the end since."""
    if delivered is not None and _same(run, delivered):
        return True
    if row is None or _FAR[str(row["state"])] < _FAR.get(run.state, 0):
        return False
    return run.state != "ended" or _same(run, row)


def _same(run: Told, row: dict[str, object]) -> bool:
    return (run.code, run.sha256) == (row["code"], row["sha256"])
