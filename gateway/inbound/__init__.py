"""What stands behind ``gateway.smtp``: listeners, sessions' parts, limits."""
