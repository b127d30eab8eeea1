"""What the command line does, one module a command. Each imports what it needs when it is called."""
