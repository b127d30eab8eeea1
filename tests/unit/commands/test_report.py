"""`skytui report`: found by its id, in the format asked for; and what `runs` says of the cadence."""

from pathlib import Path

import msgspec
import pytest

from skytui import paths
from skytui.commands.report import report, schema_text
from skytui.commands.runs import listing
from skytui.conductor.journal import Journal
from skytui.conductor.runs import JOURNAL
from skytui.errors import StateError, UsageError
from skytui.runbook.report import Report
from tests.support.pages import Page
from tests.support.walk import Walk

RUN = "20260301-020000"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("SKYTUI_CONFIG", raising=False)
    monkeypatch.setattr("skytui.config.pairs.SYSTEM_FILE", tmp_path / "etc.toml")
    return tmp_path


@pytest.fixture
def journal() -> Path:
    path = paths.pair_state_dir("night") / "runs" / RUN / JOURNAL
    written = Journal.create(path, RUN)
    for event in Walk().to_end().events:
        written.append(event)
    written.close()
    return path


@pytest.mark.usefixtures("journal")
@pytest.mark.parametrize("words", [[RUN], ["night", RUN]])
def test_a_run_is_named_with_its_pair_or_without(words: list[str]) -> None:
    assert report(words, "", None).startswith(f"# Planned swap of test: run {RUN}\n")


@pytest.mark.usefixtures("journal")
def test_each_format_is_what_it_says() -> None:
    assert msgspec.json.decode(report([RUN], "json", None), type=Report).run == RUN
    assert Page(report([RUN], "html", None)).doctypes == ["DOCTYPE html"]
    with pytest.raises(UsageError, match=r"no format pdf\. There are: md, json, html"):
        report([RUN], "pdf", None)


@pytest.mark.usefixtures("journal")
def test_a_file_is_written_whole_in_the_format_its_name_ends_in(tmp_path: Path) -> None:
    file = tmp_path / "r.html"
    assert report([RUN], "", file) == f"The report of run {RUN} lies in {file}."
    assert file.read_text().startswith("<!DOCTYPE html>")
    report([RUN], "md", file)
    assert file.read_text().startswith("# ")
    report([RUN], "", tmp_path / "r.txt")
    assert (tmp_path / "r.txt").read_text().startswith("# ")
    with pytest.raises(UsageError, match="cannot be written"):
        report([RUN], "", tmp_path / "gone" / "r.md")


def test_a_run_that_is_not_there_or_was_not_named_is_said() -> None:
    with pytest.raises(UsageError, match=r"There is no run x on this machine"):
        report(["x"], "", None)
    for words in ([], ["a", "b", "c"]):
        with pytest.raises(UsageError, match="Name the run"):
            report(words, "", None)


def test_a_changed_journal_makes_no_report(journal: Path) -> None:
    journal.write_bytes(journal.read_bytes().replace(b'"old":"sky-a"', b'"old":"sky-b"'))
    with pytest.raises(StateError, match="was changed at record 1"):
        report([RUN], "", None)


def test_the_schema_can_be_printed() -> None:
    assert msgspec.json.decode(schema_text())["title"] == "The report of a run of skytui"


@pytest.mark.usefixtures("journal")
def test_the_list_of_runs_says_when_the_last_swap_was() -> None:
    text = listing("night")
    assert f"{RUN}  planned  sky-a → sky-b  done" in text
    assert "last swap 2026-03-01 02:00 UTC" in text
    assert "sky-b became the master" in text
    assert "next swap is due is not known: There is no pair `night`" in text
    assert listing("day") == "day has no runs on this machine."


@pytest.mark.usefixtures("journal")
def test_it_says_when_the_next_one_is_due(tmp_path: Path) -> None:
    server = 'address = "a"\nlisten_port = 1\n'
    (tmp_path / "etc.toml").write_text(
        'schema = 1\n[pair.night]\nprofile = "skybot"\nevery = "60d"\nquiet = "Sun 02:00-05:00 UTC"\n'
        f"[pair.night.server.sky-a]\n{server}[pair.night.server.sky-b]\n{server}"
    )
    text = listing("night")
    assert "was due 2026-05-03 02:00 UTC" in text  # a Sunday, two days after sixty
    assert "quiet window Sun 02:00-05:00 UTC" in text
