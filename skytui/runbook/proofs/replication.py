"""File Replication Requests, the replication link, positions in the write-ahead log."""

from skytui.pair.position import past, reached
from skytui.runbook.model import Run
from skytui.runbook.proofs.proof import Found
from skytui.runbook.sight import Sight


def link_streams_on_old(run: Run, sight: Sight) -> Found:
    """The master sees its standby stream."""
    link = sight.take(f"the replication link on {run.old}", sight.server(run.old).replication_link)
    if link.alive and link.peer in ("", run.new):
        return True, f"{run.old} streams to {run.new}"
    return False, (
        f"the replication link of {run.old} is dead ({link.state or 'no standby connected'}):"
        " a count of 0 proves nothing"
    )


def link_streams_on_new(run: Run, sight: Sight) -> Found:
    """The standby itself receives."""
    link = sight.take(f"the replication link on {run.new}", sight.server(run.new).replication_link)
    if link.alive:
        return True, f"{run.new} receives from {run.old}"
    return (
        False,
        f"{run.new} receives nothing ({link.state or 'not connected'}): the replication link is dead",
    )


def nothing_pending_now(run: Run, sight: Sight) -> Found:
    """The latest count of File Replication Requests is 0."""
    pending = sight.take("File Replication Requests", sight.server(run.old).replication_pending)
    return pending == 0, f"{pending} File Replication Requests"


def zero_long_enough(run: Run, sight: Sight) -> Found:
    """0 in enough fresh readings, one after the other, over long enough.

    A poll that got no number breaks the row, and so does a time without polls (a laptop that slept): two
    readings further apart than a reading may be old, and the pause between polls, are not one row.
    """
    pending = sight.take("File Replication Requests", sight.server(run.old).replication_pending)
    if pending:
        return False, f"{pending} File Replication Requests left"
    zeros = 0
    first = last = None
    gap = run.thresholds.fresh_seconds + run.thresholds.poll_seconds
    for sample in reversed(sight.samples(run.old)):
        if sample.pending != 0 or (first and first.since(sample.at) > gap):
            break
        zeros += 1
        last = last or sample.at
        first = sample.at
    seconds = last.since(first) if first and last else 0.0
    limits = run.thresholds
    says = f"0 File Replication Requests in {zeros} readings over {seconds:.0f} s"
    if zeros >= limits.zero_readings and seconds >= limits.zero_seconds:
        return True, says
    return False, f"{says}; {limits.zero_readings} over {limits.zero_seconds:g} s count"


def past_the_marker(run: Run, sight: Sight) -> Found:
    """The standby has replayed past the marker this run wrote."""
    if not run.marker:
        return False, "the marker's position is not known"
    position = sight.take(f"{run.new}'s position", sight.server(run.new).wal_position)
    return reached(position, run.marker), f"{run.new} is at {position}, the marker at {run.marker}"


def past_last_checkpoint(run: Run, sight: Sight) -> Found:
    """The standby has replayed past the stopped master's last checkpoint."""
    control = sight.take(f"the control data of {run.old}", sight.server(run.old).control)
    position = sight.take(f"{run.new}'s position", sight.server(run.new).wal_position)
    says = f"{run.new} is at {position}, {run.old}'s last checkpoint at {control.checkpoint}"
    return past(position, control.checkpoint), says


def nothing_pending_on_new(run: Run, sight: Sight) -> Found:
    """Counted on the standby itself, no file is missing."""
    pending = sight.take(f"File Replication Requests on {run.new}", sight.server(run.new).replication_pending)
    return pending == 0, f"{pending} File Replication Requests, counted on {run.new}"
