"""One pair of servers for all tests of this folder that leave it as they found it."""

from collections.abc import Iterator

import pytest

from tests.contract.lab.servers import Server, two_servers

Pair = tuple[Server, Server]


@pytest.fixture(scope="package")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with two_servers(tmp_path_factory.mktemp("servers")) as servers:
        yield servers


@pytest.fixture
def master(pair: Pair) -> Iterator[Server]:
    """The master; afterwards its queues are open and its scheduler runs."""
    yield pair[0]
    pair[0].act("/queues/unlock", {"all": True}).raise_for_status()
    pair[0].act("/scheduler/start").raise_for_status()


@pytest.fixture
def standby(pair: Pair) -> Server:
    return pair[1]
