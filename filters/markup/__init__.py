"""Pictures inside text formats: pages, drawings, cards, invitations, messages of hospital systems."""
