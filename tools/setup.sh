#!/usr/bin/env bash
# Sets up this checkout: Python packages in .venv, ngspice in .tellegen. Needs no root. What is already
# there is left alone, so that every `make` target can call this first.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    echo "setup: $*" >&2
    exit 1
}

# The first Python that is new enough.
find_python() {
    local name
    for name in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    fail "Python 3.11 or later is needed; set PYTHON=/path/to/python3 if it is in an unusual place"
}

# A .venv with pip. Debian's python3 lacks ensurepip unless python3-venv is installed: pip then comes
# from another installed pip, or from Debian's package of pip's wheel, unpacked into .tellegen/pip.
make_venv() {
    local python
    python=$(find_python)
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        "$python" -m venv --clear .venv
        return
    fi
    "$python" -m venv --clear --without-pip .venv ||
        fail "this Python has no venv; install it: sudo apt-get install python3-venv"
    if "$python" -m pip --python .venv/bin/python install --quiet pip 2>/dev/null; then
        return
    fi
    echo "      no ensurepip here: taking pip from the package python3-pip-whl, without root"
    rm -rf .tellegen/pip
    "$python" tools/private_apt.py .tellegen/pip python3-pip-whl ||
        fail "Python cannot make a virtual environment; install: sudo apt-get install python3-venv"
    local wheels=.tellegen/pip/usr/share/python-wheels
    .venv/bin/python "$(echo $wheels/pip-*.whl)/pip" install --quiet --no-index --find-links $wheels pip
    rm -rf .tellegen/pip
}

# What the installation depends on: the place of the checkout and its pyproject.toml.
state() {
    pwd
    cat pyproject.toml
}

installed() {
    [ -x .venv/bin/tellegen ] && state | cmp -s - .venv/installed
}

export PIP_DISABLE_PIP_VERSION_CHECK=1
mkdir -p .tellegen

if installed; then
    echo "[1/3] Python environment: .venv is there"
    echo "[2/3] packages: up to date"
else
    echo "[1/3] Python environment: .venv"
    if [ "$(head -n 1 .venv/installed 2>/dev/null)" != "$PWD" ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        make_venv
    fi
    echo "[2/3] packages into .venv (some 550 MB; a minute or two)"
    # The warning that it silences is the one of docs/install.md about a folder called tellegen.
    PYTHONWARNINGS=ignore .venv/bin/python -m pip install --log .tellegen/pip.log --editable '.[test]' |
        sed -un -e 's/^Collecting \([A-Za-z0-9_.-]*\).*/      \1/p' -e 's/^\(Installing\) .*/      \1 .../p'
    state >.venv/installed
fi

echo "[3/3] ngspice"
.venv/bin/python tools/get_ngspice.py
