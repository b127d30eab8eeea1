"""The procedure of a role swap. Pure: no I/O, no clock of its own.

steps     what a planned swap consists of
gates     what must be read from the servers before a step passes
events    what can happen in a run; the journal is a list of them
model     a run and its stages
machine   advance(run, event): the only place where a run changes
"""
