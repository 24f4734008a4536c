"""The files that ``wheelkeep init`` writes: valid as they are, the other choices in place as comments."""

_CONFIG = """\
# wheelkeep: a Python package index of your own. `wheelkeep check` finds mistakes, `wheelkeep serve` runs.
# Relative paths begin at this file's folder.

data   = "wheelkeep-data"       # everything is kept here: the database and the files
listen = "127.0.0.1:8080"       # "0.0.0.0:8080" for every machine that can reach this one
# public_url = "https://packages.acme.example"    # if a proxy in front of it changes the address
# workers    = 2                # processes


# Your own packages: uploads land here.
[sources.local]
kind = "hosted"
# names = ["acme-*"]            # names that are yours alone: no other source is ever asked for them

# The public index, kept as it is used.
[sources.pypi]
kind = "remote"
url  = "pypi"                   # the word stands for the public index; or write a URL that ends in /simple/
# fresh   = "10m"               # how long a page is served without asking again
# exclude = ["acme*"]           # what this source may not offer

# A folder of wheels and sdists.
# [sources.wheels]
# kind = "directory"
# path = "/srv/wheelhouse"      # or "s3://bucket/prefix", with [s3] for endpoint, region, access_key, secret_key

# Another index, with a password that stays out of this file.
# [sources.vendor]
# kind     = "remote"
# url      = "https://pypi.vendor.example/simple/"
# username = "build"
# password = "env:VENDOR_TOKEN" # or "file:/run/secrets/vendor"


# Who is told when a kept file turns out to be harmful, or a source changes one.
# [alerts]
# webhook = "https://alerts.acme.example/wheelkeep"
# secret  = "env:ALERT_SECRET"  # signs each post


# What pip and uv point at: http://127.0.0.1:8080/main/simple/
[indexes.main]
sources = ["local", "pypi"]     # the best first: a name belongs to the first source that has it
policy  = "policy.toml"         # what may be installed
publish = "local"               # where an upload to this index goes
# read     = "token"            # closed to those without a token; else whoever reaches it reads it
# withheld = "omit"             # leave blocked files out of pages; "yank" shows them with the reason
"""

_POLICY = """\
# What may be installed. Every gate must pass, and gates only ever take away.
# Without any table, everything is admitted whose bytes are those that were first seen.
# This file is read again when it changes.

# Only these: a bare name allows all its versions; a lock allows the very files that it names.
# [allow]
# packages = ["django>=5,<6", "requests", "numpy==2.*", "acme-*"]
# locks    = ["requirements.txt", "uv.lock"]

# Never these, by name, version or hash.
# [deny]
# packages = ["ctx", "litellm>=1.82.7,<1.82.9"]
# reason   = "INC-42"

[hashes]
first_seen = true               # bytes once listed never change
# required = true               # block files whose page tells no hash

# Attestations (PEP 740): what was once published with one is not taken without, or by another publisher.
# [provenance]
# ratchet  = true
# required = ["cryptography"]

# An exception: it lifts the gates that it names, until the end of its last day (UTC).
# [[waiver]]
# package = "litellm==1.82.8"
# gates   = ["deny"]
# reason  = "needed to reproduce INC-42"
# by      = "security@acme.example"
# until   = 2026-12-31
"""


def starter_config() -> str:
    """A commented ``wheelkeep.toml``: the built-in default in words, with a policy beside it."""
    return _CONFIG


def starter_policy() -> str:
    """A commented ``policy.toml`` that admits everything whose bytes are those first seen."""
    return _POLICY
