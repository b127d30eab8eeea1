"""The conjuncts of the gates: each looks at fresh evidence and says in one sentence what it found.

A proof returns whether it holds and the sentence; it raises `Missing` (through `Sight.take`) when what it
needs was not read, and then it does not hold.
"""

from skytui.runbook.proofs.agents import (
    agents_connected,
)
from skytui.runbook.proofs.baseline import (
    baseline_complete,
)
from skytui.runbook.proofs.decided import (
    chosen_runs_queued,
    completions_decided,
    missed_runs_decided,
    no_job_runs_unaccepted,
    nothing_owed,
    said_done,
    schedule_goes_on,
)
from skytui.runbook.proofs.down import (
    guard_gone,
    guard_set,
    guard_set_or_owed,
    old_ports_refuse,
    old_processes_gone,
    orderly_shutdown,
)
from skytui.runbook.proofs.left_behind import (
    copy_fits,
    nothing_left_behind,
)
from skytui.runbook.proofs.loss import loss_accepted, new_tells_its_queues
from skytui.runbook.proofs.preflight import (
    no_check_blocks,
)
from skytui.runbook.proofs.proof import Found, Part, Proof
from skytui.runbook.proofs.queues import (
    others_still_locked,
    others_still_locked_on_old,
    our_queues_open,
    our_queues_open_again,
    queues_locked,
)
from skytui.runbook.proofs.replication import (
    link_streams_on_new,
    link_streams_on_old,
    nothing_pending_now,
    nothing_pending_on_new,
    past_last_checkpoint,
    past_the_marker,
    zero_long_enough,
)
from skytui.runbook.proofs.roles import (
    new_as_found,
    new_is_master,
    new_is_standby,
    old_is_master,
    old_is_standby,
    same_database,
    timeline_moved_on,
)
from skytui.runbook.proofs.standby import (
    master_says_active,
    old_master_says_active,
    old_standby_says_active,
    standby_says_active,
)
from skytui.runbook.proofs.work import (
    nobody_logged_in,
    old_scheduler_ticked,
    scheduler_as_before,
    scheduler_stopped,
    scheduler_ticked,
)

__all__ = [
    "Found",
    "Part",
    "Proof",
    "agents_connected",
    "baseline_complete",
    "chosen_runs_queued",
    "completions_decided",
    "copy_fits",
    "guard_gone",
    "guard_set",
    "guard_set_or_owed",
    "link_streams_on_new",
    "link_streams_on_old",
    "loss_accepted",
    "master_says_active",
    "missed_runs_decided",
    "new_as_found",
    "new_is_master",
    "new_is_standby",
    "new_tells_its_queues",
    "no_check_blocks",
    "no_job_runs_unaccepted",
    "nobody_logged_in",
    "nothing_left_behind",
    "nothing_owed",
    "nothing_pending_now",
    "nothing_pending_on_new",
    "old_is_master",
    "old_is_standby",
    "old_master_says_active",
    "old_ports_refuse",
    "old_processes_gone",
    "old_scheduler_ticked",
    "old_standby_says_active",
    "orderly_shutdown",
    "others_still_locked",
    "others_still_locked_on_old",
    "our_queues_open",
    "our_queues_open_again",
    "past_last_checkpoint",
    "past_the_marker",
    "queues_locked",
    "said_done",
    "same_database",
    "schedule_goes_on",
    "scheduler_as_before",
    "scheduler_stopped",
    "scheduler_ticked",
    "standby_says_active",
    "timeline_moved_on",
    "zero_long_enough",
]
