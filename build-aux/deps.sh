#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# deps.sh GROUP...: installs the packages of these groups (build-aux/packages) that are not there yet. When nothing is
# missing it needs neither root nor a network. Starts no service. One sentence when it cannot go on.
set -eu
cd "$(dirname "$0")/.."

die() {
    echo "autogen.sh: $*" >&2
    exit 1
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=
while read -r group package command; do
    case " $* " in *" $group "*) ;; *) continue ;; esac
    if [ -n "$command" ] && PATH="$PATH:/usr/sbin" command -v "$command" >/dev/null 2>&1; then
        continue
    fi
    if command -v dpkg-query >/dev/null 2>&1 && is_installed "$package"; then
        continue
    fi
    missing="$missing $package"
done <<LIST
$(grep -v '^#' build-aux/packages)
LIST
missing=${missing# }
[ -n "$missing" ] || exit 0

command -v apt-get >/dev/null 2>&1 || die "this machine has no apt-get: install the equivalent of these Debian packages: $missing"
root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || die "packages are missing and installing them needs root: $missing"
    root=sudo
    if ! sudo -n true 2>/dev/null && [ ! -t 0 ]; then
        die "packages are missing and sudo wants a password, but there is no terminal to ask on: $missing"
    fi
fi

log=$(mktemp)
policy=
trap 'rm -f "$log"; [ -z "$policy" ] || $root rm -f "$policy"' EXIT
trap 'exit 130' INT TERM

# Servers that the tests start by themselves (kamailio, rtpengine) must not become services of this machine.
if [ ! -e /usr/sbin/policy-rc.d ]; then
    policy=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' | $root tee "$policy" >/dev/null
    $root chmod 755 "$policy"
fi

echo "installing packages: $missing"
$root apt-get update -q >"$log" 2>&1 && ! grep -q '^W: Failed to fetch' "$log" || {
    tail -n 3 "$log" >&2
    die "the package lists cannot be fetched: no network, or no package server in /etc/apt."
}
for package in $missing; do
    apt-cache show "$package" >/dev/null 2>&1 || die "no package '$package' in the lists of this system: Debian 12 has it."
done
# shellcheck disable=SC2086 # a list of words
$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
    -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 $missing >"$log" 2>&1 </dev/null || {
    tail -n 15 "$log" >&2
    die "apt-get could not install the packages: see the lines above."
}
