"""Every code the MIME parser and the strict decoders can give, one sentence each.

``AMBIGUOUS`` are those whose message two mail programs would read differently (RFC 7103): the default policy holds them.
The others are only noted.  A code is never a value: nothing of the message stands in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_HOLD: Final[Mapping[str, str]] = {
    # the form of header blocks (RFC 5322 2.2, 3.6)
    "mime.applefile": "A part is a Macintosh resource fork, which holds a second copy or preview that is not opened here.",
    "mime.bare-cr-header": "A header block holds a carriage return that does not end a line.",
    "mime.bom": "The message begins with a byte order mark, so that its first header field has no agreed name.",
    "mime.blank-separator": "A header block holds a line of blanks, which some programs take for its end.",
    "mime.continuation-first": "A header block begins with a continuation line.",
    "mime.charset": "A text is in a charset that hides plain characters, such as UTF-7.",
    "mime.encoded-word-structure": "A field that decides the structure holds an encoded-word, which only some programs decode.",
    "mime.from-line": "The message begins with a mailbox separator line instead of a header field.",
    "mime.header-image": "A header field holds a picture.",
    "mime.header-junk": "A header block holds a line that is not a field, which some programs take for the start of the body.",
    "mime.leading-newline": "The message begins with an empty line, so that some programs see no header at all.",
    "mime.mixed-newlines": "A header block mixes two kinds of line end.",
    "mime.no-separator": "No empty line stands between a part's header and its body.",
    "mime.nul": "The message holds a NUL character.",
    "mime.space-before-colon": "White space stands between a field's name and its colon.",
    # duplicates (RFC 2045 3: each field once)
    "mime.duplicate-field": "A part states its type, encoding or disposition twice and differently.",
    "mime.duplicate-boundary": "A multipart states two different boundaries.",
    "mime.duplicate-shown": "From, Sender or Subject stands twice: programs show different ones.",
    # Content-Type
    "mime.comment-structure": "A comment stands inside a field that decides the structure.",
    "mime.structure-form": "A field that decides the structure does not follow the grammar.",
    "mime.unknown-message-type": "A part is of a message type no two programs treat alike.",
    "mime.external-body": "A part only points at a body kept elsewhere (message/external-body).",
    "mime.partial": "The message is a fragment of another (message/partial).",
    # transfer encodings (RFC 2045 6)
    "mime.cte-empty": "The transfer encoding is empty.",
    "mime.cte-form": "The transfer encoding is not one plain word.",
    "mime.cte-lie": "A part declared as unencoded holds nothing but a transfer encoding.",
    "mime.cte-unknown": "The transfer encoding is none of RFC 2045.",
    "mime.cte-uuencode": "A part is declared as uuencoded.",
    "mime.multipart-encoded": "A multipart is declared with a transfer encoding, which RFC 2045 6.4 forbids.",
    "mime.b64-garbage": "A base64 body holds characters outside the alphabet, which only some decoders skip.",
    "mime.b64-length": "A base64 body has an impossible length.",
    "mime.b64-padding": "A base64 body lacks its padding.",
    "mime.b64-padding-inside": "A base64 body holds padding before its end: some decoders stop there.",
    "mime.b64-url": "A base64 body uses the alphabet of URLs.",
    "mime.b64-whitespace": "A base64 body holds blanks.",
    "mime.qp-invalid": "A quoted-printable body holds invalid escapes in what is not text.",
    "mime.qp-blanks": "A quoted-printable body of what is not text holds blanks at line ends, which only some decoders drop.",
    # boundaries (RFC 2046 5.1)
    "mime.after-final": "A boundary line stands after the final one.",
    "mime.boundary-empty": "A multipart has an empty boundary.",
    "mime.boundary-form": "A boundary holds characters or quoting that programs read differently.",
    "mime.boundary-long": "A boundary is longer than 70 characters.",
    "mime.boundary-missing": "A multipart has no boundary.",
    "mime.boundary-newline": "A boundary line is set off by half a line end.",
    "mime.boundary-not-found": "A multipart's boundary does not occur in its body.",
    "mime.boundary-on-leaf": "A part that is no multipart states a boundary that occurs in its body.",
    "mime.boundary-padding": "A boundary line ends in blanks.",
    "mime.boundary-prefix": "A line begins like a boundary line and goes on: some programs split there.",
    "mime.boundary-reused": "A multipart's boundary is its container's, or the beginning of it.",
    "mime.boundary-rfc2231": "A boundary is given in the extended form of RFC 2231, which only some programs read.",
    "mime.epilogue": "More than plain words stands after the final boundary.",
    "mime.no-final-boundary-inner": "An inner multipart is not closed.",
    "mime.preamble": "More than plain words stands before the first boundary.",
    # limits
    "mime.limit-depth": "Parts are nested too deeply to be read.",
    "mime.limit-header": "A header block is too long, or has too many fields, to be read.",
    "mime.limit-lines": "Too many lines look like boundary lines.",
    "mime.limit-parts": "The message has too many parts to be read.",
    # wrappings without a reading of their own
    "mail.compressed": "A part is S/MIME compressed data, which is not opened here.",
}

_NOTE: Final[Mapping[str, str]] = {
    "mime.attached-message": "A mail message is attached under another type; it is opened like one.",
    "mime.encoded-message": "An attached message is in a transfer encoding, against RFC 2046 5.2.1; it is opened all the same.",
    "mime.8bit-header": "A header field holds characters outside ASCII.",
    "mime.8bit-in-7bit": "A part declared as 7bit holds characters outside ASCII.",
    "mime.bare-newline": "A body holds half line ends.",
    "mime.boundary-unquoted": "A boundary holds characters that should stand in quotes.",
    "mime.comment": "A comment stands in a MIME field.",
    "mime.content-type-form": "A part's type does not follow the grammar; its bytes decide what it is.",
    "mime.duplicate-same": "A part states its type, encoding or disposition twice in the same words.",
    "mime.duplicate-param": "A parameter is given twice.",
    "mime.duplicate-top": "A field of little weight that may stand once (Date, Message-ID ...) stands twice.",
    "mime.empty-part": "A part has neither header nor body.",
    "mime.lf-only": "All line ends are bare line feeds.",
    "mime.long-header-line": "A header line is longer than 998 characters.",
    "mime.name-conflict": "A part carries two different file names.",
    "mime.name-form": "A part's file name does not follow RFC 2231.",
    "mime.name-unsafe": "A part's file name holds a path, control or direction characters.",
    "mime.no-body": "A header block ends without an empty line and nothing follows.",
    "mime.no-final-boundary": "The outermost multipart is not closed; all programs read it alike.",
    "mime.no-version": "The message uses MIME without saying so.",
    "mime.qp-invalid-text": "A quoted-printable text holds invalid escapes; they are read as they stand.",
    "mail.calendar": "The message is an invitation or carries one.",
    "mail.encrypted": "A part is encrypted end to end and cannot be read here.",
    "mail.list": "The message comes from or goes to a mailing list.",
    "mail.signed": "A part is signed: changing it would break the signature.",
}

CODES: Final[Mapping[str, str]] = {**_HOLD, **_NOTE}
AMBIGUOUS: Final[frozenset[str]] = frozenset(_HOLD)
