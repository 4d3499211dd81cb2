#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Installs a build directory below a scratch directory and uses what is there as a stranger would:
#
#     scripts/check-install.sh BUILD_DIRECTORY
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

source=$(realpath "$(dirname "$0")/..")
build=$(realpath "$1")
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

DESTDIR=$root cmake --install "$build" >"$root/log" || {
    cat "$root/log" >&2
    fail "cmake --install failed"
}
prefix=$root$(sed -n 's/^CMAKE_INSTALL_PREFIX:PATH=//p' "$build/CMakeCache.txt")

expect() { # what is there, path below the prefix, may be a pattern
    [ -n "$(find "$prefix" -path "$prefix/$2")" ] || fail "$1 is not installed: $2"
}
expect "the program" bin/ptpmon
expect "the static library" 'lib*/libptpmon.a'
expect "the shared library" 'lib*/libptpmon.so'
for header in "$source"/include/*.h "$source"/include/avb/*.h; do
    expect "a public header" "include/${header#"$source"/include/}"
done
for page in "$source"/docs/man/*.1; do
    [ ! -e "$page" ] || expect "a manual page" "share/man/man1/$(basename "$page")"
done

for document in README.md CHANGELOG.md CONTRIBUTING.md LICENSE docs/simulator.md docs/json.md docs/quantities.md \
    docs/recordings.md docs/images/latency.png examples/watch.c examples/analyze.py python/README.md; do
    expect "a document" "share/doc/ptpmon/$document"
done
# What the program, its manual pages and headers refer to, and what the documents' links lead to, is there.
/usr/bin/python3 - "$source" "$prefix/share/doc/ptpmon" <<'EOF' || fail "documents that are referred to are not installed"
import pathlib, re, sys
source, documents = map(pathlib.Path, sys.argv[1:])
wanted = {(file, documents / name) for folder in ("cli", "lib", "include", "docs/man", "python/ptp_monitor")
          for file in (source / folder).rglob("*") if file.suffix in (".c", ".h", ".py", ".1")
          for name in re.findall(r"\b(?:docs|examples)/[\w./-]*\w", file.read_text(encoding="utf-8"))}
links = {(page, page.parent / link.partition("#")[0]) for page in documents.rglob("*.md")
         for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
         if not re.match(r"[a-z]+:|#", link)}
missing = sorted(f"{page}: {there}" for page, there in wanted | links if not there.exists())
print("\n".join(missing), file=sys.stderr, end="\n" * bool(missing))
sys.exit(bool(missing) or not wanted or len(links) < 20)
EOF

for recording in "$source"/share/demo/*; do
    expect "a recording" "share/ptpmon/demo/$(basename "$recording")"
done

pc=$(find "$prefix" -name ptpmon.pc)
[ -n "$pc" ] || fail "ptpmon.pc is not installed"
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
libraries=$(dirname "$(find "$prefix" -name libptpmon.so)")
version=$(LD_LIBRARY_PATH=$libraries "$prefix/bin/ptpmon" --version)
case "$version" in
*"$(pkg-config --modversion ptpmon)"*) ;;
*) fail "ptpmon --version says \"$version\", ptpmon.pc $(pkg-config --modversion ptpmon)" ;;
esac

# Every example builds as its first lines say.
read -r -a flags <<<"$(pkg-config --cflags --libs ptpmon)"
for example in "$source"/examples/*.c; do
    cc -Wall -Wextra -Werror -o "$root/example" "$example" "${flags[@]}" ||
        fail "$example does not build from what is installed"
done

# That of the README, linked both ways.
example=$source/examples/watch.c
read -r -a flags <<<"$(pkg-config --cflags --libs ptpmon)"
cc -std=c11 -Wall -Wextra -Werror -o "$root/shared" "$example" "${flags[@]}"
read -r -a flags <<<"$(pkg-config --cflags ptpmon) $libraries/libptpmon.a $(pkg-config --libs libpcap libbpf) -lm"
cc -std=c11 -Wall -Wextra -Werror -o "$root/static" "$example" "${flags[@]}"
for program in shared static; do
    # An interface that cannot exist: the sentence for it shows that the library was reached.
    message=$(LD_LIBRARY_PATH=$libraries "$root/$program" no-such-if 2>&1) && fail "the $program example did not fail"
    case "$message" in
    *no-such-if*) ;;
    *) fail "the $program example says \"$message\"" ;;
    esac
done
# The Python package, found by the system's Python below this prefix, finds the library there by itself.
package=$(find "$prefix" -path '*/ptp_monitor/__init__.py')
[ -n "$package" ] || fail "the Python package is not installed"
printed=$(cd / && PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$(dirname "$(dirname "$package")") /usr/bin/python3 -c '
import sys, ptp_monitor
recording = ptp_monitor.Recording(sys.argv[1])
print(len(recording), "records of", recording.header.interface_name)' "$prefix/share/ptpmon/demo/gptp.events")
case "$printed" in
*" records of client0") ;;
*) fail "the installed Python package says \"$printed\"" ;;
esac
fence='```'
diff <(sed -n "/^${fence}c\$/,/^$fence\$/p" "$source/README.md" | sed '1d;$d') <(grep -v SPDX "$example") ||
    fail "the example in README.md is not examples/watch.c"
files=$(find "$prefix" -type f | wc -l)

# Nothing of it stays, and nothing of others goes.
touch "$prefix/bin/other" "$prefix/share/doc/other"
PYTHONPATH=$(dirname "$(dirname "$package")") /usr/bin/python3 -c 'import ptp_monitor' # leaves what it compiled
DESTDIR=$root "$source/scripts/uninstall.sh" "$build" >/dev/null
left=$(find "$prefix" -type f -o -path "*ptp*" | sed "s:^$prefix/::" | sort | tr '\n' ' ')
[ "$left" = "bin/other share/doc/other " ] || fail "after \`make uninstall\` there is: $left"
say "$files files installed; the examples build, that of the README runs with either library, and so does the Python package"
