#!/bin/sh
# SPDX-License-Identifier: MIT
#
# compiles_alone.sh INCLUDE-DIRECTORY HEADER
#
# Compiles a program that is nothing but the header, twice included, as C11 and as C++17 with every
# compiler that users of the header have. A compiler that is missing is a failure.
set -u

include=$1
header=$2
failures=0

failed() {
    echo "$header: $*" >&2
    failures=$((failures + 1))
}

# compile COMPILER LANGUAGE STANDARD PACKAGE
compile() {
    if ! command -v "$1" >/dev/null; then
        failed "$1 is missing, so it was not tried as $3; install it with: apt install $4"
        return
    fi
    printf '#include <%s>\n#include <%s>\nextern int a_declaration;\n' "$header" "$header" |
        "$1" -x "$2" -std="$3" -Wall -Wextra -Wpedantic -Werror -I "$include" -fsyntax-only - ||
        failed "does not compile alone with $1 as $3"
}

compile gcc                    c   c11   gcc
compile g++                    c++ c++17 g++
compile clang                  c   c11   clang
compile clang++                c++ c++17 clang
compile x86_64-w64-mingw32-gcc c   c11   gcc-mingw-w64-x86-64
compile x86_64-w64-mingw32-g++ c++ c++17 g++-mingw-w64-x86-64

[ "$failures" -eq 0 ]
