"""What the procedure asks for, written down a second time: a conjunct taken out of a gate fails here."""

from skytui.runbook.gates import AFTER, AGAIN, BEFORE, Gate

ROLES = {"old_is_master", "new_is_standby"}
DOWN = {"old_ports_refuse", "old_processes_gone"}
RELEASED = {"new_is_master", *DOWN}

BEFORE_WANTED = {
    "lock-queues": ROLES,
    "stop-scheduler": ROLES,
    "replication-zero": {*ROLES, "link_streams_on_old"},
    "guard-master": ROLES,
    "shut-down": {
        *ROLES,
        "queues_locked",
        "scheduler_stopped",
        "link_streams_on_old",
        "nothing_pending_now",
        "guard_set",
    },
    "fence-master": {"new_as_found"},
    "promote": {*DOWN, "new_is_standby"},
    "start-scheduler": RELEASED,
    "unlock-queues": RELEASED,
    "run-missed": RELEASED,
    "salvage": RELEASED,
    "convert": RELEASED,
    "start-again": {"new_is_standby"},
    "unguard-master": ROLES,
    "restart-scheduler": ROLES,
    "unlock-again": ROLES,
}
AGAIN_WANTED = {
    "shut-down": {"new_is_standby"},
    "salvage": {"new_is_master", "old_ports_refuse"},
    "convert": {"new_is_master"},
}
AFTER_WANTED = {
    "preflight": {"no_check_blocks"},
    "baseline": {*ROLES, "same_database", "baseline_complete"},
    "users-out": {"nobody_logged_in"},
    "lock-queues": {"queues_locked"},
    "drain-jobs": {"no_job_runs_unaccepted"},
    "stop-scheduler": {"scheduler_stopped"},
    "replication-zero": {
        "link_streams_on_old",
        "link_streams_on_new",
        "zero_long_enough",
        "past_the_marker",
    },
    "guard-master": {"guard_set"},
    "shut-down": DOWN,
    "last-byte": {*DOWN, "orderly_shutdown", "past_last_checkpoint", "nothing_pending_on_new"},
    "assess": {"new_is_standby", "new_tells_its_queues", "loss_accepted"},
    "fence-master": {*DOWN, "new_as_found", "guard_set_or_owed"},
    "promote": {"new_is_master", "timeline_moved_on"},
    "agents-back": {"new_is_master", "agents_connected"},
    "start-scheduler": {"new_is_master", "scheduler_ticked"},
    "unlock-queues": {"new_is_master", "our_queues_open", "others_still_locked"},
    "first-job": {"new_is_master", "schedule_goes_on", "missed_runs_decided"},
    "run-missed": {"new_is_master", "chosen_runs_queued"},
    "disk-space": {"new_is_master", "copy_fits"},
    "salvage": {"new_is_master", "nothing_left_behind"},
    "convert": {"new_is_master", "old_is_standby", "guard_gone"},
    "standby-active": {"new_is_master", "old_is_standby", "master_says_active", "standby_says_active"},
    "server-history": {"new_is_master", "completions_decided"},
    "close": {"new_is_master", "nothing_owed"},
    "announce": {"said_done"},
    "silence-monitoring": {"said_done"},
    "repoint": {"said_done"},
    "unsilence": {"said_done"},
    "start-again": ROLES,
    "unguard-master": {*ROLES, "guard_gone"},
    "restart-scheduler": {*ROLES, "old_scheduler_ticked"},
    "unlock-again": {*ROLES, "our_queues_open_again", "others_still_locked_on_old"},
    "restored": {
        *ROLES,
        "guard_gone",
        "scheduler_as_before",
        "our_queues_open_again",
        "others_still_locked_on_old",
        "old_master_says_active",
        "old_standby_says_active",
    },
}


def names(table: dict[str, Gate]) -> dict[str, set[str]]:
    return {step: {proof.__name__ for proof in gate} for step, gate in table.items()}


def test_what_must_hold_before_an_action() -> None:
    assert names(BEFORE) == BEFORE_WANTED


def test_what_must_hold_before_going_on_with_what_stopped_half_way() -> None:
    assert names(AGAIN) == AGAIN_WANTED


def test_what_must_be_read_before_a_step_passes() -> None:
    assert names(AFTER) == AFTER_WANTED
