#!/usr/bin/env bash
# Builds again from a copy in another folder, with other times and permissions, and holds it against dist.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
again=$scratch/another/place
mkdir -p "$again"

if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 1580601600)
fi
export SOURCE_DATE_EPOCH
tar --exclude=./.git --exclude=./.venv --exclude=./.clients --exclude=./dist --exclude=__pycache__ -cf - . |
    tar -xf - -C "$again" --touch
ln -s "$PWD/.venv" "$again/.venv"
chmod -R go-rwx "$again"
(umask 077 && TZ=Pacific/Kiritimati "$again/scripts/build.sh" "$scratch/dist" >/dev/null 2>&1)
for made in dist/*.whl dist/*.tar.gz dist/*.cdx.json; do
    cmp "$made" "$scratch/dist/$(basename "$made")"
done
echo "built twice, the same bytes"
