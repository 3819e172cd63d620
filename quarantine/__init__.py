"""Holds: sealing, stores, states, deadlines, notices, releases, records.  Imports none of the other three packages."""
