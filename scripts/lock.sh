#!/usr/bin/env bash
# Writes requirements/*.txt anew: exact versions with hashes, for every Python and system that wheelkeep runs on.
set -euo pipefail
cd "$(dirname "$0")/.."

lock() {
    local to=$1
    shift
    .venv/bin/uv --no-config pip compile "$@" --quiet --upgrade --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header -o "requirements/$to"
}

lock run.txt pyproject.toml
lock dev.txt pyproject.toml --group dev --constraint requirements/run.txt
# Beside dev.txt, and only where `make fuzz` runs.
lock fuzz.txt --group pyproject.toml:fuzz

# The tools that tests/journeys/test_publish.py publishes with. pdm does not run with the newest hishel and unearth.
printf '%s\n' twine flit hatch poetry pdm 'hishel<2' 'unearth<0.19' | lock publishers.txt -

# The S3 server that tests use (tests/fakes/buckets.py): OpenStack Swift, in one process.
printf '%s\n' swift keystonemiddleware | lock buckets.txt -

# What makes the project itself installable; "editables" is for an editable install.
.venv/bin/python - <<'PYTHON' | lock build.txt - --constraint requirements/dev.txt
import tomllib

with open("pyproject.toml", "rb") as file:
    print(*tomllib.load(file)["build-system"]["requires"], "editables", sep="\n")
PYTHON
