"""What one server process is made of; every request is answered from this."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from skytui.clock import Clock, Instant
from skytui.lab.node import NodeConfig, Secrets
from skytui.lab.server.database import Database, Role
from skytui.lab.server.filestore import FileStore
from skytui.lab.server.logs import RequestLog
from skytui.lab.server.presence import Presence
from skytui.lab.server.sessions import Sessions
from skytui.lab.server.ticking import TickLoop


@dataclass
class Site:
    """One server process. Only what is not in the database lives here."""

    node: NodeConfig
    secrets: Secrets
    clock: Clock
    started_at: datetime
    database: Database
    sessions: Sessions
    presence: Presence
    files: FileStore
    loop: TickLoop
    requests: RequestLog
    log: logging.Logger
    role: Role | None = None
    """What this service was started as, decided once from the database; None until it has answered."""
    wake_duplicator: Callable[[], None] = field(default=lambda: None)
    asked: dict[str, Instant] = field(default_factory=dict)
    """Runs this server has asked an agent about, and when."""

    @property
    def name(self) -> str:
        """The host's name."""
        return self.node.name
