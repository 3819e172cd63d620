"""Break-glass (domain/04 4.6): what went on the emergency word is a case that the IG team reviews within a working day."""
