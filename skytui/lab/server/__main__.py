"""`python -m skytui.lab.server --config conf/node.toml`."""

import argparse
import asyncio
import os
import sys
import threading
from pathlib import Path

import uvicorn

from skytui.clock import SystemClock
from skytui.errors import SkytuiError
from skytui.lab.node import NodeConfig
from skytui.lab.server.app import build
from skytui.lab.server.logs import open_logs

_GOODBYE = 0.2
_LAST_RESORT = 1.8


def main() -> int:
    """Serve until SIGTERM; then end within two seconds, whatever is still open."""
    parser = argparse.ArgumentParser(prog="skytui.lab.server", description="The server of one practice host.")
    parser.add_argument("--config", type=Path, required=True, help="the host's conf/node.toml")
    arguments = parser.parse_args()
    try:
        node = NodeConfig.load(arguments.config)
        secrets = node.secrets()
    except SkytuiError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the program's own message
        return error.exit_code
    with open_logs(node.logs) as logs:
        config = uvicorn.Config(
            build(node, secrets, SystemClock(), logs),
            host=node.http.address,
            port=node.http.port,
            ssl_certfile=node.http.cert,
            ssl_keyfile=node.http.key,
            log_config=None,
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=1,
            server_header=False,
            ws="none",
        )
        server = _Server(config)
        asyncio.run(server.serve())
        return 0 if server.started else 3


class _Server(uvicorn.Server):
    """uvicorn, which ends even when a database that was stopped in mid-answer keeps a task waiting."""

    async def shutdown(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Stop serving: answers under way have a second; the process ends within two in any case."""
        timer = threading.Timer(_LAST_RESORT, os._exit, args=[0])
        timer.daemon = True
        timer.start()
        asyncio.get_running_loop().call_later(_GOODBYE, self._drop_closing)
        await super().shutdown()

    def _drop_closing(self) -> None:
        # uvicorn has closed the connections nothing is under way on; over TLS that waits for the other side's
        # goodbye, which a client that is doing something else does not send.
        for connection in list(self.server_state.connections):
            cycle = getattr(connection, "cycle", None)
            if cycle is None or cycle.response_complete:
                connection.transport.abort()


if __name__ == "__main__":
    sys.exit(main())
