#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# check.sh: builds in build/check/ and runs every test of the tree: a line for each group, the end of the log of what failed,
# and at last "N passed, N failed". CHECK_ONLY="unit e2e-1" runs only these groups (for developers).
set -u
cd "$(dirname "$0")/.." || exit 1
top=$PWD
work=$top/build/check
logs=$work/logs
jobs=$(nproc)
passed=0
failed=0
skipped=0
start_s=$SECONDS
fuzz_seconds=${FUZZ_SECONDS:-4}

die() {
    echo "autogen.sh: $*" >&2
    exit 1
}

wants() {
    case " ${CHECK_ONLY:-$1} " in *" $1 "*) return 0 ;; esac
    return 1
}

sum() {
    awk -v key="$2" '$1 == "#" && $2 == key { n += $3 } END { print n + 0 }' "$1"
}

# The four shapes of results: each prints "PASSED FAILED SKIPPED".
count_automake() {
    echo "$(sum "$1" PASS:) $(($(sum "$1" FAIL:) + $(sum "$1" XPASS:) + $(sum "$1" ERROR:))) $(sum "$1" SKIP:)"
}
count_tap() {
    awk '/^ok .*# *[Ss][Kk][Ii][Pp]/ { s++; next } /^ok / { p++ } /^not ok / { f++ } END { print p + 0, f + 0, s + 0 }' "$1"
}
count_closing() {
    awk '/^[0-9]+ passed, [0-9]+ failed/ { p = $1; f = $3; s = /skipped/ ? $5 : 0 } END { print p + 0, f + 0, s + 0 }' "$1"
}
count_build() { # a build is no test: it only counts when it fails
    echo "0 0 0"
}

# group KIND NAME COMMAND...: runs it, counts it, tells it. @return 0 when nothing failed
group() {
    local kind=$1 name=$2 log=$logs/$2.log began=$SECONDS status p f s
    shift 2
    wants "$name" || return 0
    timeout --kill-after=20 1500 "$@" >"$log" 2>&1 </dev/null
    status=$?
    read -r p f s < <("count_$kind" "$log")
    if [ "$status" != 0 ] && [ "$f" = 0 ]; then
        f=1 # it ended badly without saying which test failed
    elif [ "$kind" != build ] && [ $((p + f)) = 0 ]; then
        f=1 # a group that ran nothing has not passed
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    if [ "$kind" = build ] && [ "$f" = 0 ]; then
        echo "$name: built ($((SECONDS - began)) s)"
    else
        echo "$name: $p passed, $f failed, $s skipped ($((SECONDS - began)) s)"
    fi
    [ "$s" = 0 ] || grep -E '^SKIP|# *SKIP [^:]|﹣' "$log" | head -n 20 | sed 's/^/    skipped: /'
    [ "$f" = 0 ] || show_failure "$log" "$status"
    [ "$f" = 0 ]
}

show_failure() {
    echo "---- ${1#"$top"/} (exit status $2) ----"
    grep -nE '^(FAIL|ERROR)|^not ok|^failed:|error:|Sanitizer|\[  FAILED' "$1" | head -n 40
    echo "---- its end ----"
    tail -n 40 "$1"
    echo "----"
}

# tree NAME CONFIGURE_ARGUMENT...: a build tree of its own
tree() {
    mkdir -p "$work/$1" && cd "$work/$1" || return 1
    if [ ! -f Makefile ] || [ "$top/configure" -nt config.status ]; then
        "$top/configure" -q "${@:2}" || return 1
    fi
}

build_plain() {
    tree plain CC="$gcc" CFLAGS="-O2 -g" --enable-werror && make -j"$jobs" all html-serve && make -j"$jobs" check TESTS=
}
build_asan() { # warnings are errors in the trees plain (gcc) and fuzz (clang): sanitizers make gcc see what is not there
    tree asan CC="$gcc" CFLAGS="-O1 -g" --disable-page --enable-sanitizers=address,undefined &&
        make -j"$jobs" all && make -j"$jobs" check TESTS= && mkdir -p html && rm -rf html/serve && cp -R ../plain/html/serve html/
}
build_tsan() {
    tree tsan CC="$gcc" CFLAGS="-O1 -g" --disable-page --enable-sanitizers=thread &&
        make -j"$jobs" all && make -j"$jobs" check TESTS=
}
build_fuzz() { # also the proof that clang has no warnings about the whole tree
    tree fuzz CC="$clang" CFLAGS="-O1 -g" --enable-werror --disable-page --enable-fuzzing &&
        make -j"$jobs" all fuzz-programs
}

make_check() {
    cd "$work/$1" && make check
}
make_check_tsan() { # a kernel with much address randomisation and TSan's fixed map do not agree
    cd "$work/tsan" && setarch -R make check
}
fuzz_all() {
    cd "$work/fuzz" && sh "$top/build-aux/fuzz.sh" "$top" "$fuzz_seconds"
}
check_format() {
    local file count=0 bad=0
    while read -r file; do
        count=$((count + 1))
        clang-format --dry-run -Werror "$file" 2>/dev/null && continue
        bad=$((bad + 1))
        echo "# $file"
    done < <(git ls-files '*.c' '*.h')
    [ "$bad" = 0 ] && [ "$count" -gt 0 ] && echo "ok 1 - $count files are as clang-format wants them" && return 0
    echo "not ok 1 - $bad of $count files are not as clang-format wants them: make format"
    return 1
}
house_rules() {
    sh build-aux/house-rules.sh "$work/plain"
}

fetch_e2e() {
    cd "$top/tests/e2e" || return 1
    cmp -s package-lock.json node_modules/.fetched.json && return 0
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && cp package-lock.json node_modules/.fetched.json
}
e2e() { # e2e TREE WORKERS PATIENCE
    cd "$top/tests/e2e" || return 1
    SIPWAY_BIN=$work/$1/sipway SIPWAY_CARRIER=$work/$1/sipway-carrier SIPWAY_HTML=$work/plain/html/serve \
        SIPWAY_WORKERS=$2 E2E_PATIENCE=$3 node run.mjs
}

# make install, from a build outside of the sources, into a folder that is not yet the root
install_all() {
    local root=$work/root prefix=/opt/sipway number=0 bad=0 file
    cd "$work/plain" && rm -rf "$root" && make install DESTDIR="$root" prefix=$prefix sysconfdir=/etc >&2 || return 1
    while read -r file; do
        number=$((number + 1))
        if [ -s "$root$file" ]; then
            echo "ok $number - $file is installed"
        else
            echo "not ok $number - $file is installed"
            bad=1
        fi
    done <<FILES
$prefix/sbin/sipway
$prefix/lib/sipway/echo.so
$prefix/share/sipway/html/index.html
$prefix/share/sipway/html/phone.bundle.js
$prefix/share/man/man8/sipway.8
$prefix/include/sipway/plugin.h
$prefix/lib/systemd/system/sipway.service
/etc/sipway/sipway.yaml.example
FILES
    if "$root$prefix/sbin/sipway" --check -c "$root/etc/sipway/sipway.yaml.example"; then
        echo "ok $((number + 1)) - the example configuration is accepted"
    else
        echo "not ok $((number + 1)) - the example configuration is accepted"
        bad=1
    fi
    return $bad
}

close() {
    echo "all groups: $(((SECONDS - start_s) / 60)) min $(((SECONDS - start_s) % 60)) s; logs in build/check/logs"
    if [ "$skipped" = 0 ]; then
        echo "$passed passed, $failed failed"
    else
        echo "$passed passed, $failed failed, $skipped skipped"
    fi
    [ "$failed" = 0 ] && [ "$passed" != 0 ]
    exit
}

mkdir -p "$logs" 2>/dev/null && [ -w "$logs" ] || die "build/check/ cannot be written: it belongs to another user, remove it or use sudo."
[ ! -e config.status ] || die "this folder itself is configured: run 'make distclean' first, --check builds in build/check/."
export -f tree build_plain build_asan build_tsan build_fuzz make_check make_check_tsan fuzz_all check_format house_rules \
    fetch_e2e e2e install_all
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*' # a clone of another user is read, too
gcc=gcc clang=clang
if command -v ccache >/dev/null 2>&1; then
    gcc="ccache gcc" clang="ccache clang"
fi
export top work jobs gcc clang fuzz_seconds

run() { # run KIND NAME FUNCTION ARGUMENT...: the functions above run in a shell of their own, under timeout
    group "$1" "$2" bash -c '"$@"' "$2" "${@:3}"
}

group build bootstrap ./autogen.sh --bootstrap-if-older || close
run tap format check_format
run build build-plain build_plain || close
run tap house-rules house_rules
run automake unit make_check plain
run tap install install_all
run build build-e2e fetch_e2e
run closing e2e-1-worker e2e plain 1 1
run closing e2e-3-workers e2e plain 3 1
if run build build-asan build_asan; then
    run automake unit-asan make_check asan
    run closing e2e-asan e2e asan 3 3
fi
if run build build-fuzz build_fuzz; then
    run tap fuzz fuzz_all
fi
if run build build-tsan build_tsan; then
    run automake unit-tsan make_check_tsan
fi
close
