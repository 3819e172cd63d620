"""What ``filters.text`` knows of the ways files hide in text."""
