#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Static checks; all of them run, also where one finds something:
#
#     scripts/lint.sh         checks (needs the release build for compile_commands.json)
#     scripts/lint.sh --fix   rewrites the C files as .clang-format says
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.."

sources_matching() { # find(1) expressions
    find . \( -path ./.git -o -path './build*' \) -prune -o -type f \( "$@" \) -print | sort
}
mapfile -t c_files < <(sources_matching -name '*.c' -o -name '*.h')

if [ "${1:-}" = --fix ]; then
    clang-format -i "${c_files[@]}"
    exit
fi

check_format() {
    clang-format --dry-run --Werror "${c_files[@]}"
}

# The eBPF program is left to clang and the kernel's verifier: its macros are beyond cppcheck.
check_cppcheck() {
    cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,portability,performance \
        --suppress=missingInclude "-DLIBBPF_OPTS(type,name,...)=struct type name = {0}" -D__linux__ -D__x86_64__ -D_GNU_SOURCE -Iinclude -Icore -Ilib \
        -j "$(nproc)" core lib cli
}

check_clang_tidy() {
    local compiled
    mapfile -t compiled < <( # a test may compile a file again: once is enough
        grep -oE '"file": "[^"]+/(core|lib|cli)/[^"]+\.c"' build/compile_commands.json | cut -d'"' -f4 | sort -u
    )
    [ ${#compiled[@]} -gt 0 ] || fail "build/compile_commands.json names no file of core, lib or cli"
    local database result=0 # without what gcc alone understands
    database=$(mktemp -d)
    sed -E 's/ -mmem(set|cpy)-strategy=[^ "]*//g' build/compile_commands.json >"$database/compile_commands.json"
    printf '%s\0' "${compiled[@]}" | xargs -0 -n 1 -P "$(nproc)" clang-tidy --quiet -p "$database" 2>/dev/null ||
        result=$?
    rm -r "$database"
    return "$result"
}

check_shell() {
    shellcheck -x scripts/*.sh .ci/run
}

check_manual_pages() {
    local pages
    mapfile -t pages < <(sources_matching -path './docs/man/*.[1-8]')
    [ ${#pages[@]} -eq 0 ] || mandoc -T lint -W warning "${pages[@]}"
}

# Prints what breaks a rule, file by file, and fails where there is something.
none_of() { # RULE, lines on stdin
    local found
    found=$(cat)
    [ -z "$found" ] && return
    printf '%s:\n%s\n' "$1" "$found" >&2
    return 1
}

# The #include lines of a directory's C files, with the place of each.
includes_in() { # DIRECTORY, then options and pattern of grep that choose among them
    local directory=$1
    shift
    grep -rnE --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include' "$directory" | grep -E "$@" || true
}

check_house_rules() {
    local result=0
    sources_matching -name '*.[ch]' -o -name '*.py' -o -name '*.sh' -o -name 'CMakeLists.txt' -o -name '*.cmake' |
        while read -r file; do
            head -n 3 "$file" | grep -q 'SPDX-License-Identifier' || echo "$file"
        done | none_of "Without an SPDX line in its first three lines" || result=1
    includes_in core -v '[<"](avb/[a-z_]+\.h|(frame[a-z_]*|nic_clock|atomic)\.h)[>"]' |
        none_of "core/ includes nothing but include/avb and itself" || result=1
    includes_in driver '[<"]([^>"]*lib/|ptpmon\.h)' |
        none_of "driver/ never includes lib/" || result=1
    includes_in lib '[<"][^>"]*driver/' |
        none_of "lib/ never includes driver/" || result=1
    includes_in cli '[<"](\.\./|lib/|core/|driver/|frame)' |
        none_of "cli/ uses the library through its public headers only" || result=1
    return $result
}

failed=()
for check in format cppcheck clang_tidy shell manual_pages house_rules; do
    say "-- $check"
    ("check_$check") || failed+=("$check")
done
[ ${#failed[@]} -eq 0 ] || fail "findings of: ${failed[*]}"
