#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Removes what was installed last from a build directory, below DESTDIR where it is given:
#
#     scripts/uninstall.sh BUILD_DIRECTORY
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

manifest=$1/install_manifest.txt
[ -r "$manifest" ] || fail "$manifest: there is none; \`make install\` writes what it installed there"

# Python keeps what it compiled beside its files. Of directories those go that are ptpmon's own, once they are empty.
own='(/ptpmon|/ptp_monitor|/include/avb)(/|$)'
directories=()
while read -r file || [ -n "$file" ]; do
    file=${DESTDIR:-}$file
    rm -f "$file"
    directory=$(dirname "$file")
    while [[ $directory =~ $own ]]; do
        rm -rf "$directory/__pycache__"
        directories+=("$directory")
        directory=$(dirname "$directory")
    done
done <"$manifest"
printf '%s\n' "${directories[@]}" | sort -ru | while read -r directory; do
    rmdir --ignore-fail-on-non-empty "$directory" 2>/dev/null || [ ! -d "$directory" ]
done
say "removed the $(wc -l <"$manifest") files that $manifest names"
