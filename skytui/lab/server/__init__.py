"""The server of a practice pair: HTTPS API, web page, scheduler and file duplicator over one PostgreSQL.

Its API is described in `skytui/lab/API.md`. Start it with `python -m skytui.lab.server --config
conf/node.toml`.
"""
