# SPDX-License-Identifier: MIT
"""
Hardware stamps, with two emulated cards (igb) on one cable, each with a clock of its own: the stamp in an event is the
one that the kernel gives to the sender, or the receiver, of that very frame. Uses the modules of ../e2e.
"""
import collections
import os
import pathlib
import socket
import struct
import time

import pytest

import frames
from compare import assert_accounts_balance, assert_all_matched
from lab import NAMESPACE_PREFIX, End, run, wait_until
from monitor import Monitor, parse_lines
from ptp4l import grandmaster
from truth import settle

DRIVER = "igb"
FRAMES = 20
SYNC, FOLLOW_UP = 0x0, 0x8

# linux/net_tstamp.h, asm-generic/socket.h, linux/if_packet.h
TX_HARDWARE, TX_SOFTWARE, RX_HARDWARE, RX_SOFTWARE, SOFTWARE, RAW_HARDWARE = (1 << bit for bit in (0, 1, 2, 3, 4, 6))
OPT_TX_SWHW = 1 << 14
SO_TIMESTAMPING = SCM_TIMESTAMPING = 37
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_MULTICAST = 263, 1, 0

Stamps = collections.namedtuple("Stamps", "software hardware")  # ns; None = none
NO_STAMPS = Stamps(None, None)


def stamps_in(control):
    """struct scm_timestamping holds the software stamp, nothing, the hardware stamp."""
    for level, kind, data in control:
        if (level, kind) == (socket.SOL_SOCKET, SCM_TIMESTAMPING):
            values = struct.unpack("6q", data)
            times = [seconds * 10**9 + ns for seconds, ns in zip(values[0::2], values[1::2])]
            return Stamps(times[0] or None, times[2] or None)
    return NO_STAMPS


def read_stamps(raw, flags, count):
    """What the kernel tells of `count` frames, by sequenceId; the two stamps of a frame may come one by one."""
    found = {}

    def read_one():
        try:
            frame, control, _, _ = raw.recvmsg(2048, 512, flags | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        sequence_id, = struct.unpack_from("!H", frame, 14 + 30)
        before, new = found.get(sequence_id, NO_STAMPS), stamps_in(control)
        found[sequence_id] = Stamps(before.software or new.software, before.hardware or new.hardware)
        return True

    for _ in range(count):
        wait_until(read_one, "the kernel hands out a frame with its stamps")
    return found


class Sender:
    """Sends Syncs one after the other, for the card stamps one at a time."""

    def __init__(self, lab, end):
        self.raw = lab.packet_socket(end)
        self.sequence_id = 0

    def send(self, flags, stamps_each):
        """Returns the stamps that the sender asked for and got, by sequenceId."""
        self.raw.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, flags)
        stamps = {}
        for _ in range(FRAMES):
            self.raw.send(frames.ethernet(frames.ptp(self.sequence_id)))
            stamps[self.sequence_id] = NO_STAMPS
            stamps.update(read_stamps(self.raw, socket.MSG_ERRQUEUE, stamps_each))
            self.sequence_id += 1
        return stamps


def receiver(lab, end):
    """A socket that has the card let PTP frames in, and tells when they came."""
    raw = lab.packet_socket(end, frames.ETHERTYPE_PTP)
    index = end.call(lambda: socket.if_nametoindex(end.interface))
    raw.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP,
                   struct.pack("iHH8s", index, PACKET_MR_MULTICAST, 6, frames.PTP_MULTICAST))
    raw.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, RX_HARDWARE | RX_SOFTWARE | SOFTWARE | RAW_HARDWARE)
    return raw


@pytest.fixture(scope="module")
def cards(lab):
    """Both, each in a namespace of its own, up. When that goes the card returns to where it was."""
    ends = []
    for device in sorted(pathlib.Path("/sys/class/net").iterdir()):
        if (device / "device/driver").resolve().name != DRIVER:
            continue
        namespace = f"{NAMESPACE_PREFIX}-{os.getpid()}-{device.name}"
        run("ip", "netns", "add", namespace)
        lab.namespaces.append(namespace)
        run("ip", "link", "set", device.name, "netns", namespace)
        ends.append(End(namespace, device.name))
    assert len(ends) == 2, f"{len(ends)} interfaces with the driver {DRIVER}; these tests take two on one cable"
    for end in ends:
        end.run("sysctl", "-qw", f"net.ipv6.conf.{end.interface}.disable_ipv6=1")
        end.ip("link", "set", end.interface, "up")
    for end in ends:
        wait_until(end.is_up, f"{end.interface} is up")
    return ends


def listed(ptpmon, end):
    interfaces = {one["interface"]: one for one in parse_lines(end.run(ptpmon, "list", "--json").stdout)}
    return interfaces[end.interface]


def watch(lab, ptpmon, end, *options):
    monitor = Monitor(lab, ptpmon, end, *options)
    monitor.wait_ready()
    return monitor


def stop(*monitors):
    settle()
    recordings = [monitor.stop() for monitor in monitors]
    for recording in recordings:
        assert_accounts_balance(recording)
        assert_all_matched(recording)
    return recordings


Sent = collections.namedtuple("Sent", "recording stamps listed")


@pytest.fixture(scope="module")
def sent(lab, ptpmon, cards):
    """Frames whose sender asked for hardware stamps, for both kinds, for none. stamps: what it was told."""
    before = listed(ptpmon, cards[0])
    monitor = watch(lab, ptpmon, cards[0], "--enable-hw-stamps")
    meanwhile = listed(ptpmon, cards[0])
    sender = Sender(lab, cards[0])
    stamps = {
        "hardware": sender.send(TX_HARDWARE | RAW_HARDWARE, 1),
        "both": sender.send(TX_HARDWARE | TX_SOFTWARE | RAW_HARDWARE | SOFTWARE | OPT_TX_SWHW, 2),
        "none": sender.send(0, 0),
    }
    recording, = stop(monitor)
    return Sent(recording, stamps, [before, meanwhile, listed(ptpmon, cards[0])])


def test_what_the_card_can_stamp(sent):
    for one in sent.listed:
        assert one["driver"] == DRIVER and one["phc_index"] is not None
        assert one["rx_stamps"]["hardware"] and one["tx_stamps"]["hardware"]


def test_stamping_is_switched_on_and_restored(sent):
    for direction in ("rx_stamps", "tx_stamps"):
        assert [one[direction]["hardware_enabled"] for one in sent.listed] == [False, True, False]


def test_hardware_stamps_come_from_the_driver(sent):
    assert sent.recording.start["tx_stamps"] == "fentry/skb_tstamp_tx"


def test_tx_stamps_are_those_that_the_sender_got(sent):
    told = {sequence_id: stamps for group in sent.stamps.values() for sequence_id, stamps in group.items()}
    lines = sent.recording.events("tx")
    print(f"found: {sum(line['hw_timestamp_ns'] is not None for line in lines)} hardware stamps of {len(lines)} frames")
    assert [line["sequenceId"] for line in lines] == list(range(3 * FRAMES)) == sorted(told)
    for line in lines:
        assert Stamps(line["software_timestamp_ns"], line["hw_timestamp_ns"]) == told[line["sequenceId"]], line
        assert line["hw_timestamp_kind"] == (line["hw_timestamp_ns"] and "metadata"), line


def test_the_sender_got_what_it_asked_for(sent):
    """Else the test above compares nothing."""
    assert all(stamps.hardware and not stamps.software for stamps in sent.stamps["hardware"].values())
    assert all(stamps.hardware and stamps.software for stamps in sent.stamps["both"].values())
    assert all(stamps == NO_STAMPS for stamps in sent.stamps["none"].values())


def test_each_stamp_was_seen_once(sent):
    statistics = sent.recording.statistics
    assert statistics["stamps_seen"] == statistics["stamps_joined"] == FRAMES + 2 * FRAMES, statistics
    for name in ("stamps_missing", "stamps_orphaned", "stamps_ambiguous", "stamps_dropped", "hw_stamp_not_a_time",
                 "hw_stamp_of_other_device"):
        assert statistics[name] == 0, statistics


def test_clocks_are_related_to_the_cards_clock(sent):
    clocks = sent.recording.of_type("clocks")
    assert len(clocks) > 1
    for one in clocks:
        assert one["hw_timestamp_ns"] is not None and 0 < one["hw_uncertainty_ns"] < 1_000_000, one
    elapsed = [clocks[-1][name] - clocks[0][name] for name in ("hw_timestamp_ns", "system_timestamp_ns")]
    assert abs(elapsed[0] / elapsed[1] - 1) < 1e-4, clocks


def test_latency_to_the_card(sent):
    """A frame is stamped after the driver side saw it."""
    for line in sent.recording.events("tx"):
        latency, uncertainty = (line[f"tx_hardware_latency{end}"] for end in ("_ns", "_uncertainty_ns"))
        assert (latency is None) == (line["hw_timestamp_ns"] is None), line
        if latency is not None:
            assert 0 < uncertainty < 1_000_000 and -uncertainty < latency < 10**9, line


def test_rx_stamps_are_those_that_the_receiver_got(lab, ptpmon, cards):
    """The emulated card stamps one frame only: it waits for a register to be read that the driver does not read."""
    raw = receiver(lab, cards[1])
    monitor = watch(lab, ptpmon, cards[1], "--enable-hw-stamps")
    Sender(lab, cards[0]).send(0, 0)
    stamps = read_stamps(raw, 0, FRAMES)
    recording, = stop(monitor)
    lines = recording.events("rx")
    assert [line["sequenceId"] for line in lines] == sorted(stamps)
    for line in lines:
        assert Stamps(line["software_timestamp_ns"], line["hw_timestamp_ns"]) == stamps[line["sequenceId"]], line
        assert (line["nic_to_host_latency_ns"] is None) == (line["hw_timestamp_ns"] is None), line
    stamped = [line for line in lines if line["hw_timestamp_ns"] is not None]
    print(f"found: {len(stamped)} of {len(lines)} received frames have a hardware stamp")
    assert stamped


def origin_timestamps(raw):
    """preciseOriginTimestamp of the Follow_Ups received, ns, by sequenceId."""
    found = {}
    while True:
        try:
            frame = raw.recv(2048, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return found
        if frame[14] & 0x0F == FOLLOW_UP:
            sequence_id, = struct.unpack_from("!H", frame, 14 + 30)
            high, low, ns = struct.unpack_from("!HII", frame, 14 + 34)
            found[sequence_id] = (high << 32 | low) * 10**9 + ns


def test_grandmaster_with_hardware_stamps(lab, ptpmon, cards):
    """ptp4l puts the stamp of each Sync into its Follow_Up: the event has the same."""
    raw = receiver(lab, cards[1])
    monitor = watch(lab, ptpmon, cards[0], "--enable-hw-stamps")
    ptp4l = grandmaster(lab, cards[0], "l2", time_stamping="hardware", tx_timestamp_timeout=1000)
    ptp4l.wait_for("assuming the grand master role")
    time.sleep(3)
    ptp4l.stop()
    recording, = stop(monitor)
    told = origin_timestamps(raw)
    stamps = {line["sequenceId"]: line["hw_timestamp_ns"] for line in recording.events("tx")
              if line["messageType"] == SYNC}
    print(f"found: {len(told)} Follow_Ups hold their Sync's stamp")
    assert len(told) > 10
    assert {sequence_id: stamps[sequence_id] for sequence_id in told} == told
