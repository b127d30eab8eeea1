"""What a person is asked for a login, passphrases and one-time codes; and the agent they come with."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncssh
import msgspec
import pytest

from skytui.clock import SystemClock
from skytui.config.secrets import Secret
from skytui.errors import RefusedError
from skytui.remote.credentials import Credentials
from skytui.remote.network import Network
from skytui.remote.ssh import Host
from tests.support.openssh import SSH_AGENT, agent_with
from tests.unit.remote.conftest import SshServer

SECONDS = 60.0

needs_agent = pytest.mark.skipif(SSH_AGENT is None, reason="openssh-client (ssh-agent) is not installed")


@pytest.fixture
def credentials() -> Credentials:
    return Credentials(agent="")


@pytest.fixture
async def host(sshd: SshServer, credentials: Credentials) -> AsyncIterator[Host]:
    host = Host("sky-a", sshd.config, SystemClock(), Network(SystemClock(), credentials))
    yield host
    await host.close()


async def met(what: Callable[[], object]) -> None:
    async with asyncio.timeout(SECONDS):
        while not what():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def said(host: Host) -> str:
    """Why the host cannot be asked now."""
    with pytest.raises(RefusedError) as error:
        await host.run("true", deadline=SECONDS)
    return str(error.value)


async def works(host: Host) -> None:
    """The host can be asked, as soon as what keeps it from that is over."""
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                assert (await host.run("echo in", deadline=SECONDS)).stdout == b"in\n"
                return
            except RefusedError:
                await asyncio.sleep(0.05)


# -- one-time codes


async def test_a_code_is_asked_for_with_the_hosts_own_words_and_goes_there_alone(
    host: Host, sshd: SshServer, credentials: Credentials
) -> None:
    sshd.questions = [("Verification code: ", "123456")]
    credentials.attached("")
    says = await said(host)
    assert f"sky@127.0.0.1:{sshd.port} asks: Verification code. Answer it in the console." in says
    (name,) = credentials.wanted
    assert name == f"sky@127.0.0.1:{sshd.port} asks: Verification code"
    assert await credentials.give(name, Secret("123456")) == ""
    await works(host)
    assert credentials.wanted == ()
    assert (sshd.heard, sshd.attempts) == (["123456"], 1)


async def test_what_a_host_asks_is_made_harmless(
    host: Host, sshd: SshServer, credentials: Credentials
) -> None:
    sshd.instructions = "Two\x1b]52;c;x\x07 factors\nfor \x1b[2Jann"
    sshd.questions = [("Co\x07de\n?", "1")]
    credentials.attached("")
    await said(host)
    assert credentials.wanted == (f"sky@127.0.0.1:{sshd.port} asks: Two factors / for ann / Co\ufffdde / ?",)


async def test_one_question_comes_after_the_other(
    host: Host, sshd: SshServer, credentials: Credentials
) -> None:
    sshd.questions = [("Password: ", "plugh"), ("Code: ", "1")]
    credentials.attached("")
    await said(host)
    (first,) = credentials.wanted
    assert await credentials.give(first, Secret("plugh")) == ""
    await met(lambda: credentials.wanted and credentials.wanted != (first,))
    (second,) = credentials.wanted
    assert second.endswith("asks: Code")
    assert await credentials.give(second, Secret("1")) == ""
    await works(host)
    assert sshd.attempts == 1


async def test_a_wrong_code_is_said_and_never_repeated(
    host: Host, sshd: SshServer, credentials: Credentials
) -> None:
    sshd.questions = [("Code: ", "1")]
    credentials.attached("")
    await said(host)
    (name,) = credentials.wanted
    assert await credentials.give(name, Secret("2")) == f"sky@127.0.0.1:{sshd.port} did not accept it"
    assert credentials.wanted == (name,)
    assert await credentials.give(name, Secret("3")) == f"sky@127.0.0.1:{sshd.port} did not accept it"
    assert await credentials.give(name, Secret("4")) == f"sky@127.0.0.1:{sshd.port} did not accept it"
    # Three times is what one login gets; nobody tries another one before a person does.
    for _ in range(3):
        says = await said(host)
        assert "asks: Code. Answer it in the console." in says or "did not accept the answer" in says
    assert (sshd.heard, sshd.attempts) == (["2", "3", "4"], 1)
    giving = asyncio.create_task(credentials.give(name, Secret("1")))
    await works(host)
    assert await giving == ""
    assert (sshd.heard, sshd.attempts) == (["2", "3", "4", "1"], 2)


async def test_with_nobody_attached_it_fails_and_is_tried_again_when_somebody_is(
    host: Host, sshd: SshServer, credentials: Credentials
) -> None:
    sshd.questions = [("Code: ", "1")]
    for _ in range(3):
        assert "asks: Code; nobody is attached who could answer." in await said(host)
    assert sshd.attempts == 1
    credentials.attached("")
    assert "Answer it in the console." in await said(host)
    assert sshd.attempts == 2
    assert await credentials.give(credentials.wanted[0], Secret("1")) == ""
    await works(host)


async def test_a_question_outlives_its_connection_and_takes_the_answer_to_the_next(
    host: Host, sshd: SshServer, credentials: Credentials
) -> None:
    sshd.questions = [("Code: ", "1")]
    credentials.attached("")
    await said(host)
    (name,) = credentials.wanted
    await sshd.drop()
    await met(lambda: credentials._questions[name].live is None)
    assert "asks: Code. Answer it in the console." in await said(host)
    assert (credentials.wanted, sshd.attempts) == ((name,), 1)
    giving = asyncio.create_task(credentials.give(name, Secret("1")))
    await works(host)
    assert await giving == ""
    assert (sshd.heard, sshd.attempts) == (["1"], 2)


async def test_an_answer_goes_to_no_other_question(
    host: Host, sshd: SshServer, credentials: Credentials
) -> None:
    sshd.questions = [("Challenge 4711: ", "1")]
    credentials.attached("")
    await said(host)
    (name,) = credentials.wanted
    await sshd.drop()
    await met(lambda: credentials._questions[name].live is None)
    sshd.questions = [("Challenge 4712: ", "2")]
    giving = asyncio.create_task(credentials.give(name, Secret("1")))
    await met(lambda: credentials._questions[name].answer)
    assert "Challenge 4712" in await said(host)
    assert "asks something else now" in await giving
    (other,) = credentials.wanted
    assert await credentials.give(other, Secret("2")) == ""
    await works(host)
    assert sshd.heard == ["2"]


async def test_polls_do_not_wait_for_a_person(host: Host, sshd: SshServer, credentials: Credentials) -> None:
    sshd.questions = [("Code: ", "1")]
    credentials.attached("")
    await said(host)
    for _ in range(5):
        await said(host)
    assert sshd.attempts == 1


# -- passphrases


async def test_the_passphrase_of_a_key_is_asked_for_and_not_kept(
    host: Host, sshd: SshServer, credentials: Credentials
) -> None:
    file = sshd.folder / "key"
    asyncssh.read_private_key(file).write_private_key(
        file, "openssh", passphrase="xyzzy-plugh", rounds=8, ignore_few_rounds=True
    )
    assert f"no SSH key: the passphrase of {file} is wanted." in await said(host)
    assert list(credentials.wanted) == [f"passphrase of {file}"]
    assert await credentials.give(f"passphrase of {file}", Secret("wrong")) == f"it does not open {file}"
    assert list(credentials.wanted) == [f"passphrase of {file}"]
    assert await credentials.give(f"passphrase of {file}", Secret("xyzzy-plugh")) == ""
    assert not credentials.wanted
    await works(host)
    assert "xyzzy" not in repr(vars(credentials))


async def test_a_passphrase_is_not_wanted_for_a_key_the_agent_holds(sshd: SshServer, tmp_path: Path) -> None:
    if SSH_AGENT is None:
        pytest.skip("openssh-client (ssh-agent) is not installed")
    file = sshd.folder / "key"
    key = asyncssh.read_private_key(file)
    async with agent_with(tmp_path, file) as agent:
        key.write_private_key(file, "openssh", passphrase="xyzzy-plugh", rounds=8, ignore_few_rounds=True)
        key.write_public_key(f"{file}.pub")
        credentials = Credentials(agent)
        host = Host("sky-a", sshd.config, SystemClock(), Network(SystemClock(), credentials))
        await works(host)
        await host.close()
    assert credentials.wanted == ()


async def test_what_nobody_wants_is_not_taken(credentials: Credentials) -> None:
    assert (
        await credentials.give("passphrase of /x", Secret("y")) == "passphrase of /x is not wanted any more"
    )


# -- agents


@needs_agent
async def test_the_agent_is_that_of_whoever_attached_last(
    sshd: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    credentials = Credentials(agent=str(tmp_path / "gone"))
    config = msgspec.structs.replace(sshd.config, key=None)
    host = Host("sky-a", config, SystemClock(), Network(SystemClock(), credentials))
    says = await said(host)
    assert f"sky-a: no SSH key (the SSH agent {tmp_path}/gone is gone (No such file or directory))." in says
    assert "Attach with your SSH agent" in says
    (tmp_path / "one").mkdir()
    async with agent_with(tmp_path / "one", sshd.folder / "key") as agent:
        credentials.attached(agent)
        await works(host)
        await sshd.drop()
        credentials.attached("")  # somebody without an agent: the one before stays
        await works(host)
    await sshd.drop()
    credentials.attached("")
    assert "no SSH key" in await said(host)
    (tmp_path / "two").mkdir()
    async with agent_with(tmp_path / "two", sshd.folder / "key") as agent:
        credentials.attached(agent)
        await works(host)
    await host.close()


async def test_an_agent_that_never_answers_is_not_waited_for(
    sshd: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skytui.remote.keys.AGENT_SECONDS", 0.2)
    monkeypatch.setenv("HOME", str(tmp_path))
    writers: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_unix_server(lambda _, w: writers.append(w), tmp_path / "silent")
    config = msgspec.structs.replace(sshd.config, key=None)
    credentials = Credentials(agent=str(tmp_path / "silent"))
    host = Host("sky-a", config, SystemClock(), Network(SystemClock(), credentials))
    assert f"the SSH agent {tmp_path}/silent does not answer" in await said(host)
    await host.close()
    silent.close()
    for writer in writers:
        writer.transport.abort()


async def test_a_host_that_denies_is_not_asked_over_and_over(host: Host, sshd: SshServer) -> None:
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(sshd.folder / "key")
    for _ in range(5):
        assert "did not accept our SSH key" in await said(host)
    assert sshd.attempts == 1
