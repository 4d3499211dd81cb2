# SPDX-License-Identifier: MIT
"""
`ptpmon correlate` on files: what the live run said, from whatever wrote the capture; and the reason
where files do not belong together.
"""
import collections
import os
import re
import shutil
import signal
import time

import pytest

import frames
from lab import is_capturing, run, wait_until
from monitor import Monitor, parse_lines
from ptp4l import client, grandmaster, wait_synchronizing
from recorded import Correlated, Recorder, correlate
from test_bad_input import FAILED, USAGE, assert_sentence
from truth import settle

BAD_FILE = 7

TOOLS = {
    "us": ["tcpdump", "-i", "mon1", "-n", "-U", "-Z", "root", "--immediate-mode", "--time-stamp-precision=micro", "-w"],
    "ns": ["tcpdump", "-i", "mon1", "-n", "-U", "-Z", "root", "--immediate-mode", "--time-stamp-precision=nano", "-w"],
    "dumpcap": ["dumpcap", "-i", "mon1", "-q", "-w"],
}

Scene = collections.namedtuple("Scene", "recorder peer watched captures")


@pytest.fixture(scope="module", params=["gptp", "udp_ipv4"])
def scene(lab, ptpmon, request):
    """A link with PTP, recorded at both ends; at the second one also watched, and captured by other programs."""
    ends = lab.link()
    recorder, peer = Recorder(lab, ptpmon, ends[1]), Recorder(lab, ptpmon, ends[0])
    watched = Monitor(lab, ptpmon, ends[1])
    captures = {tool: lab.directory / f"{request.param}-{tool}.capture" for tool in TOOLS}
    others = [lab.start(tool, [*command, captures[tool]], ends[1]) for tool, command in TOOLS.items()]
    for one in (recorder, peer, watched):
        one.wait_ready()
    for other in others:
        other.wait_for("apturing on" if "dumpcap" in other.argv else "listening on")
        wait_until(lambda pid=other.pid: is_capturing(pid), f"{other.name} captures")  # dumpcap says so before it does
    daemons = [grandmaster(lab, ends[0], request.param), client(lab, ends[1], request.param)]
    wait_synchronizing(daemons[1])
    time.sleep(2)
    for daemon in daemons:
        daemon.stop()
    settle()
    for other in others:
        assert other.stop(signal.SIGINT) == 0, other.stderr
    made = Scene(recorder, peer, watched.stop(), captures)
    recorder.stop()
    peer.stop()
    return made


@pytest.fixture(scope="module")
def own(scene, ptpmon):
    return correlate(ptpmon, scene.recorder.capture, scene.recorder.events, "--strict")


# ---- The same as live ----

# All that a line says but for where the frame stands in the file.
def outcome_of(line):
    return tuple((name, tuple(value) if isinstance(value, list) else value) for name, value in sorted(line.items())
                 if name != "frame_number")


def without_latencies(line):
    """Each monitor has its own instant of looking, so live and recorded times are not those of one."""
    return tuple(line[name] for name in (
        "direction", "messageType", "sequenceId", "domainNumber", "sourcePortIdentity", "sdoId", "flagField",
        "sourceMac", "vlanId", "transport", "queueId", "software_timestamp_ns", "frame_time_ns", "outcome", "reason"))


def test_same_as_live(scene, own):
    """Another process watched at the same time: the same messages, stamps, frames, outcomes and reasons."""
    own.assert_all_matched()
    assert collections.Counter(map(without_latencies, own.lines)) == \
        collections.Counter(map(without_latencies, scene.watched.lines))
    for name in ("events", "frames", "matched", "outside", "reasons", "messageTypes"):
        assert own.summary[name] == scene.watched.summary[name], name
    for name in ("rx_driver", "tx_software"):
        counts = [(part["latencies"][name] or {}).get("count") for part in (own.summary, scene.watched.summary)]
        assert counts[0] == counts[1]


def test_what_it_read(scene, own):
    recording, events = own.recording, scene.recorder.events.read_bytes()
    assert recording["interface"] == "mon1" and recording["phc_index"] is None
    assert recording["capture_file"] == str(scene.recorder.capture)
    assert recording["events_file"] == str(scene.recorder.events)
    assert recording["host"] == os.uname().nodename
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as boot_id:
        assert recording["boot_id"] == boot_id.read().strip()
    times = [int.from_bytes(events[at + 8:at + 16], "little") for at in (4096, len(events) - 64)]
    assert [recording["first_system_timestamp_ns"], recording["last_system_timestamp_ns"]] == times


def test_clock_is_proved(own):
    received = sum(line["direction"] == "rx" for line in own.lines)
    assert own.alignment["capture_clock"] == own.recording["capture_clock"] == "system"
    assert own.alignment["equal_stamps"] == own.alignment["compared_stamps"]
    assert min(32, received) <= own.alignment["compared_stamps"] <= received  # no more is looked at than proves it
    assert own.alignment["offset_ns"] is None


@pytest.mark.parametrize("options", [["--json"], [], ["--wide", "--color=always", "--time=utc"], ["--summary"]],
                         ids=" ".join)
def test_every_time_the_same(scene, ptpmon, options):
    command = [ptpmon, "correlate", *options]
    files = [scene.recorder.capture, scene.recorder.events]
    first = run(*command, *files).stdout
    assert first == run(*command, *files).stdout != ""
    swapped = run(*command, *reversed(files)).stdout
    assert swapped == first


# ---- Captures of other programs ----

@pytest.mark.parametrize("tool", TOOLS)
def test_other_programs_captures(scene, own, ptpmon, tool):
    """They do not tell directions, and some know microseconds only: the messages are the same."""
    found = correlate(ptpmon, scene.captures[tool], scene.recorder.events, "--strict")
    found.assert_all_matched()
    assert found.alignment["capture_clock"] == "system"

    def message(line):
        return (line["direction"], line["messageType"], line["sequenceId"], line["sourcePortIdentity"],
                line["system_timestamp_ns"], line["hw_timestamp_ns"], line["software_timestamp_ns"],
                line["frame_time_ns"] // (1000 if tool == "us" else 1))

    assert collections.Counter(map(message, found.lines)) == collections.Counter(map(message, own.lines))
    by_time = sum(line["reason"] == "by_software_time" for line in found.lines)
    assert by_time == sum(line["direction"] == "rx" for line in own.lines)


def test_another_clock(scene, own, ptpmon, lab):
    moved = lab.directory / "moved.pcapng"
    run("editcap", "-t", "37.5", scene.recorder.capture, moved)
    found = correlate(ptpmon, moved, scene.recorder.events, "--strict")
    assert found.summary["matched"] == own.summary["matched"]
    assert found.alignment["capture_clock"] == "other"
    assert abs(found.alignment["offset_ns"] - 37_500_000_000) < 1000
    assert abs(found.alignment["drift_ppm"]) < 0.001
    text = run(ptpmon, "correlate", "--summary", moved, scene.recorder.events).stdout
    assert re.search(r"another clock.*\n(.*\n)*.*offset \+37\.500000\d+ s .*drift [+-]0\.000 ppm", text), text


# ---- What is shown ----

def test_filters_and_count(scene, own, ptpmon):
    files = [scene.recorder.capture, scene.recorder.events]
    announce = [line for line in own.lines if line["messageTypeName"] == "Announce" and line["direction"] == "rx"]
    found = correlate(ptpmon, *files, "--type=announce", "--direction=rx")
    assert list(map(outcome_of, found.lines)) == list(map(outcome_of, announce))
    assert found.summary["matched"] == len(announce)
    found = correlate(ptpmon, *files, "--count=7")
    assert list(map(outcome_of, found.lines)) == list(map(outcome_of, own.lines[:7]))
    assert found.summary["matched"] == 7


def test_summary_only(scene, own, ptpmon):
    found = correlate(ptpmon, scene.recorder.capture, scene.recorder.events, "--summary")
    assert found.lines == [] and found.summary == own.summary
    text = run(ptpmon, "correlate", "--summary", scene.recorder.capture, scene.recorder.events).stdout
    assert "capture clock: the system clock" in text and "Sync" in text and "SEQ" not in text


def test_reader_closes_the_pipe(scene, ptpmon):
    result = run("bash", "-c", f"'{ptpmon}' correlate --json '{scene.recorder.capture}' '{scene.recorder.events}' "
                 "| head -n 1; exit ${PIPESTATUS[0]}")
    assert result.stdout.count("\n") == 1 and result.stderr == ""


# ---- What does not fit ----

def test_strict(scene, own, ptpmon, lab):
    """A frame that is missing is an error only where one wants it to be."""
    number = own.lines[len(own.lines) // 2]["frame_number"]
    fewer = lab.directory / "fewer.pcapng"
    run("editcap", scene.recorder.capture, fewer, number)
    for options, code in ([], 0), (["--strict"], FAILED):
        found = correlate(ptpmon, fewer, scene.recorder.events, *options, code=code)
        assert found.summary["unmatched_events"] == 1
        assert found.summary["matched"] == own.summary["matched"] - 1
    assert [line["sequenceId"] for line in found.lines if line["outcome"] != "matched"] == \
        [own.lines[len(own.lines) // 2]["sequenceId"]]


def assert_refused(ptpmon, capture, events, *words, options=()):
    result = run(ptpmon, "correlate", "--json", *options, capture, events, check=False)
    assert result.returncode == BAD_FILE and result.stdout == "", (result.returncode, result.stderr)
    assert_sentence(result.stderr, str(capture), *words)


def test_the_other_ends_capture_is_refused(scene, ptpmon, lab):
    """By the interface's name, and where the file tells none, by stamps that should be this host's."""
    assert_refused(ptpmon, scene.peer.capture, scene.recorder.events, "mon0", "mon1")
    nameless = lab.directory / "peer.pcap"
    run("editcap", "-F", "nsecpcap", scene.peer.capture, nameless)
    assert_refused(ptpmon, nameless, scene.recorder.events, str(scene.recorder.events))


def test_another_host_is_refused(lab, ptpmon):
    ends = lab.link()
    stranger = Recorder(lab, ptpmon, ends[1],
                        wrapper=["unshare", "--uts", "sh", "-c", 'hostname stranger && exec "$@"', "sh"])
    recorder = Recorder(lab, ptpmon, ends[1])
    for one in (stranger, recorder):
        one.wait_ready()
    raw = lab.packet_socket(ends[0])
    for number in range(20):
        raw.send(frames.ethernet(frames.ptp(number)))
        time.sleep(0.01)
    settle()
    for one in (stranger, recorder):
        one.stop()
    assert_refused(ptpmon, stranger.capture, recorder.events, "stranger", os.uname().nodename)


def test_another_time_is_refused(lab, ptpmon):
    """The same card, host and sender, but no message in common."""
    ends = lab.link()
    raw = lab.packet_socket(ends[0])
    recorders = []
    for first in (0, 1000):
        recorders.append(Recorder(lab, ptpmon, ends[1]))
        recorders[-1].wait_ready()
        for number in range(first, first + 20):
            raw.send(frames.ethernet(frames.ptp(number)))
        settle()
        recorders[-1].stop()
    assert_refused(ptpmon, recorders[0].capture, recorders[1].events, str(recorders[1].events))


def test_max_offset(scene, ptpmon, lab):
    moved = lab.directory / "moved-far.pcapng"
    run("editcap", "-t", "200", scene.recorder.capture, moved)
    assert_refused(ptpmon, moved, scene.recorder.events, "--max-offset")
    found = correlate(ptpmon, moved, scene.recorder.events, "--max-offset=5m")
    assert abs(found.alignment["offset_ns"] - 200_000_000_000) < 1000


def test_what_is_no_such_file(scene, ptpmon, tmp_path):
    text = tmp_path / "text"
    text.write_text("neither of the two\n" * 10)
    assert_refused(ptpmon, text, scene.recorder.events)
    result = run(ptpmon, "correlate", scene.recorder.capture, text, check=False)
    assert result.returncode == BAD_FILE and str(text) in result.stderr
    missing = tmp_path / "missing"
    for files in [missing, scene.recorder.events], [scene.recorder.capture, missing]:
        result = run(ptpmon, "correlate", *files, check=False)
        assert result.returncode == FAILED and result.stdout == ""
        assert_sentence(result.stderr, str(missing), "No such file or directory")


def test_cut_files(scene, own, ptpmon, tmp_path):
    """As after a crash: what is there is used, and what is missing on the other side lies outside."""
    capture, events = tmp_path / "cut.pcapng", tmp_path / "cut.events"
    shutil.copy(scene.recorder.capture, capture)
    shutil.copy(scene.recorder.events, events)
    os.truncate(capture, capture.stat().st_size * 2 // 3)
    found = correlate(ptpmon, capture, scene.recorder.events, "--strict")
    assert 0 < found.summary["outside_events"] < own.summary["matched"] / 2
    os.truncate(events, events.stat().st_size * 9 // 10 + 1)
    found = correlate(ptpmon, scene.recorder.capture, events, "--strict")
    assert 0 < found.summary["outside_frames"] < own.summary["matched"] / 2


def test_damage_is_told(scene, own, ptpmon, tmp_path):
    """What lies before it is shown and summed up all the same."""
    damaged = tmp_path / "damaged.pcapng"
    contents = bytearray(scene.recorder.capture.read_bytes())
    middle = contents.index(b"\x06\x00\x00\x00", len(contents) // 2)
    while middle % 4:
        middle = contents.index(b"\x06\x00\x00\x00", middle + 1)
    contents[middle + 4:middle + 8] = b"\xff\xff\xff\xff"
    damaged.write_bytes(contents)
    result = run(ptpmon, "correlate", "--json", damaged, scene.recorder.events, check=False)
    assert result.returncode == BAD_FILE
    assert_sentence(result.stderr, str(damaged))
    found = Correlated(parse_lines(result.stdout))
    before = [line for line in found.lines if line["outcome"] == "matched"]
    expected = {outcome_of(line) for line in own.lines}
    assert 0 < len(before) < len(own.lines) and {outcome_of(line) for line in before} <= expected


@pytest.mark.parametrize("arguments, words", [
    ([], ["two files"]),
    (["one.pcap"], ["two files"]),
    (["one.pcap", "two.events", "three"], ["three"]),
    (["--window=31s", "one.pcap", "two.events"], ["--window", "31s"]),
    (["--max-offset=0", "one.pcap", "two.events"], ["--max-offset"]),
    (["--duration=1s", "one.pcap", "two.events"], ["--duration"]),
    (["--ring=1M", "one.pcap", "two.events"], ["--ring"]),
    (["--type=synk", "one.pcap", "two.events"], ["--type", "synk"]),
], ids=lambda value: " ".join(value)[:40])
def test_wrong_arguments(ptpmon, arguments, words):
    result = run(ptpmon, "correlate", *arguments, check=False)
    assert result.returncode == USAGE and result.stdout == ""
    first, second = result.stderr.splitlines()
    assert first.startswith("ptpmon correlate: ") and all(word in first for word in words), first
    assert second == "Try `ptpmon correlate --help`."
