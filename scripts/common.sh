# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the other scripts.

say() {
    printf '%s\n' "$*"
}

fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Tools of the system administrator (ptp4l, bpftool, tc) are not on every user's PATH.
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

is_root() {
    [ "$(id -u)" -eq 0 ]
}

can_become_root() {
    is_root || command -v sudo >/dev/null
}

# Runs the command as root. sudo asks at the terminal, whatever stdin is; in CI it must not ask.
as_root() {
    if is_root; then
        "$@"
    else
        sudo ${CI:+-n} env "PATH=$PATH" "$@"
    fi
}

# Where CMakePresets.json puts the build of a preset.
build_directory() {
    [ "$1" = release ] && echo build || echo "build-$1"
}
