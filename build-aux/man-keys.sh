#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# man-keys.sh <KEYS: reads what `sipway --keys` says and writes gateway/sipway.8 with it between the two marks.
keys=$(sed -e 's/\\/\\e/g' -e 's/-/\\-/g' \
    -e 's/^\([^:]*\): \(.*\) (\(.*\))$/.TP\n.B \1\n\2\n.br\n\3/' \
    -e 's/^\([^:]*\): \([^\n]*\)$/.TP\n.B \1\n\2/')
awk -v keys="$(printf '%s' "$keys" | sed 's/\\/\\\\/g')" '
    /^\.\\" keys end/ { is_inside = 0 }
    !is_inside { print }
    /^\.\\" keys begin/ { is_inside = 1; print keys }' "$(dirname "$0")/../gateway/sipway.8"
