"""How a message is read and changed by offset; ``gateway.message`` is the one door to it."""
