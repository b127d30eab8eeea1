"""The scripts the procedure runs on the hosts."""

from collections.abc import Callable

from skytui.pair.vocabulary import Script
from skytui.runbook.checks.check import Check, Group, NotApplicable, Said, Verdict, View


def present(view: View) -> Said:
    """Every script is there."""
    return _every(view, lambda script: "" if script.present else "is not there", "there")


def executable(view: View) -> Said:
    """Every script that is there may be executed."""
    wrong = "is not executable for this account"
    return _every(view, lambda s: wrong if s.present and not s.executable else "", "executable")


def runs(view: View) -> Said:
    """Every script, called in a form that does nothing, ends well without a terminal."""
    if all(script.runs is None for scripts in _scripts(view).values() for script in scripts):
        raise NotApplicable("no harmless form of the scripts is known")

    def wrong(script: Script) -> str:
        return f"does not run unattended: {script.says or 'no reason given'}" if script.runs is False else ""

    return _every(view, wrong, "run without a prompt")


def unchanged(view: View) -> Said:
    """Every script has the checksum of the last run."""
    known = view.take("what was remembered", view.reading.facts.remembered, slow=True, needed=True)
    if not known.scripts:
        raise NotApplicable("no run was made from here yet; the first one remembers the checksums")
    changed = [
        f"{script.name} on {name}"
        for name, scripts in _scripts(view).items()
        for script in scripts
        if script.sha256 != known.scripts.get(name, {}).get(script.name, script.sha256)
    ]
    if changed:
        return Verdict.WARN, f"changed since run {known.run}: {', '.join(changed)}"
    return Verdict.OK, f"the checksums are those of run {known.run}"


def alike(view: View) -> Said:
    """Both hosts have the same scripts."""
    first, second = _scripts(view).items()
    there = {script.name: script.sha256 for script in second[1]}
    other = [s.name for s in first[1] if s.sha256 != there.get(s.name, s.sha256)]
    if other:
        return Verdict.WARN, f"not the same on {first[0]} and {second[0]}: {', '.join(other)}"
    return Verdict.OK, f"{len(there)} scripts are the same on {first[0]} and {second[0]}"


def _scripts(view: View) -> dict[str, list[Script]]:
    found = {
        name: view.take(f"the scripts of {name}", view.server(name).scripts, slow=True) for name in view.names
    }
    for name, scripts in found.items():
        if not scripts:
            raise NotApplicable(f"nothing is run on {name}")
    return found


def _every(view: View, wrong: Callable[[Script], str], what: str) -> Said:
    scripts = _scripts(view)
    found = [
        f"{script.name} on {name} {says}"
        for name, own in scripts.items()
        for script in own
        if (says := wrong(script))
    ]
    if found:
        return Verdict.BLOCK, "; ".join(found)
    count = sum(map(len, scripts.values()))
    return Verdict.OK, f"{count} scripts on {' and '.join(scripts)}: {what}"


CHECKS: tuple[Check, ...] = (
    Check(
        id="scripts-present",
        group=Group.SCRIPTS,
        title="Scripts are there",
        proves="Every script the profile runs is on both hosts, where the profile says.",
        hint="Put the script there, or correct `home` in the configuration or the path in the profile.",
        look=present,
    ),
    Check(
        id="scripts-executable",
        group=Group.SCRIPTS,
        title="Scripts are executable",
        proves="The account this console uses may execute every script.",
        hint="Give the account the right to: chmod, or the group that may.",
        look=executable,
    ),
    Check(
        id="scripts-run",
        group=Group.SCRIPTS,
        title="Scripts run unattended",
        proves="Called in a form that does nothing, every script ends well without a prompt.",
        hint="See what it asks for: a password for sudo, a licence, a terminal.",
        look=runs,
        waivable=True,
    ),
    Check(
        id="scripts-unchanged",
        group=Group.SCRIPTS,
        title="Scripts are unchanged",
        proves="Every script has the checksum it had in the last run.",
        hint="Find out who changed it, and why. The next run that passes this step remembers the new one.",
        look=unchanged,
        blocks=False,
    ),
    Check(
        id="scripts-alike",
        group=Group.SCRIPTS,
        title="Scripts are the same on both",
        proves="Both hosts have the same scripts, so that a swap back does what this one does.",
        hint="Bring the scripts of both hosts to the same state.",
        look=alike,
        blocks=False,
    ),
)
