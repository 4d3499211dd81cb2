#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Installs the Debian packages that are needed and missing; quick where nothing is.
#
#     scripts/setup.sh GROUP...
#
#     build   compilers and libraries that ptpmon is built from
#     demo    what `ptpmon demo` runs: linuxptp in network namespaces
#     windows what `make windows` and `make package-windows` work with
#     test    what `make check` needs beyond these
#     wine    where the Windows binaries run in `make check`; without it those tests are left out
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

packages_of() {
    case "$1" in
    build)
        echo gcc libc6-dev make cmake ninja-build pkg-config clang bpftool libbpf-dev libpcap-dev
        ;;
    demo)
        echo linuxptp iproute2
        # the pictures
        echo python3 python3-numpy python3-matplotlib
        ;;
    windows)
        echo cmake ninja-build clang lld llvm gcc-mingw-w64-x86-64 python3
        # declarations of Npcap's library; the manual pages
        echo libpcap-dev mandoc
        ;;
    wine)
        echo wine wine64
        ;;
    test)
        # the unit tests, the header tests (also for Windows), the fuzz targets
        echo libcmocka-dev g++ gcc-mingw-w64-x86-64 g++-mingw-w64-x86-64 libclang-rt-dev llvm valgrind spin
        # the Windows driver's file and its signature
        echo osslsigncode openssl python3-pefile
        # the benchmark of the ring has it beside ours
        echo libck-dev
        # the end-to-end tests
        echo linuxptp iproute2 ethtool procps tcpdump tshark python3 python3-pytest
        # the Python package, what it works with, and its types
        echo python3-numpy python3-matplotlib python3-scapy mypy
        # static checks
        echo clang-format clang-tidy cppcheck shellcheck mandoc
        ;;
    *)
        fail "$1: no such group; there are build, demo, windows, test and wine"
        ;;
    esac
}

purpose_of() {
    case "$1" in
    build) echo "building ptpmon" ;;
    demo) echo "the demo" ;;
    windows) echo "the Windows driver and programs" ;;
    test) echo "the tests" ;;
    wine) echo "running Windows binaries in the tests" ;;
    esac
}

is_debian() {
    command -v dpkg-query >/dev/null && command -v apt-get >/dev/null
}

# Of the packages given, those that are not installed.
missing_of() {
    local package status
    declare -A installed=()
    while read -r package status; do
        [ "$status" = installed ] && installed[$package]=1
    done < <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
    for package in "$@"; do
        [ -n "${installed[$package]:-}" ] || echo "$package"
    done
}

install_packages() {
    export DEBIAN_FRONTEND=noninteractive
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
    as_root "${apt[@]}" update || say "The package lists could not be renewed; going on with those that are here."
    as_root "${apt[@]}" install -y --no-install-recommends "$@" ||
        fail "apt-get could not install: $*; see its message above"
}

[ $# -gt 0 ] || fail "name a group: build, demo, windows, test or wine"
wanted=()
purposes=()
for group in "$@"; do
    read -r -a packages <<<"$(packages_of "$group" | tr '\n' ' ')"
    [ ${#packages[@]} -gt 0 ] || exit 1
    wanted+=("${packages[@]}")
    purposes+=("$(purpose_of "$group")")
done
mapfile -t wanted < <(printf '%s\n' "${wanted[@]}" | sort -u)
purpose=$(printf '%s, ' "${purposes[@]}")
purpose=${purpose%, }

is_debian || fail "this system has no apt; for $purpose install what Debian calls: ${wanted[*]}"
mapfile -t missing < <(missing_of "${wanted[@]}")
[ ${#missing[@]} -gt 0 ] || exit 0

can_become_root || fail "for $purpose these packages are missing, and there is no sudo to install them with;" \
    "as root run: apt-get install --no-install-recommends ${missing[*]}"
say "Installing with apt$(is_root || echo ', through sudo'), for $purpose: ${missing[*]}"
install_packages "${missing[@]}" </dev/null
