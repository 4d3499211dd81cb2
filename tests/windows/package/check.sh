#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Packs the zip for Windows, a second one and a signed one, looks into them, and uses what is in the first as a stranger
# would, in Wine:
#
#     tests/windows/package/check.sh LAB [DIRECTORY [DRIVER [PROGRAMS]]]
#
# LAB is the build of tests/windows/wine. DIRECTORY, build/windows-package where none is given, is built in; DRIVER and
# PROGRAMS are as for scripts/package-windows.sh. Where mingw-w64 is not installed that is said, and the tests are left
# out.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../../../scripts/common.sh
. "$root/scripts/common.sh"
[ $# -ge 1 ] || fail "name the build of tests/windows/wine: tests/windows/package/check.sh LAB [DIRECTORY]"
lab=$(realpath "$1")
directory=$(realpath -m "${2:-$root/build/windows-package}")
driver=$(realpath -m "${3:-$root/build/windows}")
programs=$(realpath -m "${4:-$root/build/windows-user}")

if ! command -v x86_64-w64-mingw32-gcc >/dev/null; then
    say "The zip for Windows is not packed: gcc-mingw-w64-x86-64 is not installed; \`make setup\` installs it."
    exit 0
fi
"$root/scripts/package-windows.sh" "$directory" "$driver" "$programs"
"$root/scripts/package-windows.sh" "$directory/again" "$driver" "$programs" >/dev/null
"$root/scripts/package-windows.sh" --test-sign "$directory/signed" "$driver" "$programs" >/dev/null
x86_64-w64-mingw32-gcc -std=c11 -O2 -static -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes \
    -Wmissing-prototypes -Werror -D_WIN32_WINNT=0x0603 -I"$root/include" -I"$root/core" -I"$here/../wine" \
    -I"$here/../double" -o "$directory/lab_feed.exe" \
    "$here/lab_feed.c" "$here/../wine/client_lab.c" "$here/../wine/client_frames.c"
exec /usr/bin/env PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m pytest -q -rs -p no:cacheprovider "$here" \
    --package="$directory" --lab="$lab"
