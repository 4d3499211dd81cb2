#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs the tests inside the guest, in the host's files; their logs and a summary go to /results.
set -u
repository='' build='' only='' e2e='' # set by run.sh
# shellcheck source=/dev/null
. /results/settings
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C
export PTPMON_BUILD_DIR=$build PTPMON_E2E_DIR=$build/tests PYTHONDONTWRITEBYTECODE=1

# Frames of two senders that pass at once on two processors have no one order, and here "at once" is long: what
# compares orders gets one processor.
on_one_processor=(taskset -c 0)

run() { # NAME COMMAND...
    local name=$1 started=$SECONDS result=FAILED
    shift
    [[ $name =~ $only ]] || return 0
    timeout 300 "$@" >"/results/$name.log" 2>&1 && result=ok
    printf '%-16s %-6s %3d s  %s\n' "$name" "$result" $((SECONDS - started)) \
        "$(grep -E 'passed|PASSED|failed|FAILED' "/results/$name.log" | tail -n 1)"
    sed -n 's/^found: /    /p' "/results/$name.log"
}

run_pytest() { # NAME FILE COMMAND-PREFIX...
    local name=$1 file=$repository/tests/$2
    shift 2
    run "$name" "$@" /usr/bin/python3 -m pytest -q -rP -p no:cacheprovider "$file"
}

run_all() {
    local name
    uname -r
    run test_bpf_parser "$build/tests/test_bpf_parser"
    run test_hooks "$build/tests/test_hooks"
    run_pytest paths vm/test_paths.py
    run_pytest hardware vm/test_hardware.py
    for name in $e2e; do
        run_pytest "e2e.$name" "e2e/test_$name.py" "${on_one_processor[@]}"
    done
}

ip link set lo up
cd "$repository" && run_all >/results/summary && echo end >>/results/summary
