#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds the Windows driver, avbptpmon.sys, with clang and lld:
#
#     scripts/build-windows.sh [--test-sign] [DIRECTORY [CMAKE OPTION...]]
#
# into DIRECTORY, build/windows where none is given, with its symbols (avbptpmon.pdb) and avbptpmon.inf.
#
# --test-sign puts a copy of the package into DIRECTORY/test-signed, its driver and its catalog signed with a
# certificate that is made there for this purpose. Such a driver is loaded by a Windows in test mode alone
# (bcdedit /set testsigning on) that trusts the certificate. The key never leaves DIRECTORY.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

sign=
if [ "${1:-}" = --test-sign ]; then
    sign=1
    shift
fi
root=$(cd "$(dirname "$0")/.." && pwd)
directory=${1:-$root/build/windows}
[ $# -eq 0 ] || shift

need() {
    command -v "$1" >/dev/null || fail "$1 is not installed; \`make setup\` installs what is missing"
}

# The certificate: self-signed, for code, for a year; made once for a build directory.
make_certificate() {
    local place=$1
    [ -s "$place/key.pem" ] && [ -s "$place/certificate.pem" ] && return
    (umask 077 && openssl req -x509 -newkey rsa:2048 -sha256 -nodes -days 365 \
        -subj "/CN=ptpmon test signing, not for production" \
        -addext "extendedKeyUsage=codeSigning" -addext "basicConstraints=critical,CA:false" \
        -keyout "$place/key.pem" -out "$place/certificate.pem" 2>/dev/null) ||
        fail "openssl could not make a certificate in $place"
    openssl x509 -in "$place/certificate.pem" -outform DER -out "$place/avbptpmon-test.cer"
}

sign_file() { # FROM, TO, in $place
    rm -f "$2"
    osslsigncode sign -h sha256 -certs "$place/certificate.pem" -key "$place/key.pem" \
        -n "PTP Timestamp Event Monitor" -in "$1" -out "$2" >/dev/null || fail "osslsigncode could not sign $1"
}

# The driver first: the catalog has its hash.
test_sign() {
    local place=$directory/test-signed
    mkdir -p "$place"
    make_certificate "$place"
    cp "$directory/avbptpmon.inf" "$directory/avbptpmon.pdb" "$place"
    sign_file "$directory/avbptpmon.sys" "$place/avbptpmon.sys"
    python3 "$root/scripts/windows_catalog.py" "$directory/avbptpmon-unsigned.cat" ptpmon_avb \
        "$place/avbptpmon.inf" "$place/avbptpmon.sys"
    sign_file "$directory/avbptpmon-unsigned.cat" "$place/avbptpmon.cat"
}

for tool in cmake ninja clang lld-link llvm-dlltool llvm-rc python3; do
    need "$tool"
done
if [ -n "$sign" ]; then
    need openssl
    need osslsigncode
fi

cmake -S "$root/driver/windows" -B "$directory" -G Ninja \
    --toolchain "$root/cmake/windows-toolchain.cmake" "$@" >/dev/null ||
    fail "CMake could not configure $directory; \`make setup\` installs the packages that it looks for"
cmake --build "$directory"
[ -z "$sign" ] || test_sign
