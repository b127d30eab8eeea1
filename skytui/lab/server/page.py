"""The small page for a web browser: does this pair have a standby, and which server is this?"""

from html import escape

from starlette.responses import HTMLResponse

from skytui.lab.server.calls import Call
from skytui.lab.server.replication import status_text

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="2"><title>{title}</title>
<style>body{{font:16px sans-serif;margin:3em}}td,th{{padding:.5em 1em;text-align:left}}</style></head>
<body><h1>{title}</h1>{content}</body></html>
"""
_COLOURS = {"Active": "#2e8b57", "Connecting": "#f0e442", "Not connected": "#d55e00"}


async def page(call: Call) -> object:
    """GET /: on a master the STANDBY SERVER status, on a standby whether it is connected to its master."""
    peer = call.site.node.peer
    status = await status_text(call.state, call.conn, peer.name, peer.pg_port)
    name = call.site.name
    if call.state.role == "master":
        colour = _COLOURS[status]
        ink = "#fff" if status == "Active" else "#000"
        content = (
            f"<table><tr><th>STANDBY SERVER</th>"
            f'<td style="background:{colour};color:{ink}">{escape(status)}</td>'
            f"<td>{escape(peer.name)}</td></tr></table>"
        )
    else:
        content = f"<p>The standby server is {escape(status)} server {escape(peer.name)}.</p>"
    return HTMLResponse(_PAGE.format(title=escape(f"{name} ({call.state.role})"), content=content))
