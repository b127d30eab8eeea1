"""`python -m skytui`: the command line."""

from skytui.cli import main

main()
