"""Pure functions from a scene to text. No widget, no clock, no I/O.

Text is assembled as `Content` from plain strings and styles; markup is never parsed, so whatever a server
says is shown as it is.
"""
