"""The practice pair: two real hosts, servers, databases and agents on this machine. `pair` is the way in."""
