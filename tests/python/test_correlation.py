# SPDX-License-Identifier: MIT
"""Recordings correlated with captures of every kind: the results are those of the C library."""
import pathlib
import struct
import subprocess
import weakref

import numpy as np
import pytest
from scapy.layers.inet import UDP
from scapy.layers.l2 import CookedLinux, Ether
from scapy.utils import PcapReader, rdpcap

import ptp_monitor
import pyshark_like
from ptp_monitor import Recording
from test_recording import truth


@pytest.fixture
def recording(demo):
    return Recording(demo.with_suffix(".events"))


@pytest.fixture
def capture(demo):
    return demo.with_suffix(".pcapng")


def line_of(pair):
    """As tests/python/truth.c writes it."""
    check = (pair.source_mac_differs | pair.vlan_differs << 1 | pair.pcp_differs << 2 | pair.time_order_differs << 3)
    event = struct.pack("=QQBBHB6sBHBB8sHHHBBQQ", *pair.event).hex() if pair.event else "-"
    frame = f"{pair.frame.number} {pair.frame.time_ns}" if pair.frame else "- -"
    latencies = " ".join(f"{one.ns}+-{one.bound}" if one else "-" for one in pair.latencies)
    return f"{pair.outcome} {pair.reason} {check} {event} {frame} {pair.realtime_ns or 0} {latencies}"


def test_results_are_those_of_the_library(recording, capture, truth_program):
    *expected, counts = truth(truth_program, "correlate", recording.path, capture)
    pairs = recording.correlate_with_npcap(capture)
    assert [line_of(pair) for pair in pairs] == expected
    assert "counts {events} {frames} {matched}".format_map(pairs.counts) == counts


def as_path(path):
    return path


def as_text(path):
    return str(path)


def as_list(path):
    return list(rdpcap(str(path)))


def as_packet_list(path):
    return rdpcap(str(path))


def as_reader(path):
    return PcapReader(str(path))


def as_generator(path):
    return (packet for packet in rdpcap(str(path)))


@pytest.mark.parametrize("give", [as_path, as_text, as_list, as_packet_list, as_reader, as_generator,
                                  pyshark_like.file_capture], ids=lambda give: give.__name__)
def test_all_match(recording, capture, give):
    pairs = recording.correlate_with_npcap(give(capture))
    found = list(pairs)
    assert len(found) == len(list(recording.read_events())) > 50
    for pair in found:
        assert pair.matched and pair.outcome == "matched" and pair.message is pair.event
        assert pair.event.messageType == pair.frame.messageType and pair.event.sequenceId == pair.frame.sequenceId
        assert pair.event.sourcePortIdentity == pair.frame.sourcePortIdentity
        assert not (pair.source_mac_differs or pair.vlan_differs or pair.pcp_differs or pair.decided_early)
        assert pair.interface == recording.header.interface_name
    assert pairs.counts["events"] == pairs.counts["frames"] == pairs.counts["matched"] == len(found)
    assert len(pairs.clocks) == len(recording.clocks) and pairs.losses == []


def test_same_pairs_whoever_gives_the_frames(recording, capture):
    by_file = [line_of(pair) for pair in recording.correlate_with_npcap(capture)]
    assert by_file == [line_of(pair) for pair in recording.correlate_with_npcap(rdpcap(str(capture)))]
    assert by_file == [line_of(pair) for pair in recording.correlate_with_npcap(pyshark_like.file_capture(capture))]


def test_received_frames_are_matched_by_their_time(recording, capture):
    for pair in recording.correlate_with_npcap(capture):
        if pair.event.direction_name == "RX":
            assert pair.reason == "by_software_time" and pair.frame.time_ns == pair.event.software_timestamp
            assert 0 < pair.latencies.rx_driver.ns < 10**7 and pair.latencies.rx_driver.bound < 10**5
            assert abs(pair.realtime_ns - pair.frame.time_ns - pair.latencies.rx_driver.ns) <= 2  # both are rounded
        assert pair.latencies.nic_to_host is None and pair.latencies.tx_hardware is None


def test_alignment(recording, capture):
    pairs = recording.correlate_with_npcap(capture)
    list(pairs)
    assert pairs.alignment.clock == "system"
    assert pairs.alignment.equal_stamps == pairs.alignment.compared_stamps > 0


def messages_of(capture):
    """The PTP messages of a capture, which holds other frames, too."""
    packets = rdpcap(str(capture))
    return [packet for packet in packets if packet.type == 0x88F7 or (UDP in packet and packet[UDP].dport in (319, 320))]


def test_missing_frames_and_events(recording, capture):
    """What one side lacks comes alone, with the reason."""
    packets = messages_of(capture)
    pairs = list(recording.correlate_with_npcap(packets[:10] + packets[12:]))
    alone = [pair for pair in pairs if not pair.matched]
    assert [(pair.outcome, pair.reason, pair.frame) for pair in alone] == [
        ("event_without_frame", "not_captured", None)] * 2
    assert all(pair.message is pair.event and "event alone" in repr(pair) for pair in alone)

    packets = messages_of(capture)
    extra = Ether(with_sequence_id(packets[20].original, 0xABCD))
    extra.time = packets[20].time
    pairs = list(recording.correlate_with_npcap([*packets[:20], extra, *packets[20:]]))
    alone = [pair for pair in pairs if not pair.matched]
    assert [(pair.outcome, pair.reason, pair.event) for pair in alone] == [("frame_without_event", "no_event", None)]
    assert alone[0].message is alone[0].frame and alone[0].frame.sequenceId == 0xABCD
    assert alone[0].frame.number == 21 and alone[0].latencies == (None,) * 4 and "frame alone" in repr(alone[0])


def with_sequence_id(frame, sequence_id):
    """Of a PTP frame as ptp4l sends it: over Ethernet or over UDP/IPv4."""
    at = (14 if frame[12:14] == b"\x88\xf7" else 42) + 30
    return frame[:at] + struct.pack("!H", sequence_id) + frame[at + 2:]


def test_cross_check(recording, capture):
    packets = messages_of(capture)
    packets[5].src = "02:00:00:00:00:99"
    differing = [pair for pair in recording.correlate_with_npcap(packets) if pair.source_mac_differs]
    assert len(differing) == 1 and differing[0].matched
    assert differing[0].frame.sourceMac_text == "02:00:00:00:00:99" != differing[0].event.sourceMac_text


def test_packets_of_other_interfaces_are_passed_over(recording, capture):
    packets, others = messages_of(capture), messages_of(capture)
    for packet in packets:
        packet.sniffed_on = recording.header.interface_name
    for packet in others:
        packet.sniffed_on = "eth9"
    mixed = [packet for both in zip(packets, others) for packet in both]
    pairs = recording.correlate_with_npcap(mixed)
    assert all(pair.matched for pair in pairs) and pairs.counts["frames"] == len(packets)


@pytest.mark.parametrize("spoil, words", [
    (lambda packet: setattr(packet, "sniffed_on", "eth9") or packet, "client0.*eth9"),
    (lambda packet: CookedLinux(bytes(packet)), "CookedLinux"),
], ids=["other interface", "other link layer"])
def test_no_packet_is_of_use(recording, capture, spoil, words):
    packets = [spoil(packet) for packet in messages_of(capture)]
    with pytest.raises(ptp_monitor.InvalidUse, match=words):
        list(recording.correlate_with_npcap(packets))


def test_failing_generator(recording, capture):
    """The caller's own exception arrives, and what was given so far is not lost."""
    def packets():
        yield from messages_of(capture)[:30]
        raise RuntimeError("cable pulled")

    pairs = recording.correlate_with_npcap(packets())
    with pytest.raises(RuntimeError, match="cable pulled"):
        list(pairs)
    pairs.stop()
    rest = list(pairs)
    assert pairs.counts["matched"] == 30 and rest


def test_nothing_to_correlate(recording):
    pairs = recording.correlate_with_npcap([])
    assert all(pair.frame is None for pair in pairs)
    assert pairs.counts["frames"] == 0


def test_timeout_ends_endless_packets(recording, capture):
    first = messages_of(capture)[0]

    def packets():
        while True:
            yield first

    pairs = recording.correlate_with_npcap(packets(), timeout=0.3)
    assert sum(1 for _ in pairs) > 0 and pairs.counts["frames"] > 1


def test_stop_gives_what_is_left(recording, capture):
    pairs = recording.correlate_with_npcap(packet for packet in messages_of(capture))
    next(pairs)
    pairs.stop()
    pairs.stop()
    rest = list(pairs)
    assert pairs.counts["frames"] >= 1 and len(rest) + 1 == sum(pairs.counts["by_reason"].values())
    assert list(pairs) == []


def test_close(recording, capture):
    with recording.correlate_with_npcap(capture) as pairs:
        next(pairs)
    assert list(pairs) == [] and pairs.counts["matched"] >= 1 and pairs.alignment.clock
    pairs.close()
    pairs.stop()


def test_dropped(recording, capture):
    pairs = recording.correlate_with_npcap(capture)
    next(pairs)
    finalizer, gone = pairs._finalizer, weakref.ref(pairs)
    del pairs
    assert gone() is None and not finalizer.alive


# ---- What is refused ----

@pytest.mark.parametrize("given, error, words", [
    (17, TypeError, "int: give the name of an interface, a capture file, or packets"),
    (None, TypeError, "NoneType"),
    (b"capture.pcap", TypeError, "bytes"),
    ([1, 2], TypeError, "int: not a packet"),
    ("no-such.pcap", ptp_monitor.PtpMonitorError, "no-such.pcap"),
    (pathlib.Path("no-such.pcap"), ptp_monitor.PtpMonitorError, "no-such.pcap"),
    (pathlib.Path(__file__), ptp_monitor.BadFile, "test_correlation.py"),
], ids=repr)
def test_no_capture(recording, given, error, words):
    with pytest.raises(error, match=words):
        list(recording.correlate_with_npcap(given))


@pytest.mark.parametrize("options", [{"window": 0}, {"window": 31}, {"window": -1}, {"window": float("nan")},
                                     {"max_offset": 0}, {"max_offset": float("inf")}], ids=repr)
def test_no_option(recording, capture, options):
    with pytest.raises(ptp_monitor.InvalidUse, match=next(iter(options))):
        recording.correlate_with_npcap(capture, **options)


def test_capture_of_another_time(source_tree):
    """It does not belong to the events, and the reason is told."""
    recording = Recording(source_tree / "share/demo/gptp.events")
    with pytest.raises(ptp_monitor.BadFile, match="default.pcapng"):
        list(recording.correlate_with_npcap(source_tree / "share/demo/default.pcapng"))


def test_capture_by_another_clock(recording, capture, tmp_path):
    """The offset is found, and every frame with it; further away than is allowed it is refused."""
    moved = tmp_path / "moved.pcapng"
    subprocess.run(["editcap", "-t", "5", capture, moved], check=True)
    pairs = recording.correlate_with_npcap(moved, other_clock=True)
    assert all(pair.matched for pair in pairs)
    assert pairs.alignment.clock == "other" and abs(pairs.alignment.offset_ns - 5 * 10**9) < 10**5
    with pytest.raises(ptp_monitor.BadFile):
        list(recording.correlate_with_npcap(moved, other_clock=True, max_offset=1.0))


# ---- Arrays ----

def test_collect(recording, capture):
    pairs = list(recording.correlate_with_npcap(capture))
    columns = ptp_monitor.collect(recording.correlate_with_npcap(capture))
    assert {len(column) for column in columns.values()} == {len(pairs)}
    for name in ("outcome", "reason"):
        assert list(columns[name]) == [getattr(pair, name) for pair in pairs]
    for name in ("direction", "messageType", "sequenceId", "domainNumber", "sourcePortIdentity", "system_timestamp",
                 "hw_timestamp_ns", "software_timestamp", "stamp"):
        assert columns[name].tolist() == [getattr(pair.event, name) for pair in pairs], name
    assert columns["time_ns"].tolist() == [pair.realtime_ns for pair in pairs]
    assert columns["frame_time_ns"].tolist() == [pair.frame.time_ns for pair in pairs]
    for name in ("rx_driver", "nic_to_host", "tx_software", "tx_hardware"):
        for pair, ns, bound in zip(pairs, columns[f"latency_{name}"], columns[f"latency_{name}_bound"]):
            latency = getattr(pair.latencies, name)
            assert (ns, bound) == latency if latency else np.isnan(ns) and np.isnan(bound)


def test_collect_what_is_alone(recording, capture):
    packets = messages_of(capture)
    extra = Ether(with_sequence_id(packets[20].original, 0xABCD))
    extra.time = packets[20].time
    columns = ptp_monitor.collect(recording.correlate_with_npcap([*packets[1:20], extra, *packets[20:]]))
    alone = columns["outcome"] != "matched"
    assert sorted(zip(columns["has_event"][alone].tolist(), columns["has_frame"][alone].tolist())) == [
        (False, True), (True, False)]
    without_event = ~columns["has_event"]
    assert columns["sequenceId"][without_event].tolist() == [0xABCD]
    assert columns["system_timestamp"][without_event].tolist() == [0] and columns["stamp"][without_event].tolist() == [0]
    assert columns["frame_time_ns"][~columns["has_frame"]].tolist() == [0]


def test_collect_nothing():
    columns = ptp_monitor.collect([])
    assert len(columns) > 20 and all(len(column) == 0 for column in columns.values())
    assert columns["time_ns"].dtype == np.int64 and columns["latency_rx_driver"].dtype == np.float64
