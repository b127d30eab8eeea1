"""The command line. Every command imports what it needs when it is called: `--help` loads nothing heavy."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from skytui import __version__
from skytui.errors import SkytuiError, UsageError

app = typer.Typer(
    name="skytui",
    help="Guides operators through the role swap of a Skybot Scheduler master/standby pair."
    " Without a command, `skytui [PAIR]` opens the console.",
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    add_completion=True,
    rich_markup_mode=None,
)
config_app = typer.Typer(help="The files that say which pairs there are.", no_args_is_help=True)
app.add_typer(config_app, name="config")
lab_app = typer.Typer(help="The practice pair: two real servers on this machine.", no_args_is_help=True)
app.add_typer(lab_app, name="lab")
profile_app = typer.Typer(help="How kinds of systems are read and acted on.", no_args_is_help=True)
app.add_typer(profile_app, name="profile")

Pair = Annotated[str | None, typer.Argument(help="The pair's name in the configuration.", metavar="PAIR")]
OnePair = Annotated[str, typer.Argument(help="The pair's name in the configuration.", metavar="PAIR")]
Slow = Annotated[bool, typer.Option("--slow-link", help="Fewer frames, only the terminal's own colours.")]
Ascii = Annotated[bool, typer.Option("--ascii", help="Draw with ASCII characters only.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Headless = Annotated[bool, typer.Option("--headless", help="Without a screen; JSON events on stdout.")]
Yes = Annotated[bool, typer.Option("--yes", help="Answer plain confirmations; never typed ones or waivers.")]
Confirms = Annotated[
    list[str] | None,
    typer.Option("--confirm", metavar="STEP=HOST", help="The typed confirmation of a step. Repeatable."),
]
Waives = Annotated[
    list[str] | None,
    typer.Option(
        "--waive",
        metavar="STEP=REASON",
        help="Let a gate pass unproven; preflight/CHECK for a check. Repeatable.",
    ),
]
Decides = Annotated[
    list[str] | None,
    typer.Option(
        "--decide",
        metavar="STEP[/ROW]=DECISION",
        help="A decision about a row of a step's list, or about all the rest of it. Repeatable.",
    ),
]
Latest = Annotated[
    str,
    typer.Option(
        "--promote-before",
        metavar="HH:MM",
        help="The latest time for promote, by the clock here; past it an abort is proposed.",
    ),
]


@app.command(hidden=True)
def console(pair: Pair = None, slow_link: Slow = False, ascii_only: Ascii = False) -> None:
    """Open the console on a pair. A run that is open is attached to."""
    from skytui.commands.console import console as run  # noqa: PLC0415

    raise typer.Exit(run(pair, slow_link=slow_link, ascii_only=ascii_only))


@app.command()
def drill(
    headless: Headless = False, yes: Yes = False, slow_link: Slow = False, ascii_only: Ascii = False
) -> None:
    """Start a practice pair and open the console on it. Headless: swap, swap back, and bring it down."""
    from skytui.commands import drill as drills  # noqa: PLC0415

    if headless:
        raise typer.Exit(drills.headless(yes=yes))
    if yes:
        raise UsageError("--yes goes with --headless: in the console a person confirms.")
    raise typer.Exit(drills.console(slow_link=slow_link, ascii_only=ascii_only))


@app.command()
def status(pair: Pair = None, as_json: Json = False) -> None:
    """Show both servers, once. Exit code 13 when it is not clear who is master and who is standby."""
    from skytui.commands.console import chosen_pair  # noqa: PLC0415
    from skytui.commands.status import status as run  # noqa: PLC0415

    text, code = run(chosen_pair(pair), as_json=as_json)
    typer.echo(text)
    raise typer.Exit(code)


@app.command()
def check(pair: Pair = None, as_json: Json = False) -> None:
    """Check everything a swap needs; change nothing. Exit code 10 when something blocks, 13 when unknown."""
    from skytui.commands.check import check as run  # noqa: PLC0415
    from skytui.commands.console import chosen_pair  # noqa: PLC0415

    text, code = run(chosen_pair(pair), as_json=as_json)
    typer.echo(text)
    raise typer.Exit(code)


@app.command()
def plan(
    pair: OnePair, run: Annotated[str, typer.Argument(metavar="[RUN]", help="An earlier run's id.")] = ""
) -> None:
    """Print the remaining steps with exact commands, hosts and gates, as Markdown."""
    from skytui.commands.plan import plan as make  # noqa: PLC0415

    typer.echo(make(pair, run))


@app.command()
def swap(  # noqa: PLR0917 - typer passes by name
    pair: OnePair,
    headless: Headless = False,
    yes: Yes = False,
    confirm: Confirms = None,
    waive: Waives = None,
    decide: Decides = None,
    promote_before: Latest = "",
    unplanned: Annotated[
        bool,
        typer.Option("--unplanned", help="The master is lost; or it is, of the planned run that is open."),
    ] = False,
    convert: Annotated[
        bool, typer.Option("--convert", help="Only convert: after an unplanned swap that left it for later.")
    ] = False,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Accept the loss that an unplanned swap names.")
    ] = False,
    attest: Annotated[
        str,
        typer.Option(metavar="WORDS", help="A statement in its own words: 'I confirm sky-a is powered off'."),
    ] = "",
    postpone: Annotated[
        str, typer.Option(metavar="REASON", help="Leave the conversion for a run of its own.")
    ] = "",
    take_over: Annotated[
        str,
        typer.Option(
            metavar="REASON", help="Replace the mark of another jump host's run that nobody drives any more."
        ),
    ] = "",
    why: Annotated[str, typer.Option(metavar="TEXT", help="Why; it stands in the run's report.")] = "",
    ticket: Annotated[str, typer.Option(metavar="TICKET", help="Its ticket, for the report.")] = "",
    slow_link: Slow = False,
    ascii_only: Ascii = False,
) -> None:
    """Start a swap, or go on with the one that is open."""
    from skytui.commands import swap as swaps  # noqa: PLC0415
    from skytui.commands.answers import parse_answers  # noqa: PLC0415

    answers = parse_answers(
        yes=yes,
        confirm=confirm or [],
        waive=waive or [],
        decide=decide or [],
        accept_loss=accept_loss,
        attest=attest,
        postpone=postpone,
    )
    kind = swaps.kind_of(unplanned=unplanned, convert=convert)
    latest = swaps.latest_time(promote_before)
    start = swaps.Start(kind=kind, take_over=take_over, why=why, ticket=ticket, promote_before=latest)
    if headless:
        raise typer.Exit(swaps.headless(pair, answers, start))
    if answers != parse_answers(yes=False, confirm=[], waive=[]):
        raise UsageError("Answers given in advance go with --headless: in the console a person answers.")
    raise typer.Exit(swaps.console(pair, start, slow_link=slow_link, ascii_only=ascii_only))


@app.command()
def abort(
    pair: OnePair, reason: Annotated[str, typer.Option(help="Why; it stands in the run's journal.")]
) -> None:
    """Take the open run back to how things were. Refused after the point of no return."""
    from skytui.commands.swap import abort as run  # noqa: PLC0415

    raise typer.Exit(run(pair, reason))


@app.command()
def hold(
    pair: OnePair, reason: Annotated[str, typer.Option(help="Why; everybody who watches sees it.")]
) -> None:
    """Stop the open run at its next gate."""
    from skytui.commands.swap import hold as run  # noqa: PLC0415

    run(pair, reason)


@app.command()
def release(pair: OnePair) -> None:
    """Let a held run go on."""
    from skytui.commands.swap import release as run  # noqa: PLC0415

    run(pair)


@app.command()
def unwatch(
    pair: OnePair, reason: Annotated[str, typer.Option(help="Why; it is kept beside the run's journal.")]
) -> None:
    """End the watch after the last run before its time."""
    from skytui.commands.swap import unwatch as run  # noqa: PLC0415

    run(pair, reason)


@app.command()
def take(
    pair: OnePair, reason: Annotated[str, typer.Option(help="Why; it is recorded in the run's journal.")]
) -> None:
    """Operate the open run from here on, after whoever did until now; also when their conductor died."""
    from skytui.commands.take import take as run  # noqa: PLC0415

    typer.echo(run(pair, reason))


@app.command()
def watch(pair: OnePair, slow_link: Slow = False, ascii_only: Ascii = False) -> None:
    """Look on: the console without any key that changes something. The conductor refuses them as well."""
    from skytui.commands.console import watch as run  # noqa: PLC0415

    raise typer.Exit(run(pair, slow_link=slow_link, ascii_only=ascii_only))


@app.command()
def runs(pair: OnePair) -> None:
    """List the runs of a pair, oldest first."""
    from skytui.commands.runs import listing  # noqa: PLC0415

    typer.echo(listing(pair))


@app.command()
def verify(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")],
    pair: Annotated[str, typer.Option(help="Its pair, where more than one has such a run.")] = "",
) -> None:
    """Check the journal of a run, and what it goes by, against their hashes."""
    from skytui.commands.runs import verify as check  # noqa: PLC0415

    typer.echo(check(run, pair))


@app.command()
def report(
    run: Annotated[list[str] | None, typer.Argument(metavar="[PAIR] RUN", help="The run's id.")] = None,
    form: Annotated[str, typer.Option("--format", help="md, json or html.", metavar="FORMAT")] = "",
    output: Annotated[Path | None, typer.Option(help="Write it to this file.", metavar="FILE")] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of a report.")] = False,
) -> None:
    """Print what happened in a run: times, steps with their evidence, waivers, actions, timeline."""
    from skytui.commands import report as reports  # noqa: PLC0415

    typer.echo(reports.schema_text() if schema else reports.report(run or [], form, output))


@app.command()
def repair(
    pair: OnePair,
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="The repair; without it, what applies.")] = "",
    confirm: Annotated[str, typer.Option(metavar="SERVER", help="The server's name, typed.")] = "",
) -> None:
    """Show which repairs of the profile apply now, or do one. Never on a master, or what may be one."""
    from skytui.commands.repair import repair as run  # noqa: PLC0415

    text, code = run(pair, name, confirm=confirm)
    typer.echo(text)
    raise typer.Exit(code)


@config_app.command("path")
def config_path(as_json: Json = False) -> None:
    """Show which files are searched, in which order, and which pair comes from which."""
    from skytui.commands.config import path  # noqa: PLC0415

    typer.echo(path(as_json=as_json))


@config_app.command("check")
def config_check(pair: Pair = None, as_json: Json = False) -> None:
    """Read everything, and say every mistake: file, line, table, key. Exit code 2 when there is one."""
    from skytui.commands.config import check  # noqa: PLC0415

    text, code = check(pair, as_json=as_json)
    typer.echo(text)
    raise typer.Exit(code)


@config_app.command("init")
def config_init(
    pair: Annotated[str, typer.Argument(metavar="[PAIR]", help="The new pair's name.")] = "",
) -> None:
    """Ask a few questions, try the connections, and write the configuration of a new pair."""
    from skytui.commands.init import init  # noqa: PLC0415

    raise typer.Exit(init(pair))


@lab_app.command("up")
def lab_up(
    fast: Annotated[bool, typer.Option("--fast", help="Short thresholds, for tests.")] = False,
    jobs: Annotated[Path | None, typer.Option(help="Another set of jobs, as TOML.")] = None,
) -> None:
    """Start the practice pair. What an earlier one left behind is cleared away first."""
    from skytui.commands.lab import up  # noqa: PLC0415

    up(fast=fast, jobs=jobs)


@lab_app.command("down")
def lab_down() -> None:
    """Stop the practice pair and remove it, whatever state it is in."""
    from skytui.commands.lab import down  # noqa: PLC0415

    down()


@lab_app.command("status")
def lab_status() -> None:
    """Show what of the practice pair is running."""
    from skytui.commands.lab import status as show  # noqa: PLC0415

    raise typer.Exit(show())


@lab_app.command("fault")
def lab_fault(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="The fault.")] = "",
    target: Annotated[str, typer.Argument(metavar="[HOST]", help="Where it takes a host.")] = "",
    listing: Annotated[bool, typer.Option("--list", help="List the faults there are.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take the fault back.")] = False,
) -> None:
    """Break something in the practice pair, to see what the console does about it."""
    from skytui.commands.lab import fault  # noqa: PLC0415

    fault(name, target, listing=listing, undo=undo)


@lab_app.command("node")
def lab_node(
    config: Annotated[Path, typer.Option(help="The host's conf/node.toml.")],
    no_boot: Annotated[
        bool, typer.Option("--no-boot", help="Do not start its server, whatever it says.")
    ] = False,
) -> None:
    """Run one host of a practice pair in the foreground, on a machine of its own."""
    from skytui.commands.lab import node  # noqa: PLC0415

    node(config, boot=not no_boot)


@profile_app.command("list")
def profile_list() -> None:
    """List the profiles that come with skytui."""
    from skytui.commands.profile import listing  # noqa: PLC0415

    typer.echo(listing())


@profile_app.command("show")
def profile_show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A profile's name, or a file.")],
) -> None:
    """Print a profile, to read or to start your own from."""
    from skytui.commands.profile import show  # noqa: PLC0415

    typer.echo(show(name), nl=False)


@profile_app.command("check")
def profile_check(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file, or a profile's name.")],
    against: Annotated[
        str, typer.Option(metavar="PAIR", help="Try every reading on the servers of this pair.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Check a profile, and try its readings. No action is run. Exit code 13 when one gives no value."""
    from skytui.commands.profile import check  # noqa: PLC0415

    text, code = check(file, against, as_json=as_json)
    typer.echo(text)
    raise typer.Exit(code)


def main() -> None:
    """Run the command line. A first word that is no command is a pair: its console is opened."""
    if sys.argv[1:2] == ["--version"]:
        typer.echo(f"skytui {__version__}")
        return
    try:
        app(args=_with_console(sys.argv[1:]), prog_name="skytui")
    except SkytuiError as error:
        typer.echo(f"skytui: {error}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.echo("skytui: stopped.", err=True)
        sys.exit(130)


def _with_console(arguments: list[str]) -> list[str]:
    known = {"--help", "--install-completion", "--show-completion"}
    known |= {command.callback.__name__ for command in app.registered_commands if command.callback}
    known |= {group.name for group in app.registered_groups if group.name}
    return arguments if arguments and arguments[0] in known else ["console", *arguments]
