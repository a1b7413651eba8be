#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# house-rules.sh [BUILD]: the rules of CONTRIBUTING.md that a machine can see, as TAP. With a build folder, also that the man
# page knows what the program knows. A rule prints what breaks it; nothing printed means it holds.
cd "$(dirname "$0")/.." || exit 1
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*' # a clone of another user is read, too
build=${1:-}
count=0
failed=0

rule() {
    text=$1
    shift
    count=$((count + 1))
    found=$("$@" 2>&1)
    if [ -z "$found" ]; then
        echo "ok $count - $text"
    else
        failed=$((failed + 1))
        echo "not ok $count - $text"
        echo "$found" | head -n 30 | sed 's/^/# /'
    fi
}

sources() {
    git ls-files '*.c' '*.h' '*.def' '*.mjs' '*.js' '*.mk' '*.sh' '*.ac' '*.am' autogen.sh .ci/run
}

files_are_known() {
    [ -n "$(git ls-files gateway)" ] || echo "no list of files: this is not a clone made by git"
}

licence_first() {
    for file in $(sources); do
        head -n 3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$file"
    done
}

headers_once() {
    git ls-files '*.h' | xargs grep -L '^#pragma once'
}

# floor FOLDER FLOORS: what this folder may include
floor() {
    grep -nE '^#include "[a-z]+/' gateway/"$1"/*.c gateway/"$1"/*.h | grep -vE "#include \"($2)/"
}
floors_look_down() {
    floor base base
    floor net 'base|net'
    floor store 'base|net|store'
    floor sip 'base|net|sip'
    floor sdp 'base|net|sdp'
    floor media 'base|net|media'
    floor call 'base|net|store|sip|sdp|media|call'
    floor probe 'base|net|sip|sdp|media|probe'
    floor plugin 'base|net|store|sip|sdp|media|call|plugin|sipway'
    floor api 'base|net|store|sip|sdp|media|call|plugin|api'
    grep -nE '^#include "(base|net|store|sip|sdp|media|call|api)/' include/sipway/*.h plugins/*/*.[ch]
}

# room PATTERN FILES: only these files may say it
room() {
    grep -rnE --include='*.[ch]' "(^|[^a-zA-Z0-9_])($1)" gateway | grep -vE "^gateway/($2)" | grep -vE ':[0-9]+:( \*|/\*)'
}
libraries_have_rooms() {
    room 'lws_[a-z]+\(' 'net/(ws|http)'
    room 'nice_[a-z]+_[a-z_]+\(|stun_(agent|message|usage)_' 'media/(ice_nice|lite_stun)|sip/keep_stun'
    room 'yaml_[a-z]+\(' 'base/conf'
    room 'sqlite3_' 'store/'
    room 'ares_' 'net/dns'
    room 'usrsctp_' 'media/'
    room 'srtp_(create|protect|unprotect)' 'media/srtp'
    room 'uv_[a-z]+_(init|start|stop)' '(base|net)/'
}

rooms_are_small() {
    git ls-files 'gateway/*.[ch]' 'plugins/*.[ch]' | xargs wc -l | awk '$2 != "total" && $1 > 600 { print $2 ": " $1 " lines" }'
    git ls-files '*.c' | xargs awk '
        FNR == 1 { start = 0 }
        /^{/ { start = FNR }
        /^}/ { if (start && FNR - start > 101) print FILENAME ":" start ": a function of " FNR - start - 1 " lines"; start = 0 }'
}

no_unbounded_copies() {
    grep -nE '(^|[^a-z_])(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca)\(' $(git ls-files 'gateway/*.[ch]' 'plugins/*.[ch]')
}

nothing_blocks() {
    grep -nE '(^|[^a-z_])(sleep|usleep|nanosleep|getaddrinfo|gethostbyname|system|popen)\(' $(git ls-files 'gateway/*.c')
}

no_machine_paths() {
    grep -nE '(^|[^A-Za-z0-9._}/-])/(work|home|root|Users)/' $(sources; git ls-files '*.md' '*.yaml' '*.example') | grep -v 'house-rules.sh:'
}

todos_have_issues() {
    grep -nE '(TODO|FIXME|XXX)([^#0-9]|$)' $(sources) | grep -vE 'house-rules.sh:|TODO\(?#[0-9]+|mkstemp|mkdtemp|XXXXXX'
}

scripts_parse() {
    for file in $(git ls-files '*.sh' autogen.sh .ci/run html/test/run); do
        case $(head -n 1 "$file") in
        *bash) bash -n "$file" ;;
        *) sh -n "$file" ;;
        esac
    done
}

keys_in_example() {
    sed -n 's/^[A-Z]*("\([a-z_.0-9]*\)", .*/\1/p' gateway/base/conf.def | while read -r key; do
        grep -qE "(^|[^a-z_])${key##*.}:" gateway/sipway.yaml.example || echo "gateway/sipway.yaml.example lacks $key"
    done
}

man_knows_keys() {
    [ -x "$build/sipway" ] || { echo "no $build/sipway to ask"; return; }
    "$build/sipway" --keys | sh build-aux/man-keys.sh | diff - gateway/sipway.8 | grep -E '^[<>]'
}

causes_are_explained() {
    sed -n 's/^    {"\([a-z-]*\)", [a-z_]*},$/\1/p' gateway/call/cause.c | while read -r cause; do
        grep -q "^| \`$cause\` |" docs/OPERATIONS.md || echo "docs/OPERATIONS.md lacks the cause $cause"
    done
}

rule "the list of files is there" files_are_known
rule "each source names its licence" licence_first
rule "each header is included once" headers_once
rule "floors include only floors below" floors_look_down
rule "each library stays in its room" libraries_have_rooms
rule "files have at most 600 lines, functions at most 100" rooms_are_small
rule "no unbounded copies" no_unbounded_copies
rule "nothing in the gateway blocks" nothing_blocks
rule "no path of one machine" no_machine_paths
rule "a TODO has an issue's number" todos_have_issues
rule "shell scripts parse" scripts_parse
rule "the example configuration shows every key" keys_in_example
rule "the operators' page explains every cause" causes_are_explained
[ -z "$build" ] || rule "the man page lists every key (make man-keys)" man_knows_keys
echo "1..$count"
[ "$failed" = 0 ]
