"""Compute processes: the work that grows with a message, away from the event loop."""
