"""The only way text from outside comes in.

Text from a server can drive the terminal (OSC 52 writes the clipboard, CSI 2J clears the screen) and can
reorder what a person reads (bidirectional marks). `plain` takes all of that out; what it returns is safe to
show, to store and to compare.
"""

import re

# ECMA-48: CSI and the string sequences (OSC, DCS, SOS, PM, APC) in their 7-bit and 8-bit forms, then every
# other ESC sequence. A string that is never terminated ends with its line.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c|$)"
    r"|\x1b[ -/]*[0-~]",
    re.MULTILINE,
)

# C0 and C1 controls, and the marks that change the order of what is read (Unicode TR 9), line and paragraph
# separators, and lone surrogates, which no terminal encoding can carry.
_CONTROL = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u061c\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def plain(line: str) -> str:
    """One line of text from outside, made harmless: sequences out, controls replaced, tabs expanded."""
    return _CONTROL.sub("\ufffd", _SEQUENCE.sub("", line.rstrip("\r\n")).expandtabs(4))


def plain_bytes(line: bytes) -> str:
    """The same for bytes; what is not UTF-8 is shown as the replacement character."""
    return plain(line.decode("utf-8", "replace"))
