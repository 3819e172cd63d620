"""What can be found in ISO base media files, one sentence each."""

from __future__ import annotations

from collections.abc import Mapping

CODES: Mapping[str, str] = {
    "bmff.auxiliary": "A second picture that only a program sees, for example a matte.",
    "bmff.brand": "A brand that no registry knows; such brands tell who made the file.",
    "bmff.chapter-pictures": "Pictures that illustrate chapters.",
    "bmff.compressor": "The name or maker of the program that coded the picture or sound.",
    "bmff.cover": "A cover picture.",
    "bmff.dates": "When the film, or a track of it, was made or changed.",
    "bmff.depth-map": "A map of distances.",
    "bmff.edit-tail": "Bytes behind the end of a box's content.",
    "bmff.gain-map": "A gain map, a second picture for bright screens, or its description.",
    "bmff.gap": "Bytes among the media data that no shown picture or sound refers to.",
    "bmff.group": "A group of pictures of unknown meaning or with pictures that go.",
    "bmff.handler-name": "The name of the program that handles a track.",
    "bmff.hidden-item": "A picture that no program shows.",
    "bmff.item-name": "The name of an item.",
    "bmff.jumbf": "JUMBF data, for example a C2PA manifest.",
    "bmff.leftover": "Bytes in a box that is meant to be free.",
    "bmff.metadata": "A metadata box.",
    "bmff.metadata-item": "A metadata item.",
    "bmff.motion-photo": "A film inside a still picture.",
    "bmff.other-track": "A track that is neither picture nor sound.",
    "bmff.property": "A property that no shown picture needs.",
    "bmff.reference": "A reference that no program needs to show the pictures.",
    "bmff.reserved": "Bytes in reserved fields, or more bytes in a box than it has a meaning for.",
    "bmff.sound-only": "Sound without a cover, and next to nothing around it.",
    "bmff.subtitles": "Subtitles, captions or chapter titles.",
    "bmff.thumbnail": "A thumbnail.",
    "bmff.timecode": "A timecode track.",
    "bmff.timed-metadata": "A track of metadata, for example of positions along the way.",
    "bmff.trailer": "Bytes behind the last box.",
    "bmff.unknown-box": "A box that is not needed to show or play the file.",
    "bmff.unreadable": "The file cannot be read as ISO base media.",
    "bmff.user-data": "A user data box.",
    "bmff.uuid": "A box of a vendor.",
    "bmff.video-user-data": "Data of a program or camera inside the coded picture.",
    "bmff.xmp": "An XMP packet.",
}
