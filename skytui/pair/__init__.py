"""What a pair is, and what has been read from it. Pure: no I/O."""
