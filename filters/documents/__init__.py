"""Office documents: packages (OOXML, ODF) and flat XML.  Pictures out and in again; authors, names and traces cleaned."""
