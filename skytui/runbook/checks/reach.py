"""Who reaches whom: this host both servers, and each server the other one; and what runs there."""

from skytui.pair.reading import Cause, Stale, Unknown
from skytui.pair.vocabulary import Port
from skytui.runbook.checks.check import Check, Group, NotApplicable, Said, Verdict, View


def http(view: View) -> Said:
    """Both answer over HTTP."""
    return _way(view, "role", "over HTTP", other="SSH ")


def ssh(view: View) -> Said:
    """Both hosts run commands for us."""
    return _way(view, "process", "over SSH", other="HTTP ")


def _way(view: View, reading: str, over: str, *, other: str) -> Said:
    """Whether a reading comes; a refusal is certain, silence is not. `other`: a source of another way."""
    refused: list[str] = []
    for name in view.names:
        found = getattr(view.reading.server(name), reading)
        if found.source.startswith(other):
            raise NotApplicable(f"{name} is not asked {over}")
        # A command that ran and failed is no host that refuses us.
        ran = isinstance(found, Stale | Unknown) and found.reason.startswith("ended with ")
        if isinstance(found, Stale | Unknown) and found.cause is Cause.REFUSED and not ran:
            refused.append(f"{name} answers and refuses: {found.reason}")
    if refused:
        return Verdict.BLOCK, "; ".join(refused)
    for name in view.names:
        view.take(f"{name} {over}", getattr(view.reading.server(name), reading))
    return Verdict.OK, f"{' and '.join(view.names)} answer {over}"


def login(view: View) -> Said:
    """Both take the login, and show the session as ours."""
    refused: list[str] = []
    for name in view.names:
        found = view.server(name).users
        if isinstance(found, Stale | Unknown) and found.cause is Cause.REFUSED:
            refused.append(f"{name}: {found.reason}")
    if refused:
        return Verdict.BLOCK, "; ".join(refused)
    strange = []
    for name in view.names:
        users = view.take(f"the list of users of {name}", view.server(name).users)
        if not any(user.own for user in users):
            strange.append(name)
    if strange:
        return Verdict.WARN, f"{' and '.join(strange)} does not list this console's own session"
    return Verdict.OK, f"logged in on {' and '.join(view.names)}"


def ports(view: View) -> Said:
    """Every port whose refusal will prove that a server is down is open now."""
    shut: list[str] = []
    silent: list[str] = []
    count = 0
    for name in view.names:
        for port in view.take(f"the ports of {name}", view.server(name).ports):
            count += 1
            if port.state == "refused":
                shut.append(f"{name} refuses port {port.port}")
            elif port.state != "open":
                silent.append(f"port {port.port} of {name}: {port.state}")
    if not count:
        raise NotApplicable("the configuration names no ports")
    if shut:
        return Verdict.BLOCK, "; ".join((*shut, *silent))
    return (Verdict.UNKNOWN, "; ".join(silent)) if silent else (Verdict.OK, f"all {count} ports are open")


def master_reaches_standby(view: View) -> Said:
    """The host of the master reaches the standby's ports."""
    return _reaches(view, view.master, view.standby)


def standby_reaches_master(view: View) -> Said:
    """The host of the standby reaches the master's ports."""
    return _reaches(view, view.standby, view.master)


def _reaches(view: View, name: str, peer: str) -> Said:
    found = view.take(f"whether {name} reaches {peer}", view.server(name).reaches_peer, slow=True)
    if not found:
        raise NotApplicable(f"no port of {peer} was tried from {name}")
    shut = [_shut(port, peer) for port in found if port.state == "refused"]
    silent = [_shut(port, peer) for port in found if port.state not in ("open", "refused")]
    if shut or silent:
        return Verdict.BLOCK, f"from {name}: {'; '.join((*shut, *silent))}"
    tried = ", ".join(str(port.port) for port in found)
    return Verdict.OK, f"{name} reaches {peer} on port {tried}"


def _shut(port: Port, peer: str) -> str:
    return f"{peer} {'refuses' if port.state == 'refused' else 'does not answer on'} port {port.port}"


def processes(view: View) -> Said:
    """On each host service and database run."""
    gone: list[str] = []
    for name in view.names:
        found = view.take(f"the processes of {name}", view.server(name).process)
        if not found:
            raise NotApplicable(f"nothing is looked for on {name}")
        gone += [f"{process.name} of {name} does not run" for process in found if not process.running]
    if gone:
        return Verdict.BLOCK, "; ".join(gone)
    return Verdict.OK, "service and database run on both hosts"


def control(view: View) -> Said:
    """The database's own control data can be read, and goes with what each server says it is."""
    wrong: list[str] = []
    for name, wanted in ((view.master, "in production"), (view.standby, "in archive recovery")):
        data = view.take(f"the control data of {name}", view.server(name).control)
        if data.state != wanted:
            wrong.append(f"{name}: {data.state or 'nothing'}, expected was {wanted}")
    if wrong:
        return Verdict.BLOCK, "; ".join(wrong)
    return Verdict.OK, "the control data of both databases goes with their roles"


CHECKS: tuple[Check, ...] = (
    Check(
        id="http",
        group=Group.REACH,
        title="Both answer over HTTP",
        proves="Both servers answer requests from this host.",
        hint="See whether the server runs and its certificate is the one configured: skytui status.",
        look=http,
    ),
    Check(
        id="login",
        group=Group.REACH,
        title="The login is valid",
        proves="Both servers take the configured user and password.",
        hint="Give the right password: in the console, or where `secrets` of the configuration points.",
        look=login,
    ),
    Check(
        id="ssh",
        group=Group.REACH,
        title="Both hosts answer over SSH",
        proves="Both hosts run commands for the account this console uses.",
        hint="Attach with your SSH agent, and see whether the host lets this key in.",
        look=ssh,
    ),
    Check(
        id="ports",
        group=Group.REACH,
        title="Ports are open",
        proves="Each port whose refusal will prove that a server is down is open from here now.",
        hint="Correct `ports` in the configuration, or open the way from this host to the port.",
        look=ports,
    ),
    Check(
        id="master-reaches-standby",
        group=Group.REACH,
        title="The master reaches the standby",
        proves="A TCP connection from the master's host to the standby's ports comes about.",
        hint="Open the way from the master's host to the standby's listen port and database port.",
        look=master_reaches_standby,
        waivable=True,
    ),
    Check(
        id="standby-reaches-master",
        group=Group.REACH,
        title="The standby reaches the master",
        proves="A TCP connection from the standby's host to the master's ports comes about.",
        hint="Open the way from the standby's host to the master's listen port and database port.",
        look=standby_reaches_master,
        waivable=True,
    ),
    Check(
        id="processes",
        group=Group.HOSTS,
        title="Service and database run",
        proves="On each host every process that can act as master is seen, and will be seen to be gone.",
        hint="Start what does not run; a server whose database or service is gone cannot be swapped.",
        look=processes,
    ),
    Check(
        id="control-data",
        group=Group.HOSTS,
        title="Control data can be read",
        proves="What will tell an orderly stop from a crash can be read on both hosts.",
        hint="Let the account run the command the profile reads `control` with.",
        look=control,
        waivable=True,
    ),
)
