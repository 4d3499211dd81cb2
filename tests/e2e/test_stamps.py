# SPDX-License-Identifier: MIT
"""
Software TX stamps: an event carries exactly the stamp that the kernel gave to the sender, where the
sender asked for one, and says so where one was asked for and never came.
"""
import collections
import socket
import struct

import pytest

import frames
from compare import assert_complete, assert_same_frames
from lab import wait_until
from monitor import Monitor
from truth import settle
from watched import Watched, stop_all

SO_TIMESTAMPING = 37
TX_SOFTWARE, REPORT_SOFTWARE, TIMESTAMP_ONLY = 1 << 1, 1 << 4, 1 << 11
FRAMES = 20
READ_AT_ONCE = "fentry/skb_tstamp_tx"  # how a kernel that allows it gives the stamps; else when the sender reads them


def ask_for_stamps(sender, flags=0):
    sender.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, TX_SOFTWARE | REPORT_SOFTWARE | flags)


def read_stamp(sender):
    """The next stamp in the sender's error queue, ns; None = none there."""
    try:
        _, ancillary, _, _ = sender.recvmsg(2048, 512, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None
    data, = [data for level, kind, data in ancillary if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPING)]
    seconds, nanoseconds = struct.unpack_from("qq", data)
    return seconds * 10**9 + nanoseconds


def udp_socket(lab, end):
    def open_socket():
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("192.0.2.1"))
        sender.connect(("224.0.1.129", 319))
        return sender
    sender = end.call(open_socket)
    lab.opened.append(sender)
    return sender


def require_tracing(recording):
    if not recording.traced:
        pytest.skip("this kernel allows no tracing: there are no TX stamps to be had")


Sent = collections.namedtuple("Sent", "observed stamps")


@pytest.fixture(scope="module", params=["packet socket", "UDP socket"])
def sent(request, lab, ptpmon):
    """Every other frame is sent by a socket that asked for stamps. By sequenceId: the stamp that it got."""
    ends = lab.link()
    watched = Watched(lab, ptpmon, ends)
    watched.wait_ready()
    raw = request.param == "packet socket"
    make = lab.packet_socket if raw else lambda end: udp_socket(lab, end)
    plain, asking = make(ends[0]), make(ends[0])
    ask_for_stamps(asking)
    stamps = {}
    for sequence_id in range(FRAMES):
        sender = asking if sequence_id % 2 == 0 else plain
        message = frames.ptp(sequence_id)
        sender.send(frames.ethernet(message) if raw else message)
        if sender is asking:
            stamps[sequence_id] = wait_until(lambda: read_stamp(asking), f"the stamp of frame {sequence_id}")
    observed, = stop_all(lab, [watched])
    return Sent(observed, stamps)


def test_every_frame_has_its_event(sent):
    for end in sent.observed:
        assert_complete(end.recording, end.truth)


def test_stamp_is_the_one_that_the_sender_got(sent):
    recording = sent.observed[0].recording
    require_tracing(recording)
    for line in recording.events("tx"):
        assert line["software_timestamp_ns"] == sent.stamps.get(line["sequenceId"]), line
    assert recording.statistics["stamps_joined"] == len(sent.stamps)
    for name in ("stamps_missing", "stamps_orphaned", "stamps_ambiguous"):
        assert recording.statistics[name] == 0, recording.statistics


def send_unread(lab, ptpmon, flags):
    """A sender that asks for stamps and reads none until everything is over."""
    ends = lab.link()
    watched = Watched(lab, ptpmon, ends)
    watched.wait_ready()
    sender = lab.packet_socket(ends[0])
    ask_for_stamps(sender, flags)
    for sequence_id in range(FRAMES):
        sender.send(frames.ethernet(frames.ptp(sequence_id)))
    (observed, _), = stop_all(lab, [watched])
    require_tracing(observed.recording)
    assert_same_frames(observed.recording, observed.truth, "tx")
    assert observed.recording.summary["matched"] == FRAMES
    return observed.recording


def test_stamps_that_nobody_reads(lab, ptpmon):
    """Where the kernel shows a stamp only as it is read, it never comes, and the event says so."""
    recording = send_unread(lab, ptpmon, 0)
    come = recording.start["tx_stamps"] == READ_AT_ONCE
    assert {line["stamp_missing"] for line in recording.events("tx")} == {not come}
    assert {line["software_timestamp_ns"] is not None for line in recording.events("tx")} == {come}
    assert recording.statistics["stamps_joined"] == (FRAMES if come else 0)
    assert recording.summary["stamps_missing"] == recording.statistics["stamps_missing"] == (0 if come else FRAMES)


def test_late_stamp_is_given_to_no_other_frame(lab, ptpmon):
    """
    Stamps that are read seconds later are orphans. The frames that were sent again with the same
    identity in between do not get them.
    """
    ends = lab.link()
    monitor = Monitor(lab, ptpmon, ends[0])
    monitor.wait_ready()
    asking, plain = lab.packet_socket(ends[0]), lab.packet_socket(ends[0])
    ask_for_stamps(asking)
    for sequence_id in range(FRAMES):
        asking.send(frames.ethernet(frames.ptp(sequence_id)))
    # An event waits at most a second for its stamp; its line follows a moment after.
    monitor.wait_for_lines('"stamp_missing":true', FRAMES)
    for sequence_id in range(FRAMES):
        plain.send(frames.ethernet(frames.ptp(sequence_id)))
    for _ in range(FRAMES):
        assert read_stamp(asking) is not None
    settle()
    recording = monitor.stop()
    require_tracing(recording)
    lines = recording.events("tx")
    assert [line["sequenceId"] for line in lines] == [*range(FRAMES), *range(FRAMES)]
    assert {line["software_timestamp_ns"] for line in lines} == {None}
    assert [line["stamp_missing"] for line in lines] == [True] * FRAMES + [False] * FRAMES
    assert recording.statistics["stamps_orphaned"] == recording.statistics["stamps_seen"] == FRAMES


def test_stamps_without_the_frame(lab, ptpmon):
    """A sender may ask for the bare stamp. Whose it is cannot be told then, and none gets it."""
    ends = lab.link()
    watched = Watched(lab, ptpmon, ends)
    watched.wait_ready()
    sender = lab.packet_socket(ends[0])
    ask_for_stamps(sender, TIMESTAMP_ONLY)
    for sequence_id in range(FRAMES):
        sender.send(frames.ethernet(frames.ptp(sequence_id)))
        wait_until(lambda: read_stamp(sender), f"the stamp of frame {sequence_id}")
    (observed, _), = stop_all(lab, [watched])
    recording = observed.recording
    require_tracing(recording)
    assert {line["software_timestamp_ns"] for line in recording.events("tx")} == {None}
    assert {line["stamp_missing"] for line in recording.events("tx")} == {True}
    assert recording.statistics["stamps_seen"] == 0
