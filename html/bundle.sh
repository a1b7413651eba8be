#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bundle.sh SOURCE_DIR OUTPUT_DIR: fetches JsSIP and esbuild as package-lock.json names them, once, and bundles.
# Writes below OUTPUT_DIR only; the sources may be read-only.
set -eu

source=$(cd "$1" && pwd)
mkdir -p "$2/.build"
output=$(cd "$2" && pwd)
work=$output/.build

if ! cmp -s "$source/package-lock.json" "$work/fetched.json"; then
    rm -f "$work/fetched.json"
    cp "$source/package.json" "$source/package-lock.json" "$work/"
    chmod u+w "$work/package.json" "$work/package-lock.json"
    if ! (cd "$work" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >npm.log 2>&1); then
        cat "$work/npm.log" >&2
        echo "html: npm could not fetch JsSIP and esbuild; is there a network? (configure --disable-page builds without the page)" >&2
        exit 1
    fi
    cp "$work/package-lock.json" "$work/fetched.json"
fi
exec node "$source/build.mjs" "$output" "$work/node_modules"
