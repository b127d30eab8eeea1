import pickle
import traceback
from pathlib import Path

import pytest

from skytui.config.secrets import Secret, SecretSource, SecretStore, resolve
from skytui.errors import ConfigError

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
