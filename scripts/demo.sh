#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs `ptpmon demo` with the arguments given, as root where that is to be had.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

ptpmon=$(dirname "$0")/../build/ptpmon
if is_root || ! command -v sudo >/dev/null; then
    exec "$ptpmon" demo "$@"
fi
say "Network namespaces and eBPF need root: running \`ptpmon demo\` through sudo."
if as_root true; then
    as_root "$ptpmon" demo "$@"
else
    say "sudo refused; going on without root."
    exec "$ptpmon" demo "$@"
fi
