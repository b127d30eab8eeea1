"""Every fault that is there for a check is found by it on the practice pair; and checking changes nothing."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from skytui import paths
from skytui.commands.check import Document, document_of
from skytui.commands.look import look
from skytui.conductor.surroundings import remember
from skytui.lab import faults
from skytui.lab.places import HOSTS, Places
from skytui.lab.wrongfiles import WRONG_FILES
from skytui.runbook.checks import BY_ID, Verdict
from tests.e2e.lab.hands import ask

pytestmark = [pytest.mark.pair, pytest.mark.slow]

SECONDS = 60.0
BROKEN = (Verdict.WARN, Verdict.BLOCK)
NOT_OF = {"sky-a": "standby-reaches-master", "sky-b": "master-reaches-standby"}
"""What a fault of the master's host cannot touch, and of the standby's."""
BOTH_HOSTS = {fault.name for fault in WRONG_FILES if set(NOT_OF.values()) & {*fault.breaks, *fault.hides}}
"""Faults that are another one on the master than on the standby."""


def checked() -> Document:
    return document_of(asyncio.run(look(paths.PRACTICE)))


def verdicts() -> dict[str, Verdict]:
    return {check.id: check.verdict for check in checked().checks}


async def _until_seen(breaks: set[str], hides: set[str]) -> None:
    """Look until each of these checks has found, or could not tell."""
    left_broken, left_hidden = set(breaks), set(hides)
    try:
        async with asyncio.timeout(SECONDS):
            while left_broken or left_hidden:
                found = {check.id: check for check in document_of(await look(paths.PRACTICE)).checks}
                left_broken = {check for check in breaks if found[check].verdict not in BROKEN}
                left_hidden = {check for check in hides if found[check].verdict is not Verdict.UNKNOWN}
    except TimeoutError:
        raise AssertionError(
            f"not found: {sorted(left_broken)}; told all the same: {sorted(left_hidden)};"
            f" {[found[check].says for check in (*left_broken, *left_hidden)]}"
        ) from None


def test_each_wrong_file_is_found_by_the_checks_it_is_there_for(lab: Places) -> None:
    folder = paths.private(paths.pair_state_dir(paths.PRACTICE))
    remember(folder, "20260101-020000", asyncio.run(look(paths.PRACTICE)).reading)
    before = verdicts()
    assert Verdict.BLOCK not in before.values(), [c.says for c in checked().checks if c.blocks]
    missed: list[str] = []
    for fault in WRONG_FILES:
        for host in (HOSTS if fault.name in BOTH_HOSTS else HOSTS[1:]) if fault.needs_host else ("",):
            faults.inject(fault.name, host)
            try:
                other = {NOT_OF.get(host, "")}
                asyncio.run(_until_seen({*fault.breaks} - other, {*fault.hides} - other))
            except AssertionError as error:
                missed.append(f"{fault.name} {host}: {error}")
            finally:
                faults.undo(fault.name, host)
    assert not missed, "\n".join(missed)
    after = verdicts()
    touched = {check for fault in WRONG_FILES for check in (*fault.breaks, *fault.hides)}
    assert {check: after[check] for check in touched} == {check: before[check] for check in touched}


def test_the_faults_name_checks_that_there_are() -> None:
    named = {check for fault in faults.FAULTS.values() for check in (*fault.breaks, *fault.hides)}
    assert named <= set(BY_ID)


def everything(lab: Places) -> dict[str, str]:
    """What checking must leave as it is: scripts, configuration, settings, slots, every table, every mark."""
    found: dict[str, str] = {}
    for host in HOSTS:
        for part in ("bin", "conf", ".skytui"):
            for file in sorted((lab.home(host) / part).rglob("*")):
                if file.is_file():
                    found[str(file)] = f"{file.stat().st_mode} {_digest(file)}"
        found[f"{host} settings"] = str(
            ask(
                lab,
                host,
                "SELECT name, setting FROM pg_settings WHERE name <> 'application_name' ORDER BY name",
            )
        )
        found[f"{host} slots"] = str(
            ask(lab, host, "SELECT slot_name, slot_type FROM pg_replication_slots ORDER BY 1")
        )
        tables = ask(
            lab,
            host,
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1",
        )
        for (table,) in tables:
            rows = ask(lab, host, f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t")
            found[f"{host} {table}"] = str(rows)
    return found


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_checking_changes_nothing_on_the_servers(lab: Places) -> None:
    for agent in ("stop-agents",):
        faults.inject(agent)  # what agents and scheduler write by themselves must not be taken for ours
    ask(lab, "sky-a", "UPDATE sky.scheduler SET state = 'stopped' RETURNING state")
    before = asyncio.run(_settled(lab))
    document = checked()
    assert len(document.checks) == len(BY_ID)
    assert everything(lab) == before
    faults.undo("stop-agents")


async def _settled(lab: Places) -> dict[str, str]:
    """As soon as nothing changes by itself any more."""
    async with asyncio.timeout(SECONDS):
        before = await asyncio.to_thread(everything, lab)
        while True:
            await asyncio.sleep(2.0)
            now = await asyncio.to_thread(everything, lab)
            if now == before:
                return now
            before = now
