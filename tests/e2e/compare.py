# SPDX-License-Identifier: MIT
"""Whether ptpmon's events are the frames that tcpdump and tshark saw: each of them, in order, and nothing else."""
import collections

from monitor import identity_of


def assert_same_frames(recording, truth, direction):
    """The events of a direction, in the order of their lines, are the captured frames in theirs."""
    events = [identity_of(line) for line in recording.events(direction)]
    frames = [frame.identity for frame in truth.frames[direction]]
    missing = collections.Counter(frames) - collections.Counter(events)
    invented = collections.Counter(events) - collections.Counter(frames)
    assert not missing and not invented, \
        f"{direction}: {len(frames)} frames, {len(events)} events\nwithout event: {missing}\nwithout frame: {invented}"
    for number, (event, frame) in enumerate(zip(events, frames, strict=True)):
        assert event == frame, f"{direction}: event {number} is out of order: {event} where {frame} passed"


def assert_received_times(recording, truth):
    """The software stamp of a received frame is the time that the capture wrote, to the nanosecond."""
    for line, frame in zip(recording.events("rx"), truth.frames["rx"], strict=True):
        assert line["software_timestamp_ns"] == frame.time_ns, f"{line} at {frame.time_ns}"


def assert_joined_rightly(recording, truth):
    """A matched line's frame is one that passed at that very time, with that identity."""
    passed = {(direction, frame.time_ns, frame.identity)
              for direction, frames in truth.frames.items() for frame in frames}
    for line in recording.lines:
        if line["outcome"] == "matched":
            assert (line["direction"], line["frame_time_ns"], identity_of(line)) in passed, line


def assert_accounts_balance(recording):
    """What the driver side saw it emitted or dropped, and the summary adds up."""
    statistics, summary = recording.statistics, recording.summary
    for what in ("frames", "stamps"):
        assert statistics[f"{what}_seen"] == statistics[f"{what}_emitted"] + statistics[f"{what}_dropped"], statistics
    assert statistics["events_emitted"] == statistics["frames_emitted"] + statistics["stamps_emitted"], statistics
    assert statistics["events_dropped"] == statistics["frames_dropped"] + statistics["stamps_dropped"], statistics
    for side in ("events", "frames"):
        assert summary[side] == summary["matched"] + summary[f"unmatched_{side}"] + sum(
            summary[f"{outcome}_{side}"] for outcome in ("duplicate", "ambiguous", "outside")), summary
    assert summary["events"] == len(recording.events()) == statistics["frames_emitted"], summary
    assert summary["matched"] == sum(line["outcome"] == "matched" for line in recording.lines), summary


def assert_all_matched(recording):
    """Every event has its frame and every frame its event, and they agree."""
    summary = recording.summary
    assert summary["matched"] == summary["events"] == summary["frames"], summary
    for name in ("unmatched_events", "unmatched_frames", "duplicates", "ambiguous", "outside", "dropped_events",
                 "dropped_frames", "stamps_missing", "sourceMac_differs", "vlanId_differs", "pcp_differs"):
        assert summary[name] == 0, f"{name}: {summary}"
    assert not recording.losses


def assert_complete(recording, truth):
    """All of the above: nothing was lost, invented, confused or miscounted."""
    for direction in ("rx", "tx"):
        assert_same_frames(recording, truth, direction)
    assert_received_times(recording, truth)
    assert_joined_rightly(recording, truth)
    assert_accounts_balance(recording)
    assert_all_matched(recording)
