"""The wheel, in an empty environment: it installs, starts, and swaps a practice pair and back."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import msgspec
import pytest

CHECKOUT = Path(__file__).parents[2]


def run(command: list[str], *, cwd: Path, state: Path | None = None, seconds: float = 300) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    if state is not None:
        environment |= {"XDG_STATE_HOME": str(state), "XDG_CONFIG_HOME": str(state)}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=seconds, check=False
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment that has the wheel and what it asks for, and nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(CHECKOUT)], cwd=folder)
    (wheel,) = folder.glob("skytui-*.whl")
    venv.create(folder / "empty", with_pip=True)
    python = str(folder / "empty" / "bin" / "python")
    constraints = str(CHECKOUT / "constraints.txt")
    run(
        [python, "-m", "pip", "install", "--quiet", "-c", constraints, f"{wheel}[lab]"],
        cwd=folder,
        seconds=600,
    )
    return folder / "empty" / "bin"


@pytest.mark.slow
def test_it_finds_its_styles_profiles_and_scripts(installed: Path, tmp_path: Path) -> None:
    code = (
        "import skytui, pathlib\n"
        "from skytui import paths\n"
        "from importlib import resources\n"
        f"assert {str(CHECKOUT)!r} not in skytui.__file__, skytui.__file__\n"
        "package = pathlib.Path(skytui.__file__).parent\n"
        "styles = sorted(package.glob('styles/*.tcss'))\n"
        "assert styles and all(paths.own_style(each.name) == each for each in styles), styles\n"
        "assert (package / 'drivers/profiles/skybot.toml').is_file()\n"
        "assert (package / 'lab/scripts/state.sh').is_file() and (package / 'lab/schema.sql').is_file()\n"
    )
    run([str(installed / "python"), "-c", code], cwd=tmp_path)


@pytest.mark.slow
@pytest.mark.pair
def test_it_swaps_a_practice_pair_and_back(installed: Path, tmp_path: Path) -> None:
    said = run([str(installed / "skytui"), "drill", "--headless", "--yes"], cwd=tmp_path, state=tmp_path)
    events = [msgspec.json.decode(line) for line in said.splitlines()]
    endings = [event["ending"] for event in events if event["type"] == "closed"]
    assert endings == ["done", "done"]
    assert [(event["old"], event["new"]) for event in events if event["type"] == "opened"] == [
        ("sky-a", "sky-b"),
        ("sky-b", "sky-a"),
    ]
    assert not (tmp_path / "skytui" / "lab" / "practice").exists()
