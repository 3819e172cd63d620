"""JPEG XL: boxes and the head of the codestream."""
