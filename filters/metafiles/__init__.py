"""Windows metafiles: drawings as lists of drawing commands, some of which carry bitmaps or whole files."""
