"""The report of a run: what it holds, and what each of its formats makes of it."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skytui.clock import Instant
from skytui.pair.logline import LogLine
from skytui.pair.order import Outcome, Result
from skytui.pair.vocabulary import Job
from skytui.runbook.events import Baselined, Event, Recorded
from skytui.runbook.history import past_run
from skytui.runbook.report import FORMATS, Format, Report, Sources, make_report, render, schema
from skytui.runbook.report.document import Document, Heading, Paragraph, Table, lay_out
from skytui.runbook.report.markdown import to_markdown
from skytui.runbook.report.page import to_html
from skytui.runbook.report.telling import tell
from skytui.runbook.steps import Kind
from tests.support.pages import Page
from tests.support.walk import Walk
from tests.support.world import NEW, OLD, World

SCHEMA = Path(__file__).parents[3] / "docs" / "report.schema.json"
NASTY = '</pre></table><script>alert(1)</script><img src="http://x.example/y"> | **b** `c` &amp; \x1b[2J'


@pytest.fixture(scope="module")
def clean() -> Walk:
    return Walk().to_end()


@pytest.fixture(scope="module")
def eventful() -> Walk:
    """A run with a hold, a hand-over, a failure and a waiver, in words that attack whoever shows them."""
    world = World()
    walk = Walk(world)
    walk.to("lock-queues")
    walk.act = lambda order: Outcome(Result.FAILED, NASTY, 7, tail=("before", NASTY))
    walk.confirm()
    walk.poll()
    walk.act = world.act
    walk.hold(NASTY)
    walk.release()
    walk.to("agents-back")
    walk.waive("agents-back", NASTY)
    walk.hand_over("bob", by="ann")
    while not walk.run.over:
        assert walk.confirm(who="bob") == ""
        walk.settle()
    return walk


def report(walk: Walk, **sources: object) -> Report:
    return make_report(walk.events, Sources(**sources))  # type: ignore[arg-type]


def test_a_clean_run_is_called_clean(clean: Walk) -> None:
    made = report(clean)
    assert (made.clean, made.exit_code, made.ending, made.unclean) == (True, 0, "done", ())
    assert made.ended == clean.run.stage_wall
    assert all(step.state == "passed" for step in made.steps)
    assert {action.result for action in made.actions} == {"done"}
    assert made.owed == ()


def test_a_waiver_keeps_it_from_being_called_clean(eventful: Walk) -> None:
    made = report(eventful)
    assert (made.clean, made.exit_code) == (False, 14)
    (waiver,) = made.waivers
    assert (waiver.step, waiver.who) == ("agents-back", "ann")
    assert made.unclean[0].startswith("waiver at agents-back by ann: ")
    assert "not clean" in made.ending
    (step,) = (step for step in made.steps if step.id == "agents-back")
    assert (step.state, step.evidence) == ("waived", ())
    for form in (Format.MARKDOWN, Format.HTML):
        assert "Done, but not clean" in render(made, form)


def test_each_action_stands_with_its_code_and_its_last_lines(eventful: Walk) -> None:
    failed, again = (action for action in report(eventful).actions if action.step == "lock-queues")
    assert (failed.result, failed.code, failed.tail[0]) == ("failed", 7, "before")
    assert (again.result, again.server) == ("done", OLD)


def test_people_are_named_in_turn(eventful: Walk) -> None:
    made = report(eventful)
    assert made.operators == ("ann", "bob")
    assert [entry.says for entry in made.people] == [
        "held the run",
        "let the run go on",
        "passed the run on to bob",
    ]


def test_times_of_people_and_of_the_machine_are_told_apart() -> None:
    walk = Walk()
    walk.world.clock.advance(100)  # the first card is up, and nobody is there
    walk.to_end()
    made = report(walk)
    first = made.steps[0]
    assert first.person >= 100 > first.machine > 0
    assert made.person + made.machine == pytest.approx(made.took)
    assert sum(step.person + step.machine for step in made.steps) == pytest.approx(made.took)
    whole = (walk.events[-1].wall - walk.events[0].wall).total_seconds()
    assert made.took == pytest.approx(whole)


def test_what_was_missing_is_measured(clean: Walk) -> None:
    spans = {span.id: span for span in report(clean).spans}
    dark = spans["scheduler-dark"]
    assert (dark.since, dark.until) == (clean.run.dark_since, clean.run.dark_until)
    assert dark.seconds is not None
    queues, standby = spans["queues-dark"].seconds, spans["redundancy-restored"].seconds
    assert queues is not None
    assert standby is not None
    assert queues > dark.seconds > standby > 0
    assert spans["agents-back"].until


def test_an_open_run_shows_how_far_it_has_got() -> None:
    walk = Walk().to("promote")
    made = report(walk)
    assert (made.ended, made.ending, made.exit_code, made.clean) == (None, "open", 12, False)
    assert [step.id for step in made.steps if step.state == "open"] == ["promote"]
    assert made.owed
    (dark,) = (span for span in made.spans if span.id == "scheduler-dark")
    assert dark.until is None
    assert dark.seconds
    assert "is open" in render(made, Format.MARKDOWN)


def test_an_aborted_run_says_who_took_it_back_and_why() -> None:
    walk = Walk().to("shut-down")
    walk.abort("the moon is full")
    walk.settle(200)
    while not walk.run.over:
        walk.poll()
    made = report(walk)
    assert (made.exit_code, made.ending, made.clean) == (11, "rolled back", False)
    assert made.people[-1].reason == "the moon is full"
    assert "agents-back" not in {span.id for span in made.spans}
    (dark,) = (span for span in made.spans if span.id == "scheduler-dark")
    assert dark.until


def test_an_unplanned_run_counts_from_its_start_and_names_what_stands_on_a_persons_word() -> None:
    world = World()
    world.old.up, world.old.reached, world.old.control = False, False, "in production"
    walk = Walk(world, kind=Kind.UNPLANNED)
    walk.confirm()
    walk.settle()
    walk.act = lambda order: Outcome(Result.NOT_STARTED, "sky-a: no SSH connection")
    walk.confirm()
    walk.poll()
    assert walk.state() == ""
    walk.confirm()
    walk.settle()
    walk.act = world.act
    walk.to("disk-space")
    assert walk.postpone() == ""
    made = report(walk)
    accepted, stated = made.attestations
    assert accepted.says == "accepted what may be lost, typing accept the loss"
    assert stated.says == "stated: I confirm sky-a is powered off"
    assert (accepted.who, stated.who) == ("ann", "ann")
    (left,) = made.skips
    assert left.says == "left the conversion for a run of its own"
    assert (made.clean, made.exit_code) == (False, 14)
    spans = {span.id: span for span in made.spans}
    assert spans["scheduler-dark"].since == made.began
    assert spans["redundancy-restored"].since == made.began
    assert spans["redundancy-restored"].until is None
    text = render(made, Format.MARKDOWN)
    assert "sky-a is still to be converted" in text
    assert "is counted from there; since when is not known" in text


def test_earlier_runs_give_the_usual_times(clean: Walk) -> None:
    past = past_run(clean.run, clean.events)
    assert past is not None
    earlier = tuple(
        msgspec.structs.replace(past, id=f"2026010{n}", ended=past.ended - timedelta(days=n))
        for n in range(1, 4)
    )
    made = report(clean, past=(*earlier, past))
    assert made.earlier == 3
    (step,) = (step for step in made.steps if step.id == "replication-zero")
    assert step.usual is not None
    assert step.usual.runs == 3
    assert step.usual.median == pytest.approx(step.machine)
    assert "(p90 " in render(made, Format.MARKDOWN)
    assert "first run of its kind" in render(report(clean), Format.MARKDOWN)


def test_jobs_that_ran_or_came_due_meanwhile_are_listed(clean: Walk) -> None:
    assert clean.run.baseline
    assert clean.run.dark_since
    meanwhile = clean.run.dark_since + timedelta(seconds=5)
    due = (
        Job(job="hourly", due=meanwhile.isoformat()),
        Job(job="yearly", due="2030-01-01T00:00:00+00:00"),
        Job(job="odd", due="soon"),
    )
    running = (Job("nightly@1", "nightly", "ag", since="01:59"),)
    baseline = msgspec.structs.replace(clean.run.baseline, due=due, running=running)
    events = [
        msgspec.structs.replace(event, baseline=baseline) if isinstance(event, Baselined) else event
        for event in clean.events
    ]
    made = make_report(events)
    assert [job.id for job in made.reconcile] == ["nightly@1"]
    hourly, odd = made.late
    assert (hourly.job, odd.job) == ("hourly", "odd")
    assert "cannot be said" in odd.says


def test_log_lines_around_what_failed_are_shown(eventful: Walk) -> None:
    failed = next(action for action in report(eventful).actions if action.result == "failed")
    assert failed.ended
    lines = (
        LogLine(OLD, "server", "long before", failed.ended - timedelta(hours=1)),
        LogLine(OLD, "server", NASTY, failed.ended),
        LogLine(NEW, "server", "elsewhere", failed.ended),
    )
    made = report(eventful, lines=lines)
    around, *last = made.excerpts
    assert "lock-queues (failed)" in around.title
    assert len(around.lines) == 1
    assert [excerpt.title for excerpt in last] == [
        f"{OLD}, server: the last lines",
        f"{NEW}, server: the last lines",
    ]


# -- events in words


class Novel(Event, frozen=True, kw_only=True, tag="novel"):
    step: str
    who: str
    reason: str
    row: int
    names: tuple[str, ...] = ()


def test_an_event_without_words_stands_in_the_timeline_with_all_it_holds() -> None:
    told = tell(
        Novel(
            at=Instant("b", 1.0), wall=datetime(2026, 3, 1, tzinfo=UTC), step="promote", who="ann",
            reason="because", row=7, names=("x", "y"),
        )
    )  # fmt: skip
    assert (told.step, told.who, told.reason) == ("promote", "ann", "because")
    assert told.says == 'novel: row: 7; names: ["x","y"]'
    assert told.part is None


def test_every_event_of_a_run_is_told(eventful: Walk) -> None:
    made = report(eventful)
    assert len(made.timeline) == len(eventful.events)
    assert all(entry.says for entry in made.timeline)


@pytest.mark.parametrize("kind", Recorded.__args__)
def test_an_event_of_every_kind_has_words_of_its_own(kind: type[Event]) -> None:
    own = tell.dispatch(kind) is not tell.dispatch(Event)
    assert own, f"say in skytui/runbook/report/telling.py how {kind.__name__} is told"


# -- JSON


def test_the_json_reads_back_as_it_was(eventful: Walk) -> None:
    made = report(eventful)
    assert msgspec.json.decode(render(made, Format.JSON), type=Report) == made


def test_the_schema_in_the_docs_is_that_of_the_types() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == json.loads(json.dumps(schema())), (
        "write it anew: python -m tests.snapshot.write_schema"
    )


def test_the_schema_names_every_key_of_a_report(eventful: Walk) -> None:
    properties = schema()["$defs"]["Report"]["properties"]
    assert set(json.loads(render(report(eventful), Format.JSON))) == set(properties)


# -- HTML


def test_the_page_is_well_formed_and_refers_to_nothing_outside_itself(eventful: Walk) -> None:
    lines = (LogLine(OLD, "server", NASTY, eventful.events[5].wall),)
    text = render(report(eventful, lines=lines, notes=(NASTY,)), Format.HTML)
    page = Page(text)
    assert page.doctypes == ["DOCTYPE html"]
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "svg", "audio"}
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in page.elements:
        assert not attributes.keys() & {"src", "srcset", "style", "action", "data", "poster", "background"}
        assert not any(name.startswith("on") for name in attributes)
        if "href" in attributes:
            href = attributes["href"] or ""
            assert tag == "a"
            assert href[:1] == "#"
            assert href[1:] in ids
    style = re.search(r"<style>(.*)</style>", text, re.DOTALL)
    assert style
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    assert "prefers-color-scheme: dark" in style[1]
    assert "@media print" in style[1]


def test_the_page_tells_a_screen_reader_what_each_cell_is(eventful: Walk) -> None:
    page = Page(render(report(eventful), Format.HTML))
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == 1
    assert len(page.all("caption")) == len(page.all("table")) > 5
    assert all(cell.get("scope") in ("col", "row") for cell in page.all("th"))
    assert all("tr" in inside for tag, inside in page.inside if tag in ("th", "td"))
    assert all(inside[-1] in ("thead", "tbody") for tag, inside in page.inside if tag == "tr")


def test_the_page_is_readable_without_styles(eventful: Walk) -> None:
    made = report(eventful)
    text = Page(render(made, Format.HTML)).text
    for block in lay_out(made).blocks:
        match block.__struct_config__.tag:
            case "table":
                for row in block.rows:  # type: ignore[union-attr]
                    line = " | ".join(" ".join(harmless(cell).split()) for cell in row)
                    assert line in text
            case "heading" | "paragraph":
                assert " ".join(harmless(block.text).split()) in text  # type: ignore[union-attr]
    body = text[text.index("The run\n") :]
    order = [
        body.index(f"{part}\n") for part in ("The run", "Times", "Waivers", "Steps", "Actions", "Timeline")
    ]
    assert order == sorted(order)


def harmless(text: str) -> str:
    return text.replace("\x1b[2J", "")


@settings(max_examples=50, deadline=None)
@given(st.text())
def test_no_text_can_break_out_of_page_or_markdown(text: str) -> None:
    def said(text: str) -> Document:
        table = Table(text, (text, text), ((text, text), (text, text)))
        return Document(text, (Heading(text), Paragraph(text), Paragraph(text, strong=True), table))

    page, other = Page(to_html(said(text))), Page(to_html(said("x")))
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in other.elements]
    assert [attributes.keys() for _, attributes in page.elements] == [
        attributes.keys() for _, attributes in other.elements
    ]
    lines, wanted = to_markdown(said(text)).split("\n"), to_markdown(said("x")).split("\n")
    assert len(lines) == len(wanted)
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 4
    assert all(len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) == 3 for row in rows)


# -- Markdown


def test_markdown_takes_no_text_for_markup(eventful: Walk) -> None:
    text = render(report(eventful, notes=("- no list", "1. no number", "# no heading")), Format.MARKDOWN)
    assert "\x1b" not in text
    assert "<script>" not in re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    for start in ("\\- no list", "1\\. no number", "\\# no heading"):
        assert f"\n{start}\n" in text


def test_lines_as_they_came_stand_between_fences_they_do_not_close() -> None:
    walk = Walk().to("lock-queues")
    walk.act = lambda order: Outcome(Result.FAILED, "no", 1, tail=("```", "after"))
    walk.confirm()
    walk.poll()
    text = render(report(walk), Format.MARKDOWN)
    assert "````text\n```\nafter\n````\n" in text


@pytest.mark.parametrize("form", FORMATS)
def test_each_format_ends_with_a_line_break(clean: Walk, form: Format) -> None:
    text = render(report(clean), form)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
