"""``clinigate disclosures``, ``case`` and ``match``: what left, under what, and where it went."""
