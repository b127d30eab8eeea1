"""What a placeholder stands for that is not in the configuration: the console's own name."""

import socket
from pathlib import Path

from skytui.config.pairs import PairConfig, ServerConfig
from skytui.config.placeholders import fill
from skytui.drivers.scope import Scope, console_name


def scope(pair: str) -> Scope:
    servers = {n: ServerConfig(name=n, address=f"{n}.example", listen_port=1) for n in ("sky-a", "sky-b")}
    return Scope(PairConfig(name=pair, file=Path("c.toml"), profile="skybot", servers=servers), "sky-a")


def test_a_console_that_is_started_anew_has_the_same_name() -> None:
    assert fill({"client": "{console}"}, scope("night")) == {"client": console_name("night")}
    assert fill("{console}", scope("night")) == fill("{console}", scope("night"))


def test_the_name_tells_pair_and_host_apart() -> None:
    assert console_name("night") != console_name("day")
    assert console_name("night").endswith(f"@{socket.gethostname()}")
