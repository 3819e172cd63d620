"""The sender's way on: a held email is let go, deleted or passed to IG by one word, replied by mail or given in the web form."""
