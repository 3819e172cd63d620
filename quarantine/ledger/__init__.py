"""The disclosure ledger: which image went to whom, under which statement and rule, and how it was protected."""
