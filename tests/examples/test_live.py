# SPDX-License-Identifier: MIT
"""The examples on a real link: every frame that was sent is counted, paired and recorded. Needs root."""
import os
import re
import signal
import xml.etree.ElementTree

import pytest

import files
import frames
import ptp4l
from lab import wait_until

SENT = [(message_type, 100 * message_type + number) for message_type in (0, 2, 8, 11) for number in range(15)]
PROBE = 12  # Signaling: what is sent until an example is seen to be ready

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")


@pytest.fixture
def ends(lab):
    return lab.link()


def send(lab, end, messages=SENT):
    raw = lab.packet_socket(end)
    for message_type, sequence_id in messages:
        raw.send(frames.ethernet(frames.ptp(sequence_id, message_type)))


def start(lab, end, *command):
    """Its output is seen line by line, though it goes to a file."""
    return lab.start("example", ["stdbuf", "-oL", *command], end)


def stop(process):
    """As Ctrl-C does; returns what it printed."""
    assert process.stop(signal.SIGINT) == 0, process.stderr
    return process.stdout


def test_watch_prints_every_frame(lab, ends, example):
    process = start(lab, ends[1], example("watch"), ends[1].interface)

    def sees_a_probe():
        send(lab, ends[0], [(PROBE, 0)])
        return "Signaling" in process.stdout
    wait_until(sees_a_probe, "watch sees frames")
    send(lab, ends[0])
    wait_until(lambda: process.stdout.count("\n") - process.stdout.count("Signaling") >= len(SENT), "all are printed")
    process.kill()
    seen = re.findall(r"^RX (\w+) +seq +(\d+)  NIC 0 ns  stack [1-9]\d{18} ns$", process.stdout, re.MULTILINE)
    names = {0: "Sync", 2: "Pdelay_Req", 8: "Follow_Up", 11: "Announce"}
    assert [each for each in seen if each[0] != "Signaling"] == [(names[each[0]], str(each[1])) for each in SENT]


def test_records_in_place(lab, ends, example):
    receiver, sender = (start(lab, end, example("records_in_place"), end.interface) for end in reversed(ends))
    for process in (receiver, sender):
        process.wait_for("counting")
    send(lab, ends[0])
    counts = {process: dict(re.findall(r"^ *(\d+)  ([a-z ]+)$", stop(process), re.MULTILINE))
              for process in (receiver, sender)}
    assert str(len(SENT)) in counts[receiver] and counts[receiver][str(len(SENT))] == "frames received"
    assert counts[sender][str(len(SENT))] == "frames sent"
    for name, count in (("Sync", 15), ("Pdelay_Req", 15), ("Follow_Up", 15), ("Announce", 15)):
        assert re.search(rf"^{name} +{count} RX +0 TX$", receiver.stdout, re.MULTILINE)
        assert re.search(rf"^{name} +0 RX +{count} TX$", sender.stdout, re.MULTILINE)


def test_record_events_and_pair_them_later(lab, ends, example, correlate_py):
    """record_events beside tcpdump; then both files go to the examples that correlate."""
    events, capture = lab.directory / "out.events", lab.directory / "out.pcap"
    dump = lab.start("tcpdump", ["tcpdump", "-i", ends[1].interface, "-U", "-Z", "root", "-s", "256", "-B", "4096",
                                 "--time-stamp-precision=nano", "--immediate-mode", "-w", capture], ends[1])
    dump.wait_for("listening on")
    recorder = start(lab, ends[1], example("record_events"), ends[1].interface, events)
    recorder.wait_for("recording")
    send(lab, ends[0])
    wait_until(lambda: files.captured_bytes(capture) >= 24 + len(SENT) * 76, "tcpdump has written all")
    assert stop(recorder) == f"{len(SENT)} frames recorded in {events}\n"
    stop(dump)
    recorded = files.records(events)
    assert files.frames_in(recorded, 0) == len(SENT) and recorded["clocks"] >= 2
    expected = f"{len(SENT)} pairs of {len(SENT)} events and {len(SENT)} "
    for command in ([example("correlate"), capture, events], [*correlate_py, capture, "--events", events]):
        process = lab.start("files", command)
        assert process.wait() == 0 and expected in process.stdout, process.stderr


@pytest.fixture
def master(lab, ends):
    """A grandmaster and its client; ends[1] is the client's."""
    daemons = [ptp4l.grandmaster(lab, ends[0], "gptp"), ptp4l.client(lab, ends[1], "gptp")]
    ptp4l.wait_synchronizing(daemons[1])
    yield daemons
    for daemon in daemons:
        daemon.stop()


def assert_all_paired(output, at_least):
    pairs, events, captured = map(int, re.search(
        r"^(\d+) pairs of (\d+) events and (\d+) (?:captured PTP messages|frames)$", output, re.MULTILINE).groups())
    outside = [int(count) for count in re.search(r"outside: +(\d+) events,? +(\d+) frames", output).groups()]
    assert pairs >= at_least and (events - outside[0], captured - outside[1]) == (pairs, pairs), output
    return pairs


def test_correlate_with_ptp4l(lab, ends, example, master):
    process = start(lab, ends[1], example("correlate"), ends[1].interface)
    process.wait_for("correlating")
    process.wait_for("Follow_Up", "stdout", 20)
    pairs = assert_all_paired(stop(process), 40)
    assert process.stdout.count(" matched (by_") == pairs


def test_correlate_py_with_ptp4l(lab, ends, correlate_py, master):
    """Live for a given time; then the pictures show what was printed."""
    directory = lab.directory / "pictures"
    process = lab.start("correlate.py", [*correlate_py, ends[1].interface, "--seconds", "4", "--pictures", directory],
                        ends[1])
    assert process.wait() == 0, process.stderr
    assert_all_paired(process.stdout, 40)
    rows = len(re.findall(r"^\d\d:\d\d:\d\d\.\d{9} ", process.stdout, re.MULTILINE))
    words = "".join(xml.etree.ElementTree.parse(directory / "summary.svg").getroot().itertext())
    assert f"Messages over time, {rows} messages" in words and "TX latency (software stamp)" in words


def test_correlate_py_ends_on_ctrl_c(lab, ends, correlate_py, master):
    process = lab.start("correlate.py", ["stdbuf", "-oL", correlate_py[0], "-u", *correlate_py[1:], ends[1].interface],
                        ends[1])
    process.wait_for("Follow_Up", "stdout", 10)
    assert_all_paired(stop(process), 20)


def test_correlate_py_with_scapy(lab, ends, correlate_py, master):
    """scapy starts before the monitor and stops before it: what lies outside is known to."""
    process = lab.start("correlate.py", [*correlate_py, ends[1].interface, "--scapy", "--seconds", "4"], ends[1])
    assert process.wait() == 0, process.stderr
    assert_all_paired(process.stdout, 40)
