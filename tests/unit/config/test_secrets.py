import copy
import json
import os
import pickle
import shlex
import time
import traceback
from pathlib import Path

import msgspec
import pytest

from skytui.config.secrets import Secret, SecretSource, SecretStore, resolve
from skytui.errors import ConfigError
from tests.support.users import BOB, needs_root

VALUE = "xyzzy-plugh"


def test_a_secret_shows_itself_nowhere() -> None:
    secret = Secret(VALUE)
    assert secret.reveal() == VALUE
    for text in (repr(secret), str(secret), f"{secret}", f"{secret:>20}", f"{[secret]!r}", "%s" % secret):  # noqa: UP031
        assert VALUE not in text
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert secret == Secret(VALUE) != Secret("other")


def test_from_a_private_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{VALUE}\nsecond line\n")
    file.chmod(0o600)
    assert resolve("admin", SecretSource(file=file)) == Secret(VALUE)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_file_others_may_read_is_not_used(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "password"
    file.write_text(VALUE)
    file.chmod(mode)
    with pytest.raises(ConfigError, match=r"others may read .* chmod 600") as error:
        resolve("admin", SecretSource(file=file))
    assert VALUE not in "".join(traceback.format_exception(error.value))


@pytest.mark.parametrize("content", [b"", b"\nsecond", b"\xff\xfe"])
def test_a_file_without_a_secret(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "password"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(ConfigError):
        resolve("admin", SecretSource(file=file))
    with pytest.raises(ConfigError, match="No such file"):
        resolve("admin", SecretSource(file=tmp_path / "none"))


def test_a_pipe_nobody_writes_into_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(ConfigError, match="is not a file"):
        resolve("admin", SecretSource(file=tmp_path / "pipe"))
    with pytest.raises(ConfigError, match="is not a file"):
        resolve("admin", SecretSource(file=tmp_path))


@needs_root
def test_a_file_of_another_user_is_not_used(tmp_path: Path) -> None:
    file = tmp_path / "pass word"
    file.write_text(VALUE)
    file.chmod(0o600)
    os.chown(file, BOB, -1)
    with pytest.raises(ConfigError, match=r"belongs to another user.*sudo chown 0 '/.*/pass word'$"):
        resolve("admin", SecretSource(file=file))


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_PASSWORD", VALUE)
    assert resolve("admin", SecretSource(env="A_PASSWORD")) == Secret(VALUE)
    monkeypatch.delenv("A_PASSWORD")
    with pytest.raises(ConfigError, match="A_PASSWORD is not set"):
        resolve("admin", SecretSource(env="A_PASSWORD"))


def test_from_a_command() -> None:
    assert resolve("admin", SecretSource(command=["printf", f"{VALUE}\n"])) == Secret(VALUE)
    with pytest.raises(ConfigError, match="ended with 1"):
        resolve("admin", SecretSource(command=["false"]))
    with pytest.raises(ConfigError, match="No such file"):
        resolve("admin", SecretSource(command=["/no/such/program"]))


def failing(script: str) -> str:
    with pytest.raises(ConfigError) as error:
        resolve("admin", SecretSource(command=["sh", "-c", script]))
    said = "".join(traceback.format_exception(error.value))
    assert VALUE not in said.replace(shlex.quote(script), "")
    return str(error.value)


def test_what_a_failing_command_complains_of_is_shown_harmless_and_never_what_it_printed() -> None:
    assert failing("echo first >&2; echo 'no \033[2Jkey.' >&2; exit 2").endswith("ended with 2: no key.")
    assert failing(f"echo {VALUE}; echo wrong: {VALUE} >&2; exit 2").endswith("ended with 2: wrong: ….")
    assert failing("exit 3").endswith("ended with 3: it said nothing.")
    assert len(failing("head -c 100000 /dev/zero | tr '\\0' x >&2; exit 3")) < 600


def test_a_command_that_prints_nothing_gives_no_secret() -> None:
    for script in ("true", "echo", f"printf '\\n{VALUE}'"):
        assert "the first line of" in failing(script)
    assert "is not UTF-8 text" in failing("printf '\\377'")


def test_a_command_that_takes_too_long_is_ended_with_all_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skytui.config.secrets._COMMAND_SECONDS", 0.5)
    pids = tmp_path / "pids"
    assert "took longer than 0.5 s" in failing(f"sleep 600 & echo $! > {pids}; wait")
    pid = int(pids.read_text())
    deadline = time.monotonic() + 60
    while running(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_nothing_can_encode_or_copy_it() -> None:
    secret = Secret(VALUE)
    for encode in (msgspec.json.encode, msgspec.msgpack.encode, msgspec.to_builtins, json.dumps, copy.copy):
        with pytest.raises(TypeError) as error:
            encode(secret)
        assert VALUE not in "".join(traceback.format_exception(error.value))


def test_a_store_shows_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_PASSWORD", VALUE)
    store = SecretStore({"admin": SecretSource(env="A_PASSWORD")})
    store.resolve()
    assert VALUE not in f"{store!r} {vars(store)!r}"


def test_without_a_source_a_person_is_asked() -> None:
    assert resolve("admin", SecretSource()) is None
    assert SecretStore({"admin": SecretSource()}).missing() == {"admin": "admin"}


def test_a_person_is_asked_for_the_rest() -> None:
    store = SecretStore(
        {"admin": SecretSource(prompt="admin password"), "other": SecretSource(command=["echo", "x"])}
    )
    store.resolve()
    assert store.missing() == {"admin": "admin password"}
    assert store.get("admin") is None
    store.put("admin", Secret(VALUE))
    assert store.missing() == {}
    assert store.get("admin") == Secret(VALUE)
    store.refuse("admin", Secret("another"), "sky-a: the one before was wrong.")
    assert store.get("admin") == Secret(VALUE)
    store.refuse("admin", Secret(VALUE), "sky-a: wrong.")
    assert store.missing() == {"admin": "admin password"}
    assert store.refused() == {"admin": "sky-a: wrong."}
    assert store.why_missing("admin") == "The secret `admin` was refused: sky-a: wrong."
    store.put("admin", Secret(VALUE))
    assert store.refused() == {}
    with pytest.raises(KeyError):
        store.put("nobody", Secret(VALUE))
