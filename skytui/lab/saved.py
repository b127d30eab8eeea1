"""A freshly made database kept aside, so that many practice pairs can be brought up from one `initdb`.

A saved database is a folder with the master's data directory, its passwords, and the job set in it. Pairs
made from the same one have the same system identifier, and nothing else in common.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from skytui.errors import LabError
from skytui.lab import binaries, database, firstcontent
from skytui.lab.build import ADDRESS, free_ports
from skytui.lab.jobset import USUAL, load_jobs
from skytui.lab.node import Secrets
from skytui.lab.places import Places, database_account
from skytui.lab.postgres import Cluster


def save(folder: Path, *, jobs: Path | None = None) -> Path:
    """Make a database with roles, schema and job set, stop it, and keep it in `folder`, which is returned."""
    job_set = load_jobs(jobs or USUAL)
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="skytui-") as scratch:
        places = Places.of(Path(scratch))
        try:
            account = database_account()
            shelf = places.make_shelf("saved", account)
            programs = binaries.reachable(binaries.find(), account, places.shelf)
            cluster = Cluster(
                name="saved", bin=programs, data=shelf / "data", socket_dir=shelf / "sock", address=ADDRESS,
                port=free_ports(1)[0], log=places.lab / "database.log", lab=places.lab, account=account,
            )  # fmt: skip
            secrets = Secrets.make(admin_hash="")
            cluster.initdb(secrets.superuser)
            cluster.start()
            try:
                firstcontent.fill(cluster, secrets, job_set)
            finally:
                cluster.stop()
            _copy(cluster.data, folder / "data")
        finally:
            shutil.rmtree(places.shelf, ignore_errors=True)
    secrets.dump(folder / "secrets.toml")
    shutil.copyfile(jobs or USUAL, folder / "jobs.toml")
    return folder


def check(folder: Path, jobs: Path | None) -> Secrets:
    """The passwords of a saved database; `LabError` when it is none, or was made for another job set."""
    kept = folder / "jobs.toml"
    if not (folder / "data" / "PG_VERSION").exists() or not kept.exists():
        raise LabError(f"{folder} holds no saved database: make one with `save`.")
    if kept.read_bytes() != (jobs or USUAL).read_bytes():
        raise LabError(f"The saved database in {folder} was made for another job set than {jobs or USUAL}.")
    return Secrets.load(folder / "secrets.toml")


def restore(folder: Path, cluster: Cluster, secrets: Secrets) -> None:
    """Put a saved database in place as the data directory and start it, as if it had been made now."""
    _copy(folder / "data", cluster.data)
    if cluster.account is not None:
        for each in (cluster.data, *cluster.data.rglob("*")):
            shutil.chown(each, cluster.account.uid, cluster.account.gid)
    cluster.start()
    with database.connect(cluster, secrets.superuser) as connection, connection.transaction():
        # Else every tick since the database was saved would be recorded as missed.
        connection.execute("UPDATE sky.job SET covered_until = now()")
        connection.execute("UPDATE sky.scheduler SET since = now()")


def _copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-a", str(source), str(target)], check=True, timeout=120)
