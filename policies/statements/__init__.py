"""How people state consent: header fields, tags and plain sentences, read into ``Statement``."""
