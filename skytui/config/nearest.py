"""The known name that was probably meant."""

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint naming the known name closest to `name`, or all known ones when they are few; may be empty."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean `{close[0]}`?"
    if 0 < len(names) <= 8:
        return f"known here: {', '.join(names)}"
    return ""
