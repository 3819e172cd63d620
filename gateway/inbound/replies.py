"""What an SMTP or LMTP session says by itself (RFC 5321 4.2, RFC 3463).  The answers to messages are the intake's."""

from __future__ import annotations

import re

from gateway.model import Reply

OK = Reply(250, "2.0.0", "Ok")
SENDER_OK = Reply(250, "2.1.0", "Ok")
RECIPIENT_OK = Reply(250, "2.1.5", "Ok")
BYE = Reply(221, "2.0.0", "Bye")
HELP = Reply(214, "2.0.0", "RFC 5321")
MAYBE = Reply(252, "2.5.0", "Cannot verify, but will take mail for delivery")
NO_EXPAND = Reply(502, "5.5.1", "Not implemented")

LOCAL_ERROR = Reply(451, "4.3.0", "Local error in processing")
BAD_LINE = Reply(500, "5.5.2", "Commands end with CRLF and hold no CR, LF or NUL")
BAD_ENCODING = Reply(501, "5.5.2", "Commands are UTF-8")
BAD_HELLO = Reply(501, "5.5.4", "Not a host name")
BAD_SYNTAX = Reply(501, "5.5.4", "Syntax error in arguments")
LONG_LINE = Reply(500, "5.5.2", "Command line too long")
UNKNOWN_COMMAND = Reply(500, "5.5.1", "Command not recognised")
NO_ARGUMENT = Reply(501, "5.5.4", "This command takes no argument")
NESTED = Reply(503, "5.5.1", "Not within a mail transaction")
NO_HELLO = Reply(503, "5.5.1", "Say hello first")
NO_MAIL = Reply(503, "5.5.1", "Need MAIL first")
NO_RCPT = Reply(503, "5.5.1", "Need RCPT first")
HAS_TLS = Reply(503, "5.5.1", "TLS is on already")
TLS_FIRST = Reply(530, "5.7.0", "Must issue a STARTTLS command first")

MISTAKES = Reply(421, "4.7.0", "Too many errors, closing")
TIMED_OUT = Reply(421, "4.4.2", "Timed out, closing")
CLOSING = Reply(421, "4.3.2", "Service is shutting down, closing")
FULL = Reply(421, "4.7.0", "Too many connections, try again later")
STRANGER = Reply(554, "5.7.1", "No service for this address")

NO_MEMORY = Reply(452, "4.3.1", "Not enough memory now, try again later")
TOO_BIG = Reply(552, "5.3.4", "Message is larger than this server takes")
TOO_MANY = Reply(452, "4.5.3", "Too many recipients")
BARE_NEWLINE = Reply(550, "5.6.0", "Message has a CR or LF outside of a CRLF pair")
NUL = Reply(550, "5.6.0", "Message has a NUL byte")
NOT_RELEASED = Reply(550, "5.7.1", "Not a valid release")

BAD_ADDRESS = Reply(553, "5.1.3", "Malformed address")
NEEDS_UTF8 = Reply(553, "5.6.7", "Non-ASCII address needs SMTPUTF8")
BAD_PARAMETER = Reply(501, "5.5.4", "Malformed parameter")
UNKNOWN_PARAMETER = Reply(555, "5.5.4", "Parameter not recognised")

_NOT_TEXT = re.compile(r"[^ -~]+")
_MOST_TEXT = 500  # octets; RFC 5321 4.5.3.1.5 allows 512 with the CRLF


class Refused(Exception):
    """A command that is not taken.  ``reply`` is what the client is told, and it never holds what the client sent."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


def line(reply: Reply) -> str:
    """The reply as one line on the wire, whatever a next hop put into its text: CR LF there would forge a reply."""
    return _NOT_TEXT.sub(" ", reply.line())[:_MOST_TEXT]
