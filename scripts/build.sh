#!/usr/bin/env bash
# Builds what a release is made of into a folder: build.sh [FOLDER], else dist. The same commit gives the same bytes,
# whoever builds it, where and when.
set -euo pipefail
to=$(realpath -m "${1:-$(dirname "$0")/../dist}")
cd "$(dirname "$0")/.."

# The time of the last commit stands in all that is packed; without a repository it is the build tool's own constant.
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 1580601600)
fi
export SOURCE_DATE_EPOCH

mkdir -p "$to"
rm -f -- "$to"/*.whl "$to"/*.tar.gz "$to"/*.cdx.json "$to"/SHA256SUMS
.venv/bin/python -m hatchling build --directory "$to" >&2
.venv/bin/python scripts/sbom.py "$to"
(cd "$to" && sha256sum -- *.whl *.tar.gz *.cdx.json >SHA256SUMS && cat SHA256SUMS)
