"""Steps 3 and 4: every leaf opened by its bytes, messages inside messages with it."""
