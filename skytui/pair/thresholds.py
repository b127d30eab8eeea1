"""The numbers a gate goes by. Fixed for a run when it starts."""

import msgspec


class Thresholds(msgspec.Struct, frozen=True):
    """When evidence counts.

    `fresh_seconds`: how old a reading may be; `poll_seconds`: the pause between two polls; `zero_readings`
    and `zero_seconds`: how many readings of File Replication Requests must be 0, and over how long;
    `heartbeat_seconds`: the pause between two heartbeats of the run's marks on the servers;
    `mark_stale_seconds`: how old the heartbeat of another run's mark must be for it to be taken over;
    `stall_seconds`: after how long without progress a command that is under way is said to have stalled.
    """

    fresh_seconds: float = 10.0
    poll_seconds: float = 1.0
    zero_readings: int = 3
    zero_seconds: float = 10.0
    heartbeat_seconds: float = 10.0
    mark_stale_seconds: float = 60.0
    stall_seconds: float = 45.0
