"""Waiving, holding, secrets, help, and starting a run."""

from textual import events

from tests.tui.consoles import desk
from tests.tui.scenarios import counting, held, idle, prod, shut_down, users_in
from tests.tui.scripted import ScriptedSession


async def test_starting_a_run_starts_on_cancel() -> None:
    async with desk(idle()) as at:
        await at.press("s")
        assert "Start the planned swap?" in at.screen()
        await at.settle()
        await at.press("enter")
        assert at.session.asked == []
        assert "Start the planned swap?" not in at.screen()


async def test_the_button_that_enter_presses_has_a_sign_and_not_only_a_colour() -> None:
    async with desk(idle(), ascii_only=True) as at:
        await at.press("s")
        await at.settle()
        assert "> Cancel" in at.screen()
        await at.press("tab")
        assert "> Cancel" not in at.screen()
        assert "> Start" in at.screen()


async def test_two_enters_read_at_once_answer_a_dialog_once() -> None:
    session = shut_down()
    async with desk(session) as at:
        await at.press("enter")
        await at.settle()
        await at.type("sky-a")
        for _ in range(2):
            at.console.post_message(events.Key("enter", "\r"))
        await at.settle()
        assert session.asked == [("confirm", "shut-down", "sky-a")]
        assert at.console.screen is at.console.main


async def test_a_run_is_started_between_the_servers_as_they_read() -> None:
    async with desk(prod()) as at:
        assert " PROD " in at.screen()
        assert "s starts the planned swap from sky-a to sky-b" in at.screen()
        await at.press("s")
        await at.settle()
        await at.press("right", "tab", "enter")
        assert at.session.asked == [("open",)]
        assert at.step == "preflight"


async def test_no_run_is_started_while_the_roles_are_not_clear() -> None:
    session = idle()
    session.world.hosts["sky-b"].answers = False
    session.poll()
    async with desk(session) as at:
        assert "s: not yet. sky-a reads MASTER; sky-b reads UNKNOWN" in at.screen()
        await at.press("s")
        assert "Start the planned swap?" not in at.screen()
        assert "Sky-a reads MASTER" in at.screen()


async def test_waiving_wants_a_reason_and_names_what_stays_unproven() -> None:
    async with desk(users_in()) as at:
        await at.press("w")
        assert "2 logged in: miller from 10.0.0.31, ortega from 10.0.0.12" in at.screen()
        await at.settle()
        await at.press("enter")
        assert "It needs a reason" in at.screen()
        assert at.session.asked == []
        await at.type("they know")
        await at.press("enter")
        assert at.session.asked == [("waive", "users-out", "they know")]
        await at.poll()
        assert at.step == "lock-queues"
        assert "waived" in at.screen()


async def test_a_step_that_cannot_be_waived_says_so() -> None:
    async with desk(counting()) as at:
        await at.press("w")
        assert "The procedure does not let replication-zero be waived." in at.screen()
        assert at.session.asked == []


async def test_hold_and_release() -> None:
    session = idle()
    session.open()
    async with desk(session) as at:
        await at.press("h")
        await at.settle()
        await at.type("phone")
        await at.press("enter")
        assert at.session.asked == [("hold", "phone")]
        await at.poll()
        assert "Held by jo: phone. h lets the run go on." in at.screen()
        await at.press("enter")
        assert len(at.session.asked) == 1
        await at.press("h")
        await at.poll()
        assert at.session.asked[1:] == [("release",)]
        assert "HELD" not in at.screen()


async def test_a_run_that_was_held_says_by_whom() -> None:
    async with desk(held()) as at:
        assert "Held by jo: waiting for the data centre to call back" in at.screen()


async def test_a_secret_is_asked_for_masked_until_it_is_right() -> None:
    session = ScriptedSession(secrets=("admin password of sky-a",))
    async with desk(session) as at:
        await at.poll()
        assert "admin password of sky-a: tried at once" in at.screen()
        await at.settle()
        await at.type("wrong1")
        assert "wrong1" not in at.screen()
        assert "••••••" in at.screen()
        await at.press("enter")
        assert "Refused: sky-a does not accept this password for admin" in at.screen()
        await at.settle()
        await at.type("correct")
        await at.press("enter")
        await at.poll()
        assert session.shown.secrets_wanted == ()
        assert "A secret is wanted" not in at.screen()
        assert at.asked("secret") == [("secret", "admin password of sky-a")] * 2


async def test_nothing_starts_while_a_secret_is_wanted() -> None:
    session = ScriptedSession(secrets=("admin password of sky-a",))
    async with desk(session) as at:
        await at.poll()
        await at.press("escape")
        await at.settle()
        assert "s: not yet. a secret is still wanted" in at.screen()
        await at.press("s")
        assert "A secret is wanted" in at.screen()
        assert at.asked("open") == []


async def test_a_secret_wanted_in_the_middle_of_a_run_is_asked_for_before_the_next_step() -> None:
    session = idle()
    session.open()
    async with desk(session) as at:
        session.show(secrets_wanted=("passphrase",))
        await at.settle()
        await at.settle()
        await at.press("escape")
        await at.settle()
        await at.press("enter")
        assert at.asked("confirm") == []
        assert "passphrase: tried at once" in at.screen()


async def test_what_a_host_asks_is_shown_and_keeps_no_step_from_being_confirmed() -> None:
    session = idle()
    session.open()
    async with desk(session) as at:
        session.show(hosts_ask=("ann@gate:22 asks: Verification code",))
        await at.settle()
        await at.settle()
        assert "ann@gate:22 asks: Verification code: tried at once" in at.screen()
        await at.press("escape")
        await at.settle()
        await at.press("enter")
        assert len(at.asked("confirm")) == 1
        assert "A secret is wanted" not in at.screen()


async def test_a_host_is_answered_when_nothing_can_be_started_without_it() -> None:
    session = ScriptedSession()
    async with desk(session) as at:
        session.show(reading=None, hosts_ask=("ann@gate:22 asks: Verification code",))
        await at.settle()
        await at.settle()
        await at.press("escape")
        await at.settle()
        assert "s: not yet. an answer is wanted: ann@gate:22 asks: Verification code" in at.screen()
        await at.press("s")
        assert "A secret is wanted" in at.screen()
        session.show(hosts_ask=())
        await at.settle()
        await at.settle()
        assert "A secret is wanted" not in at.screen()


async def test_a_secret_somebody_else_gave_closes_the_question() -> None:
    session = ScriptedSession(secrets=("passphrase",))
    async with desk(session) as at:
        await at.poll()
        assert "passphrase: tried at once" in at.screen()
        session.show(secrets_wanted=())
        await at.settle()
        await at.settle()
        assert "A secret is wanted" not in at.screen()


async def test_a_secret_that_was_refused_is_asked_for_with_the_reason_and_stops_no_step() -> None:
    session = idle()
    session.open()
    async with desk(session) as at:
        why = "sky-a: the login was refused: wrong password."
        session.show(secrets_wanted=("admin",), secrets_refused={"admin": why})
        await at.settle()
        await at.settle()
        assert "the login was refused: wrong password" in at.screen()
        await at.press("escape")
        await at.settle()
        assert "r secret" in at.screen()
        await at.press("r")
        assert at.asked("try secrets") == [("try secrets",)]
        assert "the login was refused: wrong password" in at.screen()
        await at.press("escape")
        await at.settle()
        await at.press("enter")
        assert len(at.asked("confirm")) == 1


async def test_without_a_wanted_secret_there_is_nothing_to_try() -> None:
    async with desk(idle()) as at:
        assert "r secret" not in at.screen()
        await at.press("r")
        assert at.asked("try secrets") == []


async def test_a_secret_refused_while_another_dialog_is_open_is_asked_for_after_it() -> None:
    session = idle()
    session.open()
    async with desk(session) as at:
        await at.press("h")
        session.show(secrets_wanted=("admin",), secrets_refused={"admin": "sky-a: wrong."})
        await at.settle()
        assert "Hold the run?" in at.screen()
        await at.press("escape")
        await at.settle()
        await at.poll()
        await at.settle()
        assert "sky-a: wrong." in at.screen()


async def test_help_lists_every_key_with_what_it_does() -> None:
    async with desk(idle(), size=(120, 50)) as at:
        await at.press("question_mark")
        await at.settle()
        screen = " ".join(at.screen().replace("│", " ").replace("┃", " ").split())
        for words in ("Go on with the step", "Let the step pass without its proof", "Find text in the log"):
            assert words in screen
        await at.press("q")
        assert "Let the step pass" not in at.screen()
