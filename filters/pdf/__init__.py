"""PDF (ISO 32000): pictures, attached files and metadata in it; pictures cleaned in place, everything hidden dropped."""
