"""That a server is down and stays down."""

from skytui.runbook.model import Run
from skytui.runbook.proofs.proof import Found
from skytui.runbook.sight import Sight


def guard_set(run: Run, sight: Sight) -> Found:
    """The original master does not start by itself."""
    guard = sight.take(f"the guard on {run.old}", sight.server(run.old).guard)
    return guard, f"the guard on {run.old} reads {'set' if guard else 'not set'}"


def guard_gone(run: Run, sight: Sight) -> Found:
    """The guard is gone: that server starts by itself again."""
    guard = sight.take(f"the guard on {run.old}", sight.server(run.old).guard)
    return not guard, f"the guard on {run.old} reads {'still set' if guard else 'gone'}"


def old_ports_refuse(run: Run, sight: Sight) -> Found:
    """Every port of the original master, service and database, refuses. No answer is not a refusal."""
    ports = sight.take(f"the ports of {run.old}", sight.server(run.old).ports)
    other = [port for port in ports if port.state != "refused"]
    if not ports:
        return False, f"no port of {run.old} was tried: name them in the configuration"
    if other:
        states = ", ".join(f"{port.port} {port.state}" for port in other)
        return False, f"{run.old} is not proven down: port {states}"
    return True, f"every port of {run.old} refuses ({', '.join(str(port.port) for port in ports)})"


def old_processes_gone(run: Run, sight: Sight) -> Found:
    """Every process of the original master, service and database, is gone, as seen on its host."""
    processes = sight.take(f"the processes on {run.old}", sight.server(run.old).process)
    if not processes:
        return False, f"no process was looked for on {run.old}"
    alive = [process for process in processes if process.running]
    if alive:
        names = ", ".join(f"{process.name} (pid {process.pid})" for process in alive)
        return False, f"still running on {run.old}: {names}"
    return True, f"gone on {run.old}: {', '.join(process.name for process in processes)}"


def orderly_shutdown(run: Run, sight: Sight) -> Found:
    """The stopped master's own control data says that it was shut down in order."""
    control = sight.take(f"the control data of {run.old}", sight.server(run.old).control)
    return control.shut_down, f"the control data of {run.old} says: {control.state}"
