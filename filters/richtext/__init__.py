"""Rich Text Format (RTF 1.9.1): pictures and objects in hexadecimal, and what programs note about people."""
