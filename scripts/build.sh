#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Configures and builds a preset of CMakePresets.json:
#
#     scripts/build.sh PRESET [CMAKE OPTION...]
#
# Without options a build directory keeps those it was configured with. A new one is configured
# without tests, so that building asks for nothing more than building needs.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

preset=$1
shift
cd "$(dirname "$0")/.."
directory=$(build_directory "$preset")

for tool in cmake ninja cc clang bpftool pkg-config; do
    command -v "$tool" >/dev/null || fail "$tool is not installed; \`make setup\` installs what is missing"
done

# Stages of the checks that run side by side build one after the other.
exec {lock}<Makefile
flock "$lock"

options=("$@")
[ -f "$directory/build.ninja" ] || options=(-DBUILD_TESTING=OFF "$@")
if [ ${#options[@]} -gt 0 ]; then
    cmake --preset "$preset" "${options[@]}" >/dev/null ||
        fail "CMake could not configure $directory; \`make setup\` installs the packages that it looks for"
fi
cmake --build "$directory"
