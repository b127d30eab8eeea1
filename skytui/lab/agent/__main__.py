"""`python -m skytui.lab.agent --config agent.toml`."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from pathlib import Path

from skytui.clock import SystemClock
from skytui.errors import SkytuiError
from skytui.lab.agent.heartbeat import Heartbeat
from skytui.lab.agent.master import Master
from skytui.lab.agent.outbox import Outbox
from skytui.lab.agent.runner import Runner
from skytui.lab.agent.worker import WorkerLoop
from skytui.lab.ledger import Ledger
from skytui.lab.loglines import file_handler
from skytui.lab.node import AgentConfig

_STOP_SECONDS = 1.0


def main() -> int:
    """Work until SIGTERM. Commands that run then go on; the next process of this agent takes them up."""
    parser = argparse.ArgumentParser(prog="skytui.lab.agent", description="An agent of a practice pair.")
    parser.add_argument("--config", type=Path, required=True, help="the agent's agent.toml")
    arguments = parser.parse_args()
    try:
        config = AgentConfig.load(arguments.config)
        with contextlib.closing(Ledger(config.folder / "ledger.jsonl")) as ledger:
            asyncio.run(_live(config, ledger, _open_log(config.folder)))
    except SkytuiError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the program's own message
        return error.exit_code
    return 0


def _open_log(folder: Path) -> logging.Logger:
    handler = file_handler(folder / "agent.log")
    log = logging.getLogger("skytui.lab.agent")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(handler)
    root = logging.getLogger()
    root.setLevel(logging.ERROR)
    root.addHandler(handler)
    # They say at length, at every try, what one line of ours says once.
    for noisy in ("procrastinate", "psycopg", "psycopg.pool"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    return log


async def _live(config: AgentConfig, ledger: Ledger, log: logging.Logger) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    clock = SystemClock()
    runs = config.folder / "output"
    runs.mkdir(parents=True, exist_ok=True)
    master = Master(config)
    outbox = Outbox(config.folder / "outbox", runs, config.name, master, log)
    runner = Runner(ledger, outbox, runs, clock, log)
    heartbeat = Heartbeat(config.name, runner, log)
    log.info("%s begins, pid %d", config.name, os.getpid())
    runner.recover()
    work = {
        asyncio.create_task(outbox.deliver(), name="delivery"),
        asyncio.create_task(heartbeat.beat(master), name="heartbeat"),
        asyncio.create_task(WorkerLoop(config, runner, log).work(), name="worker"),
        asyncio.create_task(stop.wait(), name="stop"),
    }
    done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        if task.get_name() != "stop":
            log.error("the agent's %s task has died", task.get_name(), exc_info=task.exception())
    for task in work:
        task.cancel()
    await asyncio.wait(work, timeout=_STOP_SECONDS)
    await runner.close()
    await master.close()
    log.info("%s ends", config.name)
    # A task that waits for a frozen database cannot be cancelled, and asyncio.run would wait for it.
    if any(not task.done() for task in asyncio.all_tasks() - {asyncio.current_task()}):
        os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
