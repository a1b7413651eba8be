#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# autogen.sh: from a clone to ./configure, and the two commands of the README.
#   ./autogen.sh           make ./configure (autoreconf), nothing else
#   ./autogen.sh --deps    install the Debian packages that building, running and testing need, nothing else
#   ./autogen.sh --run     install what is missing, build, start the gateway and a simulated carrier: call in a browser
#   ./autogen.sh --check   install what is missing, build, run every test; ends with "N passed, N failed"
# Each may be repeated, and works as root, with sudo, or as a user when all packages are there.
set -eu
cd "$(dirname "$0")"

usage() {
    echo "usage: ./autogen.sh [--deps | --run [--port N] | --check]"
}

die() {
    echo "autogen.sh: $*" >&2
    exit 1
}

bootstrap() {
    command -v autoreconf >/dev/null 2>&1 ||
        die "autoreconf is missing: run './autogen.sh --deps' or install autoconf, automake and libtool."
    mkdir -p m4
    autoreconf -fi || die "autoreconf failed: see the lines above."
}

# Under sudo only the packages are root's business: everything else is done as the owner of this folder, who asked.
as_owner() {
    if [ "$(id -u)" = 0 ] && [ "${SUDO_UID:-0}" != 0 ] && [ "$(stat -c %u .)" = "$SUDO_UID" ]; then
        exec setpriv --reuid "$SUDO_UID" --regid "$SUDO_GID" --init-groups \
            env HOME="$(getent passwd "$SUDO_UID" | cut -d: -f6)" "$@"
    fi
    exec "$@"
}

case ${1:-} in
'')
    bootstrap
    ;;
--deps)
    exec sh build-aux/deps.sh build run check
    ;;
--run)
    shift
    sh build-aux/deps.sh build run
    as_owner bash build-aux/run.sh "$@"
    ;;
--check)
    sh build-aux/deps.sh build run check
    as_owner bash build-aux/check.sh
    ;;
--bootstrap-if-older) # for the two scripts: make ./configure only when its sources changed
    if [ ! -x configure ] || [ -n "$(find configure.ac Makefile.am gateway html plugins tests -name node_modules -prune -o \
        \( -name '*.mk' -o -name 'configure.ac' -o -name 'Makefile.am' \) -newer configure -print | head -n 1)" ]; then
        bootstrap
    fi
    ;;
-h | --help)
    usage
    ;;
*)
    usage >&2
    exit 2
    ;;
esac
