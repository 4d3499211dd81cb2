#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs `ptpmon demo` with the arguments given, as root where that is to be had, and draws what it
# showed with the reference correlation tool.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.."

# What it showed, and whom it belongs to.
directory=build/demo
mkdir -p "$directory"
rm -f "$directory"/*.events "$directory"/*.pcapng

result=0
if is_root || ! command -v sudo >/dev/null; then
    build/ptpmon demo --record="$directory/demo" "$@" || result=$?
else
    say "Network namespaces and eBPF need root: running \`ptpmon demo\` through sudo."
    if as_root true; then
        as_root build/ptpmon demo --record="$directory/demo" "$@" || result=$?
        as_root chown -R "$(id -u):$(id -g)" "$directory"
    else
        say "sudo refused; going on without root."
        build/ptpmon demo --record="$directory/demo" "$@" || result=$?
    fi
fi
[ "$result" -eq 0 ] || exit "$result"

# Standard output may be for a program: --json.
for argument in "$@"; do
    case "$argument" in --json | --help | -h) exit ;; esac
done
# The system's own Python: others on PATH lack the packages that come from Debian.
python3=/usr/bin/python3
[ -x $python3 ] || python3=python3
shopt -s nullglob
recordings=("$directory"/*.events)
[ ${#recordings[@]} -gt 0 ] || recordings=(share/demo/*.events)
for events in "${recordings[@]}"; do
    capture=${events%.events}.pcapng pictures=$directory/pictures-$(basename "$events" .events)
    say
    say "\$ examples/correlate.py $capture --events $events --rows 5 --pictures $pictures"
    PYTHONDONTWRITEBYTECODE=1 $python3 examples/correlate.py "$capture" --events "$events" \
        --rows 5 --pictures "$pictures"
done
