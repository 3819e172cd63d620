"""JPEG (ITU T.81): segments, frames and scans, the scrubber."""
