"""Colours. Three carry meaning, and stay apart for colour-blind eyes; a glyph and a word always go with them.

Source: Okabe and Ito, *Color Universal Design* (https://jfly.uni-koeln.de/color/).

    sky        in order; the server that is master
    attention  look here; it is your turn
    alarm      in the way, broken, or no way back
    quiet      what can be left unread
"""

from textual.theme import Theme

SKY = "#56B4E9"
YELLOW = "#F0E442"
VERMILION = "#D55E00"

COLOUR = Theme(
    name="skytui",
    primary=SKY,
    secondary="#8FA3B5",
    accent=YELLOW,
    success=SKY,
    warning=YELLOW,
    error=VERMILION,
    foreground="#E4E8EC",
    background="#0E1216",
    surface="#151B21",
    panel="#1E262E",
    variables={
        "sky": SKY,
        "attention": YELLOW,
        "alarm": "#F0791E",  # vermilion, lifted: easier to read as text on the dark ground
        "alarm-ground": VERMILION,
        "quiet": "#8FA3B5",
        "ink": "#0E1216",
        "line": "#3A4650",
        "footer-key-foreground": YELLOW,
        "footer-background": "#151B21",
    },
)
"""24-bit colour."""

ANSI = Theme(
    name="skytui-ansi",
    ansi=True,
    primary="ansi_cyan",
    secondary="ansi_default",
    accent="ansi_yellow",
    success="ansi_cyan",
    warning="ansi_yellow",
    error="ansi_red",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    variables={
        "sky": "ansi_cyan",
        "attention": "ansi_yellow",
        "alarm": "ansi_bright_red",
        "alarm-ground": "ansi_red",
        "quiet": "ansi_bright_black",
        "ink": "ansi_black",
        "line": "ansi_bright_black",
        "ansi-background": "ansi_black",
        "ansi-foreground": "ansi_white",
        "border-blurred": "ansi_bright_black",
        "block-cursor-foreground": "ansi_black",
        "block-cursor-background": "ansi_white",
        "input-cursor-background": "ansi_white",
        "input-cursor-foreground": "ansi_black",
        "input-cursor-text-style": "none",
        "footer-key-foreground": "ansi_yellow",
    },
)
"""The terminal's own sixteen colours: for slow links, and what NO_COLOR strips."""
