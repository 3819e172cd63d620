"""One page about one email for a complaint: plain words for the patient first, codes for the file second."""
