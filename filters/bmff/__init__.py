"""ISO base media: HEIF, HEIC, AVIF, MP4, QuickTime and their kin, rewritten with only what is needed to show and play them."""
