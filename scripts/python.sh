#!/usr/bin/env bash
# Prints the newest Python that wheelkeep can run on; one that can make a complete venv by itself comes first.
set -euo pipefail

for needed in "venv, ensurepip" "venv"; do
    for name in python3.14 python3.13 python3.12 python3.11 python3; do
        if "$name" -c "import sys, $needed; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; then
            "$name" -c "import sys; print(sys.executable)"
            exit 0
        fi
    done
done
echo "wheelkeep needs Python 3.11 or newer, and none was found as python3.14 ... python3.11 or python3." >&2
exit 1
