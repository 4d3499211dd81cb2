#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Runs the tests of the Linux driver side under other kernels, in an emulated machine; see README.md.
#
#     tests/vm/run.sh [OPTION...] [KERNEL...]
#
#     KERNEL            6.1 or 6.12; both where none is named
#     --download        fetch what the cache lacks: Debian packages of 195 MB; none is installed
#     --cache=DIR       where that is kept, unpacked, 160 MB; default ~/.cache/ptpmon-vm
#     --build=DIR       the build to test; default build
#     --results=DIR     where the logs go; default a new directory that is removed if all passed
#     --only=REGEX      only the tests whose names match
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../../scripts/common.sh
. "$repository/scripts/common.sh"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/ptpmon-vm
build=$repository/build
results=
only=.
download=false
kernels=()

release_of() { # KERNEL
    case "$1" in
    6.1) echo bookworm ;;
    6.12) echo bookworm-backports ;;
    *) fail "$1: no such kernel here; there are 6.1 and 6.12" ;;
    esac
}

# In the order in which they are loaded: what the guest needs to see the host's files; what the tests use.
modules=(virtio_pci 9pnet_virtio 9p overlay
    veth bridge 8021q tun sch_ingress cls_bpf cls_u32 act_bpf igb)

# The end-to-end tests, but for load: an emulated processor is too slow for its rates.
e2e="profiles tags queues monitors watch list bad_input demo"

time_limit=1800 # seconds per kernel

# ---- QEMU and kernels: Debian packages, unpacked into the cache ----

# An apt of its own, below the cache: backports are not added to the system's sources.
prepare_apt() {
    local keys=/usr/share/keyrings/debian-archive-keyring.gpg mirror release
    # shellcheck disable=SC2016 # apt's own variable
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' | head -n 1)
    if [ -z "$mirror" ] || [ "$(dpkg --print-architecture)" != amd64 ]; then
        fail "this is not Debian 12 on amd64, from whose packages all this is made"
    fi
    mkdir -p "$cache"/apt/{lists,archives}/partial
    for release in bookworm bookworm-backports; do
        echo "deb [signed-by=$keys] $mirror $release main"
    done >"$cache/apt/sources.list"
    export APT_CONFIG=$cache/apt/apt.conf
    cat >"$APT_CONFIG" <<-EOF
	Dir::Etc::SourceList "$cache/apt/sources.list";
	Dir::Etc::SourceParts "-";
	Dir::State::Lists "$cache/apt/lists";
	Dir::Cache "$cache/apt";
	APT::Sandbox::User "";
	Debug::NoLocking "true";
	EOF
    apt-get -q update
}

# QEMU 8 or later has the igb, with a clock; the release's own is older than that.
fetch_tools() { # DIRECTORY
    local package
    apt-get -qy install --download-only --reinstall --no-install-recommends -t bookworm-backports \
        qemu-system-x86 busybox-static
    for package in "$cache"/apt/archives/*.deb; do
        dpkg-deb --extract "$package" "$1"
    done
}

fetch_kernel() { # KERNEL DIRECTORY
    local package version
    package=$(apt-cache depends "linux-image-amd64/$(release_of "$1")" | sed -n 's/.*Depends: //p')
    (cd "$cache/apt/archives" && apt-get -q download "$package")
    dpkg-deb --extract "$cache"/apt/archives/*.deb "$2"
    version=$(ls "$2/lib/modules")
    busybox depmod -b "$2" "$version"
    pick_modules "$2/lib/modules/$version" "$2/modules"
    mv "$2/boot/vmlinuz-$version" "$2/vmlinuz"
    rm -r "${2:?}"/{boot,lib,usr}
}

# Copies the modules and those that they need, numbered in the order in which they can be loaded.
pick_modules() { # FROM TO
    local from=$1 to=$2 number=100 module path
    local -A picked=()
    pick() { # PATH
        local needed path
        [ -z "${picked[$1]:-}" ] || return 0
        picked[$1]=1
        read -r -a needed < <(sed -n "s|^$1: *||p" "$from/modules.dep")
        for path in "${needed[@]}"; do
            pick "$path"
        done
        cp "$from/$1" "$to/$((number++))-${1##*/}"
    }
    mkdir "$to"
    for module in "${modules[@]}"; do
        path=$(sed -nE "s|^([^:]*/$module\.ko(\.xz)?):.*|\1|p" "$from/modules.dep")
        [ -z "$path" ] || pick "$path" # else it is part of this kernel
    done
    find "$to" -name '*.xz' -exec "$cache/tools/bin/busybox" unxz {} +
}

fetch_missing() {
    local part missing=()
    for part in tools "${kernels[@]/#/linux-}"; do
        [ -d "$cache/$part" ] || missing+=("$part")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    $download || fail "$cache lacks ${missing[*]}; --download fetches the Debian packages (195 MB for everything) and" \
        "unpacks them there; nothing is installed"
    prepare_apt
    for part in "${missing[@]}"; do
        rm -rf "$cache/new" "$cache"/apt/archives/*.deb
        case "$part" in
        tools) fetch_tools "$cache/new" ;;
        *) fetch_kernel "${part#linux-}" "$cache/new" ;;
        esac
        mv "$cache/new" "$cache/$part" # complete, or not there
    done
    rm -rf "$cache/apt"
}

busybox() {
    "$cache/tools/bin/busybox" "$@"
}

# ---- The guest ----

make_initramfs() { # KERNEL FILE
    local root=$scratch/root
    rm -rf "$root"
    mkdir -p "$root"/{bin,dev,proc,sys,host,upper,root}
    cp "$cache/tools/bin/busybox" "$root/bin/"
    cp -r "$cache/linux-$1/modules" "$root/"
    install -m 755 "$here/init.sh" "$root/init"
    (cd "$root" && find . | busybox cpio -o -H newc 2>/dev/null) >"$2"
}

# Returns when the guest has powered off. QEMU runs in the background, so that a signal ends both at once.
boot() { # KERNEL RESULTS
    local root=$cache/tools
    local -a cards=()
    for number in 0 1; do # on one hub; each behind a root port of its own
        cards+=(-netdev "hubport,id=port$number,hubid=0" -device "pcie-root-port,id=root$number,slot=$number"
            -device "igb,netdev=port$number,bus=root$number,mac=02:00:00:00:00:0$number,romfile=")
    done
    make_initramfs "$1" "$scratch/initramfs"
    LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu timeout "$time_limit" \
        "$root/usr/bin/qemu-system-x86_64" -L "$root/usr/share/qemu" -L "$root/usr/share/seabios" \
        -M q35 -accel tcg,thread=multi -cpu max -smp 2 -m 2G -nodefaults -display none -no-reboot \
        -kernel "$cache/linux-$1/vmlinuz" -initrd "$scratch/initramfs" \
        -append "console=ttyS0 quiet panic=-1 mitigations=off" -serial "file:$2/console.log" \
        -virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap \
        -virtfs "local,path=$2,mount_tag=results,security_model=none" \
        "${cards[@]}" >"$2/qemu.log" 2>&1 &
    guest=$!
    wait "$guest"
    guest=
}

run_kernel() { # KERNEL
    local started=$SECONDS logs=$results/$1
    rm -rf "$logs"
    mkdir -p "$logs"
    printf '%s=%q\n' repository "$repository" build "$build" only "$only" e2e "$e2e" >"$logs/settings"
    say "==== Linux $1"
    boot "$1" "$logs" || say "QEMU failed or took longer than $time_limit s; see qemu.log and console.log"
    [ ! -e "$logs/summary" ] || grep -vx end "$logs/summary" || true
    say "==== Linux $1: $((SECONDS - started)) s"
    grep -qsx end "$logs/summary" && ! grep -q FAILED "$logs/summary"
}

# ---- Command line ----

for word in "$@"; do
    case "$word" in
    --download) download=true ;;
    --cache=*) cache=${word#*=} ;;
    --build=*) build=${word#*=} ;;
    --results=*) results=${word#*=} ;;
    --only=*) only=${word#*=} ;;
    -*) fail "$word: no such option; the first lines of $0 name them" ;;
    *)
        release_of "$word" >/dev/null
        kernels+=("$word")
        ;;
    esac
done
[ ${#kernels[@]} -gt 0 ] || kernels=(6.1 6.12)
if [ ! -x "$build/ptpmon" ] || [ ! -x "$build/tests/test_hooks" ]; then
    fail "$build: no build with its tests; \`make check-build\` makes one in build/"
fi
build=$(realpath "$build")
cache=$(realpath -m "$cache")

guest=
scratch=$(mktemp -d -t ptpmon-vm-XXXXXX)
trap '[ -z "$guest" ] || kill "$guest"; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM HUP
fetch_missing
keep=true
if [ -z "$results" ]; then
    keep=false
    results=$(mktemp -d -t ptpmon-vm-results-XXXXXX)
fi
results=$(realpath -m "$results")

failed=()
for kernel in "${kernels[@]}"; do
    run_kernel "$kernel" || failed+=("$kernel")
done
[ ${#failed[@]} -eq 0 ] || fail "failed under ${failed[*]}; the logs are in $results"
$keep || rm -rf "$results"
