"""An agent: a stable name, an fsynced ledger of its own, and a loop around procrastinate's worker.

Start it with `python -m skytui.lab.agent --config agent.toml`. What must never happen is that a command runs
twice; what makes sure of it is the ledger, not the databases: they may be promoted, rewound or lost under it.
"""
