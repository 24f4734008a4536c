"""Whose certificates are believed: the system's, and what the environment adds. They are always verified."""

import importlib
import os
import ssl
from functools import lru_cache
from pathlib import Path

from wheelkeep.core.errors import Unanswered

# OpenSSL's, and those by which requests and curl, and so pip's users, name the certificate of a company's
# proxy.
VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def context() -> ssl.SSLContext:
    """The TLS context for outbound requests; the same object while the environment names the same files.

    Raises Unanswered when a file that the environment names holds no certificates.
    """
    return _context(*(os.environ.get(name, "") for name in VARIABLES))


@lru_cache(maxsize=8)
def _context(cert_file: str, cert_dir: str, requests_bundle: str, curl_bundle: str) -> ssl.SSLContext:
    made = ssl.create_default_context()
    compiled = ssl.get_default_verify_paths()
    # OpenSSL reads its variables in place of the system's store; here they, and the others, come in addition
    # to it.
    read = {cert_file or compiled.openssl_cafile, *(cert_dir or compiled.openssl_capath).split(os.pathsep)}
    added = [compiled.openssl_cafile, compiled.openssl_capath, requests_bundle, curl_bundle]
    places = {Path(place).resolve() for place in read if place}
    for place in (Path(text).resolve() for text in added if text):
        if place not in places and place.exists():
            _add(made, place)
            places.add(place)
    if not made.cert_store_stats()["x509_ca"] and not any(_has_hashed(place) for place in places):
        _add_certifi(made)
    return made


def _add(made: ssl.SSLContext, place: Path) -> None:
    try:
        if place.is_dir():
            made.load_verify_locations(capath=place)
        else:
            made.load_verify_locations(cafile=place)
    except OSError:  # ssl.SSLError is one
        raise Unanswered(f"{place}, which the environment names, cannot be read as certificates") from None


def _has_hashed(place: Path) -> bool:
    """Whether a folder has certificates under OpenSSL's hashed names, which are not counted until used."""
    return place.is_dir() and next(place.glob("????????.[0-9]"), None) is not None


def _add_certifi(made: ssl.SSLContext) -> None:
    """Minimal containers have no store; the package of Mozilla's certificates stands in if installed."""
    try:
        where: str = importlib.import_module("certifi").where()
    except ImportError:
        return
    made.load_verify_locations(cafile=where)
