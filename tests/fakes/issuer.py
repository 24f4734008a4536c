"""An issuer of identity tokens on 127.0.0.1, with real keys: its documents, and tokens as CI hands them out.

    with Issuer() as issuer:
        token = issuer.sign({"repository": "acme/lib"}, audience="packages.acme.example")

``documents`` has what is answered by path, and may be changed; ``asked`` counts.
"""

import base64
import json
import threading
import time
import uuid
from collections import Counter
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

BEARER = "a-job's-own-secret"
"""What a job sends to be given its identity."""
_KINDS = {"RS": "rsa", "PS": "rsa", "ES": "ec", "Ed": "okp"}


@cache
def private(kind: str, number: int = 0) -> Any:
    """A real private key, made once a run: ``rsa``, ``ec`` or ``okp``, or ``small``, an RSA key of 1024 bits."""
    match kind:
        case "rsa" | "small":
            return rsa.generate_private_key(65537, 2048 if kind == "rsa" else 1024)
        case "ec":
            return ec.generate_private_key(ec.SECP256R1())
    return ed25519.Ed25519PrivateKey.generate()


def public(kind: str, number: int = 0, **more: Any) -> dict[str, Any]:
    """Its public half as a JWK, with the key id that ``Issuer.sign`` writes."""
    key = private(kind, number).public_key()
    form: Any = {"ec": ECAlgorithm, "okp": OKPAlgorithm}.get(kind, RSAAlgorithm)
    return {**form.to_jwk(key, as_dict=True), "kid": f"{kind}-{number}", "use": "sig"} | more


class Issuer:
    def __init__(self) -> None:
        self.documents: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: Counter[str] = Counter()
        self.claims: dict[str, Any] = {}
        """What a job that asks for its identity is."""
        self.port = 0
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a job of GitHub Actions with ``id-token: write`` finds in its environment."""
        return {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/identity?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": BEARER,
        }

    def say(self, path: str, told: Any, status: int = 200, **headers: str) -> None:
        """Has a path answered so: bytes as they are, anything else as JSON."""
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        self.documents[path] = (status, headers, body)

    def has_keys(self, *keys: Any) -> None:
        self.say("/keys", {"keys": list(keys)})

    def payload(self, claims: dict[str, Any], audience: Any) -> dict[str, Any]:
        """The claims of a good token; those given go before, and None leaves one out."""
        now = int(time.time())
        told = {"iss": self.url, "aud": audience, "iat": now, "nbf": now - 5, "exp": now + 300}
        told |= {"jti": str(uuid.uuid4()), "sub": "repo:acme/lib:environment:release"} | claims
        return {name: value for name, value in told.items() if value is not None}

    def sign(
        self,
        claims: dict[str, Any],
        *,
        audience: Any,
        algorithm: str = "RS256",
        number: int = 0,
        **header: Any,
    ) -> str:
        kind = _KINDS[algorithm[:2]]
        return jwt.encode(
            self.payload(claims, audience),
            private(kind, number),
            algorithm,
            headers={"kid": f"{kind}-{number}"} | header,
        )

    def __enter__(self) -> Self:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None: ...

            def do_GET(self) -> None:
                split = urlsplit(self.path)
                issuer.asked[split.path] += 1
                status, headers, body = issuer.documents.get(split.path, (404, {}, b"nothing"))
                if split.path == "/identity" and self.headers["Authorization"].lower() == f"bearer {BEARER}":
                    (audience,) = parse_qs(split.query)["audience"]
                    value = issuer.sign(issuer.claims, audience=audience)
                    status, body = 200, json.dumps({"count": 1, "value": value}).encode()
                self.send_response(status)
                for name, text in headers.items():
                    self.send_header(name, text)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.say("/.well-known/openid-configuration", {"issuer": self.url, "jwks_uri": f"{self.url}/keys"})
        self.has_keys(public("rsa"), public("ec"), public("okp"))
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()


def raw(header: Any, payload: Any, signature: bytes = b"signed") -> str:
    """A token with nothing right about it but its shape."""
    parts = (json.dumps(header).encode(), json.dumps(payload).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
