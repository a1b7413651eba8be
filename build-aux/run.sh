#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh [--port N]: builds in build/, starts the gateway and the simulated carrier as two processes, and prints where to
# click. What both write, the configuration and the state lie in build/run/PORT/. Ctrl-C ends both.
# SIPWAY_BUILD=FOLDER takes what is built there and builds nothing (the tests of this script).
set -eu
cd "$(dirname "$0")/.."
top=$PWD
built=${SIPWAY_BUILD:-$top/build}
page_port=8080
gateway_pid=
carrier_pid=

die() {
    echo "autogen.sh: $*" >&2
    exit 1
}

stop_both() {
    trap - EXIT
    trap '' INT TERM HUP
    for pid in $gateway_pid $carrier_pid; do
        kill -TERM "$pid" 2>/dev/null || true
    done
    for pid in $gateway_pid $carrier_pid; do
        wait "$pid" 2>/dev/null || true
    done
}

# is_taken tcp|udp PORT: does somebody of this machine listen there, on whatever address?
is_taken() {
    awk -v port="$(printf '%04X' "$2")" -v want="$1" '
        FNR > 1 { split($2, part, ":"); if (part[length(part)] == port && (want == "udp" || $4 == "0A")) found = 1 }
        END { exit !found }' "/proc/net/$1" $(ls "/proc/net/${1}6" 2>/dev/null)
}

# free_port tcp|udp FIRST [COUNT]: the first of COUNT neighbouring ports from FIRST on that nobody has
free_port() {
    local port=$2 i
    while [ "$port" -lt $(($2 + 400)) ]; do
        for ((i = 0; i < ${3:-1}; i++)); do
            if is_taken "$1" $((port + i)); then
                port=$((port + i + 1))
                continue 2
            fi
        done
        echo "$port"
        return 0
    done
    die "no free $1 port between $2 and $port."
}

read_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
        --port)
            page_port=${2:-}
            case $page_port in '' | *[!0-9]*) die "--port wants a number, such as --port 8180." ;; esac
            [ "$page_port" -ge 1 ] && [ "$page_port" -le 65000 ] || die "--port wants a number from 1 to 65000."
            shift 2
            ;;
        *) die "unknown argument '$1': usage: ./autogen.sh --run [--port N]" ;;
        esac
    done
    page_tls_port=$((page_port + 363)) # 8443 beside 8080
    for port in "$page_port" "$page_tls_port"; do
        ! is_taken tcp "$port" || die "port $port is taken: end what listens there, or choose another with --run --port N."
    done
}

build() {
    [ -z "${SIPWAY_BUILD:-}" ] || return 0
    mkdir -p build 2>/dev/null && [ -w build ] || die "build/ cannot be written: it belongs to another user, remove it or use sudo."
    [ ! -e config.status ] || die "this folder itself is configured: run 'make distclean' first, --run builds in build/."
    echo "building; this takes a minute or two the first time (log: build/build.log)"
    (
        ./autogen.sh --bootstrap-if-older &&
            cd build && { [ -f Makefile ] || ../configure -q; } &&
            make -j"$(nproc)" all && make html-serve # not in one: two makes would bundle at once
    ) >build/build.log 2>&1 || {
        grep -E 'error|Error|html:|\*\*\*' build/build.log | head -n 8 >&2
        die "the build failed: see build/build.log."
    }
}

# The browser lets a page use the microphone from localhost or by https only; so other machines get https.
make_certificate() {
    [ ! -s "$run/page.pem" ] || return 0
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj "/CN=sipway quick start" \
        -addext "subjectAltName=DNS:localhost,IP:127.0.0.1${lan:+,IP:$lan}" \
        -keyout "$run/page.key" -out "$run/page.pem" 2>"$run/openssl.log" || die "openssl could not make a certificate: see $run/openssl.log."
}

# The address by which the default route leaves, if there is one: other machines may know us by it
lan_address() {
    node -e 'const s = require("dgram").createSocket("udp4"); s.on("error", () => process.exit());
        s.connect(9, "192.0.2.1", () => { const { address } = s.address(); if (!/^127\./.test(address)) console.log(address); s.close(); });' \
        2>/dev/null || true
}

random_word() {
    od -An -N8 -tx1 /dev/urandom | tr -d ' \n'
}

write_configuration() {
    friend_password=$(random_word)
    (umask 077 && cat >"$run/sipway.yaml") <<YAML
# Made by ./autogen.sh --run at each start; the reference of all keys is gateway/sipway.yaml.example and sipway(8).
domain: localhost
workers: 2
state: $run/state
web:
  listen: ["http://0.0.0.0:$page_port", "https://0.0.0.0:$page_tls_port"]
  certificate: $run/page.pem
  key: $run/page.key
  html: $built/html/serve
admin:
  listen: "http://127.0.0.1:$admin_port"
sip:
  listen: ["udp://127.0.0.1:$sip_port"]
  drain: 2s
media:
  webrtc: "0.0.0.0:$webrtc_port"
  rtp: {address: 127.0.0.1, ports: 20000-20999}
accounts:
  - {name: you, password: "$(random_word)", display: You, numbers: ["+12025550100"]}
  - {name: friend, password: "$friend_password", display: Friend, numbers: ["+12025550101"]}
trunks:
  - name: carrier
    uri: "sip:127.0.0.1:$carrier_port;transport=udp"
    accept: ["127.0.0.1"]
    options_every: 30s
routes:
  - {from: "trunk:carrier", to: "^\\\\+?12025550100$", account: you}
  - {from: "trunk:carrier", to: "^\\\\+?12025550101$", account: friend}
  - {from: accounts, to: "^(you|friend)$", account: "\\\\1"}
  - {from: accounts, to: "^([0-9]{3})$", trunks: [carrier]}
demo:
  account: you
  numbers: ["600=Echo", "601=Music", "602=Reads your digits back", "603=Busy", "604=Never answers", "605=Calls you back in 5 s", "606=Early media, then music", "607=Declines", "608=Hangs up after 5 s"]
YAML
}

is_ready() {
    local status
    exec 3<>"/dev/tcp/127.0.0.1/$admin_port" || return 1
    printf 'GET /ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' >&3
    read -r status <&3
    exec 3>&-
    case $status in *' 200'*) return 0 ;; esac
    return 1
}

# start NAME LOG PROGRAM...: the process dies with us, however we end
start() {
    setpriv --pdeathsig TERM "${@:2}" >"$run/$1.log" 2>&1 </dev/null &
}

explain_end() {
    tail -n 5 "$run/$1.log" >&2
    die "the $1 has ended: see the lines above and $run/$1.log."
}

is_alive() {
    kill -0 "$1" 2>/dev/null
}

start_both() {
    start carrier "$built/sipway-carrier" --listen "udp://127.0.0.1:$carrier_port" --gateway "127.0.0.1:$sip_port"
    carrier_pid=$!
    start gateway "$built/sipway" -c "$run/sipway.yaml"
    gateway_pid=$!
    for ((i = 0; i < 200; i++)); do
        is_alive "$gateway_pid" || explain_end gateway
        is_alive "$carrier_pid" || explain_end carrier
        if is_ready 2>/dev/null; then
            return
        fi
        sleep 0.1
    done
    die "the gateway does not get ready within 20 s: see $run/gateway.log."
}

tell() {
    cat <<TEXT

Sipway is running. Open this page in a browser and click 'Call':

    http://localhost:$page_port/

TEXT
    [ -z "$lan" ] || cat <<TEXT
From another machine: https://$lan:$page_tls_port/ (the certificate is self-signed: the browser asks once; without https a
browser gives no microphone to a page that is not on localhost).
TEXT
    cat <<TEXT
A second phone, in a private window: sign in as friend with the password $friend_password, and call 'you'.
Calls and figures: http://127.0.0.1:$admin_port/calls and /metrics.  Logs: ${run#"$top/"}/*.log
Ctrl-C ends it.
TEXT
}

read_arguments "$@"
build
run=$built/run/$page_port
mkdir -p "$run/state"
admin_port=$(free_port tcp 8088)
sip_port=$(free_port udp 5060)
carrier_port=$(free_port udp 5070)
webrtc_port=$(free_port udp 10000 2)
lan=$(lan_address)
make_certificate
write_configuration
trap stop_both EXIT
trap 'echo; echo "stopping"; exit 0' INT TERM HUP
start_both
tell
wait -n "$gateway_pid" "$carrier_pid" || true
is_alive "$gateway_pid" || explain_end gateway
explain_end carrier
