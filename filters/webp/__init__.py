"""WebP and the RIFF chunks around it."""
