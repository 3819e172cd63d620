"""``clinigate demo``: the whole product on embedded defaults, on loopback, with sample mails."""
