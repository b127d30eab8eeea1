"""What must be read from the servers: before an action may start, and before a step passes.

Every gate is a tuple of conjuncts; all of them must hold, each is one sentence. A conjunct that cannot be
read does not hold. Source: the column *passes only when* of the procedure, and its invariants 1, 3 and 4.
"""

import msgspec

from skytui.clock import Instant
from skytui.pair.pair import PairReading
from skytui.runbook import proofs
from skytui.runbook.model import Run
from skytui.runbook.proofs import Proof
from skytui.runbook.sight import Missing, Sight, TooEarly
from skytui.runbook.steps import Step


class Finding(msgspec.Struct, frozen=True):
    """What one conjunct found: whether it holds, and the sentence for it.

    `early`: only because what it needs has not been asked for again yet.
    """

    holds: bool
    says: str
    conjunct: str
    early: bool = False


class Verdict(msgspec.Struct, frozen=True):
    """What all conjuncts of a gate found."""

    findings: tuple[Finding, ...]

    @property
    def passes(self) -> bool:
        """Whether the gate is open. An empty gate never passes: no pass without evidence."""
        return bool(self.findings) and all(finding.holds for finding in self.findings)

    @property
    def proofs(self) -> tuple[str, ...]:
        """The sentences of what holds."""
        return tuple(finding.says for finding in self.findings if finding.holds)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The sentences of what does not hold."""
        return tuple(finding.says for finding in self.findings if not finding.holds)

    @property
    def blockers(self) -> tuple[str, ...]:
        """The reasons a person can do something about; while there are none, that the next reading counts."""
        real = tuple(finding.says for finding in self.findings if not finding.holds and not finding.early)
        return real or (() if self.passes else ("the next reading counts",))


Gate = tuple[Proof, ...]

ROLES_AS_FOUND: Gate = (proofs.old_is_master, proofs.new_is_standby)
OLD_IS_DOWN: Gate = (proofs.old_ports_refuse, proofs.old_processes_gone)
ONE_NEW_MASTER: Gate = (proofs.new_is_master, *OLD_IS_DOWN)

BEFORE: dict[str, Gate] = {
    "lock-queues": ROLES_AS_FOUND,
    "stop-scheduler": ROLES_AS_FOUND,
    "replication-zero": (*ROLES_AS_FOUND, proofs.link_streams_on_old),
    "guard-master": ROLES_AS_FOUND,
    "shut-down": (
        *ROLES_AS_FOUND,
        proofs.queues_locked,
        proofs.scheduler_stopped,
        proofs.link_streams_on_old,
        proofs.nothing_pending_now,
        proofs.guard_set,
    ),
    "fence-master": (proofs.new_as_found,),
    "promote": (*OLD_IS_DOWN, proofs.new_is_standby),
    "start-scheduler": ONE_NEW_MASTER,
    "unlock-queues": ONE_NEW_MASTER,
    "run-missed": ONE_NEW_MASTER,
    "salvage": ONE_NEW_MASTER,
    "convert": ONE_NEW_MASTER,
    "start-again": (proofs.new_is_standby,),
    "unguard-master": ROLES_AS_FOUND,
    "restart-scheduler": ROLES_AS_FOUND,
    "unlock-again": ROLES_AS_FOUND,
}
"""What must hold in a poll that starts after the confirmation, for the action to start."""

AGAIN: dict[str, Gate] = {
    "shut-down": (proofs.new_is_standby,),
    "salvage": (proofs.new_is_master, proofs.old_ports_refuse),
    "convert": (proofs.new_is_master,),
}
"""The same for another attempt, where an earlier one began, ended without its gate, and may have left the
server half-way:
stopping a server that is half stopped is safe while the other reads standby; the conversion refuses by itself
what it cannot do; a salvage that was cut off may have left the database on its private socket, and stops it.
What was refused or never started left nothing half-way: the full gate applies."""

AFTER: dict[str, Gate] = {
    "preflight": (proofs.no_check_blocks,),
    "baseline": (*ROLES_AS_FOUND, proofs.same_database, proofs.baseline_complete),
    "users-out": (proofs.nobody_logged_in,),
    "lock-queues": (proofs.queues_locked,),
    "drain-jobs": (proofs.no_job_runs_unaccepted,),
    "stop-scheduler": (proofs.scheduler_stopped,),
    "replication-zero": (
        proofs.link_streams_on_old,
        proofs.link_streams_on_new,
        proofs.zero_long_enough,
        proofs.past_the_marker,
    ),
    "guard-master": (proofs.guard_set,),
    "shut-down": OLD_IS_DOWN,
    "last-byte": (
        *OLD_IS_DOWN,
        proofs.orderly_shutdown,
        proofs.past_last_checkpoint,
        proofs.nothing_pending_on_new,
    ),
    "assess": (proofs.new_is_standby, proofs.new_tells_its_queues, proofs.loss_accepted),
    "fence-master": (proofs.new_as_found, *OLD_IS_DOWN, proofs.guard_set_or_owed),
    "promote": (proofs.new_is_master, proofs.timeline_moved_on),
    "agents-back": (proofs.new_is_master, proofs.agents_connected),
    "start-scheduler": (proofs.new_is_master, proofs.scheduler_ticked),
    "unlock-queues": (proofs.new_is_master, proofs.our_queues_open, proofs.others_still_locked),
    "first-job": (proofs.new_is_master, proofs.schedule_goes_on, proofs.missed_runs_decided),
    "run-missed": (proofs.new_is_master, proofs.chosen_runs_queued),
    "disk-space": (proofs.new_is_master, proofs.copy_fits),
    "salvage": (proofs.new_is_master, proofs.nothing_left_behind),
    "convert": (proofs.new_is_master, proofs.old_is_standby, proofs.guard_gone),
    "standby-active": (
        proofs.new_is_master,
        proofs.old_is_standby,
        proofs.master_says_active,
        proofs.standby_says_active,
    ),
    "server-history": (proofs.new_is_master, proofs.completions_decided),
    "close": (proofs.new_is_master, proofs.nothing_owed),
    **dict.fromkeys(("announce", "silence-monitoring", "repoint", "unsilence"), (proofs.said_done,)),
    "start-again": ROLES_AS_FOUND,
    "unguard-master": (*ROLES_AS_FOUND, proofs.guard_gone),
    "restart-scheduler": (*ROLES_AS_FOUND, proofs.old_scheduler_ticked),
    "unlock-again": (*ROLES_AS_FOUND, proofs.our_queues_open_again, proofs.others_still_locked_on_old),
    "restored": (
        *ROLES_AS_FOUND,
        proofs.guard_gone,
        proofs.scheduler_as_before,
        proofs.our_queues_open_again,
        proofs.others_still_locked_on_old,
        proofs.old_master_says_active,
        proofs.old_standby_says_active,
    ),
}
"""What must hold in polls that start after the action ended (or the confirmation, where there is none)."""


def judge(gate: Gate, run: Run, sight: Sight) -> Verdict:
    """What each conjunct of a gate finds."""
    return Verdict(tuple(finding for proof in gate for finding in _find(proof, run, sight)))


def may_start(run: Run, step: Step, reading: PairReading, since: Instant | None = None) -> Verdict:
    """Whether the action of `step` may start, by what was asked after `since`."""
    gate = AGAIN.get(step.id, BEFORE[step.id]) if step.id in run.half_way else BEFORE[step.id]
    return judge(gate, run, Sight(reading, run.thresholds.fresh_seconds, since))


def passes(run: Run, step: Step, reading: PairReading, since: Instant | None = None) -> Verdict:
    """Whether `step` passes, by what was asked after `since`."""
    return judge(AFTER[step.id], run, Sight(reading, run.thresholds.fresh_seconds, since))


def _find(proof: Proof, run: Run, sight: Sight) -> list[Finding]:
    try:
        found = proof(run, sight)
    except Missing as missing:
        return [Finding(False, str(missing), proof.__name__, early=isinstance(missing, TooEarly))]
    if isinstance(found, list):
        return [Finding(part.holds, part.says, proof.__name__, part.early) for part in found]
    return [Finding(*found, proof.__name__)]
