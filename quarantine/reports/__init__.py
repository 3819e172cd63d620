"""Figures for the IG team: counted from the journal and the records, shown as page, tables and a daily digest."""
