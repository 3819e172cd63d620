"""The codes of findings in DICOM files, one sentence each."""

from __future__ import annotations

from collections.abc import Mapping

CODES: Mapping[str, str] = {
    "dicom.bad-value": "A value that its representation does not allow.",
    "dicom.burned-in": "Patient data may stand in the pixels: the file says so, or pictures of its kind often hold them.",
    "dicom.burned-in-unknown": "The file does not say whether patient data stand in the pixels.",
    "dicom.code": "A coded term of a private or unknown list, or its free wording.",
    "dicom.content": "An item of a structured report that holds text, a name, a date or a place.",
    "dicom.curve": "Curve data.",
    "dicom.date": "A date or time.",
    "dicom.device": "The name, number or address of a device or its parts.",
    "dicom.encoding": "The file was written anew in plain form.",
    "dicom.file-meta": "Names of programs or machines, or private data, in the file's header.",
    "dicom.frame-metadata": "Comments, application data or other bytes that are no picture, inside a coded frame.",
    "dicom.icon": "A second, smaller picture.",
    "dicom.identifier": "A number or name by which the study, order or visit can be found.",
    "dicom.institution": "The name or address of an institution.",
    "dicom.marks": "The file said nothing, or something else, about how it was de-identified.",
    "dicom.object": "A DICOM object: never decoration, however small.",
    "dicom.overlay": "Overlay graphics, which can hold text.",
    "dicom.patient": "Facts about the patient: birth date, sex, age, address, history.",
    "dicom.patient-id": "The patient's number.",
    "dicom.patient-name": "The patient's name.",
    "dicom.person": "The name or number of a person other than the patient.",
    "dicom.pixel-tail": "Bytes behind the last frame that no viewer shows.",
    "dicom.preamble": "Bytes in the preamble, for example a second file header.",
    "dicom.private": "Private elements, whose meaning only their maker knows.",
    "dicom.recognisable": "The file says that the patient can be recognised in the picture.",
    "dicom.signature": "A digital signature, check code or encrypted original.",
    "dicom.text": "A description, comment or other free text.",
    "dicom.trailer": "Bytes behind the data set.",
    "dicom.uid": "A unique identifier; where the object needs one it was replaced by a new one.",
    "dicom.unknown-element": "An element that the data dictionary does not know, or that has no place where it stands.",
    "dicom.unreadable": "The file cannot be read or cleaned as DICOM.",
}
