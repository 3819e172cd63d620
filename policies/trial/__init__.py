"""A policy tried before it is in force: examples, what differs from another, what typical mail would meet."""
