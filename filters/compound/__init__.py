"""Outlook's own containers: TNEF (winmail.dat) and what it is made of."""
