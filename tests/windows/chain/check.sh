#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The whole chain in Wine: the frames of a real ptp4l pass the driver, and ptpmon.exe reads its ring and captures:
#
#     tests/windows/chain/check.sh PTPMON DRIVER COMMAND [DIRECTORY]
#
# PTPMON is the ptpmon of this system, DRIVER the build of tests/windows/wine, COMMAND that of ptpmon.exe (see
# tests/windows/user/check.sh). DIRECTORY, build/windows-chain where none is given, is built in. Without root, Wine or
# mingw-w64 that is said, and the tests are left out.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../../..
# shellcheck source-path=SCRIPTDIR source=../../../scripts/common.sh
. "$root/scripts/common.sh"
[ $# -ge 3 ] || fail "name what is there: tests/windows/chain/check.sh PTPMON DRIVER COMMAND [DIRECTORY]"
directory=${4:-$root/build/windows-chain}

if ! command -v x86_64-w64-mingw32-gcc >/dev/null; then
    say "The chain in Wine is not tested: gcc-mingw-w64-x86-64 is not installed; \`make setup\` installs it."
    exit 0
fi
mkdir -p "$directory"
x86_64-w64-mingw32-gcc -std=c11 -O2 -g -static -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes \
    -Wmissing-prototypes -Werror -D_WIN32_WINNT=0x0603 -I"$root/include" -I"$root/core" -I"$here/../wine" \
    -I"$here/../double" -o "$directory/chain_bridge.exe" \
    "$here/chain_bridge.c" "$here/../wine/client_lab.c" "$here/../wine/client_frames.c" -liphlpapi
run=(/usr/bin/env PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m pytest -q -rs -p no:cacheprovider "$here"
    --linux="$1" --driver="$2" --command="$3" --bridge="$directory/chain_bridge.exe")
if can_become_root; then
    as_root "${run[@]}"
else
    "${run[@]}" # which says that it needs root
fi
