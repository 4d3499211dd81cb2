# SPDX-License-Identifier: MIT
"""What `ptpmon watch` is told to show, and how it ends."""
import itertools
import json
import signal

import pytest

import frames
from lab import wait_until
from monitor import Monitor, Recording, parse_lines
from truth import settle

# messageType, domain, VLAN ID, source port: two of each kind, told apart by sequenceId.
SENT = [(message_type, domain, vlan, port) for message_type in (0, 8) for domain in (0, 24) for vlan in (None, 100)
        for port in (1, 2)]


def send(lab, end):
    raw = lab.packet_socket(end)
    for sequence_id, (message_type, domain, vlan, port) in enumerate(SENT):
        tags = [] if vlan is None else [(frames.DOT1Q, 3, vlan)]
        raw.send(frames.ethernet(frames.ptp(sequence_id, message_type, domain, port), tags))


def numbers_of(*, message_type=None, domain=None, vlan="any", port=None):
    return [number for number, sent in enumerate(SENT)
            if message_type in (None, sent[0]) and domain in (None, sent[1]) and vlan in ("any", sent[2])
            and port in (None, sent[3])]


FILTERS = {
    "none": ([], numbers_of()),
    "domain": (["--domain=24"], numbers_of(domain=24)),
    "domains": (["--domain=24,0"], numbers_of()),
    "type by name": (["--type=follow_up"], numbers_of(message_type=8)),
    "type by number": (["--type=0"], numbers_of(message_type=0)),
    "port": (["--port=0200e2.fffe.e20001-2"], numbers_of(port=2)),
    "clock": (["--port=0200e2fffee20001"], numbers_of()),
    "another clock": (["--port=0200e2fffee20002"], []),
    "direction": (["--direction=rx"], numbers_of()),
    "other direction": (["--direction=tx"], []),
    "vlan": (["--vlan=100"], numbers_of(vlan=100)),
    "no vlan": (["--vlan=none"], numbers_of(vlan=None)),
    "all at once": (["--domain=24", "--type=sync", "--vlan=100", "--port=0200e2.fffe.e20001-1"],
                    numbers_of(message_type=0, domain=24, vlan=100, port=1)),
}


@pytest.fixture(scope="module")
def filtered(lab, ptpmon):
    """By name of the filters: what a monitor with them showed; all of them watch the same frames."""
    ends = lab.link()
    monitors = {name: Monitor(lab, ptpmon, ends[1], *options) for name, (options, _) in FILTERS.items()}
    for monitor in monitors.values():
        monitor.wait_ready()
    send(lab, ends[0])
    settle()
    return {name: monitor.stop() for name, monitor in monitors.items()}


@pytest.mark.parametrize("name", FILTERS)
def test_filters(filtered, name):
    recording = filtered[name]
    expected = FILTERS[name][1]
    assert [line["sequenceId"] for line in recording.lines] == expected
    for count in ("events", "frames", "matched"):
        assert recording.summary[count] == len(expected)


def test_what_is_no_ptp_message_is_counted(lab, ptpmon):
    """Foreign frames are passed over in silence; what is addressed as PTP and is none, by reason."""
    ends = lab.link()
    monitors = [Monitor(lab, ptpmon, end) for end in ends]
    for monitor in monitors:
        monitor.wait_ready()
    message = frames.ptp(1)
    not_ptp = {
        "foreign": frames.ethernet(message, ethertype=0x88B5),
        "ptp_v1": frames.ethernet(message[:1] + b"\x01" + message[2:]),
        "other_version": frames.ethernet(message[:1] + b"\x03" + message[2:]),
        "truncated": frames.ethernet(message)[:14 + 33],
        "bad_length": frames.ethernet(message[:2] + b"\x00\xff" + message[4:]),
    }
    raw = lab.packet_socket(ends[0])
    for number, frame in enumerate(not_ptp.values(), 1):
        for _ in range(number):
            raw.send(frame)
    raw.send(frames.ethernet(message))
    settle()
    for monitor in monitors:
        recording = monitor.stop()
        assert recording.summary["events"] == recording.summary["frames"] == recording.summary["matched"] == 1
        for number, reason in enumerate(not_ptp, 1):
            if reason != "foreign":
                assert recording.statistics[reason] == number, f"{reason}: {recording.statistics}"
        assert recording.statistics["frames_seen"] == 1


def test_count(lab, ptpmon):
    ends = lab.link()
    monitor = Monitor(lab, ptpmon, ends[1], "--count=5")
    monitor.wait_ready()
    send(lab, ends[0])
    assert monitor.process.wait() == 0
    recording = Recording(parse_lines(monitor.process.stdout))
    assert [line["sequenceId"] for line in recording.lines] == [0, 1, 2, 3, 4]
    assert recording.summary["matched"] == 5


def test_duration(lab, ptpmon):
    ends = lab.link()
    monitor = Monitor(lab, ptpmon, ends[1], "--duration=500ms")
    assert monitor.process.wait() == 0
    recording = Recording(parse_lines(monitor.process.stdout))
    assert recording.summary["duration_ns"] >= 500_000_000
    assert recording.summary["events"] == 0 and monitor.process.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ends_with_a_summary(lab, ptpmon, number):
    """Frames whose second of waiting has not passed are told at the end."""
    ends = lab.link()
    monitor = Monitor(lab, ptpmon, ends[1])
    monitor.wait_ready()
    send(lab, ends[0])
    settle()
    assert monitor.process.stop(number) == 0 and monitor.process.stderr == ""
    recording = Recording(parse_lines(monitor.process.stdout))
    assert recording.summary["matched"] == len(SENT)


def test_two_interfaces(lab, ptpmon):
    """The same frames at both ports of a bridge; each line names its interface, and the summary has both."""
    ends = lab.bridge()
    process = lab.start("ptpmon", [ptpmon, "watch", "--json", "port0", "port1"], ends[1])
    process.wait_for('"interface":"port1"', "stdout")
    send(lab, ends[0])
    settle()
    assert process.stop() == 0 and process.stderr == ""
    objects = parse_lines(process.stdout)
    for interface, direction in (("port0", "rx"), ("port1", "tx")):
        assert [(line["direction"], line["sequenceId"], line["outcome"]) for line in objects
                if line["type"] == "frame" and line["interface"] == interface] == \
            [(direction, number, "matched") for number in range(len(SENT))]
    summary = objects[-1]
    assert [part["interface"] for part in summary["interfaces"]] == ["port0", "port1"]
    assert summary["matched"] == sum(part["matched"] for part in summary["interfaces"]) == 2 * len(SENT)


def test_lines_come_at_once(lab, ptpmon):
    """A program that reads the pipe does not wait for a full buffer."""
    ends = lab.link()
    monitor = Monitor(lab, ptpmon, ends[1])
    monitor.wait_ready()
    send(lab, ends[0])
    monitor.wait_for_lines('"type":"frame"', len(SENT))
    for line in monitor.process.stdout.splitlines():
        json.loads(line)
    monitor.stop()


@pytest.mark.parametrize("options", [["--json"], []], ids=["json", "table"])
def test_reader_closes_the_pipe(lab, ptpmon, options):
    """`ptpmon watch ... | head -n 1` ends by itself, quietly, and successfully."""
    ends = lab.link()
    command = " ".join([f"'{ptpmon}'", "watch", *options, ends[1].interface])
    process = lab.start("pipe", ["bash", "-c", f"{command} | head -n 1; exit ${{PIPESTATUS[0]}}"], ends[1])
    raw = lab.packet_socket(ends[0])
    numbers = itertools.count()

    def ended():
        raw.send(frames.ethernet(frames.ptp(next(numbers) & 0xFFFF)))
        return process.popen.poll() is not None

    wait_until(ended, "ptpmon ends when nobody reads")
    assert process.popen.returncode == 0
    assert process.stderr == "" and process.stdout.count("\n") == 1
