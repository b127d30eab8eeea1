"""The process that owns a pair: it polls, acts, writes the journal, and serves the clients of its socket."""
