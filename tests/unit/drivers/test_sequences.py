"""Several commands or requests as one action: on a real SSH server, and over HTTP."""

from pathlib import Path

import httpx
import pytest

from skytui.config.profile import Profile
from skytui.config.profile_file import read_profile
from skytui.config.tables import Document
from skytui.pair.order import Expectation, Order, Outcome, Result
from skytui.pair.vocabulary import Action, Role
from tests.unit.drivers.conftest import PASSWORD, PROFILE, FakeServer, Make, script
from tests.unit.remote.conftest import SshServer

AWKWARD = ("Q 1", "$(touch ran)", 'it\'s "so"', "-n", "{home}")

READ = PROFILE.partition("[action.lock_queues]")[0]


def with_actions(written: str) -> Profile:
    return read_profile(Document(Path("fake.toml"), READ + written))


def order(
    action: Action = Action.LOCK_QUEUES, role: Role = Role.STANDBY, queues: tuple[str, ...] = AWKWARD
) -> Order:
    return Order("t-1", action, "sky-a", Expectation("sky-a", role, 4), "sky-b", queues, deadline=60.0)


EACH = with_actions(
    '[action.lock_queues]\nrun = ["{home}/bin/lock", "{item}", "{peer.name}"]\n'
    'each = "{queues}"\nrefused = [3]'
)


async def test_once_for_each_item(make: Make, sshd: SshServer, host_home: Path) -> None:
    script(host_home, "lock", 'printf "%s|%s\\n" "$1" "$2" >>"$HOME/locked"; echo said')
    said: list[str] = []
    driver = make(ssh=sshd.config, home=str(host_home), using=EACH)
    outcome = await driver.act(order(), said.append)
    assert outcome.result is Result.DONE, outcome
    assert (host_home / "locked").read_text() == "".join(f"{name}|sky-b\n" for name in AWKWARD)
    assert said[:2] == ["[1 of 5] Q 1", "said"]
    assert said[-1] == "all 5 done"
    assert not (host_home / "ran").exists()
    assert driver.preview(order(queues=("Q 1", "Q2"))) == (
        f"sky-a: {host_home}/bin/lock 'Q 1' sky-b; then {host_home}/bin/lock Q2 sky-b"
    )


@pytest.mark.parametrize(
    ("fails", "code", "result", "ends", "says"),
    [
        ("Q1", 3, Result.REFUSED, 3, "stopped at 1 of 3, Q1, which ended with 3; done before: nothing"),
        ("Q1", 5, Result.FAILED, 5, "stopped at 1 of 3, Q1, which ended with 5; done before: nothing"),
        ("Q3", 3, Result.FAILED, 254, "stopped at 3 of 3, Q3, which ended with 3; done before: Q1, Q2"),
    ],
)
async def test_the_first_that_fails_is_the_last(
    make: Make, sshd: SshServer, host_home: Path, fails: str, code: int, result: Result, ends: int, says: str
) -> None:
    script(host_home, "lock", f'echo "$1" >>"$HOME/tried"; [ "$1" != {fails} ] || exit {code}')
    driver = make(ssh=sshd.config, home=str(host_home), using=EACH)
    outcome = await driver.act(order(queues=("Q1", "Q2", "Q3")), lambda _: None)
    assert (outcome.result, outcome.code) == (result, ends)
    assert outcome.says.endswith(f"/bin/lock ended with {ends}: {says}")
    assert (host_home / "tried").read_text().split()[-1] == fails


async def test_for_no_item_nothing_is_done(make: Make, sshd: SshServer, host_home: Path) -> None:
    driver = make(ssh=sshd.config, home=str(host_home), using=EACH)
    outcome = await driver.act(order(queues=()), lambda _: None)
    assert (outcome.result, outcome.says) == (Result.DONE, "sky-a: there is nothing to do.")
    assert sshd.commands == []


STEPS = with_actions(
    "[action.promote]\nusual = '30s'\ndeadline = '2m'\n"
    'steps = [["sh", "-c", "echo one $0", "a b"], ["{home}/bin/two"], ["echo", "three"]]'
)


async def test_several_steps_are_one_durable_command(make: Make, sshd: SshServer, host_home: Path) -> None:
    script(host_home, "two", 'echo two >>"$HOME/twice"')
    said: list[str] = []
    driver = make(ssh=sshd.config, home=str(host_home), using=STEPS)
    outcome = await driver.act(order(Action.PROMOTE), said.append)
    assert outcome.result is Result.DONE, outcome
    assert [line for line in said if not line.startswith("[")] == ["one a b", "three", "all 3 done"]
    again = make(ssh=sshd.config, home=str(host_home), using=STEPS)
    assert (await again.probe(order(Action.PROMOTE), lambda _: None)).result is Result.DONE
    assert (host_home / "twice").read_text() == "two\n"
    assert driver.preview(order(Action.PROMOTE)).endswith("; then echo three  (usually 30s, at most 2m)")


@pytest.mark.parametrize(("code", "result"), [(0, Result.DONE), (7, Result.DONE), (3, Result.REFUSED)])
async def test_where_an_exit_code_means_nothing_the_readings_tell(
    make: Make, sshd: SshServer, host_home: Path, code: int, result: Result
) -> None:
    using = with_actions('[action.promote]\nrun = ["{home}/bin/two"]\nrefused = [3]\njudged = "readings"')
    script(host_home, "two", f"exit {code}")
    outcome = await make(ssh=sshd.config, home=str(host_home), using=using).act(
        order(Action.PROMOTE), lambda _: None
    )
    assert outcome.result is result
    assert ("the readings tell" in outcome.says) is (code == 7)


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (200, Result.DONE),
        (404, Result.DONE),
        (500, Result.DONE),
        (412, Result.REFUSED),
        (403, Result.REFUSED),
    ],
)
async def test_where_an_answer_means_nothing_the_readings_tell(
    make: Make, server: FakeServer, status: int, result: Result
) -> None:
    server.replies["/lock"] = httpx.Response(status)
    using = with_actions('[action.lock_queues]\npost = "/lock"\njudged = "readings"')
    assert (await make(using=using).act(order(), lambda _: None)).result is result


POSTS = with_actions(
    '[action.lock_queues]\npost = "/lock"\njson = { name = "{item}" }\neach = "{queues}"\n'
    'headers = { X-Key = "key {secret.admin}" }'
)


async def test_a_request_for_each_item(make: Make, server: FakeServer) -> None:
    driver = make(using=POSTS)
    outcome = await driver.act(order(queues=("Q1", "{home}")), lambda _: None)
    assert outcome.result is Result.DONE
    sent = server.asked("/lock")
    assert [request.content for request in sent] == [b'{"name":"Q1"}', b'{"name":"{home}"}']
    assert {request.headers["x-key"] for request in sent} == {f"key {PASSWORD}"}
    assert sent[0].headers["if-match"] == '"sky-a/standby/4"'
    assert driver.preview(order(queues=("Q1", "Q2"))) == (
        'POST https://a/lock {"name":"Q1"}; POST https://a/lock {"name":"Q2"}'
        "  (header: X-Key: key {secret.admin})"
    )


@pytest.mark.parametrize(
    ("answers", "result", "says"),
    [
        ([409], Result.REFUSED, "Stopped at 1 of 3, Q1; done before: nothing."),
        ([200, 409], Result.FAILED, "Stopped at 2 of 3, Q2; done before: Q1."),
        ([200, 200, 502], Result.UNKNOWN, "Stopped at 3 of 3, Q3; done before: Q1, Q2."),
        ([200, httpx.ConnectError("refused")], Result.FAILED, "Stopped at 2 of 3, Q2; done before: Q1."),
        ([httpx.ConnectError("refused")], Result.NOT_STARTED, "Stopped at 1 of 3, Q1; done before: nothing."),
    ],
)
async def test_the_first_request_that_fails_is_the_last(
    make: Make, server: FakeServer, answers: list[int | Exception], result: Result, says: str
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path != "/lock":
            return server(request)
        now = answers[len(sent)]
        sent.append(request)
        if isinstance(now, Exception):
            raise now
        return httpx.Response(now)

    sent: list[httpx.Request] = []
    driver = make(using=POSTS, transport=httpx.MockTransport(answer))
    outcome = await driver.act(order(queues=("Q1", "Q2", "Q3")), lambda _: None)
    assert outcome.result is result
    assert outcome.says.endswith(says)
    assert len(sent) == len(answers)


@pytest.mark.parametrize("secret", ["two\nlines", "é", "\x1b[2J"])
async def test_a_secret_that_no_header_can_carry_is_in_no_error(
    make: Make, server: FakeServer, secret: str
) -> None:
    outcome = await make(using=POSTS, secret=secret).act(order(), lambda _: None)
    assert outcome.result is Result.REFUSED
    assert secret not in outcome.says
    assert server.asked("/lock") == []
    assert isinstance(outcome, Outcome)
