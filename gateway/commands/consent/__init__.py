"""``clinigate consent``: what patients have said, in words for the people who note it."""
