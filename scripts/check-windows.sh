#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The Windows binaries, run in Wine: the driver's objects between doubles of NDIS and of what Wine's kernel lacks, and
# the command beside that of this system (build/ptpmon); the zip that a Windows user gets; then driver and command
# together, with a real ptp4l on a veth pair, for which root is needed. Where Wine is not installed the tests say so and
# are left out.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.."
build=$PWD/build/windows-wine

cmake -S tests/windows/wine -B "$build" -G Ninja --toolchain "$PWD/cmake/windows-toolchain.cmake" >/dev/null ||
    fail "CMake could not configure $build; \`make setup\` installs the packages that it looks for"
cmake --build "$build"
/usr/bin/python3 -m pytest -q -rs -p no:cacheprovider tests/windows/wine --build "$build"
tests/windows/user/check.sh build/ptpmon
tests/windows/package/check.sh build/windows-wine
tests/windows/chain/check.sh build/ptpmon build/windows-wine build/windows-user
