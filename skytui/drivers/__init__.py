"""How a system is read and acted on. A driver never decides."""
