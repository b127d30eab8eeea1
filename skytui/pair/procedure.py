"""The stable names of the procedure, which configuration may refer to: its steps and its phases.

A test holds them against the runbook, which configuration does not import.
"""

STEP_IDS = (
    "preflight",
    "baseline",
    "announce",
    "silence-monitoring",
    "users-out",
    "lock-queues",
    "drain-jobs",
    "stop-scheduler",
    "replication-zero",
    "guard-master",
    "shut-down",
    "last-byte",
    "assess",
    "fence-master",
    "promote",
    "repoint",
    "agents-back",
    "start-scheduler",
    "unlock-queues",
    "first-job",
    "run-missed",
    "disk-space",
    "salvage",
    "convert",
    "standby-active",
    "server-history",
    "unsilence",
    "close",
    "start-again",
    "unguard-master",
    "restart-scheduler",
    "unlock-again",
    "restored",
)
"""Every step of a planned or unplanned swap and of an abort, in the procedure's order."""

PHASES = ("prepare", "shut-down", "activate", "convert")
"""The parts of a swap that hooks go before and after."""
