"""Attestations that are true: an authority, a certificate log and a signature log of our own, and the trust root that
stands for them (the shapes of Fulcio, RFC 6962 and Rekor; PEP 740)."""

import base64
import hashlib
import json
import struct
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pypi_attestations import AttestationType

GITHUB = "https://token.actions.githubusercontent.com"
SIGNED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PUBLISH = AttestationType.PYPI_PUBLISH_V1.value
_SCTS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_CLAIM = "1.3.6.1.4.1.57264.1."
_ORIGIN = "log.authority.example"
_SHA = ec.ECDSA(hashes.SHA256())


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _public(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.DER, form)


def _id(key: ec.EllipticCurvePrivateKey) -> bytes:
    return hashlib.sha256(_public(key)).digest()


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


class Authority:
    """Makes out certificates to whoever a test says, and logs what they sign."""

    def __init__(self) -> None:
        self._own, self._certificates, self._signatures = _key(), _key(), _key()
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority.example")])
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(self._name)
            .issuer_name(self._name)
            .public_key(self._own.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(SIGNED - timedelta(days=365))
            .not_valid_after(SIGNED + timedelta(days=3650))
            .add_extension(constraints, critical=True)
            .add_extension(_usage(authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._own.public_key()), critical=False)
            .sign(self._own, hashes.SHA256())
        )

    def root(self, path: Path) -> Path:
        """Writes the trust root."""
        since = {"start": "2020-01-01T00:00:00Z"}
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        authority = {
            "subject": {"organization": "authority.example", "commonName": "authority.example"},
            "uri": "https://authority.example",
            "certChain": {"certificates": [{"rawBytes": b64(der)}]},
            "validFor": since,
        }
        document = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [self._log(self._signatures, "https://log.authority.example", since)],
            "certificateAuthorities": [authority],
            "ctlogs": [self._log(self._certificates, "https://certificates.authority.example", since)],
            "timestampAuthorities": [],
        }
        path.write_text(json.dumps(document))
        return path

    @staticmethod
    def _log(key: ec.EllipticCurvePrivateKey, url: str, since: dict[str, str]) -> dict[str, Any]:
        public = {"rawBytes": b64(_public(key)), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": since}
        return {
            "baseUrl": url,
            "hashAlgorithm": "SHA2_256",
            "publicKey": public,
            "logId": {"keyId": b64(_id(key))},
        }

    def attestation(
        self,
        filename: str,
        sha256: str,
        *,
        repository: str = "acme/demo",
        workflow: str = "release.yml",
        number: str = "",
        issuer: str = GITHUB,
        kind: str = PUBLISH,
        late: timedelta = timedelta(),
    ) -> dict[str, Any]:
        """A true attestation, as PEP 740 has it. ``late``: how long after the certificate it was signed."""
        host = f"https://{'gitlab' if 'gitlab' in issuer else 'github'}.com/{repository}"
        between = "//" if "gitlab" in issuer else "/.github/workflows/"
        build = f"{host}{between}{workflow}@refs/tags/v1"
        claims = {"8": issuer, "12": host, "13": "a" * 40, "14": "refs/tags/v1", "15": number, "18": build}
        key = _key()
        certificate = self._made_out(key, build, {name: told for name, told in claims.items() if told})
        subject = [{"name": filename, "digest": {"sha256": sha256}}]
        told = {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": subject,
            "predicateType": kind,
            "predicate": None,
        }
        statement = json.dumps(told).encode()
        type_ = b"application/vnd.in-toto+json"
        signed = b"DSSEv1 %d %b %d %b" % (len(type_), type_, len(statement), statement)
        signature = key.sign(signed, _SHA)
        entry = self._logged(certificate, statement, signature, SIGNED + late)
        der = certificate.public_bytes(serialization.Encoding.DER)
        return {
            "version": 1,
            "verification_material": {"certificate": b64(der), "transparency_entries": [entry]},
            "envelope": {"statement": b64(statement), "signature": b64(signature)},
        }

    def provenance(
        self, filename: str, content: bytes, *, claim: dict[str, Any] | None = None, **who: Any
    ) -> dict[str, Any]:
        """The document that an index serves; ``claim``: another publisher than the true one."""
        made = self.attestation(filename, hashlib.sha256(content).hexdigest(), **who)
        true = {"kind": "GitHub", "repository": who.get("repository", "acme/demo"), "workflow": "release.yml"}
        return {"version": 1, "attestation_bundles": [{"publisher": claim or true, "attestations": [made]}]}

    def _made_out(
        self, key: ec.EllipticCurvePrivateKey, identity: str, claims: dict[str, str]
    ) -> x509.Certificate:
        """A certificate for ten minutes, and in it the proof that it was logged (RFC 6962 3.2)."""
        uri = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity)])
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._own.public_key())
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(SIGNED - timedelta(minutes=1))
            .not_valid_after(SIGNED + timedelta(minutes=9))
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(authority, critical=False)
            .add_extension(uri, critical=True)
        )
        for name, told in claims.items():
            text = told.encode()
            length = bytes([len(text)]) if len(text) < 128 else bytes([0x81, len(text)])
            claim = x509.UnrecognizedExtension(x509.ObjectIdentifier(_CLAIM + name), b"\x0c" + length + text)
            builder = builder.add_extension(claim, critical=False)
        logged = builder.sign(self._own, hashes.SHA256()).tbs_certificate_bytes
        moment = int(SIGNED.timestamp() * 1000)
        size = len(logged).to_bytes(3, "big")
        entry = struct.pack("!BBQH", 0, 0, moment, 1) + _id(self._own) + size + logged + b"\0\0"
        proof = self._certificates.sign(entry, _SHA)
        sct = b"\0" + _id(self._certificates) + struct.pack("!QHBBH", moment, 0, 4, 3, len(proof)) + proof
        listed = struct.pack("!HH", len(sct) + 2, len(sct)) + sct
        octets = b"\x04" + bytes([0x81, len(listed)] if len(listed) > 127 else [len(listed)]) + listed
        proven = builder.add_extension(x509.UnrecognizedExtension(_SCTS, octets), critical=False)
        return proven.sign(self._own, hashes.SHA256())

    def _logged(
        self, certificate: x509.Certificate, statement: bytes, signature: bytes, at: datetime
    ) -> dict[str, Any]:
        """The signature log's entry, alone in a tree of its own."""
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        digest = {"algorithm": "sha256", "value": hashlib.sha256(statement).hexdigest()}
        signatures = [{"signature": b64(signature), "verifier": b64(pem)}]
        spec = {"envelopeHash": digest, "payloadHash": digest, "signatures": signatures}
        body = _canonical({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec})
        tree = hashlib.sha256(b"\0" + body).digest()
        note = f"{_ORIGIN}\n1\n{b64(tree)}\n"
        mark = b64(_id(self._signatures)[:4] + self._signatures.sign(note.encode(), _SHA))
        moment = int(at.timestamp())
        log = _id(self._signatures)
        promise = {"body": b64(body), "integratedTime": moment, "logID": log.hex(), "logIndex": 0}
        proof = {"logIndex": "0", "rootHash": b64(tree), "treeSize": "1", "hashes": []}
        return {
            "logIndex": "0",
            "logId": {"keyId": b64(log)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(moment),
            "inclusionPromise": {
                "signedEntryTimestamp": b64(self._signatures.sign(_canonical(promise), _SHA))
            },
            "inclusionProof": proof | {"checkpoint": {"envelope": f"{note}\n\u2014 {_ORIGIN} {mark}\n"}},
            "canonicalizedBody": b64(body),
        }


@cache
def authority() -> Authority:
    """One for all tests that need no other."""
    return Authority()


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _canonical(told: dict[str, Any]) -> bytes:
    """JSON as RFC 8785 has it, for texts and whole numbers."""
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
