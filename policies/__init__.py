"""PURE.  Facts in, decisions out: consent grammar, register of domains, rules.  No I/O, no clock (DESIGN section 3)."""
