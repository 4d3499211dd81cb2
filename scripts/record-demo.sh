#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Records share/demo anew: what `ptpmon demo` shows where it cannot run live. Needs root, ptp4l and
# a build in build/, or in the directory that BUILD names. No clock is set: ptp4l runs free, in
# namespaces of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# = 0 ] || { echo "Usage: $0, without arguments" >&2; exit 2; }
[ "$(id -u)" = 0 ] || exec sudo ${BUILD:+"BUILD=$BUILD"} "$0" "$@"

build=${BUILD:-build}
work=$(mktemp -d)
a=ptpmon-rec-a$$ b=ptpmon-rec-b$$
pids=()
finish() {
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" || true
    done
    pids=()
}
cleanup() {
    finish
    ip netns del $a 2>/dev/null || true
    ip netns del $b 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT

ip netns add $a
ip netns add $b
ip link add gm0 netns $a type veth peer name client0 netns $b
ip -n $a addr add 192.0.2.1/24 dev gm0
ip -n $b addr add 192.0.2.2/24 dev client0
ip -n $a link set gm0 up
ip -n $b link set client0 up

# record NAME SECONDS: ptp4l as grandmaster and client with the settings on standard input.
record() {
    local name=$1 seconds=$2 common
    common=$(cat)
    for side in gm client; do
        printf '[global]\nfree_running 1\ntime_stamping software\nuds_address %s/%s\n%s\n' \
            "$work" $side "$common" > "$work/$side.cfg"
    done
    echo "slaveOnly 1" >> "$work/client.cfg"

    # A host name of its own, since both files keep it.
    ip netns exec $b unshare --uts sh -c 'hostname demo && exec "$@"' sh \
        "$build/ptpmon" record --force --output="share/demo/$name" client0 > "$work/record" &
    pids+=($!)
    until grep -q '^Recording' "$work/record"; do
        kill -0 "${pids[-1]}" # it has said why it ended
        sleep 0.1
    done
    ip netns exec $a ptp4l -f "$work/gm.cfg" -i gm0 & local gm=$!
    ip netns exec $b ptp4l -f "$work/client.cfg" -i client0 & local client=$!
    sleep "$seconds"
    kill $gm $client
    wait $gm $client || true
    sleep 0.5
    finish
}

mkdir -p share/demo
record default 6 <<'SETTINGS'
network_transport UDPv4
logAnnounceInterval -1
logSyncInterval -2
logMinDelayReqInterval -2
SETTINGS
record gptp 6 <<'SETTINGS'
network_transport L2
delay_mechanism P2P
transportSpecific 0x1
ptp_dst_mac 01:80:C2:00:00:0E
p2p_dst_mac 01:80:C2:00:00:0E
gmCapable 1
logAnnounceInterval -1
logSyncInterval -2
logMinPdelayReqInterval -1
follow_up_info 1
neighborPropDelayThresh 20000000
assume_two_step 1
path_trace_enabled 1
SETTINGS
ls -l share/demo
