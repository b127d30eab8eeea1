"""The main moments of a swap, each built by the runbook's own machine; snapshots are made of these."""

from collections.abc import Callable
from datetime import timedelta

import msgspec

from skytui.link.wire import Seat
from skytui.pair.order import Outcome, Result
from skytui.pair.vocabulary import Action, Job, User
from skytui.runbook.events import Marked, Resumed
from tests.tui.scripted import YOU, ScriptedSession
from tests.tui.world import START, World

ANN = Seat(2, "ann", "console", 4880, START - timedelta(minutes=4))
BOB = Seat(3, "bob", "console", 5012, START - timedelta(minutes=1))
EVE = Seat(4, "eve", "watch", 5199, START - timedelta(minutes=2))
SECOND = Seat(5, "jo", "console", 5321, START - timedelta(minutes=3))
"""Another console of the one who sits at the test's."""

CONVERSION = (
    "masterToStandby: reading three lines from standard input",
    "login at sky-b:7443 as admin: ok",
    "free disk 41 GB, database 3.2 GB: enough",
    "pg_rewind: servers diverged at WAL location 0/3000200 on timeline 3",
    "pg_rewind: rewinding from last common checkpoint at 0/3000180",
    "pg_rewind: reading source file list",
    "pg_rewind: reading target file list",
    "pg_rewind: reading WAL in target",
    "pg_rewind: need to copy 118 MB (total source directory size is 3204 MB)",
    "41 / 118 MB (34%) copied",
    'could not fetch file "base/16384/2619": connection to sky-b lost [/opt/skybot/bin]',
    "masterToStandby: failed, the data directory is as it was after the rewind began",
    "masterToStandby: run it again when sky-b answers",
)


def chatter(session: ScriptedSession) -> ScriptedSession:
    """What both servers' logs say in quiet times."""
    session.say("sky-a", "server", "INFO  1 session, admin from 10.0.0.7")
    session.say("sky-a", "scheduler", "INFO  queued extract-orders@03:00:00 for ag-lyon")
    session.say("sky-b", "replication", "INFO  streaming from sky-a, 0 files behind")
    session.say("sky-a", "scheduler", "INFO  job [/opt/skybot/bin] extract-orders ended, code 0")
    return session


def idle(you: Seat = YOU) -> ScriptedSession:
    return chatter(ScriptedSession(you=you))


def users_in() -> ScriptedSession:
    session = idle()
    session.open()
    session.walk("users-out")
    session.world.users += [User("miller", "02:41", "10.0.0.31"), User("ortega", "02:55", "10.0.0.12")]
    session.accept()
    session.poll(4)
    return session


def draining() -> ScriptedSession:
    session = idle()
    session.open()
    session.walk("drain-jobs")
    session.world.jobs = [Job("month-end@02:40:00", "month-end", "ag-oslo", "nightly", "02:40:00")]
    session.accept()
    session.poll(30)
    return session


def counting() -> ScriptedSession:
    session = idle()
    session.open()
    session.walk("replication-zero")
    session.world.pending, session.world.falls = 82, 3
    session.accept()
    for _ in range(14):
        session.poll()
        if session.world.polls % 3 == 0:
            session.say("sky-b", "replication", f"INFO  {session.world.pending} requests pending")
    return session


def dead_link() -> ScriptedSession:
    session = idle()
    session.open()
    session.walk("replication-zero")
    session.accept()
    session.poll(2)
    for host in session.world.hosts.values():
        host.streams = False
    session.poll(8)
    session.say("sky-b", "replication", "ERROR walreceiver: could not connect to sky-a:5432")
    return session


def blocked() -> ScriptedSession:
    """Somebody took the guard away again before the shut-down."""
    session = idle()
    session.open()
    session.walk("shut-down")
    session.world.hosts["sky-a"].guard = False
    session.world.pending = 2
    session.poll(3)
    return session


def shut_down() -> ScriptedSession:
    session = idle()
    session.open()
    session.walk("shut-down")
    session.poll(2)
    session.say("sky-a", "scheduler", "INFO  stopped by admin")
    session.say("sky-a", "server", "INFO  autostart switched off")
    return session


def no_way_back() -> ScriptedSession:
    session = shut_down()
    session.walk("promote")
    session.poll(2)
    session.say("sky-a", "shut_down", "service stopped", "database stopped: fast shutdown", "done")
    session.say("sky-b", "replication", "ERROR connection to sky-a lost: server closed the connection")
    return session


def agents_missing() -> ScriptedSession:
    session = no_way_back()
    session.walk("agents-back")
    session.world.gone_agents = {"ag-lyon", "ag-turin"}
    session.accept()
    session.poll(12)
    session.say("sky-b", "promote", "promoting", "timeline 4", "checkpoint done", "reads master")
    return session


def failed() -> ScriptedSession:
    session = no_way_back()
    session.walk("convert")
    says = "masterToStandby ended with an error on sky-a"
    session.world.outcomes[Action.CONVERT] = Outcome(Result.FAILED, says, 3, tail=CONVERSION)
    session.say("sky-a", "convert", *CONVERSION)
    session.accept()
    session.poll(3)
    return session


def doubtful() -> ScriptedSession:
    session = no_way_back()
    says = "the connection to sky-b broke while standbyToMaster ran"
    session.world.outcomes[Action.PROMOTE] = Outcome(Result.UNKNOWN, says)
    session.accept()
    session.poll(3)
    return session


def done() -> ScriptedSession:
    session = no_way_back()
    session.walk()
    session.poll(2)
    session.say("sky-b", "scheduler", "INFO  job extract-orders ended, code 0")
    return session


def aborting() -> ScriptedSession:
    session = no_way_back()
    session.world.hanging.add(Action.START_SCHEDULER)
    assert session.abort_now("the network team needs the night") == ""
    session.poll(8)
    session.say("sky-a", "start", "starting database of sky-a as master", "sky-a is up")
    return session


def undo_failed() -> ScriptedSession:
    session = no_way_back()
    says = "sky-a: setAutostart.sh ended with 1: read-only file system"
    session.world.outcomes[Action.CLEAR_GUARD] = Outcome(
        Result.FAILED, says, 1, tail=("read-only file system",)
    )
    assert session.abort_now("the network team needs the night") == ""
    session.poll(8)
    return session


def aborted() -> ScriptedSession:
    session = no_way_back()
    assert session.abort_now("the network team needs the night") == ""
    session.poll(20)
    return session


def held() -> ScriptedSession:
    session = shut_down()
    session.hold_now("waiting for the data centre to call back")
    session.poll()
    return session


def two_masters() -> ScriptedSession:
    session = agents_missing()
    old = session.world.hosts["sky-a"]
    old.answers = True
    old.role = session.world.hosts["sky-b"].role
    session.poll(2)
    return session


def stale() -> ScriptedSession:
    """The readings stopped half a minute ago."""
    session = counting()
    session.clock.advance(31)
    return session


def lost() -> ScriptedSession:
    session = counting()
    session.show(lost="The conductor has ended. The run goes on to its next gate.")
    session.clock.advance(12)
    return session


def prod() -> ScriptedSession:
    return chatter(ScriptedSession(World(), practice=False))


def company() -> ScriptedSession:
    """No run is open, and others are here."""
    session = idle()
    session.come(ANN, EVE)
    return session


def operated(by: Seat, to: str, you: Seat = YOU) -> ScriptedSession:
    """Somebody else operates the run, and it has come to this step's card."""
    session = idle(you)
    session.come(by)
    session.open(by)
    session.walk(to)
    session.poll(2)
    return session


def observer() -> ScriptedSession:
    session = operated(ANN, "shut-down")
    session.come(BOB, EVE)
    return session


def observer_waiting() -> ScriptedSession:
    session = operated(ANN, "replication-zero")
    session.come(BOB, EVE)
    session.world.pending, session.world.falls = 82, 3
    session.accept()
    session.poll(14)
    return session


def elsewhere() -> ScriptedSession:
    """Your own other console operates the run."""
    return operated(SECOND, "shut-down")


def watched() -> ScriptedSession:
    """You operate, and others look on."""
    session = shut_down()
    session.come(BOB, EVE)
    return session


def watcher() -> ScriptedSession:
    session = operated(ANN, "shut-down", EVE)
    session.come(BOB)
    return session


def vacant() -> ScriptedSession:
    """The operator has hung up; the run waits, for four minutes already."""
    session = operated(ANN, "shut-down")
    session.go(ANN)
    session.poll(240)
    return session


def resumed() -> ScriptedSession:
    """The conductor died while a script ran, and another one has taken the run up; sky-b carries no mark."""
    session = no_way_back()
    session.world.hanging.add(Action.PROMOTE)
    session.accept()
    session.poll(3)
    at, wall = session.clock.instant(), session.clock.now()
    session.event(Resumed(at=at, wall=wall, who="jo"))
    session.event(Marked(at=at, wall=wall, server="sky-a"))
    session.event(Marked(at=at, wall=wall, server="sky-b", missing="its folder cannot be written"))
    session.poll(2)
    return session


def doubtful_and_repeatable() -> ScriptedSession:
    session = idle()
    session.open()
    session.walk("stop-scheduler")
    says = "sky-a did not answer within 5 s"
    session.world.outcomes[Action.STOP_SCHEDULER] = Outcome(Result.UNKNOWN, says)
    session.accept()
    session.poll(2)
    return session


def unverified() -> ScriptedSession:
    """A pair one server of which need not prove who it is."""
    session = counting()
    first, second = session.shown.servers
    session.show(servers=(msgspec.structs.replace(first, unverified=True), second))
    return session


SCENARIOS: dict[str, Callable[[], ScriptedSession]] = {
    "idle": idle,
    "users-in": users_in,
    "draining": draining,
    "counting": counting,
    "dead-link": dead_link,
    "blocked": blocked,
    "shut-down": shut_down,
    "no-way-back": no_way_back,
    "agents-missing": agents_missing,
    "failed": failed,
    "doubtful": doubtful,
    "doubtful-and-repeatable": doubtful_and_repeatable,
    "company": company,
    "observer": observer,
    "observer-waiting": observer_waiting,
    "elsewhere": elsewhere,
    "watched": watched,
    "watcher": watcher,
    "vacant": vacant,
    "resumed": resumed,
    "aborting": aborting,
    "undo-failed": undo_failed,
    "aborted": aborted,
    "held": held,
    "two-masters": two_masters,
    "unverified": unverified,
    "stale": stale,
    "lost": lost,
    "prod": prod,
    "done": done,
}
