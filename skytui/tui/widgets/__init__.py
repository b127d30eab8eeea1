"""The parts of the main screen. Each draws what a view function says, and only when that has changed."""
