#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fuzz.sh SOURCE SECONDS: runs each libFuzzer program of this build tree so long, from its corpus, as TAP. What it finds
# stays in the current folder as NAME-crash-...; the corpus of the source is not written to.
source=$1
seconds=$2
count=0
failed=0

for program in tests/fuzz/fuzz_*; do
    case $program in *.o | *'*') continue ;; esac
    [ -x "$program" ] && [ -f "$program" ] || continue
    name=${program##*/fuzz_}
    count=$((count + 1))
    mkdir -p "corpus/$name"
    seeds=$source/tests/fuzz/corpus/$name
    [ -d "$seeds" ] || seeds=
    if "$program" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -print_final_stats=1 \
        -artifact_prefix="$name-" "corpus/$name" $seeds >"$name.fuzz.log" 2>&1; then
        echo "ok $count - $name ($(sed -n 's/^stat::number_of_executed_units: *//p' "$name.fuzz.log") runs)"
    else
        failed=$((failed + 1))
        echo "not ok $count - $name"
        tail -n 25 "$name.fuzz.log" | sed 's/^/# /'
    fi
done
echo "1..$count"
[ "$count" -gt 0 ] && [ "$failed" = 0 ]
