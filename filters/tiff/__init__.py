"""TIFF and BigTIFF: ``filters.tiff.scrubber`` has the two scrubbers, ``filters.tiff.raw`` knows what is camera RAW."""
