#!/usr/bin/env bash
# Makes .venv where there is none and installs the locked requirements and the project: setup.sh run|dev
set -euo pipefail
cd "$(dirname "$0")/.."
what=$1

make_venv() {
    local python
    python=$(scripts/python.sh)
    echo "making .venv with $("$python" --version)" >&2
    if "$python" -c "import ensurepip" 2>/dev/null; then
        "$python" -m venv --clear .venv
    elif command -v uv >/dev/null; then
        uv venv --quiet --clear --seed --python "$python" .venv
    elif "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --clear --without-pip .venv
        "$python" -m pip --python .venv/bin/python install --quiet pip
    else
        echo "This Python cannot make a virtual environment: it lacks ensurepip, and neither uv nor pip is there." >&2
        echo "Install uv, or Debian's package python3-venv." >&2
        exit 1
    fi
}

if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    make_venv
fi

pip() {
    .venv/bin/python -m pip --disable-pip-version-check "$@"
}

echo "installing the locked requirements" >&2
# Wheels alone: a source archive would run its own build, with requirements that no lock names.
pip install --quiet --require-hashes --only-binary :all: -r requirements/build.txt -r "requirements/$what.txt"
pip install --quiet --no-deps --no-build-isolation --editable .

# The requirements for development hold all that a run needs.
touch .venv/.run.stamp
if [ "$what" = dev ]; then
    touch .venv/.dev.stamp
fi
