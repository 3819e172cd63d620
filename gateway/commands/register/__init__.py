"""``clinigate domain``, ``device`` and ``lists``: the files of the policy folder that commands read and edit."""
