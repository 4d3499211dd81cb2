# SPDX-License-Identifier: MIT
"""
What `ptpmon record` writes is complete and stands alone: at the end, when it is killed, on a full
disk, where the interface goes away, and from one set of files to the next.
"""
import collections
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

import frames
from lab import PATIENCE, as_nobody, run, wait_until
from monitor import parse_lines
from ptp4l import client, grandmaster, wait_synchronizing
from recorded import Recorder, correlate
from test_bad_input import FAILED, INTERFACE, NEEDED, RIGHTS, UNSUPPORTED, USAGE, assert_sentence
from truth import Truth, read_all, settle

FRAMES = 20


def send(lab, end, count=FRAMES, first=0):
    raw = lab.packet_socket(end)
    for sequence_id in range(first, first + count):
        raw.send(frames.ethernet(frames.ptp(sequence_id)))


def flood(end, frame_sender, count, rate, stream=0):
    end.run(frame_sender, end.interface, str(count), str(rate), str(stream))


def files_of(recorder):
    return sorted(path.name for path in recorder.base.parent.glob(f"{recorder.base.name}*"))


# ---- What is in the files ----

PtpRun = collections.namedtuple("PtpRun", "recorder summary truth")


@pytest.fixture(scope="module")
def ptp_run(lab, ptpmon):
    """A gPTP link, recorded at one end, where tcpdump saw it too."""
    ends = lab.link()
    truth, recorder = Truth(lab, ends[1]), Recorder(lab, ptpmon, ends[1])
    truth.wait_ready()
    recorder.wait_ready()
    daemons = [grandmaster(lab, ends[0], "gptp"), client(lab, ends[1], "gptp")]
    wait_synchronizing(daemons[1])
    time.sleep(1)
    for daemon in daemons:
        daemon.stop()
    settle()
    summary = recorder.stop()
    truth.stop()
    read_all(lab, [truth])
    return PtpRun(recorder, summary, truth)


def test_everything_is_recorded(ptp_run, ptpmon):
    found = correlate(ptpmon, ptp_run.recorder.capture, ptp_run.recorder.events, "--strict")
    found.assert_all_matched()
    for direction in ("rx", "tx"):
        passed = [frame.identity.sequenceId for frame in ptp_run.truth.frames[direction]]
        assert sorted(line["sequenceId"] for line in found.lines if line["direction"] == direction) == sorted(passed)
    assert ptp_run.summary["events"] == found.summary["events"] == sum(map(len, ptp_run.truth.frames.values()))
    assert ptp_run.summary["dropped_events"] == ptp_run.summary["dropped_frames"] == 0
    sizes = [path.stat().st_size for path in (ptp_run.recorder.capture, ptp_run.recorder.events)]
    assert ptp_run.summary["bytes"] == sum(sizes)
    assert found.alignment["capture_clock"] == "system"


def test_wireshark_reads_the_capture(ptp_run):
    """Every frame, its time to the nanosecond, its direction, in order of time; and who captured it."""
    lines = run("tshark", "-n", "-r", ptp_run.recorder.capture, "-Y", "ptp.v2.messagetype", "-T", "fields", "-E",
                "separator=|", "-e", "frame.time_epoch", "-e", "frame.packet_flags_direction", "-e",
                "frame.interface_name", env={**os.environ, "HOME": str(ptp_run.recorder.base.parent)}).stdout.split()
    rows = [line.split("|") for line in lines]
    found = collections.defaultdict(list)
    for epoch, direction, interface in rows:
        seconds, _, fraction = epoch.partition(".")
        found[{1: "rx", 2: "tx"}[int(direction, 0)]].append(int(seconds) * 10**9 + int(fraction))
        assert interface == "mon1"
    for direction in ("rx", "tx"):
        assert found[direction] == sorted(frame.time_ns for frame in ptp_run.truth.frames[direction])
    about = run("capinfos", ptp_run.recorder.capture).stdout
    assert re.search(r"Strict time order: +True", about), about
    assert re.search(r"Capture application: +ptpmon", about), about
    assert re.search(r"Time precision = nanoseconds", about), about


def test_two_interfaces(lab, ptpmon):
    """One capture of both, in order of time; each interface's events go with it."""
    ends = lab.bridge()
    recorder = Recorder(lab, ptpmon, ends[1], interfaces=["port0", "port1"])
    recorder.wait_ready()
    send(lab, ends[0])
    send(lab, ends[3], first=100)
    settle()
    summary = recorder.stop()
    assert [(one["interface"], one["events"]) for one in summary["interfaces"]] == \
        [("port0", 2 * FRAMES), ("port1", 2 * FRAMES)]
    for interface in ("port0", "port1"):
        found = correlate(ptpmon, recorder.capture, recorder.events_of(interface), "--strict")
        found.assert_all_matched()
        assert found.recording["interface"] == interface and found.summary["events"] == 2 * FRAMES
    assert "Strict time order:   True" in run("capinfos", "-o", recorder.capture).stdout


def test_events_alone(lab, ptpmon):
    ends = lab.link()
    recorder = Recorder(lab, ptpmon, ends[1], "--no-capture")
    recorder.wait_ready()
    assert recorder.objects()[-1]["capture_file"] is None
    send(lab, ends[0])
    settle()
    summary = recorder.stop()
    assert summary["events"] == FRAMES and summary["interfaces"][0]["capture"] is None
    assert files_of(recorder) == [recorder.events.name]


# ---- When it ends early ----

def matched_so_far(ptpmon, recorder):
    """In what a recorder has written, while it goes on."""
    result = run(ptpmon, "correlate", "--json", "--summary", recorder.capture, recorder.events, check=False)
    return parse_lines(result.stdout)[-1]["matched"] if result.returncode == 0 else 0


def test_killed(lab, ptpmon, frame_sender):
    """It writes what there is without being asked; when it is killed that is there, and belongs together."""
    ends = lab.link()
    recorder = Recorder(lab, ptpmon, ends[1])
    recorder.wait_ready()
    flood(ends[0], frame_sender, 1500, 1000)
    wait_until(lambda: matched_so_far(ptpmon, recorder) == 1500, "all is written")
    flood(ends[0], frame_sender, 1000, 2000, stream=1)
    recorder.process.kill()
    found = correlate(ptpmon, recorder.capture, recorder.events)
    found.assert_nothing_unmatched()
    assert found.summary["matched"] >= 1500
    whole = [path.stat().st_size for path in (recorder.capture, recorder.events)]
    assert min(whole) > 64 * 1500


FULL = {
    "disk": ("mount -t tmpfs -o size=1200k none '{directory}' && {{ {command}; }}; code=$?; "
             "cp '{directory}'/* '{copies}'; exit $code"),
    "limit": "ulimit -f 600; {command}; code=$?; cp '{directory}'/* '{copies}'; exit $code",
}


@pytest.mark.parametrize("kind", FULL)
def test_full(lab, ptpmon, frame_sender, kind):
    """It ends by itself, says which file could not be written, and what was written can be read."""
    ends = lab.link()
    directory, copies = lab.directory / f"small-{kind}", lab.directory / f"copies-{kind}"
    directory.mkdir()
    copies.mkdir()
    command = f"'{ptpmon}' record --json -o '{directory}/trace' {ends[1].interface}"
    script = FULL[kind].format(directory=directory, copies=copies, command=command)
    process = lab.start("full", ["unshare", "--mount", "bash", "-c", script], ends[1])
    process.wait_for('"type":"files"', "stdout")
    flood(ends[0], frame_sender, 8000, 4000)
    assert process.wait() == FAILED
    assert_sentence(process.stderr, f"{directory}/trace.", "cannot write",
                    "No space left on device" if kind == "disk" else "File too large")
    assert '"type":"recorded"' in process.stdout
    found = correlate(ptpmon, copies / "trace.pcapng", copies / "trace.events")
    found.assert_nothing_unmatched()
    assert found.summary["matched"] > 500


def test_interface_vanishes(lab, ptpmon):
    ends = lab.link()
    recorder = Recorder(lab, ptpmon, ends[1])
    recorder.wait_ready()
    send(lab, ends[0])
    settle()
    ends[1].ip("link", "del", ends[1].interface)
    assert recorder.ended(INTERFACE)["events"] == FRAMES
    assert_sentence(recorder.process.stderr, ends[1].interface, "vanished")
    found = correlate(ptpmon, recorder.capture, recorder.events, "--strict")
    found.assert_all_matched()
    assert found.summary["events"] == FRAMES


def test_one_of_two_interfaces_vanishes(lab, ptpmon):
    sender, port, _, _ = lab.bridge()
    recorder = Recorder(lab, ptpmon, port, interfaces=["port0", "port1"])
    recorder.wait_ready()
    send(lab, sender)
    settle()
    port.ip("link", "del", "port1")
    recorder.process.wait_for("vanished", "stderr")
    send(lab, sender, first=FRAMES)
    settle()
    recorder.process.send_signal(signal.SIGINT)
    recorder.ended(INTERFACE)
    assert_sentence(recorder.process.stderr, "port1")
    for interface, count in (("port0", 2 * FRAMES), ("port1", FRAMES)):
        found = correlate(ptpmon, recorder.capture, recorder.events_of(interface), "--strict")
        assert found.summary["matched"] == count


# ---- How long ----

def test_count(lab, ptpmon):
    ends = lab.link()
    recorder = Recorder(lab, ptpmon, ends[1], "--count=10")
    recorder.wait_ready()
    send(lab, ends[0], 9)
    settle()
    assert recorder.process.popen.poll() is None
    send(lab, ends[0], 1, first=9)
    assert recorder.ended()["events"] == 10
    correlate(ptpmon, recorder.capture, recorder.events, "--strict").assert_all_matched()


def test_duration(lab, ptpmon):
    ends = lab.link()
    recorder = Recorder(lab, ptpmon, ends[1], "--duration=700ms")
    assert recorder.ended()["duration_ns"] >= 700_000_000
    assert recorder.process.stderr == ""


# ---- Rotation ----

def holds_frames(events):
    """A set that began after the last frame has nothing to correlate."""
    records = events.read_bytes()[4096:]
    return any(records[at + 16] < 2 for at in range(0, len(records) - 63, 64))


def assert_sets_stand_alone(ptpmon, recorder, sent):
    """Each set for itself; all together hold each frame once."""
    seen = collections.Counter()
    outside = 0
    for capture, events in recorder.sets():
        if not holds_frames(events):
            continue
        found = correlate(ptpmon, capture, events)
        found.assert_nothing_unmatched()
        outside += found.summary["outside"]
        seen.update((line["sourcePortIdentity"], line["sequenceId"]) for line in found.lines
                    if line["system_timestamp_ns"] is not None)
        assert "Strict time order:   True" in run("capinfos", "-o", capture).stdout
    assert sum(seen.values()) == sent and max(seen.values()) == 1
    return outside


def test_rotation_under_load(lab, ptpmon, frame_sender):
    """There is no pause: each cut is forced, and what it cuts through is one message at most, told as outside."""
    ends = lab.link()
    recorder = Recorder(lab, ptpmon, ends[1], "--rotate=64K", "--ring=4M")
    recorder.wait_ready()
    flood(ends[0], frame_sender, 25000, 5000)
    settle()
    summary = recorder.stop()
    sets = recorder.sets()
    assert summary["events"] == 25000 and summary["dropped_events"] == summary["dropped_frames"] == 0
    assert summary["sets"] == len(sets) >= 4
    assert [line["set"] for line in recorder.objects() if line["type"] == "files"] == list(range(1, len(sets) + 1))
    assert summary["bytes"] == sum(path.stat().st_size for pair in sets for path in pair)
    assert assert_sets_stand_alone(ptpmon, recorder, 25000) <= 2 * (len(sets) - 1)


def test_rotation_in_pauses(lab, ptpmon, frame_sender):
    """Cuts wait for a pause between frames: nothing lies outside."""
    ends = lab.link()
    recorder = Recorder(lab, ptpmon, ends[1], "--rotate=1s", "--rotate=100M")
    recorder.wait_ready()
    flood(ends[0], frame_sender, 400, 100)
    settle()
    wait_until(lambda: len(recorder.sets()) >= 4, "there are four sets")
    recorder.stop()
    assert assert_sets_stand_alone(ptpmon, recorder, 400) == 0


def test_rotation_of_two_interfaces(lab, ptpmon, frame_sender):
    ends = lab.bridge()
    recorder = Recorder(lab, ptpmon, ends[1], "--rotate=1s", interfaces=["port0", "port1"])
    recorder.wait_ready()
    flood(ends[0], frame_sender, 600, 200)
    settle()
    recorder.stop()
    captures = sorted(recorder.base.parent.glob(f"{recorder.base.name}-????.pcapng"))
    assert len(captures) >= 3
    for interface in ("port0", "port1"):
        pairs = [(capture, capture.with_suffix(f".{interface}.events")) for capture in captures]
        found = [correlate(ptpmon, *pair, "--strict") for pair in pairs if holds_frames(pair[1])]
        assert len(found) >= 3 and sum(one.summary["events"] for one in found) == 600
        assert sum(one.summary["matched"] for one in found) >= 600 - 2 * (len(captures) - 1)


def test_keep(lab, ptpmon):
    ends = lab.link()
    recorder = Recorder(lab, ptpmon, ends[1], "--rotate=1s", "--keep=2", "--duration=5500ms")
    stranger = recorder.base.with_name(recorder.base.name + "-0001.pcap")
    stranger.write_text("not ours")
    sets = recorder.ended()["sets"]
    assert sets >= 4
    kept = [f"{recorder.base.name}-{number:04}.{ending}" for number in (sets - 1, sets)
            for ending in ("events", "pcapng")]
    assert files_of(recorder) == sorted([*kept, stranger.name])


# ---- What is there already ----

@pytest.mark.parametrize("ending", ["pcapng", "events"])
def test_existing_files_are_left_alone(lab, ptpmon, ending):
    end = lab.link()[0]
    base = lab.directory / f"precious-{ending}"
    there = base.with_name(f"{base.name}.{ending}")
    there.write_text("precious")
    command = [ptpmon, "record", "--duration=300ms", "-o", base, end.interface]
    result = end.run(*command, check=False)
    assert result.returncode == FAILED and result.stdout == ""
    assert_sentence(result.stderr, str(there), "--output", "--force")
    assert there.read_text() == "precious"
    assert [path.name for path in base.parent.glob(f"{base.name}*")] == [there.name]
    assert end.run(*command, "--force").returncode == 0
    assert there.read_bytes()[:8] != b"precious"
    assert len(list(base.parent.glob(f"{base.name}*"))) == 2


def test_existing_sets_are_left_alone(lab, ptpmon):
    end = lab.link()[0]
    base = lab.directory / "sets"
    there = base.with_name("sets-0007.events")
    there.write_text("precious")
    command = [ptpmon, "record", "--duration=300ms", "--rotate=1h", "-o", base, end.interface]
    result = end.run(*command, check=False)
    assert result.returncode == FAILED
    assert_sentence(result.stderr, str(there), "--force")
    assert end.run(*command, "--force").returncode == 0
    assert sorted(path.name for path in base.parent.glob("sets*")) == ["sets-0001.events", "sets-0001.pcapng"]


def test_default_name(lab, ptpmon):
    end = lab.link()[0]
    directory = lab.directory / "named"
    directory.mkdir()
    end.run(ptpmon, "record", "--duration=200ms", end.interface, cwd=directory)
    names = sorted(path.name for path in directory.iterdir())
    assert len(names) == 2 and all(re.fullmatch(r"ptpmon-\d{8}-\d{6}\.(events|pcapng)", name) for name in names), names


# ---- What cannot begin leaves no files ----

@pytest.mark.parametrize("arguments, words", [
    ([], ["interface", "ptpmon list"]),
    (["eth9", "eth9"], ["eth9", "twice"]),
    (["--output=", "eth9"], ["--output"]),
    (["-o", "dir/", "eth9"], ["--output", "dir/"]),
    (["-o"], ["-o"]),
    (["--rotate=100", "eth9"], ["--rotate", "100"]),
    (["--rotate=1K", "eth9"], ["--rotate", "1K"]),
    (["--rotate=10ms", "eth9"], ["--rotate", "10ms"]),
    (["--keep=3", "eth9"], ["--keep", "--rotate"]),
    (["--rotate=1h", "--keep=0", "eth9"], ["--keep", "`0`"]),
    (["--count=0", "eth9"], ["--count"]),
    (["--domain=0", "eth9"], ["--domain"]),
], ids=lambda value: " ".join(value)[:40])
def test_wrong_arguments(ptpmon, tmp_path, arguments, words):
    result = run(ptpmon, "record", *arguments, check=False, cwd=tmp_path)
    assert result.returncode == USAGE and result.stdout == ""
    first, second = result.stderr.splitlines()
    assert first.startswith("ptpmon record: ") and all(word in first for word in words), first
    assert second == "Try `ptpmon record --help`."
    assert list(tmp_path.iterdir()) == []


def attempt(lab, end, program, *options, wrapper=None):
    """Runs it in a directory that everybody may write, and returns what it left there."""
    directory = lab.directory / f"attempt-{len(list(lab.directory.iterdir()))}"
    directory.mkdir(mode=0o777)
    directory.chmod(0o777)
    command = ["record", "--json", "--duration=1s", "-o", directory / "trace", *options]
    result = end.run(*(wrapper(program, command) if wrapper else [program, *command]), check=False)
    return result, sorted(path.name for path in directory.iterdir())


def test_no_such_interface(lab, ptpmon):
    end = lab.link()[0]
    result, left = attempt(lab, end, ptpmon, end.interface, "nosuch0")
    assert result.returncode == INTERFACE and result.stdout == "" and left == []
    assert_sentence(result.stderr, "nosuch0", "ptpmon list")


def test_no_rights(lab, reachable_ptpmon):
    end = lab.link()[0]
    result, left = attempt(lab, end, reachable_ptpmon, end.interface,
                           wrapper=lambda program, command: as_nobody(program, [], *command))
    assert result.returncode == RIGHTS and result.stdout == "" and left == []
    assert_sentence(result.stderr, end.interface, "root")


def test_no_right_to_capture(lab, reachable_ptpmon):
    """Half a recording is none, unless it was asked for."""
    end = lab.link()[0]

    def without_raw(program, command):
        return as_nobody(program, NEEDED, *command)

    result, left = attempt(lab, end, reachable_ptpmon, end.interface, wrapper=without_raw)
    assert result.returncode == RIGHTS and result.stdout == "" and left == []
    assert_sentence(result.stderr, end.interface, "CAP_NET_RAW", "--no-capture")
    result, left = attempt(lab, end, reachable_ptpmon, "--no-capture", end.interface, wrapper=without_raw)
    assert result.returncode == 0 and result.stderr == "" and left == ["trace.events"]


def test_not_ethernet(lab, ptpmon):
    end = lab.link()[0]
    end.ip("tuntap", "add", "tun0", "mode", "tun")
    end.ip("link", "set", "tun0", "up")
    result, left = attempt(lab, end, ptpmon, "tun0")
    assert result.returncode == UNSUPPORTED and left == []


def test_no_such_directory(lab, ptpmon):
    end = lab.link()[0]
    result = end.run(ptpmon, "record", "-o", lab.directory / "nosuch" / "trace", end.interface, check=False)
    assert result.returncode == FAILED and result.stdout == ""
    assert_sentence(result.stderr, "nosuch/trace.pcapng", "No such file or directory")


# ---- What it says ----

def test_people_are_told(lab, ptpmon):
    end = lab.link()[0]
    result = end.run(ptpmon, "record", "--duration=300ms", "-o", lab.directory / "told", end.interface)
    assert result.stderr == ""
    assert re.match(rf"Recording {end.interface} to \S*told\.pcapng, \S*told\.events\.\n", result.stdout)
    assert re.search(r"^Summary: [\d.]+ s, [\d.]+ KiB in \S*told\.pcapng, \S*told\.events$", result.stdout, re.MULTILINE)


def test_quiet(lab, ptpmon):
    end = lab.link()[0]
    result = end.run(ptpmon, "record", "-q", "--duration=300ms", "-o", lab.directory / "quiet", end.interface)
    assert result.stdout == result.stderr == ""


def test_progress_on_a_terminal(lab, ptpmon):
    """One line that is written over, on standard error only; nothing of it stays."""
    ends = lab.link()
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 120, 0, 0))
    with subprocess.Popen(["ip", "netns", "exec", ends[1].namespace, ptpmon, "record", "--duration=1m", "-o",
                           lab.directory / "progress", ends[1].interface],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs, text=True) as process:
        os.close(theirs)
        shown = os.read(ours, 4096)  # it runs, and would end by itself where this test fails
        send(lab, ends[0])
        while not re.search(rb"\r\d\d:\d\d:\d\d  20 events, 2\d captured, 0 dropped; [\d.]+ KiB, [\d.]+ \w+/s; "
                            rb"[\d.]+ \w+ free: ", shown):
            assert select.select([ours], [], [], PATIENCE)[0], shown
            shown += os.read(ours, 4096)
        process.send_signal(signal.SIGINT)
        stdout, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:
        pass  # how a terminal ends
    os.close(ours)
    assert b"\n" not in shown and shown.endswith(b"\r\x1b[K"), shown
    assert "\r" not in stdout and "20" in stdout


def test_goes_on_when_nobody_reads(lab, ptpmon):
    """The files are what it is for."""
    ends = lab.link()
    base = lab.directory / "unread"
    command = f"'{ptpmon}' record --json --rotate=1s --duration=3s -o '{base}' {ends[1].interface}"
    process = lab.start("unread", ["bash", "-c", f"{command} | true; exit ${{PIPESTATUS[0]}}"], ends[1])
    wait_until(lambda: base.with_name("unread-0002.events").exists(), "the second set")
    send(lab, ends[0])
    assert process.wait() == 0 and process.stderr == ""
    sets = sorted(base.parent.glob(f"{base.name}-????.events"))[1:]
    assert sum(correlate(ptpmon, events.with_suffix(".pcapng"), events).summary["matched"]
               for events in sets if holds_frames(events)) == FRAMES
