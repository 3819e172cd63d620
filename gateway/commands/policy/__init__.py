"""``clinigate policy``: the rules are checked, tried, compared, replayed and rolled back."""
