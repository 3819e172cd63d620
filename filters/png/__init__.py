"""PNG and APNG (W3C): chunks, rows, frames, the scrubber."""
