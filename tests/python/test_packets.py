# SPDX-License-Identifier: MIT
"""Frames out of packets of scapy and pyshark: the same bytes and times as in the file that the packets come from."""
import decimal
import struct
import subprocess

import pytest
from scapy.layers.l2 import CookedLinux, Dot1Q, Ether
from scapy.utils import PcapReader, rdpcap, wrpcap

import frames
import pyshark_like
from ptp_monitor import InvalidUse, packets
from ptp_monitor import _structures as c

PTP_HEADER = 34

# Every way in which a PTP message can be wrapped.
WRAPPED = {
    "plain": frames.ethernet(frames.ptp(1)),
    "other type": frames.ethernet(frames.ptp(2, message_type=0xB, domain=5, sdo_id=0x1AB)),
    "tagged": frames.ethernet(frames.ptp(3), tags=[(frames.DOT1Q, 5, 100)]),
    "priority tag": frames.ethernet(frames.ptp(4), tags=[(frames.DOT1Q, 7, 0)]),
    "two tags": frames.ethernet(frames.ptp(5), tags=[(frames.DOT1AD, 3, 200), (frames.DOT1Q, 1, 100)]),
    "udp": frames.ethernet(frames.udp_ipv4(frames.ptp(6)), ethertype=0x0800),
    "general port": frames.ethernet(frames.udp_ipv4(frames.ptp(7, message_type=8), 320), ethertype=0x0800),
    "tagged udp": frames.ethernet(frames.udp_ipv4(frames.ptp(8)), tags=[(frames.DOT1Q, 2, 7)], ethertype=0x0800),
}


def frames_in(path):
    """(time in ns, bytes, length) of each frame of a pcap file, read by hand."""
    content = path.read_bytes()
    magic, = struct.unpack_from("<I", content)
    unit = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}[magic]
    at, found = 24, []
    while at < len(content):
        seconds, fraction, captured, length = struct.unpack_from("<IIII", content, at)
        found.append((seconds * 10**9 + fraction * unit, content[at + 16:at + 16 + captured], length))
        at += 16 + captured
    return found


@pytest.fixture
def pcap(demo, tmp_path):
    """The capture of a recorded run, without its notes."""
    path = tmp_path / "demo.pcap"
    subprocess.run(["editcap", "-F", "nsecpcap", demo.with_suffix(".pcapng"), path], check=True)
    return path


@pytest.fixture
def wrapped(tmp_path):
    """All of them in a file, one ms after the other."""
    path = tmp_path / "wrapped.pcap"
    packed = []
    for number, data in enumerate(WRAPPED.values()):
        packet = Ether(data)
        packet.time = decimal.Decimal(1795367193) + decimal.Decimal(number) / 1000 + decimal.Decimal("123e-9")
        packed.append(packet)
    wrpcap(str(path), packed, nano=True)
    assert [data for _, data, _ in frames_in(path)] == list(WRAPPED.values())
    return path


# ---- scapy ----

def assert_same(given, expected):
    assert [(frame.time_ns, frame.data, frame.length) for frame in given] == expected
    assert all(frame.direction == c.DIRECTION_UNKNOWN and frame.interface == "" for frame in given)


@pytest.mark.parametrize("suffix", [".pcap", ".pcapng"])
def test_scapy_reads_the_same_frames(demo, pcap, suffix):
    path = pcap if suffix == ".pcap" else demo.with_suffix(suffix)
    given = [packets.frame_of(packet) for packet in rdpcap(str(path))]
    assert [frame[:3] for frame in given] == frames_in(pcap)
    # A time of whole microseconds does not show that its file has ns.
    assert all(frame.resolution_ns == (1 if frame.time_ns % 1000 else 1000) for frame in given)
    assert any(frame.resolution_ns == 1 for frame in given)


def test_scapy_with_a_reader_and_all_wrappings(wrapped):
    with PcapReader(str(wrapped)) as reader:
        assert_same([packets.frame_of(packet) for packet in reader], frames_in(wrapped))


def test_scapy_microseconds(pcap, tmp_path):
    path = tmp_path / "us.pcap"
    wrpcap(str(path), rdpcap(str(pcap)), nano=False)
    given = [packets.frame_of(packet) for packet in rdpcap(str(path))]
    assert_same(given, frames_in(path))
    assert {frame.resolution_ns for frame in given} == {1000}


def test_scapy_changed_packet():
    """What somebody changed counts, not what was captured."""
    packet = Ether(WRAPPED["tagged"])
    packet.time = 1.0
    assert packets.frame_of(packet).data == WRAPPED["tagged"]
    packet[Dot1Q].vlan = 101
    assert packets.frame_of(packet).data == WRAPPED["tagged"][:14] + b"\xa0\x65" + WRAPPED["tagged"][16:]


def test_scapy_made_packet():
    packet = Ether(src="02:00:00:00:00:01", dst="01:1b:19:00:00:00", type=0x88F7) / frames.ptp(9)
    frame = packets.frame_of(packet)
    assert frame.data[14:] == frames.ptp(9) and frame.length == len(frame.data)
    assert abs(frame.time_ns - 10**9 * packet.time) < 1000 and frame.resolution_ns == 1000


def test_scapy_notes():
    packet = Ether(WRAPPED["plain"])
    packet.sniffed_on, packet.wirelen = "eth3", 1500
    for direction, expected in ((1, c.DIRECTION_RX), (2, c.DIRECTION_TX), (None, c.DIRECTION_UNKNOWN)):
        packet.direction = direction
        frame = packets.frame_of(packet)
        assert (frame.direction, frame.interface, frame.length) == (expected, "eth3", 1500)


def test_other_packets():
    assert packets.frame_of(CookedLinux(bytes(60))) is None
    for one in (b"bytes", 17, None):
        with pytest.raises(TypeError, match="scapy or pyshark"):
            packets.frame_of(one)


# ---- Times ----

@pytest.mark.parametrize("time, expected", [
    ("1795367193.800609830", (1795367193800609830, 1)),
    ("1795367193.800609", (1795367193800609000, 1000)),
    ("1795367193", (1795367193 * 10**9, 1000)),
    ("2026-11-22T17:06:33.800609830Z", (1795367193800609830, 1)),
    ("2026-11-22T17:06:33Z", (1795367193 * 10**9, 1000)),
    (decimal.Decimal("1795367193.000000001"), (1795367193000000001, 1)),
    (1795367193, (1795367193 * 10**9, 1000)),
    (1795367193.5, (1795367193500000000, 1000)),
    (0.25, (250000000, 1000)),
    ("-1.5", (-1500000000, 1000)),
])
def test_times(time, expected):
    assert packets.nanoseconds(time) == expected


def test_float_times_are_as_exact_as_floats():
    for ns in range(1795367193000000001, 1795367194000000000, 77777777):
        value, resolution = packets.nanoseconds(ns / 1e9)
        assert abs(value - ns) < 300 and resolution == 1000


@pytest.mark.parametrize("time", ["yesterday", "2026-11-22", "2026-11-22T17:06:33.x", ""])
def test_no_time(time):
    with pytest.raises(InvalidUse, match="not a capture time"):
        packets.nanoseconds(time)


# ---- pyshark ----

def test_pyshark_rebuilds_the_headers(wrapped):
    """Beyond the header tshark need not take a message apart; up to there the bytes are those of the file."""
    given = [packets.frame_of(packet) for packet in pyshark_like.file_capture(wrapped)]
    assert len(given) == len(WRAPPED)
    for frame, (time_ns, data, length), name in zip(given, frames_in(wrapped), WRAPPED):
        end = data.index(frames.ptp(0)[20:28]) + 8 + 6  # after sourcePortIdentity and sequenceId
        assert frame.data[:end] == data[:end], name
        assert (len(frame.data), frame.length, frame.time_ns) == (len(data), length, time_ns)


def test_pyshark_rebuilds_real_frames(demo, pcap):
    """All that ptp4l sends is taken apart to the last byte."""
    assert_same([packets.frame_of(packet) for packet in pyshark_like.file_capture(pcap)], frames_in(pcap))
    noted = [packets.frame_of(packet) for packet in pyshark_like.file_capture(demo.with_suffix(".pcapng"))]
    assert [frame[:3] for frame in noted] == frames_in(pcap)
    assert {frame.direction for frame in noted} == {c.DIRECTION_RX, c.DIRECTION_TX}
    assert {frame.interface for frame in noted} == {"client0"}


def test_pyshark_raw(wrapped):
    for element, (time_ns, data, length) in zip(pyshark_like.elements(wrapped), frames_in(wrapped)):
        frame = packets.frame_of(pyshark_like.PacketWithRaw(element, data))
        assert (frame.time_ns, frame.data, frame.length) == (time_ns, data, length)


def test_pyshark_fields_without_bytes(wrapped):
    """As with use_json alone."""
    packet, *_ = pyshark_like.file_capture(wrapped)
    for layer in packet.layers:
        for field in layer._all_fields.values():
            for one in field.all_fields:
                one.raw_value = one.unmaskedvalue = one.pos = None
    with pytest.raises(InvalidUse, match="packet 1: .*include_raw"):
        packets.frame_of(packet)


def test_pyshark_other_link_layer(wrapped):
    packet, *_ = pyshark_like.file_capture(wrapped)
    packet.layers = [layer for layer in packet.layers if layer.layer_name != "eth"]
    assert packets.frame_of(packet) is None


def block(kind, body, options=()):
    """A block of a pcapng file; options: (code, value)."""
    for code, value in options:
        body += struct.pack("<HH", code, len(value)) + value.ljust(-(-len(value) // 4) * 4, b"\0")
    body += struct.pack("<HH", 0, 0) if options else b""
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def test_pyshark_notes(tmp_path):
    """tshark tells the interface and the direction where a pcapng file does."""
    path = tmp_path / "noted.pcapng"
    time, data = 1795367193800609830, WRAPPED["plain"]
    packet = struct.pack("<IIIII", 0, time >> 32, time & 0xFFFFFFFF, len(data), len(data)) + data
    path.write_bytes(
        block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
        + block(1, struct.pack("<HHI", 1, 0, 0), [(2, b"eth3"), (9, b"\x09")])
        + b"".join(block(6, packet, [(2, struct.pack("<I", flags))]) for flags in (1, 2, 0)))
    given = [packets.frame_of(one) for one in pyshark_like.file_capture(path)]
    assert [frame.direction for frame in given] == [c.DIRECTION_RX, c.DIRECTION_TX, c.DIRECTION_UNKNOWN]
    assert all((frame.time_ns, frame.data, frame.interface) == (time, data, "eth3") for frame in given)
