#!/usr/bin/env bash
# Check types with mypy. The package `tellegen` is put together from several folders, which mypy cannot
# follow: a folder of links shows it the package as it is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
view=$root/.tellegen/types
rm -rf "$view" && mkdir -p "$view/tellegen"
ln -s "$root"/compiler/* "$root/sims" "$root/cells" "$root/grammar" "$view/tellegen/"
cd "$view"
MYPYPATH=$view "$root/.venv/bin/python" -m mypy --config-file "$root/pyproject.toml" \
    --cache-dir "$root/.mypy_cache" -p tellegen "$@"
