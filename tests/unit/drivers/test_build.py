from pathlib import Path

import pytest

from skytui.clock import SystemClock
from skytui.config.pairs import PairConfig, ServerConfig
from skytui.config.secrets import SecretSource, SecretStore
from skytui.drivers.build import open_drivers
from skytui.errors import ConfigError
from skytui.pair.order import Expectation, Order
from skytui.pair.vocabulary import Action, Role


def pair(tmp_path: Path, **changes: object) -> PairConfig:
    servers = {name: ServerConfig(name=name, address="h", listen_port=1) for name in ("sky-a", "sky-b")}
    given: dict[str, object] = {
        "name": "prod",
        "file": tmp_path / "config.toml",
        "profile": "skybot",
        "servers": servers,
        "secrets": {"admin": SecretSource(prompt="p")},
        **changes,
    }
    return PairConfig(**given)  # type: ignore[arg-type]


async def test_one_driver_for_each_server(tmp_path: Path) -> None:
    config = pair(tmp_path)
    drivers = open_drivers(config, SystemClock(), SecretStore(config.secrets))
    assert {name: driver.server for name, driver in drivers.items()} == {"sky-a": "sky-a", "sky-b": "sky-b"}
    for driver in drivers.values():
        assert driver.logs == ()
        await driver.close()


def test_a_secret_the_pair_does_not_have(tmp_path: Path) -> None:
    config = pair(tmp_path, secrets={"admn": SecretSource(prompt="p")})
    with pytest.raises(
        ConfigError, match=r"needs the secret `admin`, and \[pair.prod\] .* did you mean `admn`"
    ):
        open_drivers(config, SystemClock(), SecretStore(config.secrets))


def test_a_ca_file_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    server = ServerConfig(
        name="sky-a", address="h", listen_port=1, url="https://h", ca_file=tmp_path / "ca.pem"
    )
    config = pair(tmp_path, servers={"sky-a": server, "sky-b": server})
    with pytest.raises(ConfigError, match=r"the CA file .*ca\.pem cannot be used"):
        open_drivers(config, SystemClock(), SecretStore(config.secrets))


@pytest.mark.parametrize(
    ("line", "percent"),
    [
        ("  370/1000 kB (37%), 0/1 tablespace", 37.0),
        ("100% done", 100.0),
        ("999% of nothing", None),
        ("fetching the list of files", None),
    ],
)
async def test_how_far_a_conversion_is_by_what_it_says(
    tmp_path: Path, line: str, percent: float | None
) -> None:
    config = pair(tmp_path)
    drivers = open_drivers(config, SystemClock(), SecretStore(config.secrets))
    expects = Expectation("sky-a", Role.MASTER)
    assert drivers["sky-a"].percent(Order("t", Action.CONVERT, "sky-a", expects, "sky-b"), line) == percent
    # An action whose profile has no pattern for it says nothing of how far it is.
    assert drivers["sky-a"].percent(Order("t", Action.PROMOTE, "sky-a", expects, "sky-b"), line) is None
    for driver in drivers.values():
        await driver.close()
