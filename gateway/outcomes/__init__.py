"""Step 11: what becomes of each recipient, settled durably before anybody is told."""
