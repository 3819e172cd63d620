"""The IG team's folder of policy files as the gateway reads, changes and remembers it."""
