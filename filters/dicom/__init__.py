"""DICOM (PS3.5, PS3.10), de-identified by the Basic Application Level Confidentiality Profile of PS3.15 Annex E.

``reader`` and ``writer`` know the encoding, ``profile`` what becomes of an attribute, ``cleaner`` does it at every level of
nesting, ``frames`` looks into coded pictures, ``scrubber`` is the entry of the registry.
"""
