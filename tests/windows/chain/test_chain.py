# SPDX-License-Identifier: MIT
"""
Real frames through the driver's objects: ptp4l at both ends of a veth. At one of them chain_bridge.exe passes each
frame to the driver, and ptpmon.exe reads the driver's ring and captures the same veth. tcpdump and tshark say what
passed.
"""
import collections
import json
import os
import pathlib
import re

import pytest

import compare
import frames
from lab import run, wait_until
from monitor import Monitor, parse_lines
from ptp4l import client, grandmaster, wait_synchronizing
from recorded import Recorder
from truth import Truth, read_all, settle

ROOT = pathlib.Path(__file__).resolve().parents[3]
END_MARKER = 0x88B5
BURST = 10_000

ENOUGH = 100  # frames of both directions

# Which messageTypes pass at least, where the client is.
KINDS = {
    "gptp": {"rx": {0x0, 0x2, 0x3, 0x8, 0xA, 0xB}, "tx": {0x2, 0x3, 0xA}},
    "l2": {"rx": {0x0, 0x8, 0x9, 0xB}, "tx": {0x1}},
}


class Bridge:
    """Passes the veth's frames through the driver until the marker passes."""

    def __init__(self, chain):
        self.chain = chain
        self.process = chain.lab.start("bridge", [chain.bridge, "bridge", chain.end.interface, chain.adapter],
                                       chain.end)
        self.process.wait_for("ready", "stdout")

    def stop(self):
        """Nothing may be sent any more; how many frames it passed, by direction."""
        raw = self.chain.lab.packet_socket(self.chain.ends[1])
        raw.send(frames.ethernet(bytes(46), ethertype=END_MARKER))
        assert self.process.wait() == 0, self.process.stdout
        numbers = dict(re.findall(r"^(\w+): (\d+)", self.process.stdout, re.MULTILINE))
        return {"rx": int(numbers["received"]), "tx": int(numbers["sent"])}


def frames_seen(end):
    return sum(end.counters())


def pass_ptp(chain, profile):
    """ptp4l at both ends, from its start to its end."""
    begin = frames_seen(chain.end)
    daemons = [grandmaster(chain.lab, chain.ends[1], profile), client(chain.lab, chain.ends[0], profile)]
    wait_synchronizing(daemons[1])
    wait_until(lambda: frames_seen(chain.end) >= begin + ENOUGH, f"{ENOUGH} frames have passed")
    for daemon in reversed(daemons):
        daemon.stop()
    settle()


def observe(chain, profile, observer):
    """What tcpdump saw at the end where the driver is, while the observer watched it: all of the traffic."""
    bridge, truth = Bridge(chain), Truth(chain.lab, chain.end)
    for one in (truth, observer):
        one.wait_ready()
    pass_ptp(chain, profile)
    passed = bridge.stop()
    settle()
    ended = observer.stop()
    assert truth.stop() == passed
    read_all(chain.lab, [truth])
    for direction in ("rx", "tx"):
        assert KINDS[profile][direction] <= {frame.identity.messageType for frame in truth.frames[direction]}
    return ended, truth


def assert_times_are_near(recording):
    """The driver sees a frame after its capture: as much later as the bridge takes."""
    for line in recording.events():
        late = line["time_ns"] - line["frame_time_ns"]
        assert 0 < late < 10**9, line


def assert_as_it_passed(recording, truth):
    for direction in ("rx", "tx"):
        compare.assert_same_frames(recording, truth, direction)
    compare.assert_accounts_balance(recording)
    compare.assert_all_matched(recording)
    count = sum(len(of_direction) for of_direction in truth.frames.values())
    statistics = recording.statistics
    assert statistics["frames_seen"] == statistics["frames_emitted"] == count, statistics
    assert statistics["frames_dropped"] == statistics["stamps_dropped"] == 0, statistics


def test_watch(attached):
    """Each frame has one event, and each event its frame."""
    observer = Monitor(attached.lab, attached.ptpmon, attached.end)
    recording, truth = observe(attached, "gptp", observer)
    assert_as_it_passed(recording, truth)
    compare.assert_joined_rightly(recording, truth)
    assert_times_are_near(recording)
    assert (recording.start["rx_frames"], recording.start["tx_frames"]) == ("ndis", "ndis")


READ_EVENTS = """
import json, sys
from ptp_monitor import Recording
for event in Recording(sys.argv[1]).read_events():
    print(json.dumps([event.direction, event.messageType, event.sequenceId, event.domainNumber]))
"""


def events_in(path, library):
    """What this system's library reads in a recording."""
    environment = {**os.environ, "PTPMON_LIBRARY": str(library), "PYTHONPATH": str(ROOT / "python")}
    lines = run("/usr/bin/python3", "-c", READ_EVENTS, path, env=environment).stdout.splitlines()
    return [tuple(json.loads(line)) for line in lines]


def test_record(attached, linux):
    """What ptpmon.exe records there this system reads whole, events and frames. It is not correlated: the bridge is
    some ms late, once more, once less, and files of unsteady distance in time are refused."""
    recorder = Recorder(attached.lab, attached.ptpmon, attached.end)
    _, truth = observe(attached, "l2", recorder)
    passed = [(number, frame.identity.messageType, frame.identity.sequenceId, frame.identity.domainNumber)
              for number, direction in enumerate(("rx", "tx")) for frame in truth.frames[direction]]
    events = [event for event in events_in(recorder.events, linux.parent / "libptpmon.so") if event[0] < 2]
    assert collections.Counter(events) == collections.Counter(passed)
    captured = run("tshark", "-n", "-r", recorder.capture, "-Y", "ptp.v2.messagetype", "-T", "fields", "-e",
                   "frame.number", env={**os.environ, "HOME": str(attached.lab.directory)}).stdout.splitlines()
    assert len(captured) == len(passed)


@pytest.mark.parametrize("attached, whole", [(4096, False), (16384, True)], indirect=["attached"])
def test_burst(attached, whole):
    """As fast as the driver takes them: what has no place in the ring is told as lost, exactly. In one that has room
    for all of them nothing is."""
    lab = attached.lab
    watch = lab.start("burst", [attached.ptpmon, "watch", "--json", "--no-capture", attached.end.interface],
                      attached.end)
    watch.wait_for('"type":"start"', "stdout")
    assert f"passed: {BURST}" in attached.run_bridge("burst", attached.adapter, BURST)
    assert watch.stop() == 0, watch.stderr
    objects = parse_lines(watch.stdout)
    lines = [line for line in objects if line["type"] == "frame"]
    statistics = objects[-1]["interfaces"][0]["monitor"]
    assert statistics["frames_seen"] == BURST, statistics
    assert statistics["frames_emitted"] == len(lines) == BURST - statistics["frames_dropped"], statistics
    lost = sum(line["frames"] for line in objects if line["type"] == "loss")
    assert lost == statistics["frames_dropped"], objects[-1]
    assert lost == 0 or not whole
    for direction, port in (("rx", 1), ("tx", 2)):
        numbers = [line["sequenceId"] for line in lines if line["direction"] == direction]
        ports = {line["sourcePortIdentity"].rpartition("-")[2] for line in lines if line["direction"] == direction}
        assert ports == {str(port)}
        assert numbers == sorted(set(numbers)) and numbers[-1] < BURST // 2
