"""Every key of the console. The footer, the help and the README are made from these.

None of the keys that lead to a change on a server is one that a torn arrow key can look like: over a slow
link `ESC [ A` arrives as Escape, `[` and `A`.
"""

from textual.binding import Binding

CHANGES_SERVER = (
    "confirm",
    "start",
    "unplanned",
    "state",
    "later",
    "waive",
    "decide",
    "abort",
    "take",
    "hand-over",
)
"""The ids of the bindings that can lead to a change on a server."""

TORN = frozenset(
    {
        *("escape", "left_square_bracket", "right_square_bracket", "semicolon", "tilde", "O"),
        *"ABCDEFHIPQRS",
        *"0123456789",
    }
)
"""What an arrow, Home, End, Page or function key can arrive as when it is torn apart."""

MAIN: list[Binding] = [
    Binding(
        "enter",
        "confirm",
        "confirm",
        id="confirm",
        key_display="enter",
        priority=True,
        tooltip="Go on with the step whose card is shown. Where a server goes down or changes its role,"
        " asks you to type its name first.",
    ),
    Binding(
        "s",
        "start",
        "start",
        id="start",
        tooltip="Start the planned swap from the server that is master now to the other one; or the"
        " conversion that an unplanned swap left for later.",
    ),
    Binding(
        "u",
        "unplanned",
        "unplanned",
        id="unplanned",
        tooltip="The master is lost: start an unplanned swap, or make one of the planned run that is open.",
    ),
    Binding(
        "i",
        "state",
        "state",
        id="state",
        tooltip="State, word for word, that the original master is powered off, where it cannot be reached.",
    ),
    Binding(
        "p",
        "later",
        "later",
        id="later",
        tooltip="Leave the conversion for a run of its own, for a reason you give.",
    ),
    Binding(
        "a",
        "abort",
        "abort",
        id="abort",
        tooltip="Take the run back to how things were, for a reason you give; until the point of no return.",
    ),
    Binding(
        "w",
        "waive",
        "waive",
        id="waive",
        tooltip="Let the step pass without its proof, for a reason you give. The run is then not clean.",
    ),
    Binding(
        "d",
        "decide",
        "decide",
        id="decide",
        tooltip="Decide about the rows of the step's list, one at a time or all the rest at once.",
    ),
    Binding(
        "h",
        "hold",
        "hold",
        id="hold",
        tooltip="Hold the run before its next gate, or let it go on again. Whoever looks on may, too.",
    ),
    Binding(
        "t",
        "take",
        "take over",
        id="take",
        tooltip="Operate the run that somebody else operates, for a reason you give.",
    ),
    Binding(
        "t",
        "hand_over",
        "hand over",
        id="hand-over",
        show=False,
        tooltip="Pass the run you operate on to another user.",
    ),
    Binding(
        "r",
        "secret",
        "secret",
        id="secret",
        tooltip="Try a secret that is wanted again: from its file or command, else it is asked for.",
    ),
    Binding(
        "c",
        "checks",
        "checks",
        id="checks",
        show=False,  # the cards name it where it matters; the footer has no room for another one
        tooltip="Show every check of the pair, with its evidence and how to mend what it finds.",
    ),
    Binding("l", "log", "log", id="log", tooltip="Show the log on the whole screen, and back."),
    Binding(
        "f",
        "filter",
        "filter",
        id="filter",
        show=False,
        tooltip="Show lines of both servers, of one, or of scripts only.",
    ),
    Binding("slash", "find", "find", id="find", key_display="/", tooltip="Find text in the log."),
    Binding(
        "question_mark", "help", "help", id="help", key_display="?", tooltip="Show all keys and what they do."
    ),
    Binding(
        "q",
        "leave",
        "leave",
        id="leave",
        tooltip="Leave the console. An open run goes on to its next gate and waits there.",
    ),
    Binding(
        "space",
        "pause",
        "pause",
        id="pause",
        show=False,
        tooltip="Stop the log from moving, and follow it again.",
    ),
    Binding(
        "n", "older", "older match", id="older", show=False, tooltip="Go to the match before, in the log."
    ),
    Binding(
        "N", "newer", "newer match", id="newer", show=False, tooltip="Go to the match after, in the log."
    ),
    Binding("up", "card(-1)", "card up", id="card-up", show=False, tooltip="Scroll the step card."),
    Binding("down", "card(1)", "card down", id="card-down", show=False, tooltip="Scroll the step card."),
    Binding(
        "pageup", "scroll_log(-1)", "log up", id="log-up", show=False, tooltip="Scroll the log back, a page."
    ),
    Binding(
        "pagedown",
        "scroll_log(1)",
        "log down",
        id="log-down",
        show=False,
        tooltip="Scroll the log on, a page.",
    ),
    Binding(
        "end", "follow", "log end", id="log-end", show=False, tooltip="Go to the log's end and follow it."
    ),
    Binding(
        "escape",
        "back",
        "back",
        id="back",
        show=False,
        tooltip="Leave the search, or the log on the whole screen.",
    ),
]
"""The main screen's."""

APP: list[Binding] = [
    Binding(
        "ctrl+c,ctrl+q",
        "interrupt",
        "leave",
        id="interrupt",
        show=False,
        priority=True,
        tooltip="Close the dialog that is open; otherwise the same as q.",
    ),
]
"""Everywhere."""

DIALOG: list[Binding] = [
    Binding(
        "escape", "cancel", "cancel", id="cancel", show=False, tooltip="Close the dialog; nothing is done."
    ),
]
"""Every dialog's."""

DECIDE: list[Binding] = [
    Binding("up", "row(-1)", "row up", id="row-up", show=False, tooltip="The row before."),
    Binding("down", "row(1)", "row down", id="row-down", show=False, tooltip="The next row."),
]
"""The list of rows to decide on; each decision has a letter beside these."""
