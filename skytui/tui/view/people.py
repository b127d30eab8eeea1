"""Who is here: who operates the run, who looks on, and what a console that does not operate is told."""

from collections import Counter
from collections.abc import Iterable

from textual.content import Content

from skytui.link.wire import Seat
from skytui.runbook.events import HandedOver
from skytui.runbook.model import Run
from skytui.tui.glyphs import Look
from skytui.tui.scene import Scene
from skytui.tui.standing import Standing
from skytui.tui.view.wrap import labelled

WATCH = "watch"
"""The kind of client that may only look."""


def seat_words(seat: Seat) -> str:
    """Whose client it is, and where to find it."""
    return f"{seat.who} ({seat.client}, process {seat.pid})"


def operating(scene: Scene) -> Seat | None:
    """The client that operates the open run; None while the operator's seat is free."""
    return scene.shown.present.operator if scene.run is not None and not scene.run.over else None


def may_sit(scene: Scene, run: Run) -> tuple[Seat, ...]:
    """The operator's clients while the seat is free: the first one of them that acts takes it."""
    if run.over or operating(scene) is not None:
        return ()
    return tuple(seat for seat in _connected(scene) if seat.who == run.operator and seat.client != WATCH)


def others_here(scene: Scene) -> tuple[Seat, ...]:
    """Everybody who is connected, without this console and without the operator's."""
    theirs = may_sit(scene, scene.run) if scene.run is not None and not scene.operates else ()
    known = (scene.shown.you, operating(scene), *theirs)
    return tuple(seat for seat in _connected(scene) if seat not in known)


def _connected(scene: Scene) -> tuple[Seat, ...]:
    present = scene.shown.present
    return ((present.operator,) if present.operator is not None else ()) + present.others


def who_operates(scene: Scene, run: Run) -> str:
    """The operator, and where to find them, as the start of a sentence."""
    seat, you = operating(scene), scene.shown.you
    if seat is None:
        return run.operator if may_sit(scene, run) else f"{run.operator}, who is not connected,"
    if you is not None and seat.who == you.who:
        return f"Your own {seat.client} in process {seat.pid}"
    return seat_words(seat)


def whose_turn(scene: Scene, run: Run) -> str:
    """The operator as somebody who is waited for, as the start of a sentence."""
    seat, you = operating(scene), scene.shown.you
    if seat is None:
        return f"{run.operator}'s turn" + ("" if may_sit(scene, run) else " (not connected)")
    if you is not None and seat.who == you.who:
        return f"The turn of your {seat.client} in process {seat.pid}"
    return f"{run.operator}'s turn"


def only_watches(pair: str) -> str:
    """What a watcher is told whatever it presses."""
    return f"This console only watches. Nothing here changes a run; open it with: skytui {pair}"


def why_not_yours(scene: Scene, take: str = "t") -> str:
    """Why a confirmation from here would not count, as a sentence; empty when it would. `take` is a key."""
    run = scene.run
    match scene.standing:
        case Standing.WATCHER:
            return only_watches(scene.shown.pair)
        case Standing.OBSERVER if run is not None:
            return f"{who_operates(scene, run)} operates this run; {take} takes it over, for a reason."
        case _:
            return ""


def taking_words(scene: Scene, run: Run, look: Look) -> str:
    """What taking the run over means, before it is asked for."""
    seat, you = operating(scene), scene.shown.you
    if seat is None:
        who = f"{run.operator} operates this run{'' if may_sit(scene, run) else ', and is not connected'}."
    elif you is not None and seat.who == you.who:
        who = (
            f"You operate this run yourself, from your {seat.client} in process {seat.pid}, here since"
            f" {look.clock(seat.since)}. That one only looks on afterwards."
        )
    else:
        who = f"{seat_words(seat)} operates this run, here since {look.clock(seat.since)}."
    return (
        f"{who} From then on only what is confirmed here counts. What is under way goes on. Everybody sees"
        " the reason, and it stands in the journal."
    )


def top_words(scene: Scene) -> list[tuple[str, str]]:
    """Who operates, and who else is here, from the longest wording to the shortest; empty for nothing."""
    run = scene.run
    others = others_here(scene)
    if run is None or run.over:
        return [("", f"also here: {names(others)}"), ("", f"+{len(others)} here")] if others else [("", "")]
    operates, count = _operates(scene, run), len(others)
    short = operates if scene.operates else f"by {run.operator}"
    if not others:
        return [("", "")] if scene.operates else [(operates, ""), (short, "")]
    counted = [(operates, f"+{count} watching"), (operates, f"+{count}"), (short, f"+{count}"), (short, "")]
    return [(operates, f"watching: {names(others)}"), *counted]


def _operates(scene: Scene, run: Run) -> str:
    seat, you = operating(scene), scene.shown.you
    if scene.operates:
        return "you operate"
    if seat is None and not may_sit(scene, run):
        return f"{run.operator} operates, not connected"
    if seat is None:
        return f"operated by {run.operator}"
    if you is not None and seat.who == you.who:
        return f"operated by your process {seat.pid}"
    return f"operated by {seat.who}"


def handed_words(event: HandedOver) -> str:
    """What everybody is told when the run is somebody else's from now on."""
    if event.to == event.by or event.reason:
        return f"{event.to} operates the run now: {event.reason}"
    return f"{event.to} operates the run now: {event.by} passed it on."


def names(seats: Iterable[Seat]) -> str:
    """The people, each once; with a number, who is here more than once."""
    counted = Counter(seat.who for seat in seats)
    return ", ".join(who if count == 1 else f"{who} ({count})" for who, count in counted.items())


def list_of_people(scene: Scene, look: Look) -> tuple[str, ...]:
    """Everybody who is connected, one line each: what they are here, with process and since when."""
    run, you = scene.run, scene.shown.you
    lines = []
    operator = operating(scene)
    if run is not None and not run.over and operator is None:
        if scene.operates:
            operator = you
        else:
            absent = "" if may_sit(scene, run) else ", and is not connected"
            lines.append(f"{run.operator} operates the run{absent}")
    seats = {seat.number: seat for seat in (operator, you, *_connected(scene)) if seat is not None}
    for seat in seats.values():
        does = " operates the run" if seat == operator else ""
        client = "this console" if you is not None and seat.number == you.number else seat.client
        since = look.clock(seat.since)
        lines.append(f"{seat.who}{does} ({client}, process {seat.pid}, since {since})")
    return tuple(lines)


def here_note(scene: Scene, look: Look, width: int) -> list[Content]:
    """Who else is here, for the card of a pair without an open run; nothing when nobody is."""
    lines = [f"{seat_words(seat)}, since {look.clock(seat.since)}" for seat in others_here(scene)]
    return [labelled("Here", "\n".join(lines), width)] if lines else []
