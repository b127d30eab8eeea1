"""Write the README's table of keys anew: `python -m tests.snapshot.write_readme`."""

from pathlib import Path

from textual.binding import Binding

from skytui.tui import keys
from skytui.tui.keyboard import key_name

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- keys: generated -->\n", "<!-- /keys -->"


def table() -> str:
    """Every key of the main screen, and Ctrl+C: what the footer calls it, and what its help says."""
    rows = [_row(binding) for binding in (*keys.MAIN, *keys.APP)]
    return "\n".join(["| key | | what it does |", "| --- | --- | --- |", *rows]) + "\n"


def with_keys(readme: str) -> str:
    """The README with the table between its two marks. Raises ValueError when a mark is missing."""
    head, begin, rest = readme.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{README.name} lacks the mark {(END if begin else BEGIN).strip()!r}.")
    return head + begin + table() + end + tail


def _row(binding: Binding) -> str:
    return f"| `{key_name(binding)}` | {binding.description} | {binding.tooltip} |"


if __name__ == "__main__":
    README.write_text(with_keys(README.read_text(encoding="utf-8")), encoding="utf-8")
    print(README)
