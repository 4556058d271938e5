#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes requirements.lock and requirements-dev.lock anew: every version pinned,
# every file of every platform by its hash, and no word of where they come from.
# "tools/lock.sh --upgrade" moves to newer versions within pyproject.toml's bounds.
set -eu
cd "$(dirname "$0")/.."

uv=$(command -v .venv/bin/uv || command -v uv) || {
    echo "uv is missing: run 'make test' once, it is among the packages of the tests." >&2
    exit 1
}

lock() {
    output=$1
    shift
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
        --output-file "$output" "$@" pyproject.toml
    echo "$output: $(grep -c '==' "$output") packages"
}

lock requirements.lock --group build "$@"
lock requirements-dev.lock --group build --group dev --constraint requirements.lock "$@"

if grep -nE 'https?://|--index|find-links' requirements*.lock; then
    echo "A lock names a host." >&2
    exit 1
fi
