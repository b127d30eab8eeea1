"""What a run goes by to its end, as it lies in the run's folder: configuration, profile, steps, thresholds.

Written before the run is open; its hash stands in the journal's first record. A conductor that takes the run
up builds everything from here, whatever the configuration says by then.
"""

import hashlib
from pathlib import Path

import msgspec

from skytui.conductor.runs import write_whole
from skytui.config.inputs import Inputs, Loaded, restored
from skytui.errors import StateError
from skytui.pair.thresholds import Thresholds
from skytui.runbook.model import Run

FOLDER = "fixed"
_CONFIG, _PROFILE, _PLAN = "config.toml", "profile.toml", "plan.json"


class _Plan(msgspec.Struct, frozen=True):
    profile: str
    steps: tuple[str, ...]
    thresholds: Thresholds


def fix(run_folder: Path, inputs: Inputs, steps: tuple[str, ...], thresholds: Thresholds) -> str:
    """Write the copy into the folder of a run that is about to open; its hash.

    Raises StateError when it cannot be written.
    """
    plan = msgspec.json.encode(_Plan(inputs.profile_name, steps, thresholds))
    files = {
        _CONFIG: inputs.config.encode(),
        _PROFILE: inputs.profile.encode(),
        _PLAN: msgspec.json.format(plan, indent=2) + b"\n",
    }
    folder = run_folder / FOLDER
    try:
        folder.mkdir(parents=True)
        for name, data in files.items():
            write_whole(folder / name, data)
    except OSError as error:
        raise StateError(
            f"What the run goes by cannot be written into {folder}: {error.strerror}.",
            hint="No run was opened; make room on that disk and start it again.",
        ) from error
    return _hash(files)


def check(run_folder: Path, run: Run) -> None:
    """Raises StateError when the copy is not the one `run` was opened with, or cannot be read."""
    _checked(run_folder / FOLDER, run)


def loaded(run_folder: Path, run: Run) -> Loaded:
    """What `run` goes by, from its copy.

    Raises StateError when the copy is not the one it was opened with, ConfigError when this version of skytui
    cannot read it.
    """
    folder = run_folder / FOLDER
    files = _checked(folder, run)
    plan = msgspec.json.decode(files[_PLAN], type=_Plan)
    inputs = Inputs(files[_CONFIG].decode(), plan.profile, files[_PROFILE].decode())
    return restored(run.pair, inputs, folder / _CONFIG, folder / _PROFILE)


def _checked(folder: Path, run: Run) -> dict[str, bytes]:
    try:
        files = {name: (folder / name).read_bytes() for name in (_CONFIG, _PROFILE, _PLAN)}
    except OSError as error:
        raise StateError(
            f"What run {run.id} goes by cannot be read: {error.filename}: {error.strerror}."
        ) from error
    if _hash(files) != run.fixed:
        raise StateError(
            f"What run {run.id} goes by was changed in {folder} since the run was opened.",
            hint="Put those files back as they were; to change the configuration, end the run first.",
        )
    return files


def _hash(files: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, data in sorted(files.items()):
        digest.update(f"{name} {len(data)}\n".encode() + data)
    return digest.hexdigest()
