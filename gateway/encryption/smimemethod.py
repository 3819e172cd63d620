"""Method ``smime``: a certificate of the recipient in the keyring; the whole message goes inside."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import Certificate

from gateway.encryption.api import CannotProtect, ProtectedCopy
from gateway.encryption.insidenote import inside_note
from gateway.encryption.smime import protect_smime
from gateway.model import Recipient
from policies.model import CertificateTerms, Decision, Facts, RecipientFacts

if TYPE_CHECKING:
    from gateway.context import Context
    from gateway.finishing.finish import Finisher

ROUTE: Final = "default"  # ciphertext needs no special way


class SmimeMethod:
    """Signed by the organisation, encrypted to the one recipient."""

    name = "smime"

    def ready(self, context: Context, recipient: Recipient, known: RecipientFacts, at: datetime) -> str:
        """ "ok", ``smime.not-configured``, ``smime.signer-*`` or a reason of the keyring."""
        if context.keyring is None or context.signing is None:
            return "smime.not-configured"
        try:
            context.keyring.refresh(at)
        except OSError:
            return "smime.keyring-unavailable"
        return context.signing.fault(at) or context.keyring.find(recipient.address, at, _terms(known)).reason

    def protect(
        self, context: Context, finisher: Finisher, recipient: Recipient, facts: Facts, decision: Decision
    ) -> ProtectedCopy:
        """The keyring is asked again: a certificate may have gone since the facts were gathered."""
        reason = self.ready(context, recipient, facts.recipient, facts.at)
        if reason != "ok" or context.keyring is None or context.signing is None:
            raise CannotProtect(reason)
        found = context.keyring.find(recipient.address, facts.at, _terms(facts.recipient))
        inner = finisher.inner()
        made = protect_smime(
            inner.cleared.data,
            found.certificates[0],
            context.signing,
            neutral_subject=context.policy.settings.neutral_subject or None,
            inside_note=inside_note(facts, decision, context.policy.settings) if decision.consent_out == "inside" else None,
        )
        return ProtectedCopy(finisher.encrypted(inner, made), ROUTE, _detail(found.certificates[0]))


def _detail(certificate: Certificate) -> str:
    """As ``gateway.encryption.cms`` makes it: the cipher, whose key opens it, that it is signed."""
    key = certificate.public_key()
    return f"smime aes-256-cbc rsa-{key.key_size} signed" if isinstance(key, RSAPublicKey) else "smime aes-256-cbc signed"


def _terms(known: RecipientFacts) -> CertificateTerms | None:
    return known.entry.certificates if known.entry is not None else None
