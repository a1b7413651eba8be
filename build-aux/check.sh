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
declare -A pids=()
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

# launch NAME COMMAND...: starts it beside what runs already
launch() {
    local name=$1
    shift
    wants "$name" || return 0
    {
        SECONDS=0
        timeout --foreground --kill-after=20 2400 "$@" >"$logs/$name.log" 2>&1 </dev/null
        echo "$? $SECONDS" >"$logs/$name.status"
    } &
    pids[$name]=$!
}

# settle KIND NAME: waits for it, counts it, tells it. @return 0 when nothing failed
settle() {
    local kind=$1 name=$2 log=$logs/$2.log status=1 took=0 p f s
    wants "$name" || return 0
    [ -n "${pids[$name]:-}" ] || return 1 # was not started, since what it needs failed; that has been counted
    wait "${pids[$name]}"
    read -r status took <"$logs/$name.status"
    read -r p f s < <("count_$kind" "$log")
    if [ "$status" != 0 ] && [ "$f" = 0 ]; then
        f=1 # it ended badly without saying which test failed
    elif [ "$kind" != build ] && [ $((p + f)) = 0 ]; then
        f=1 # a group that ran nothing has not passed
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    if [ "$kind" = build ] && [ "$f" = 0 ]; then
        echo "$name: built ($took s)"
    else
        echo "$name: $p passed, $f failed, $s skipped ($took s)"
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
    tree plain CC="$gcc" CFLAGS="-O2 -g" --enable-werror && make -j"$jobs" all && make html-serve && make -j"$jobs" check TESTS=
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
        make -j"$jobs" all # the targets are among them; to name them, too, would be two makes at once
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
e2e() { # e2e TREE WORKERS PATIENCE ARGUMENT...
    cd "$top/tests/e2e" || return 1
    SIPWAY_BIN=$work/$1/sipway SIPWAY_CARRIER=$work/$1/sipway-carrier SIPWAY_HTML=$work/plain/html/serve \
        SIPWAY_WORKERS=$2 E2E_PATIENCE=$3 node run.mjs "${@:4}"
}
e2e_tsan() { # calls that cross workers
    TSAN_OPTIONS="suppressions=$top/tests/tsan.supp" setarch -R bash -c 'e2e "$@"' e2e tsan 3 4 \
        --only account-calls,browser-trunk,transports,operations
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
    fetch_e2e e2e e2e_tsan install_all
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*' # a clone of another user is read, too
gcc=gcc clang=clang
if command -v ccache >/dev/null 2>&1; then
    gcc="ccache gcc" clang="ccache clang"
fi
export top work jobs gcc clang fuzz_seconds

# start NAME FUNCTION ARGUMENT...: the functions above run in a shell of their own, under timeout
start() {
    launch "$1" bash -c '"$@"' "$1" "${@:2}"
}
# idle NAME FUNCTION...: the same with what the processors have left beside the tests that listen to sound
idle() {
    launch "$1" nice -n 15 bash -c '"$@"' "$1" "${@:2}"
}
run() { # run KIND NAME FUNCTION ARGUMENT...
    start "${@:2}"
    settle "$1" "$2"
}

# The sanitizers' trees are built, and their unit tests run, one after the other while the calls of the first tree are made.
sanitize() {
    local name
    for name in asan fuzz tsan; do
        idle "build-$name" "build_$name"
        settle build "build-$name" || continue
        case $name in
        asan) idle unit-asan make_check asan && settle automake unit-asan ;;
        fuzz) idle fuzz fuzz_all && settle tap fuzz ;;
        tsan) idle unit-tsan make_check_tsan && settle automake unit-tsan ;;
        esac
    done
    echo "$passed $failed $skipped" >"$logs/sanitize.counts"
}

trap 'trap - TERM; echo "stopping"; kill -TERM 0' INT TERM # all that was started is of this process group
launch bootstrap ./autogen.sh --bootstrap-if-older
settle build bootstrap || close
run tap format check_format
run build build-plain build_plain || close
run tap house-rules house_rules
run automake unit make_check plain
run tap install install_all
run build build-e2e fetch_e2e

(
    passed=0 failed=0 skipped=0
    sanitize
) >"$logs/sanitize.out" &
sanitize_pid=$!
run closing e2e-1-worker e2e plain 1 2
start e2e-3-workers e2e plain 3 2 --except probe # it has one worker, whatever the configuration says
wait "$sanitize_pid"
cat "$logs/sanitize.out"
read -r p f s <"$logs/sanitize.counts"
passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
[ ! -x "$work/asan/sipway" ] || start e2e-asan e2e asan 3 3 --except page-,quick-start,harness # beside the 3 workers: both mostly wait
settle closing e2e-3-workers
settle closing e2e-asan
if [ -x "$work/tsan/sipway" ]; then
    run closing e2e-tsan e2e_tsan
fi
close
