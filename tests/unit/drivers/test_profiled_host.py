import asyncio
import os
from pathlib import Path

import pytest

from skytui.pair.mark import Mark, Unmarked
from skytui.pair.order import Expectation, Order, Result
from skytui.pair.reading import Known, Unknown
from skytui.pair.vocabulary import Action, Role
from tests.unit.drivers.conftest import PASSWORD, Make, script
from tests.unit.remote.conftest import SshServer


def order(action: Action = Action.PROMOTE, token: str = "t-1", deadline: float = 20.0) -> Order:  # noqa: S107
    expects = Expectation("sky-a", Role.STANDBY, 4)
    return Order(token, action, "sky-a", expects, "sky-b", deadline=deadline)


def ignore(_line: str) -> None:
    pass


async def test_readings_of_the_host(make: Make, sshd: SshServer, host_home: Path) -> None:
    reading = await make(ssh=sshd.config, home=str(host_home)).read()
    assert isinstance(reading.version, Known)
    assert isinstance(reading.disk_free, Known)
    assert (reading.version.value, reading.disk_free.value) == ("v 1", 4)
    (host_home / "version").unlink()
    gone = (await make(ssh=sshd.config, home=str(host_home)).read()).version
    assert isinstance(gone, Unknown)
    assert "No such file" in gone.reason


async def test_a_command_runs_and_is_heard(make: Make, sshd: SshServer, host_home: Path) -> None:
    script(host_home, "promote", 'echo "peer $1"; echo done >&2')
    said: list[str] = []
    outcome = await make(ssh=sshd.config, home=str(host_home)).act(order(), said.append)
    assert outcome.result is Result.DONE
    assert (outcome.code, outcome.tail) == (0, ("peer sky-b", "done"))
    assert said == ["peer sky-b", "done"]


@pytest.mark.parametrize(("code", "result"), [(1, Result.FAILED), (3, Result.REFUSED), (127, Result.FAILED)])
async def test_what_an_exit_code_means(
    make: Make, sshd: SshServer, host_home: Path, code: int, result: Result
) -> None:
    script(host_home, "promote", f"echo first; echo the reason; exit {code}")
    outcome = await make(ssh=sshd.config, home=str(host_home)).act(order(), ignore)
    assert (outcome.result, outcome.code) == (result, code)
    assert outcome.says.endswith(f"ended with {code}: the reason")


async def test_the_wrong_host_starts_nothing(make: Make, sshd: SshServer, host_home: Path) -> None:
    script(host_home, "promote", 'touch "$HOME/ran"')
    (host_home / "identity").write_text("sky-b standby\n")
    outcome = await make(ssh=sshd.config, home=str(host_home)).act(order(), ignore)
    assert outcome.result is Result.REFUSED
    assert "`sky-b standby` where `sky-a standby` was expected" in outcome.says
    assert not (host_home / "ran").exists()


async def test_a_secret_goes_over_standard_input_only(make: Make, sshd: SshServer, host_home: Path) -> None:
    script(host_home, "convert", 'read -r a; read -r b; echo "${#a} $b"; env; ps -o args= -p $$')
    said: list[str] = []
    outcome = await make(ssh=sshd.config, home=str(host_home)).act(order(Action.CONVERT), said.append)
    assert outcome.result is Result.DONE
    assert said[0] == f"{len(PASSWORD)} 2"
    assert not any(PASSWORD in text for text in (*said, *sshd.commands))


async def test_a_secret_that_is_not_there_starts_nothing(
    make: Make, sshd: SshServer, host_home: Path
) -> None:
    script(host_home, "convert", 'touch "$HOME/ran"')
    driver = make(ssh=sshd.config, home=str(host_home), secret=None)
    outcome = await driver.act(order(Action.CONVERT), ignore)
    assert (outcome.result, outcome.says) == (Result.REFUSED, "The secret `admin` has not been given yet.")
    assert not (host_home / "ran").exists()


async def test_on_a_host_that_is_not_there_nothing_is_started(
    make: Make, sshd: SshServer, host_home: Path
) -> None:
    await sshd.stop()
    outcome = await make(ssh=sshd.config, home=str(host_home)).act(order(), ignore)
    assert outcome.result is Result.NOT_STARTED
    assert outcome.says.endswith("Nothing was started.")


async def test_a_drop_while_it_runs_is_survived(make: Make, sshd: SshServer, host_home: Path) -> None:
    script(host_home, "promote", 'echo one; while [ ! -e "$HOME/go" ]; do sleep 0.05; done; echo two')
    said: list[str] = []
    driver = make(ssh=sshd.config, home=str(host_home))
    acting = asyncio.create_task(driver.act(order(), said.append))
    async with asyncio.timeout(10):
        while not said:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await sshd.drop()
    (host_home / "go").touch()
    assert (await acting).result is Result.DONE
    assert said == ["one", "two"]


async def test_when_the_wait_is_over_it_goes_on_and_a_probe_takes_it_up(
    make: Make, sshd: SshServer, host_home: Path
) -> None:
    script(host_home, "promote", 'echo one; while [ ! -e "$HOME/go" ]; do sleep 0.05; done; echo two')
    said: list[str] = []
    driver = make(ssh=sshd.config, home=str(host_home))
    outcome = await driver.act(order(deadline=1.5), said.append)
    assert outcome.result is Result.UNKNOWN
    assert "still runs" in outcome.says
    (host_home / "go").touch()
    assert (await driver.probe(order(), said.append)).result is Result.DONE
    assert said == ["one", "two"]


async def test_a_host_lost_for_good_while_it_runs_is_unknown(
    make: Make, sshd: SshServer, host_home: Path
) -> None:
    script(host_home, "promote", "echo one; sleep 3")
    said: list[str] = []
    acting = asyncio.create_task(
        make(ssh=sshd.config, home=str(host_home)).act(order(deadline=2.5), said.append)
    )
    async with asyncio.timeout(10):
        while not said:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await sshd.stop()
    outcome = await acting
    assert outcome.result is Result.UNKNOWN
    assert outcome.says.endswith("It was started, and may still run.")


async def test_a_command_that_is_provably_gone_has_failed(
    make: Make, sshd: SshServer, host_home: Path
) -> None:
    script(host_home, "promote", "echo half; exec sleep 60")
    heard = asyncio.Event()
    acting = asyncio.create_task(
        make(ssh=sshd.config, home=str(host_home)).act(order(), lambda _: heard.set())
    )
    async with asyncio.timeout(10):
        await heard.wait()
    os.killpg(runner_of(sshd), 9)
    outcome = await acting
    assert outcome.result is Result.FAILED
    assert outcome.says.endswith(
        "bin/promote was started and is gone without an exit code: it was killed, or its host went down."
    )
    assert outcome.tail == ("half",)


async def test_a_command_of_which_something_is_left_is_unknown_until_it_has_ended(
    make: Make, sshd: SshServer, host_home: Path
) -> None:
    script(host_home, "promote", "echo $$; exec sleep 60")
    said: list[str] = []
    heard = asyncio.Event()
    driver = make(ssh=sshd.config, home=str(host_home))

    def hear(line: str) -> None:
        said.append(line)
        heard.set()

    acting = asyncio.create_task(driver.act(order(), hear))
    async with asyncio.timeout(10):
        await heard.wait()
    os.kill(runner_of(sshd), 9)
    try:
        outcome = await acting
        assert outcome.result is Result.UNKNOWN
        assert outcome.says.endswith("bin/promote is gone, but something of it may still run.")
        assert (await driver.probe(order(), ignore)).result is Result.UNKNOWN
    finally:
        os.kill(int(said[0]), 9)
    async with asyncio.timeout(10):
        while (outcome := await driver.probe(order(), ignore)).result is Result.UNKNOWN:
            pass
    assert outcome.result is Result.FAILED


def runner_of(sshd: SshServer) -> int:
    return int((sshd.home / ".skytui/commands/t-1/pid").read_text())


async def test_probes(make: Make, sshd: SshServer, host_home: Path) -> None:
    script(host_home, "promote", 'echo ran >>"$HOME/ran"')
    driver = make(ssh=sshd.config, home=str(host_home))
    assert (await driver.probe(order(token="never"), ignore)).result is Result.NOT_STARTED
    assert (await driver.act(order(token="never"), ignore)).result is Result.REFUSED
    assert (await driver.act(order(), ignore)).result is Result.DONE
    said: list[str] = []
    other = make(ssh=sshd.config, home=str(host_home))
    assert (await other.probe(order(), said.append)).result is Result.DONE
    assert (host_home / "ran").read_text() == "ran\n"
    await sshd.stop()
    assert (await other.probe(order(token="x"), ignore)).result is Result.UNKNOWN


async def test_a_server_without_ssh_cannot_be_marked(make: Make) -> None:
    mark = Mark(pair="night", run="r", key="k")
    says = "sky-a: the configuration gives no ssh, so it cannot be marked."
    assert await make().mark(mark) == Unmarked(says)
    assert await make().unmark(mark) == ""


async def test_a_host_that_is_not_there_is_unmarked_with_a_reason(make: Make, sshd: SshServer) -> None:
    await sshd.stop()
    mark = Mark(pair="night", run="r", key="k")
    driver = make(ssh=sshd.config)
    found = await driver.mark(mark)
    assert isinstance(found, Unmarked)
    assert found.reason.startswith("sky-a: no SSH connection to ")
    assert await driver.unmark(mark) == found.reason


async def test_a_log_is_followed(make: Make, sshd: SshServer, host_home: Path) -> None:
    (host_home / "server.log").write_text("\x1b[31mred\n")
    driver = make(ssh=sshd.config, home=str(host_home))
    assert driver.logs == ("server",)
    lines = driver.follow("server")
    async with asyncio.timeout(10):
        line = await anext(lines)
    assert (line.server, line.log, line.text) == ("sky-a", "server", "red")
    await lines.aclose()  # type: ignore[attr-defined]
