"""GIF: blocks, LZW data, the scrubber."""
