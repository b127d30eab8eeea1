"""Several clients on one run: who may do what, who is here, who took it from whom. Over a real socket."""

import asyncio
import pwd
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from skytui.conductor import socket as socket_module
from skytui.conductor.journal import read_journal
from skytui.conductor.runs import stored_runs
from skytui.link.address import Peer
from skytui.link.client import Client
from skytui.link.wire import HandOver, HoldRun, NewReading, Open, Present, ReleaseRun, Seat, Take, Waive
from skytui.runbook.events import HandedOver, Held, Released
from skytui.runbook.model import Run
from tests.support.conducted import SECONDS, Conducted, conducted, confirm, open_run, until, until_run


class Users:
    """Lets each connection come from another user, as the kernel would say."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._next = Peer(100, 1001, 1001)
        self._names = {1001: "ann", 1002: "bob", 1003: "eve"}
        monkeypatch.setattr(socket_module, "peer_of", lambda connection: self._next)
        monkeypatch.setattr(socket_module, "name_of", lambda uid: self._names[uid])
        monkeypatch.setattr(socket_module, "why_not_in", lambda peer, folder: "")
        monkeypatch.setattr(pwd, "getpwnam", {"ann": 1, "bob": 2, "eve": 3}.__getitem__)

    async def client(self, here: Conducted, who: str, kind: str = "console") -> Client:
        uid = next(uid for uid, name in self._names.items() if name == who)
        self._next = Peer(self._next.pid + 1, uid, uid)
        return await here.client(kind)


@pytest.fixture
def users(monkeypatch: pytest.MonkeyPatch) -> Users:
    return Users(monkeypatch)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Conducted]:
    async with conducted(tmp_path) as one:
        yield one


async def seen(client: Client, operator: Seat | None, *others: Seat) -> None:
    """Wait until this client knows exactly these to be here."""
    await until(client, lambda message: message == Present(operator, others))


async def take(client: Client, run: Run, reason: str) -> str:
    return (await client.request(lambda number: Take(number, run.id, reason))).refused


async def hand_over(client: Client, run: Run, to: str) -> str:
    return (await client.request(lambda number: HandOver(number, run.id, to))).refused


def journal(here: Conducted) -> tuple[object, ...]:
    return read_journal(stored_runs(here.folder)[-1] / "journal.jsonl").events


async def test_the_first_to_open_operates_and_the_others_look_on(here: Conducted, users: Users) -> None:
    ann, bob = await users.client(here, "ann"), await users.client(here, "bob")
    run = await open_run(ann)
    await seen(bob, ann.welcome.you, bob.welcome.you)
    assert await confirm(bob, run) == f"{ann.welcome.you.words} operates this run"
    waived = await bob.request(lambda number: Waive(number, run.id, "users-out", "they know"))
    assert waived.refused == f"{ann.welcome.you.words} operates this run"
    assert here.conductor.run == run
    assert await confirm(ann, run) == ""


async def test_two_consoles_of_one_person_do_not_confirm_past_each_other(
    here: Conducted, users: Users
) -> None:
    first, second = await users.client(here, "ann"), await users.client(here, "ann")
    run = await open_run(first)
    assert await confirm(second, run) == f"{first.welcome.you.words} operates this run"
    await here.hang_up(first)
    assert await confirm(second, run) == "", "a seat nobody sits on is its user's"
    assert here.conductor.seats.present.operator == second.welcome.you


async def test_of_two_who_open_at_once_one_does(here: Conducted, users: Users) -> None:
    ann, bob = await users.client(here, "ann"), await users.client(here, "bob")
    await until(ann, lambda message: isinstance(message, NewReading) and bool(message.reading.standby()))
    replies = await asyncio.gather(ann.request(Open), bob.request(Open))
    refused = [reply.refused for reply in replies if reply.refused]
    assert len(refused) == 1
    run, operator = here.conductor.run, here.conductor.seats.present.operator
    assert run is not None
    assert operator is not None
    assert refused[0].startswith(f"run {run.id} is open")
    assert operator.words in refused[0]
    assert len(stored_runs(here.folder)) == 1


async def test_taking_over_is_for_a_reason_and_in_the_journal(here: Conducted, users: Users) -> None:
    ann, bob = await users.client(here, "ann"), await users.client(here, "bob")
    run = await open_run(ann)
    assert await take(bob, run, "") == f"{ann.welcome.you.words} operates this run"
    assert await take(bob, run, "her VPN\x1b[2J is down") == ""
    handed = [event for event in journal(here) if isinstance(event, HandedOver)]
    assert [(event.to, event.by) for event in handed] == [("bob", "bob")]
    assert "\x1b" not in handed[0].reason
    await seen(ann, bob.welcome.you, ann.welcome.you)
    assert await confirm(ann, run) == f"{bob.welcome.you.words} operates this run"
    assert await confirm(bob, run) == ""


async def test_an_operator_who_left_is_not_replaced_in_silence(here: Conducted, users: Users) -> None:
    ann, bob = await users.client(here, "ann"), await users.client(here, "bob")
    run = await open_run(ann)
    await here.hang_up(ann)
    says = "ann operates this run, and is not connected; take it over for a reason"
    assert await confirm(bob, run) == says
    assert await take(bob, run, "") == says
    assert await take(bob, run, "she is offline") == ""
    assert await confirm(bob, run) == ""


async def test_handed_over_the_other_user_operates_with_the_first_key(here: Conducted, users: Users) -> None:
    ann, bob = await users.client(here, "ann"), await users.client(here, "bob")
    run = await open_run(ann)
    assert await hand_over(bob, run, "bob") == f"{ann.welcome.you.words} operates this run"
    assert await hand_over(ann, run, "nobody-here") == "there is no user nobody-here on this machine"
    assert await hand_over(ann, run, "bob") == ""
    await seen(bob, None, ann.welcome.you, bob.welcome.you)
    assert await confirm(ann, run) == "bob operates this run, and is not connected; take it over for a reason"
    assert await confirm(bob, run) == ""
    assert here.conductor.seats.present.operator == bob.welcome.you


async def test_anybody_but_a_watcher_holds(here: Conducted, users: Users) -> None:
    ann, bob = await users.client(here, "ann"), await users.client(here, "bob")
    eve = await users.client(here, "eve", "watch")
    run = await open_run(ann)
    assert (await eve.request(lambda number: HoldRun(number, "no"))).refused == "a watcher may only look"
    assert (await bob.request(lambda number: HoldRun(number, "wait for me"))).refused == ""
    run = await until_run(ann, lambda run: run.hold is not None)
    assert await confirm(ann, run) == "held by bob: wait for me"
    assert (await ann.request(ReleaseRun)).refused == ""
    assert [type(event) for event in journal(here)[-2:]] == [Held, Released]
    assert await confirm(ann, run) == ""


async def test_a_watcher_is_named_a_glance_is_not(here: Conducted, users: Users) -> None:
    ann = await users.client(here, "ann")
    eve = await users.client(here, "eve", "watch")
    await seen(ann, None, ann.welcome.you, eve.welcome.you)
    glance = await users.client(here, "bob", "glance")
    assert glance.welcome.may == ()
    assert here.conductor.seats.present.others == (ann.welcome.you, eve.welcome.you)
    await here.hang_up(eve)
    assert eve.welcome.you not in here.conductor.seats.present.others


async def test_what_a_client_says_of_itself_is_not_who_it_is(here: Conducted, users: Users) -> None:
    await users.client(here, "bob")
    reader, writer = await here.raw()
    hello = b'{"type":"hello","protocol":1,"version":"0","client":"console","who":"ann","uid":0}\n'
    writer.write(hello)
    async with asyncio.timeout(SECONDS):
        assert b'"you":{"number":2,"who":"bob"' in await reader.readline()


async def test_late_comers_get_all_that_was(here: Conducted, users: Users) -> None:
    ann = await users.client(here, "ann")
    run = await open_run(ann)
    await confirm(ann, run)
    await until_run(ann, lambda run: len(run.records) == 1)
    late = await users.client(here, "bob", "watch")
    assert late.welcome.events == journal(here)
    assert late.welcome.run == here.conductor.run


@pytest.fixture
async def reserved(tmp_path: Path) -> AsyncIterator[Conducted]:
    async with conducted(tmp_path, operators=["ann"]) as one:
        yield one


async def test_who_is_no_operator_of_the_pair_looks_on_and_holds(reserved: Conducted, users: Users) -> None:
    ann, bob = await users.client(reserved, "ann"), await users.client(reserved, "bob")
    says = "bob is none of this pair's operators (ann)"
    assert (await bob.request(Open)).refused == says
    run = await open_run(ann)
    assert await take(bob, run, "I want to") == says
    assert await hand_over(ann, run, "bob") == says
    assert (await bob.request(lambda number: HoldRun(number, "stop"))).refused == ""
