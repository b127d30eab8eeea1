"""What is loaded when: looking at the help must not cost a second."""

import subprocess
import sys

import pytest

HEAVY = ("textual", "asyncssh", "httpx", "psycopg", "starlette", "procrastinate")


@pytest.mark.parametrize(
    "arguments",
    [
        ["status", "--help"],
        ["--help"],
        ["lab", "up", "--help"],
        ["--version"],
        ["profile", "check", "--help"],
    ],
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; sys.argv[1:] = sys.argv[1:]\n"
        "from skytui.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as ended:\n    assert not ended.code, ended.code\n"
        f"loaded = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_runbook_loads_no_io_library() -> None:
    code = (
        "import sys\n"
        "import skytui.runbook.machine, skytui.runbook.prospect\n"
        f"loaded = [name for name in {(*HEAVY, 'asyncio', 'subprocess')!r} if name in sys.modules]\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
