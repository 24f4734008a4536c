"""One attestation, one answer, by Sigstore's libraries. Heavy: imported by the verifier alone, when it must."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import sigstore
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError
from pypi_attestations import Attestation, AttestationType
from sigstore._internal.tuf import DEFAULT_TUF_URL
from sigstore.errors import Error as SigstoreError
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier

from wheelkeep.core.attested import Publisher
from wheelkeep.sources.verifier import Signed

_DSSE = "application/vnd.in-toto+json"
# What Fulcio writes into a certificate (its docs/oid-info.md), by the last part of the OID.
_OID = "1.3.6.1.4.1.57264.1."
_ISSUER, _REPOSITORY, _NUMBER, _BUILD = "8", "12", "15", "18"
_FORGES = {
    "https://token.actions.githubusercontent.com": ("GitHub", "https://github.com/", "/.github/workflows/"),
    "https://gitlab.com": ("GitLab", "https://gitlab.com/", "//"),
}
_GOOGLE = "https://accounts.google.com"


class Library:
    """Verifiers for all trust roots, read once."""

    def __init__(self, roots: Sequence[Path | None]) -> None:
        """Raises OSError or ValueError where a trust root cannot be used."""
        try:
            trusted = [TrustedRoot.from_file(str(root or _public())) for root in roots]
            self._authorities = [cert for root in trusted for cert in root.get_fulcio_certs()]
            self._verifiers = [Verifier(trusted_root=root) for root in trusted]
        except SigstoreError as error:
            raise ValueError(str(error)) from None

    def check(self, attestation: str) -> Signed:
        """Whether an attestation (JSON) is signed as it must be, by a certificate that a trust root stands for.

        Never raises: what makes the library stumble is false.
        """
        try:
            told = Attestation.model_validate_json(attestation)
            bundle = told.to_bundle()
            certificate = bundle.signing_certificate
            if not _signature_holds(certificate, told.envelope.statement, told.envelope.signature):
                return Signed(None, "its signature is not by its certificate")
            if not any(_issued(certificate, authority) for authority in self._authorities):
                return Signed(None)
            return self._held(bundle, told)
        except ValidationError:
            return Signed(None, "it is not as PEP 740 has it")
        except SigstoreError as error:
            return Signed(None, _words(error))
        except Exception as error:
            return Signed(None, f"it cannot be read: {_words(error)}")

    def _held(self, bundle: Bundle, told: Attestation) -> Signed:
        why = ""
        for verifier in self._verifiers:
            try:
                kind, payload = verifier.verify_dsse(bundle, _Anybody())
            except SigstoreError as error:
                why = why or _words(error)
                continue
            if kind != _DSSE or payload != told.envelope.statement:
                return Signed(None, "its envelope holds something else")
            if told.statement.get("predicateType") not in {known.value for known in AttestationType}:
                return Signed(None, "it attests to something that the index has no word for")
            return _publisher(told, bundle.signing_certificate)
        return Signed(None, why)


class _Anybody:
    """Who signed is read from the certificate afterwards."""

    def verify(self, cert: x509.Certificate) -> None:
        """Nobody is refused."""


def _publisher(told: Attestation, certificate: x509.Certificate) -> Signed:
    claims = told.certificate_claims
    issuer, repository, build = (claims.get(_OID + part, "") for part in (_ISSUER, _REPOSITORY, _BUILD))
    identity = _identity(certificate)
    if not issuer or not identity:
        return Signed(None, "its certificate does not tell who it was made out to")
    if issuer in _FORGES:
        kind, host, between = _FORGES[issuer]
        if not repository.startswith(host):
            return Signed(None, "its certificate does not tell the repository")
        workflow = build.removeprefix(repository + between).partition("@")[0]
        return Signed(
            Publisher(
                kind=kind,
                name=repository.removeprefix(host),
                workflow=workflow if build.startswith(repository + between) else "",
                number=claims.get(_OID + _NUMBER, ""),
            )
        )
    return Signed(Publisher(kind="Google" if issuer == _GOOGLE else issuer, name=identity))


def _identity(certificate: x509.Certificate) -> str:
    """The one name that a certificate is made out to; empty where it has none, or several."""
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    found = [
        *names.get_values_for_type(x509.RFC822Name),
        *names.get_values_for_type(x509.UniformResourceIdentifier),
    ]
    return found[0] if len(found) == 1 else ""


def _signature_holds(certificate: x509.Certificate, statement: bytes, signature: bytes) -> bool:
    """Whether the envelope's signature is by the certificate's key (DSSE, protocol version 1)."""
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    signed = b"DSSEv1 %d %b %d %b" % (len(_DSSE), _DSSE.encode(), len(statement), statement)
    try:
        key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _issued(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _public() -> Path:
    """The trust root of the public instance, as it was when the library was released."""
    folder = Path(sigstore.__file__).parent / "_store" / quote(DEFAULT_TUF_URL, safe="")
    return folder / "trusted_root.json"


def _words(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return "".join(letter for letter in text if letter.isprintable())[:160]
