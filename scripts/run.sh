#!/usr/bin/env bash
# Starts the index with the built-in default, or with ./wheelkeep.toml where there is one.
set -euo pipefail
cd "$(dirname "$0")/.."

cat >&2 <<'TEXT'
When the server says that it is ready, use it from another terminal:

    pip install --index-url http://127.0.0.1:8080/simple/ requests
    uv pip install --default-index http://127.0.0.1:8080/simple/ requests

What it fetches is kept in wheelkeep-data. Ctrl-C stops it.

TEXT
exec .venv/bin/wheelkeep serve "$@"
