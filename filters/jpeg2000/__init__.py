"""JPEG 2000: boxes and codestreams."""
