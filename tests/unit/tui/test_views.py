"""What each part of the screen says, without a screen."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from skytui.pair.vocabulary import Action
from skytui.tui.glyphs import UNICODE, Look
from skytui.tui.scene import Scene, scene_of
from skytui.tui.view.act import Tone
from skytui.tui.view.card import step_card
from skytui.tui.view.face import State, face_of, two_masters
from skytui.tui.view.flow import flow_view
from skytui.tui.view.server import server_view
from skytui.tui.view.stepper import stepper_view, strip_view
from skytui.tui.view.summary import summary_card, why_no_start
from skytui.tui.view.topline import banner_view, topline_view
from skytui.tui.view.wrap import cut, hanging
from skytui.tui.widgets.pane import harmless
from tests.tui.scenarios import SCENARIOS
from tests.tui.scripted import ScriptedSession

LOOK = Look()


def scene(session: ScriptedSession) -> Scene:
    return scene_of(session.shown, session.clock)


def card(session: ScriptedSession, width: int = 90) -> tuple[str, str, Tone]:
    now = scene(session)
    assert now.run is not None
    assert now.run.step is not None
    view = step_card(now, now.run, now.run.step, LOOK, width)
    return view.body.plain, view.act.plain, view.tone


@pytest.mark.parametrize("scenario", ["idle", "counting", "two-masters"])
def test_a_server_that_is_not_verified_says_so_as_long_as_it_is(scenario: str) -> None:
    session = SCENARIOS[scenario]()
    plain = [server_view(scene(session), name, LOOK, 36).title.plain for name in ("sky-a", "sky-b")]
    facts = session.shown.servers
    session.show(servers=(msgspec.structs.replace(facts[0], unverified=True), facts[1]))
    titles = [server_view(scene(session), name, LOOK, 36).title.plain for name in ("sky-a", "sky-b")]
    assert titles == [f" not verified {plain[0]}", plain[1]]


def panel(session: ScriptedSession, name: str) -> str:
    view = server_view(scene(session), name, LOOK, 60)
    return f"{view.title.plain}\n{view.body.plain}\n{view.foot.plain}"


def test_unreachable_is_not_down() -> None:
    session = SCENARIOS["idle"]()
    host = session.world.hosts["sky-a"]
    host.answers = False
    session.poll()
    assert face_of(scene(session), "sky-a").state is State.UNKNOWN
    assert "no answer within 5 s" in panel(session, "sky-a")


def test_down_is_every_port_and_every_process() -> None:
    session = SCENARIOS["no-way-back"]()
    assert face_of(scene(session), "sky-a").state is State.DOWN
    session.world.hosts["sky-a"].seen_over_ssh = False
    session.poll()
    assert face_of(scene(session), "sky-a").state is State.UNKNOWN
    assert "processes   gone: skybot, postgres (1 s ago; no route to" in panel(session, "sky-a")


def test_a_role_that_is_too_old_is_not_shown_as_one() -> None:
    session = SCENARIOS["idle"]()
    session.clock.advance(11)
    assert face_of(scene(session), "sky-a").state is State.UNKNOWN
    assert "was master 11 s ago" in panel(session, "sky-a")
    assert "too old to count" in panel(session, "sky-a")


def test_a_master_and_its_standby() -> None:
    session = SCENARIOS["counting"]()
    master, standby = panel(session, "sky-a"), panel(session, "sky-b")
    assert "● MASTER" in master
    assert "6/6 locked (2 before)" in master
    assert "■ stopped" in master
    assert "○ STANDBY" in standby
    assert "40 files" in standby
    assert "3/s ~0:13" in standby
    assert "41 GB (data 3.2 GB)" in standby


def test_too_little_disk_is_marked() -> None:
    session = SCENARIOS["idle"]()
    session.world.hosts["sky-b"].disk_free = 1_000_000_000
    session.poll()
    view = server_view(scene(session), "sky-b", LOOK, 60)
    marked = [
        view.body.plain[span.start : span.end] for span in view.body.spans if span.style == "bold $attention"
    ]
    assert marked == ["1.0 GB"]


def test_the_flow_follows_the_roles_and_breaks_with_the_link() -> None:
    assert flow_view(scene(SCENARIOS["counting"]()), LOOK).plain == "══40═▶"
    assert flow_view(scene(SCENARIOS["done"]()), LOOK).plain == "◀══0══"
    assert "╳" in flow_view(scene(SCENARIOS["dead-link"]()), LOOK).plain
    assert "╳" in flow_view(scene(SCENARIOS["no-way-back"]()), LOOK).plain
    stale = SCENARIOS["counting"]()
    stale.clock.advance(30)
    assert "╳" in flow_view(scene(stale), LOOK).plain


def test_the_card_of_a_step_that_waits_for_its_gate() -> None:
    body, act, tone = card(SCENARIOS["dead-link"]())
    assert "the replication link of sky-a is dead (no standby connected): a count of 0 proves" in body
    assert act.startswith(" · Nothing to press: waiting for 0 requests")
    assert tone is Tone.WAITING


def test_the_card_of_a_blocked_step() -> None:
    body, act, tone = card(SCENARIOS["blocked"]())
    assert "· the guard on sky-a reads not set" in body
    assert "✔ 6 of 6 queues locked" in body
    assert act == " ✘ Enter: not yet. 2 File Replication Requests"
    assert tone is Tone.BLOCKED


def test_the_card_says_what_will_run_where() -> None:
    body, act, tone = card(SCENARIOS["shut-down"]())
    assert "sky-a$ bin/stop.sh" in body
    assert "asks you to type sky-a" in act
    assert tone is Tone.YOURS


def test_the_card_of_a_lost_outcome_offers_no_repeating() -> None:
    body, act, tone = card(SCENARIOS["doubtful"]())
    assert "Nobody knows yet whether it worked" in body
    assert "Nothing to press" in act
    assert tone is Tone.FAILED


def test_a_step_that_takes_too_long_says_so_and_goes_on() -> None:
    session = SCENARIOS["no-way-back"]()
    session.world.hanging.add(Action.PROMOTE)
    session.accept()
    session.poll()
    session.clock.advance(700)
    session.poll()
    body, act, _ = card(session)
    assert "overdue by 1:4" in body
    assert "Nothing to press: the action is under way" in act


def test_the_summary_tells_a_waiver() -> None:
    session = SCENARIOS["users-in"]()
    run = session.shown.run
    assert run is not None
    session.waive_now("users-out", "they know")
    session.world.users.clear()
    session.walk()
    now = scene(session)
    assert now.run is not None
    text = summary_card(now, now.run, LOOK, 90).body.plain
    assert "done, but not clean" in text
    assert "users-out by jo: they know" in text


def test_why_no_run_can_be_started() -> None:
    assert why_no_start(scene(SCENARIOS["idle"]())) == ""
    assert why_no_start(scene(SCENARIOS["done"]())) == ""
    assert "open already" in why_no_start(scene(SCENARIOS["counting"]()))
    assert why_no_start(scene(SCENARIOS["lost"]())).startswith("not connected")


def test_the_banner_puts_two_masters_before_everything() -> None:
    session = SCENARIOS["two-masters"]()
    session.show(lost="gone.")
    assert two_masters(scene(session)) == ("sky-a", "sky-b")
    assert "TWO MASTERS" in banner_view(scene(session), LOOK).plain
    assert banner_view(scene(SCENARIOS["idle"]()), LOOK).plain == ""


@pytest.mark.parametrize("name", sorted(SCENARIOS))
@pytest.mark.parametrize("width", [80, 120])
def test_one_line_stays_one_line(name: str, width: int) -> None:
    now = scene(SCENARIOS[name]())
    assert topline_view(now, LOOK, width).cell_length <= width
    assert strip_view(now, LOOK, width).cell_length <= width
    assert all(line.cell_length <= 32 for line in stepper_view(now, LOOK, 32).lines)
    assert "scheduler dark" in topline_view(now, LOOK, width).plain or not (now.run and now.run.dark_since)


def test_the_stepper_draws_the_point_of_no_return_before_promote() -> None:
    lines = [line.plain for line in stepper_view(scene(SCENARIOS["idle"]()), LOOK, 32).lines]
    here = next(index for index, line in enumerate(lines) if "no way back" in line)
    assert "last byte" in lines[here - 1]
    assert "promote" in lines[here + 2]


@given(st.text(alphabet="ab [x]\n", max_size=80), st.integers(10, 60))
def test_hanging_text_keeps_its_words_and_its_indent(text: str, width: int) -> None:
    laid = hanging(Content("Why"), Content(text), width)
    assert "".join(laid.plain.split()) == "Why" + "".join(text.split())
    assert all(line.startswith("      ") for line in laid.plain.split("\n")[1:])


@given(st.text(alphabet="abc ✔[", max_size=40), st.integers(1, 40))
def test_a_cut_line_fits(text: str, width: int) -> None:
    assert cut(Content(text), width, UNICODE).cell_length <= width


def test_nothing_that_drives_the_terminal_gets_past_the_last_door() -> None:
    assert harmless(Content("a\x1b[2Jb\nc")).plain == "ab\nc"
    same = Content.styled("[bold]x", "bold")
    assert harmless(same) is same
