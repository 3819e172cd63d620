"""One page of a TIFF as its directory describes it: size, samples, how it is cut into strips or tiles (TIFF 6.0, 8 and 15)."""

from __future__ import annotations

from dataclasses import dataclass

from filters.api import Malformed, TooBig, Unsupported
from filters.tiff import tags
from filters.tiff.directory import Directory, Layout, numbers

MAX_PIXELS = 200_000_000  # of one page
MAX_SAMPLES = 8 * MAX_PIXELS  # bytes of all pages decoded
_MAX_CHANNELS = 256
_REDUCED, _MASK = 1, 4  # bits of NewSubfileType
_OLD_REDUCED = 2
_YCBCR = 6
_MAX_POWER = 16  # of two, between a picture and the smallest level


@dataclass(frozen=True, slots=True)
class Picture:
    """``bits`` of each sample of a pixel; ``block`` = (width, length) of a strip or tile; ``blocks`` how many there must be."""

    width: int
    height: int
    bits: tuple[int, ...]
    compression: int
    photometric: int
    planar: bool
    tiled: bool
    reduced: bool
    mask: bool
    block: tuple[int, int]
    blocks: int
    plain: bool  # one layer of depth: the number of blocks and their bytes can be told
    subsampling: tuple[int, int]

    @property
    def bytes(self) -> int:
        """Of all samples, decoded."""
        return (self.width * sum(self.bits) + 7) // 8 * self.height

    def expected(self, index: int) -> int:
        """Bytes of block ``index``, decoded."""
        width, rows = self.block
        each = self.blocks // len(self.bits) if self.planar else self.blocks
        if not self.tiled and each and index % each == each - 1:
            rows = self.height - rows * (each - 1)
        plane = min(index // max(each, 1), len(self.bits) - 1)
        if not self.planar:
            return rows * ((width * sum(self.bits) + 7) // 8)
        if plane and self.thinned:
            width, rows = -(-width // self.subsampling[0]), -(-rows // self.subsampling[1])
        return rows * ((width * self.bits[plane] + 7) // 8)

    @property
    def thinned(self) -> bool:
        """Colour has fewer samples than brightness (TIFF 6.0 section 21)."""
        return self.photometric == _YCBCR and len(self.bits) == 3 and self.subsampling != (1, 1)

    def packed(self, index: int) -> int:
        """Bytes of block ``index`` with thinned colour in data units; programs disagree whether it is, so both are right."""
        if not self.thinned or self.planar:
            return self.expected(index)
        across, down = self.subsampling
        rows = self.expected(index) // max(1, (self.block[0] * sum(self.bits) + 7) // 8)
        return -(-rows // down) * ((-(-self.block[0] // across) * (across * down + 2) * self.bits[0] + 7) // 8)

    def level_of(self, full: Picture) -> bool:
        """The same samples and a level of its pyramid, not some preview."""
        return (self.bits, self.photometric, self.mask) == (full.bits, full.photometric, full.mask) and self.halves(full)

    def halves(self, full: Picture) -> bool:
        """Each side is the other's, halved once or several times and rounded either way."""
        powers = range(0 if self.mask else 1, _MAX_POWER)  # a mask may be as large as the picture
        return any(_halved(self.width, full.width, n) and _halved(self.height, full.height, n) for n in powers)


def _halved(small: int, full: int, times: int) -> bool:
    return full >> times <= small <= -(-full >> times)


class Reader:
    """Whole numbers of one directory."""

    def __init__(self, data: bytes, form: Layout, directory: Directory) -> None:
        self._data, self._form, self._directory = data, form, directory

    def all(self, tag: int) -> tuple[int, ...]:
        """Every number under ``tag``, () when there is none."""
        one = self._directory.fields.get(tag)
        return tuple(int(n) for n in numbers(self._data, self._form, one)[: 2 * _MAX_CHANNELS]) if one else ()

    def one(self, tag: int, default: int) -> int:
        """The number under ``tag``."""
        return next(iter(self.all(tag)), default)

    def has(self, tag: int) -> bool:
        return tag in self._directory.fields


def has_samples(directory: Directory) -> bool:
    """It points to strips or tiles, or to a JPEG file, and says how large the picture is."""
    known = directory.fields.keys()
    places = known & {tags.STRIP_OFFSETS, tags.TILE_OFFSETS, tags.JPEG_FILE}
    return bool(places) and {tags.WIDTH, tags.LENGTH} <= known


def read(data: bytes, form: Layout, directory: Directory) -> Picture:
    """What one directory says of its picture.  Raises Malformed, TooBig, Unsupported."""
    value = Reader(data, form, directory)
    width, height = value.one(tags.WIDTH, 0), value.one(tags.LENGTH, 0)
    # Where the tag is missing, old JPEG writers mean as many as they tell bits for.
    samples = value.one(tags.SAMPLES, max(1, len(value.all(tags.BITS))))
    if width < 1 or height < 1:
        raise Malformed("picture without a size")
    if width * height > MAX_PIXELS:
        raise TooBig("more than 200 megapixels")
    if not 1 <= samples <= _MAX_CHANNELS:
        raise Unsupported("tiff with so many samples a pixel") if samples > 1 else Malformed("samples of a pixel")
    tiled = value.has(tags.TILE_WIDTH)
    if value.has(tags.TILE_OFFSETS) and (value.has(tags.STRIP_OFFSETS) or not tiled):
        raise Malformed("strips and tiles")
    subfile, old = value.one(tags.NEW_SUBFILE, 0), value.one(tags.OLD_SUBFILE, 0)
    block = _block(value, width, height, tiled)
    planar = value.one(tags.PLANAR, 1) == 2 and samples > 1
    count = -(-height // block[1]) * (-(-width // block[0]) if tiled else 1) * (samples if planar else 1)
    hs, vs, *_ = (*value.all(tags.SUBSAMPLING), 2, 2)
    return Picture(
        width, height, _bits(value, samples), value.one(tags.COMPRESSION, 1), value.one(tags.PHOTOMETRIC, -1), planar, tiled,
        bool(subfile & _REDUCED) or old == _OLD_REDUCED, bool(subfile & _MASK), block, count,
        value.one(tags.DEPTH, 1) == 1 and value.one(tags.TILE_DEPTH, 1) == 1, (max(hs, 1), max(vs, 1)),
    )  # fmt: skip


def _block(value: Reader, width: int, height: int, tiled: bool) -> tuple[int, int]:
    if tiled:
        across, down = value.one(tags.TILE_WIDTH, 0), value.one(tags.TILE_LENGTH, 0)
        if across < 1 or down < 1 or across * down > MAX_PIXELS:
            raise Malformed("tile size")
        return across, down
    rows = value.one(tags.ROWS, 0)
    return width, rows if 1 <= rows <= height else height  # missing and 2^32-1 mean one strip


def _bits(value: Reader, samples: int) -> tuple[int, ...]:
    bits = value.all(tags.BITS) or (1,)
    if any(not 1 <= one <= 128 for one in bits):
        raise Malformed("bits of a sample")
    return bits[:samples] if len(bits) >= samples else bits[:1] * samples
