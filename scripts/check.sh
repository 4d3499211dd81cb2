#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Runs stages of the checks, going on where one fails, and sums up:
#
#     scripts/check.sh STAGE...
#
# A,B+C,D runs A and then B beside C and then D, and shows what the latter said after the former: tests that mostly wait
# beside those that mostly compute. STAGE is one of
#
#     setup     installs the packages that are missing
#     build     release build, with the tests
#     unit      every test that needs no root
#     e2e       every test that needs root: the eBPF program in the kernel, a real ptp4l in network namespaces
#     windows   the Windows driver and programs, run in Wine
#     sanitize  all but the end-to-end tests again, with AddressSanitizer, UndefinedBehaviorSanitizer, ThreadSanitizer
#     fuzz      the fuzz targets: their corpus, then FUZZ_SECONDS (default 40) in all
#     install   an installed tree: what is in it, and that a program can be built from it
#     lint      formatting, static analysis, the rules of CONTRIBUTING.md
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.."
jobs=$(nproc)

# Labels of the tests that need root: end to end; of the eBPF program in the kernel; others.
needs_root='^(e2e|driver|root)$'

# The sanitizers of clang 14 lay their shadow memory where a widely randomized address space may already be.
fixed_addresses=()
if setarch -R true 2>/dev/null; then
    fixed_addresses=(setarch -R)
fi

stage_setup() {
    scripts/setup.sh build demo windows test
    scripts/setup.sh wine || say "Going on without Wine: the tests of the Windows binaries will be left out."
}

stage_build() {
    scripts/build.sh release -DBUILD_TESTING=ON
}

stage_unit() {
    stage_build
    ctest --preset release -j "$jobs" -LE "$needs_root"
}

# Tests that work on the kernel's one network stack and eBPF run one after the other, also of stages side by side.
test_as_root() { # PRESET, LABEL
    can_become_root ||
        fail "these tests need root for network namespaces and eBPF, and there is no sudo; run this stage as root"
    is_root || say "These tests need root for network namespaces and eBPF: running them through sudo."
    local result=0
    as_root flock --close CMakeLists.txt "${fixed_addresses[@]}" ctest --preset "$1" -L "$2" || result=$?
    is_root || as_root chown -R "$(id -u):$(id -g)" "$(build_directory "$1")"
    return "$result"
}

stage_e2e() {
    stage_build
    test_as_root release "$needs_root"
}

stage_windows() {
    scripts/build-windows.sh
    scripts/check-windows.sh
}

# Of tests with one thread the thread sanitizer has nothing to say.
one_thread='^(analysis|cli|docs|examples)\.|^test_(cli|clock|correlator|exchanges|simulator)_?[a-z_]*$'
one_thread+='|^test_(alignment|capture_pcap|driver_registers|floors|local_clock|message|percentiles)$'
one_thread+='|^test_(recording|statistics|time_error)$'

stage_sanitize() {
    scripts/build.sh asan -DBUILD_TESTING=ON
    "${fixed_addresses[@]}" ctest --preset asan -j "$jobs" -LE "$needs_root|headers"
    scripts/build.sh tsan -DBUILD_TESTING=ON
    "${fixed_addresses[@]}" ctest --preset tsan -j "$jobs" -LE "$needs_root|headers" -E "$one_thread"
    test_as_root asan '^(driver|root)$'
}

stage_fuzz() {
    local seconds=${FUZZ_SECONDS:-40} targets share
    cmake --preset fuzz >/dev/null
    targets=$(ctest --test-dir build-fuzz -N -L fuzz | grep -c 'Test *#')
    share=$((seconds * jobs / targets))
    [ "$share" -le "$seconds" ] || share=$seconds
    cmake --preset fuzz -DPTPMON_FUZZ_SECONDS="$share" -DPTPMON_FUZZ_RUNS=-1 >/dev/null
    cmake --build build-fuzz --target tests/fuzz/all
    "${fixed_addresses[@]}" ctest --preset fuzz -j "$jobs" -R '_replay$'
    "${fixed_addresses[@]}" ctest --preset fuzz -j "$jobs" -L fuzz --timeout $((share + 60))
    awk '/ Test: / { name = $NF } /number_of_executed_units/ { print name ": " $2 " inputs without a finding" }' \
        build-fuzz/Testing/Temporary/LastTest.log
}

stage_install() {
    stage_build
    scripts/check-install.sh build
}

stage_lint() {
    stage_build
    scripts/lint.sh
}

run_stage() {
    case "$1" in
    setup | build | unit | e2e | windows | sanitize | fuzz | install | lint) "stage_$1" ;;
    *) fail "$1: no such stage; \`make help\` names them" ;;
    esac
}

if [ $# -eq 1 ] && [[ $1 != *[+,]* ]]; then
    run_stage "$1"
    exit
fi

summary=()
failed=()

sum_up() { # STAGE, RESULT, SECONDS
    local outcome=ok
    if [ "$2" -ne 0 ]; then
        outcome=FAILED
        failed+=("$1")
    fi
    summary+=("$(printf '%-10s %-8s %4d s' "$1" "$outcome" "$3")")
}

run_stages() { # STAGE,STAGE...; a line on file descriptor 3 for each: its name, its result, how long it took
    local stage started result
    for stage in ${1//,/ }; do
        say "==== $stage"
        started=$SECONDS
        result=0
        "$0" "$stage" || result=$?
        say "==== $stage: $([ "$result" -eq 0 ] && echo ok || echo FAILED), $((SECONDS - started)) s"
        say
        echo "$stage $result $((SECONDS - started))" >&3
        [ "$stage" != build ] || [ "$result" -eq 0 ] || return 0
    done
}

beside=
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap '[ -z "$beside" ] || kill "$beside"; exit 130' INT

for stages in "$@"; do
    : >"$scratch/results"
    if [[ $stages == *+* ]]; then
        run_stages "${stages#*+}" >"$scratch/said" 2>&1 3>>"$scratch/results" &
        beside=$!
        say "Beside these: ${stages#*+}"
    fi
    run_stages "${stages%%+*}" 3>>"$scratch/results"
    if [ -n "$beside" ]; then
        wait "$beside"
        beside=
        cat "$scratch/said"
    fi
    while read -r stage result seconds; do
        sum_up "$stage" "$result" "$seconds"
    done <"$scratch/results"
    if [[ " ${failed[*]} " == *" build "* ]]; then
        summary+=("the other stages were not run: they need the build")
        break
    fi
done

say "==== summary"
printf '%s\n' "${summary[@]}"
printf '%-10s %-8s %4d s\n' all "$([ ${#failed[@]} -eq 0 ] && echo ok || echo FAILED)" "$SECONDS"
[ ${#failed[@]} -eq 0 ] || fail "failed: ${failed[*]}"
