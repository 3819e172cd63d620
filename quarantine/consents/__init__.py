"""The consent register: what patients have said about their pictures, by keyed hash and by picture (docs/consent.md)."""
