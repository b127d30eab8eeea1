"""What a server process keeps in memory or on its own disk: sessions, who is heard, output files."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from skytui.clock import ManualClock
from skytui.lab.server.filestore import FileStore
from skytui.lab.server.presence import Presence
from skytui.lab.server.sessions import Sessions

RUN = "ledger-export@2026-11-22T12:00:00Z"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC))


def test_a_session_ends_ten_minutes_after_its_last_request(clock: ManualClock) -> None:
    sessions = Sessions(clock)
    token, session = sessions.open("admin", "127.0.0.1")
    clock.advance(599)
    assert sessions.find(token) is session
    clock.advance(599)
    assert sessions.find(token) is session
    clock.advance(601)
    assert sessions.find(token) is None
    assert sessions.all() == []


def test_closing_a_session_leaves_the_others(clock: ManualClock) -> None:
    sessions = Sessions(clock)
    first, one = sessions.open("admin", "127.0.0.1")
    second, other = sessions.open("admin", "127.0.0.2")
    sessions.close(one.id)
    assert sessions.find(first) is None
    assert sessions.find(second) is other
    assert token_free(sessions)


def test_a_client_that_logs_in_again_takes_the_place_of_its_earlier_session(clock: ManualClock) -> None:
    sessions = Sessions(clock)
    killed, _ = sessions.open("admin", "127.0.0.1", "skytui practice ann@jump")
    others = [
        sessions.open("admin", "127.0.0.1", client)[1] for client in ("", "", "skytui practice bob@jump")
    ]
    token, back = sessions.open("admin", "127.0.0.1", "skytui practice ann@jump")
    assert sessions.find(killed) is None
    assert sessions.find(token) is back
    assert sessions.all() == [*others, back]


def token_free(sessions: Sessions) -> bool:
    """What is shown of sessions never holds a token."""
    return all("token" not in session.__struct_fields__ for session in sessions.all())


def test_an_agent_is_connected_until_it_has_been_silent_for_three_seconds(clock: ManualClock) -> None:
    presence = Presence(clock)
    assert presence.connected("NIGHT-01") is None
    presence.hear("NIGHT-01", "10.0.0.1")
    since = clock.now()
    clock.advance(2.9)
    presence.hear("NIGHT-01", "10.0.0.1")
    clock.advance(2.9)
    heard = presence.connected("NIGHT-01")
    assert heard is not None
    assert heard.since == since
    clock.advance(0.2)
    assert presence.connected("NIGHT-01") is None
    assert presence.silent() == ["NIGHT-01"]
    presence.hear("NIGHT-01", "10.0.0.1")
    again = presence.connected("NIGHT-01")
    assert again is not None
    assert again.since == clock.now()


def test_a_file_is_there_whole_with_its_hash_or_missing(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "files")
    sha256 = store.save(RUN, b"one\n")
    assert sha256 == hashlib.sha256(b"one\n").hexdigest()
    assert store.load(RUN) == b"one\n"
    assert store.missing({RUN: sha256}) == []
    store.path(RUN).write_bytes(b"two\n")
    assert store.missing({RUN: sha256}) == [RUN]
    store.path(RUN).unlink()
    assert store.missing({RUN: sha256, "b@2026-11-22T12:00:00Z": "cafe"}) == [RUN, "b@2026-11-22T12:00:00Z"]
    assert [path.name for path in store.folder.iterdir()] == []
