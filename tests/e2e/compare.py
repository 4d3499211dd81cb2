# SPDX-License-Identifier: MIT
"""Whether ptpmon's events are the frames that tcpdump and tshark saw: each of them, in order, and nothing else."""
import collections

from monitor import identity_of


def in_streams(items, identity):
    """The items of each sender and domain, in order: frames that two of them send at once have no order."""
    streams = collections.defaultdict(list)
    for item in items:
        streams[identity(item).sourcePortIdentity, identity(item).domainNumber].append(item)
    return streams


def pairs_in_order(recording, truth, direction):
    """Each event's line with the captured frame that stands at its place in its stream."""
    lines = in_streams(recording.events(direction), identity_of)
    frames = in_streams(truth.frames[direction], lambda frame: frame.identity)
    for stream, of_stream in frames.items():
        yield from zip(lines[stream], of_stream, strict=True)


def assert_same_frames(recording, truth, direction):
    """The events of a direction are the captured frames, those of a sender in the order in which it sent them."""
    events = [identity_of(line) for line in recording.events(direction)]
    frames = [frame.identity for frame in truth.frames[direction]]
    missing = collections.Counter(frames) - collections.Counter(events)
    invented = collections.Counter(events) - collections.Counter(frames)
    assert not missing and not invented, \
        f"{direction}: {len(frames)} frames, {len(events)} events\nwithout event: {missing}\nwithout frame: {invented}"
    for line, frame in pairs_in_order(recording, truth, direction):
        assert identity_of(line) == frame.identity, f"{direction}: out of order: {line} where {frame} passed"


def assert_received_times(recording, truth):
    """The software stamp of a received frame is the time that the capture wrote, to the nanosecond."""
    for line, frame in pairs_in_order(recording, truth, "rx"):
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
