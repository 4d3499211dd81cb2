# SPDX-License-Identifier: MIT
"""
Frames at 10,000 per second: the monitor never costs a frame, whatever its reader does, and of what
its ring cannot hold it loses exactly what it says.
"""
import collections
import signal

import pytest

import frames
from compare import assert_accounts_balance, assert_complete, assert_joined_rightly
from monitor import Monitor, identity_of
from truth import settle
from watched import Watched, stop_all

RATE = 10_000
BIG_BUFFER_KIB = 65536
RING = "256K"


def send(end, frame_sender, count, stream):
    end.run(frame_sender, end.interface, str(count), str(RATE), str(stream))


class Passing:
    """
    Counts the frames that pass from the first end to the second: by the interfaces' counters, and by a receiver of
    PTP frames, which gets them, as every ordinary receiver, only after all that may look at them before.
    """

    def __init__(self, lab, ends):
        self.ends = ends
        self.receiver = lab.packet_socket(ends[1], frames.ETHERTYPE_PTP)
        self.receiver.setblocking(False)
        self.before = self.counters()

    def counters(self):
        return self.ends[0].counters()[0], self.ends[1].counters()[1]

    def received(self):
        count = 0
        while True:
            try:
                self.receiver.recv(64)
            except BlockingIOError:
                return count
            count += 1

    def assert_all_passed(self, count):
        settle()
        assert self.received() == count
        assert [after - before for before, after in zip(self.before, self.counters())] == [count, count]


# ---- The frames themselves ----

COUNT = 2000


@pytest.fixture
def ends(lab):
    return lab.link()


def test_no_frame_is_lost_without_monitor(lab, ends, frame_sender):
    """The yardstick: the link itself loses none."""
    passing = Passing(lab, ends)
    send(ends[0], frame_sender, COUNT, 0)
    passing.assert_all_passed(COUNT)


def test_no_frame_is_lost_with_monitor(lab, ptpmon, ends, frame_sender):
    watched = Watched(lab, ptpmon, ends, buffer_kib=BIG_BUFFER_KIB)
    watched.wait_ready()
    passing = Passing(lab, ends)
    send(ends[0], frame_sender, COUNT, 0)
    passing.assert_all_passed(COUNT)
    results, = stop_all(lab, [watched])
    for observed in results:
        assert observed.recording.summary["events"] == COUNT
        assert_complete(observed.recording, observed.truth)


def test_no_frame_is_lost_with_reader_stopped_and_ring_full(lab, ptpmon, ends, frame_sender):
    """First the stopped reader's ring fills, then everything is dropped; the frames pass all the same."""
    monitors = [Monitor(lab, ptpmon, end, "--ring", "4K") for end in ends]
    for monitor in monitors:
        monitor.wait_ready()
        monitor.send_signal(signal.SIGSTOP)
    passing = Passing(lab, ends)
    send(ends[0], frame_sender, COUNT, 0)
    passing.assert_all_passed(COUNT)
    for monitor in monitors:
        monitor.send_signal(signal.SIGCONT)
        recording = monitor.stop()
        assert recording.start["ring_records"] < COUNT / 10
        assert recording.statistics["frames_emitted"] == recording.start["ring_records"]
        assert recording.statistics["frames_dropped"] == COUNT - recording.start["ring_records"]
        assert_accounts_balance(recording)


# ---- What the ring holds and what it drops ----

Stalled = collections.namedtuple("Stalled", "observed before short long after")


@pytest.fixture(scope="module")
def stalled(lab, ptpmon, frame_sender):
    """
    The readers of both ends are stopped twice: for 0.8 of the time that their rings last, and for
    ten times that time. The numbers of frames sent before, in the first and second stop, and after.
    """
    ends = lab.link()
    watched = Watched(lab, ptpmon, ends, "--ring", RING, buffer_kib=BIG_BUFFER_KIB)
    watched.wait_ready()
    ring_records = 262144 // 72
    counts = [500, ring_records * 8 // 10, ring_records * 10, 500]
    for stream, count in enumerate(counts):
        reads = stream in (0, 3)
        for monitor in watched.monitors:
            monitor.send_signal(signal.SIGCONT if reads else signal.SIGSTOP)
        send(ends[0], frame_sender, count, stream)
        settle()
        for monitor in watched.monitors:
            monitor.send_signal(signal.SIGCONT)
        wait_until_read(watched.monitors, stream)
    observed, = stop_all(lab, [watched])
    return Stalled(observed, *counts)


def wait_until_read(monitors, stream):
    """Until the events of this stream begin to come out: the reader has caught up with what lay in its ring."""
    for monitor in monitors:
        monitor.wait_for_lines(f'"sourcePortIdentity":"0200e2.fffe.e2000{stream}-')


@pytest.fixture(params=[0, 1], ids=["sender", "receiver"])
def side(request):
    return request.param


def of_stream(lines, stream):
    return [line for line in lines if line["sourcePortIdentity"].startswith(f"0200e2.fffe.e200{stream:02x}-")]


def unsettled(lines):
    """Events and frames of messages whose two times are so far apart, on a busy machine, that they are not paired where
    both sides lost something (order_unproven)."""
    ambiguous = {}
    for line in lines:
        if line["reason"] == "order_unproven":
            ambiguous.setdefault(identity_of(line), []).append(line)
    return [line for pair in ambiguous.values() for line in pair
            if len(pair) == 2 and abs(pair[0]["time_ns"] - pair[1]["time_ns"]) > 10_000_000]


def settled(lines):
    left_out = [id(line) for line in unsettled(lines)]
    return [line for line in lines if id(line) not in left_out]


def direction_of(side):
    return ("tx", "rx")[side]


def test_ring_has_the_size_asked_for(stalled, side):
    assert stalled.observed[side].recording.start["ring_records"] == 262144 // 72


def test_pause_that_the_ring_covers_costs_nothing(stalled, side):
    lines = of_stream(stalled.observed[side].recording.lines, 1)
    assert len(lines) == stalled.short
    assert {line["outcome"] for line in lines} == {"matched"}


def test_longer_pause_is_accounted_for_exactly(stalled, side):
    recording = stalled.observed[side].recording
    sent = stalled.before + stalled.short + stalled.long + stalled.after
    assert len(stalled.observed[side].truth.frames[direction_of(side)]) == sent
    statistics = recording.statistics
    assert statistics["frames_seen"] == sent, statistics
    assert statistics["frames_emitted"] + statistics["frames_dropped"] == sent, statistics
    assert statistics["frames_dropped"] == stalled.long - recording.start["ring_records"], statistics
    assert recording.summary["dropped_events"] == statistics["frames_dropped"]
    assert_accounts_balance(recording)


def test_loss_is_reported_where_it_happened(stalled, side):
    recording = stalled.observed[side].recording
    losses = [loss for loss in recording.losses if loss["where"] == "monitor"]
    assert sum(loss["frames"] for loss in losses) == recording.statistics["frames_dropped"]
    last_before = max(line["system_timestamp_ns"] for line in of_stream(recording.events(), 1))
    first_after = min(line["system_timestamp_ns"] for line in of_stream(recording.events(), 3))
    for loss in losses:
        assert loss["from_system_timestamp_ns"] <= loss["to_system_timestamp_ns"]
        assert last_before < loss["to_system_timestamp_ns"] and loss["from_system_timestamp_ns"] < first_after, loss


def test_frames_whose_events_were_dropped_are_told_so(stalled, side):
    """What the capture held of the loss has no event, for that reason, and is not paired with another's."""
    recording = stalled.observed[side].recording
    lost = [line for line in settled(of_stream(recording.lines, 2)) if line["system_timestamp_ns"] is None]
    assert len(lost) > 0
    assert {(line["outcome"], line["reason"]) for line in lost} == {("frame_without_event", "event_lost")}
    capture_dropped = recording.summary["dropped_frames"]
    messages = {identity_of(line) for line in of_stream(recording.lines, 2)}
    assert stalled.long == len(messages) + capture_dropped


def test_what_was_not_lost_is_matched(stalled, side):
    recording = stalled.observed[side].recording
    for stream, count in ((0, stalled.before), (1, stalled.short), (3, stalled.after)):
        lines = of_stream(recording.lines, stream)
        assert len(lines) == count
        assert {line["outcome"] for line in lines} == {"matched"}
    kept = [line for line in of_stream(recording.lines, 2) if line["system_timestamp_ns"] is not None]
    assert len(kept) == recording.start["ring_records"]
    assert {line["outcome"] for line in settled(of_stream(recording.lines, 2))
            if line["system_timestamp_ns"] is not None} == {"matched"}


def test_nothing_is_matched_wrongly(stalled, side):
    observed = stalled.observed[side]
    assert_joined_rightly(observed.recording, observed.truth)
    passed = {frame.identity for frame in observed.truth.frames[direction_of(side)]}
    assert {identity_of(line) for line in observed.recording.lines} <= passed
