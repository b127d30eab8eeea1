"""The main moments of an unplanned swap, built by the runbook's own machine."""

from skytui.pair.vocabulary import Job
from skytui.runbook.steps import Kind
from tests.tui.scenarios import idle, shut_down
from tests.tui.scripted import ScriptedSession


def die(session: ScriptedSession) -> None:
    """The whole host of the master is gone."""
    host = session.world.hosts["sky-a"]
    host.role, host.answers, host.seen_over_ssh = None, False, False
    session.world.hosts["sky-b"].streams = False


def master_lost() -> ScriptedSession:
    session = idle()
    session.world.pending = 4
    session.world.jobs = [Job("month-end@02:40:00", "month-end", "ag-oslo", "nightly", "02:40:00")]
    session.poll(2)
    die(session)
    session.poll(3)
    session.say("sky-b", "replication", "ERROR connection to sky-a lost: server closed the connection")
    return session


def assessing() -> ScriptedSession:
    session = master_lost()
    assert session.open(kind=Kind.UNPLANNED) == ""
    session.poll(2)
    return session


def fencing() -> ScriptedSession:
    """The loss is accepted; the original master is out of reach, and Enter has been tried."""
    session = assessing()
    session.accept()
    session.poll(2)
    session.accept()
    session.poll(2)
    return session


def stated() -> ScriptedSession:
    session = fencing()
    session.state_now()
    session.poll(2)
    return session


def refuted() -> ScriptedSession:
    """A statement was made, and the host answers after all: its database still runs."""
    session = stated()
    session.accept()
    session.poll(2)
    host = session.world.hosts["sky-a"]
    host.role, host.seen_over_ssh = session.world.hosts["sky-b"].role, True
    session.poll(2)
    return session


def turnable() -> ScriptedSession:
    """The master dies in the middle of a planned swap."""
    session = shut_down()
    die(session)
    session.poll(3)
    return session


def before_conversion() -> ScriptedSession:
    """Activated; the original master's host is still away when its turn to be converted comes."""
    session = stated()
    session.walk("disk-space")
    session.poll(2)
    return session


def postponed() -> ScriptedSession:
    session = before_conversion()
    session.postpone_now("its disk has to be changed first")
    session.poll(2)
    return session
