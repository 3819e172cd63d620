"""Samples with a small header: BMP, ICO, CUR, PNM."""
