"""The command line's commands, one file each, or a folder for a family of them; ``gateway.cli`` names them."""
