"""What stands behind ``gateway.delivery``: routes, sessions with the next hop, one transaction."""
