#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds the driver and the programs for Windows, and packs them with all that belongs to them:
#
#     scripts/package-windows.sh [--test-sign] [DIRECTORY [DRIVER [PROGRAMS]]]
#
# into DIRECTORY/ptpmon-VERSION-windows-x64.zip; DIRECTORY is build/windows-package where none is given. DRIVER and
# PROGRAMS are the build directories, build/windows and build/windows-user. The same sources give the same bytes: every
# time in them is SOURCE_DATE_EPOCH, or the driver's date where that is not set. Only the driver's symbols, and their
# identity in the driver, tell checkouts in different directories apart.
#
# --test-sign puts the driver into it as scripts/build-windows.sh --test-sign signs it, with the certificate, and names
# the zip ...-test-signed.zip; it is another one for each certificate.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

sign=
if [ "${1:-}" = --test-sign ]; then
    sign=--test-sign
    shift
fi
root=$(cd "$(dirname "$0")/.." && pwd)
directory=$(realpath -m "${1:-$root/build/windows-package}")
driver=$(realpath -m "${2:-$root/build/windows}")
programs=$(realpath -m "${3:-$root/build/windows-user}")
mingw=x86_64-w64-mingw32

for tool in "$mingw-gcc" "$mingw-strip" "$mingw-objcopy" llvm-dlltool mandoc python3; do
    command -v "$tool" >/dev/null || fail "$tool is not installed; \`make setup\` installs what is missing"
done
version=$(sed -n 's/^project(ptpmon VERSION \([0-9.]*\) .*/\1/p' "$root/CMakeLists.txt")
[ -n "$version" ] || fail "$root/CMakeLists.txt: no version in \`project(ptpmon VERSION ...)\`"

date=$(sed -n 's|^DriverVer *= *\([0-9]*\)/\([0-9]*\)/\([0-9]*\),.*|\3-\1-\2|p' "$root/driver/windows/avbptpmon.inf")
[ -n "$date" ] || fail "$root/driver/windows/avbptpmon.inf: no date in DriverVer"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(date -u -d "$date" +%s)}
export SOURCE_DATE_EPOCH

"$root/scripts/build-windows.sh" ${sign:+"$sign"} "$driver"
cmake -S "$root" -B "$programs" -G Ninja --toolchain "$root/cmake/mingw.cmake" >/dev/null ||
    fail "CMake could not configure $programs; \`make setup\` installs the packages that it looks for"
cmake --build "$programs" --target ptpmon ptpmon_shared

# What the debuggers want apart from what runs.
stage=$directory/programs
rm -rf "$stage" "$directory/man"
mkdir -p "$stage" "$directory/man"
for name in ptpmon.exe ptpmon.dll; do
    "$mingw-objcopy" --only-keep-debug "$programs/$name" "$stage/$name.debug"
    "$mingw-strip" --strip-all -o "$stage/$name" "$programs/$name"
done

# Import libraries from one list of names: for Microsoft's linker and lld, and for gcc's.
{
    printf 'LIBRARY ptpmon.dll\nEXPORTS\n'
    "$mingw-nm" --defined-only --extern-only "$programs/libptpmon.dll.a" | awk '$2 == "T" { print $3 }' | sort -u
} >"$stage/ptpmon.def"
for library in ptpmon.lib libptpmon.dll.a; do
    llvm-dlltool -m i386:x86-64 -d "$stage/ptpmon.def" -l "$stage/$library"
done

# The commands that there are on Windows.
for page in "$root"/docs/man/*.1; do
    name=$(basename "$page")
    case "$name" in ptpmon-demo.1) continue ;; esac
    mandoc -T html -I os="ptpmon $version" -O man=%N.%S.html "$page" >"$directory/man/$name.html"
done

python3 "$root/scripts/package_windows.py" "$version" "$driver${sign:+/test-signed}" "$stage" "$directory/man" \
    "$directory/ptpmon-$version-windows-x64${sign:+-test-signed}.zip"
