"""Notices: what people are told about their mail, in plain words.  Templates are text files that the IG team edits."""
