"""What ``filters.sniff`` knows of each kind of file: signatures, text, seals, sound."""
