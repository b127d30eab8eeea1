"""skytui: a console for the role swap of a master/standby pair of job-scheduler servers."""

__version__ = "0.1.0"
