"""Archives: what is packed for transport and no document of its own.  ``zips`` is the surgery that Office files share."""
