"""Hosts over SSH: one connection each, commands that outlive it, logs that are followed."""
