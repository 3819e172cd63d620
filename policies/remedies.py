"""What the sender can do with a file that cannot be cleaned as it is: one step, by the kind of file (reading age about 12)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from policies.model import Facts, ImageFacts

_PICTURE: Final = "Open the picture, save it as JPEG, and send that one."
_FILM: Final = "Save the film as MP4, and send that one."
_OFFICE: Final = "Open the document, save it in the new form (.docx, .xlsx or .pptx), and send that one."
_PAGES: Final = "Open the document, save it as PDF, and send that one."
_PACKED: Final = "Unpack the file and attach what is in it, or pack it as ZIP."
_SCANS: Final = "Save the pictures one by one from your viewer, and attach those."
_ITSELF: Final = "Attach the picture itself as a file."
_READ_ONLY: Final = (
    "Attach the picture by itself. Or save the file in a new form: an old Word, Excel or PowerPoint file as .docx, .xlsx or "
    ".pptx, a 7z or RAR file as ZIP."
)
_SIGNED: Final = "Attach the picture by itself, or send the document without its digital signature."

_KINDS: Final[Mapping[str, str]] = {
    _PICTURE: "ani avif bigtiff bmp bpg cr2 dds dib dng-raw emf exr fits flif gif hdr heic heif icns ico j2k jbig2 jp2 jpeg jxl "
    "jxr mng mrw orf pcd png pnm psd qoi raf ras rw2 sgi svg tiff webp wmf x3f xcf xpm",
    _FILM: "3gp asf avi flv m4a matroska mov mp4 mpeg ogg realmedia swf",
    _OFFICE: "doc ole ppt vsd xls",
    _PAGES: "access chm djvu docx dwg epub mobi odg odp ods odt office-xml onenote ooxml pdf postscript pptx rtf vsdx xlsx xps",
    _PACKED: "7z ar cab compress cpio gzip iso lha lz4 lzip rar tar xar xz zip zstd",
    _SCANS: "dicom hdf5 nifti nrrd",
    _ITSELF: "eml html mbox mhtml msg pst text tnef xml",
}
_REMEDIES: Final = {name: remedy for remedy, names in _KINDS.items() for name in names.split()}
_MOST: Final = 2  # remedies told: a longer list is not read
NOT_SUPPORTED: Final = "image-not-supported"


def remedy(facts: Facts) -> str:
    """The step for the files of a message that cannot be cleaned; "" where their kinds are not known.  Names no file."""
    found = dict.fromkeys(one for image in facts.images if image.opaque == NOT_SUPPORTED for one in _steps(image))
    return " ".join(list(found)[:_MOST])


def _steps(image: ImageFacts) -> Iterable[str]:
    if "container.signed" in image.codes:
        return (_SIGNED,)
    if "container.read-only" in image.codes:
        return (_READ_ONLY,)
    return filter(None, (_REMEDIES.get(image.format),))
