"""The conductor's socket: what is said over it, and the client that says it."""
