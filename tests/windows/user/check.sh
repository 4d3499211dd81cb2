#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds ptpmon.exe and ptpmon.dll with mingw-w64, and runs the command in Wine beside the one of this system:
#
#     tests/windows/user/check.sh PTPMON [DIRECTORY]
#
# PTPMON is the command to compare with. DIRECTORY, build/windows-user where none is given, is built in. Where
# mingw-w64 or Wine is not installed that is said, and the tests are left out.
set -euo pipefail
root=$(cd "$(dirname "$0")/../../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../../../scripts/common.sh
. "$root/scripts/common.sh"
[ $# -ge 1 ] || fail "name the ptpmon to compare with: tests/windows/user/check.sh PTPMON [DIRECTORY]"
linux=$(realpath "$1")
directory=$(realpath -m "${2:-$root/build/windows-user}")

if ! command -v x86_64-w64-mingw32-gcc >/dev/null; then
    say "ptpmon.exe is not built: gcc-mingw-w64-x86-64 is not installed; \`make setup\` installs it."
    exit 0
fi
cmake -S "$root" -B "$directory" -G Ninja --toolchain "$root/cmake/mingw.cmake" >/dev/null ||
    fail "CMake could not configure $directory; \`make setup\` installs the packages that it looks for"
cmake --build "$directory" --target ptpmon ptpmon_shared
exec /usr/bin/python3 -m pytest -q -rs -p no:cacheprovider "$root/tests/windows/user" \
    --windows="$directory" --linux="$linux"
