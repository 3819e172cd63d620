"""SMTP in and out, orchestration, protection, exit check, command line.  May import the other three packages."""
