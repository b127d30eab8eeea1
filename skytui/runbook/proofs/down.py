"""That a server is down and stays down."""

from skytui.runbook.model import Run
from skytui.runbook.proofs.proof import Found
from skytui.runbook.sight import Missing, Sight, TooEarly


def guard_set(run: Run, sight: Sight) -> Found:
    """The original master does not start by itself."""
    guard = sight.take(f"the guard on {run.old}", sight.server(run.old).guard)
    return guard, f"the guard on {run.old} reads {'set' if guard else 'not set'}"


def guard_gone(run: Run, sight: Sight) -> Found:
    """The guard is gone: that server starts by itself again."""
    guard = sight.take(f"the guard on {run.old}", sight.server(run.old).guard)
    return not guard, f"the guard on {run.old} reads {'still set' if guard else 'gone'}"


def guard_set_or_owed(run: Run, sight: Sight) -> Found:
    """The original master does not start by itself; where its host is out of reach, that is owed."""
    server = sight.server(run.old)
    try:
        guard = sight.take(f"the guard on {run.old}", server.guard)
    except TooEarly:
        raise
    except Missing as missing:
        return (
            run.statement is not None,
            f"the guard on {run.old} cannot be set now, and stays owed: {missing}",
        )
    return guard, f"the guard on {run.old} reads {'set' if guard else 'not set'}"


def old_ports_refuse(run: Run, sight: Sight) -> Found:
    """Every port of the original master, service and database, refuses. No answer is not a refusal."""
    ports = sight.take(f"the ports of {run.old}", sight.server(run.old).ports)
    other = [port for port in ports if port.state != "refused"]
    if not ports:
        return False, f"no port of {run.old} was tried: name them in the configuration"
    if other:
        states = ", ".join(f"{port.port} {port.state}" for port in other)
        says = f"{run.old} is not proven down: port {states}"
        return _stated(run, says) if all(port.state == "no answer" for port in other) else (False, says)
    return True, f"every port of {run.old} refuses ({', '.join(str(port.port) for port in ports)})"


def old_processes_gone(run: Run, sight: Sight) -> Found:
    """Every process of the original master, service and database, is gone, as seen on its host."""
    server = sight.server(run.old)
    try:
        processes = sight.take(f"the processes on {run.old}", server.process)
    except TooEarly:
        raise
    except Missing as missing:
        return _stated(run, str(missing))
    if not processes:
        return False, f"no process was looked for on {run.old}"
    alive = [process for process in processes if process.running]
    if alive:
        names = ", ".join(f"{process.name} (pid {process.pid})" for process in alive)
        return False, f"still running on {run.old}: {names}"
    return True, f"gone on {run.old}: {', '.join(process.name for process in processes)}"


def _stated(run: Run, why: str) -> Found:
    """What could not be seen holds by the statement that stands, and by nothing else."""
    if run.statement is None:
        return False, why
    return True, f"{run.statement.who} states that {run.old} is powered off ({why})"


def orderly_shutdown(run: Run, sight: Sight) -> Found:
    """The stopped master's own control data says that it was shut down in order."""
    control = sight.take(f"the control data of {run.old}", sight.server(run.old).control)
    return control.shut_down, f"the control data of {run.old} says: {control.state}"
