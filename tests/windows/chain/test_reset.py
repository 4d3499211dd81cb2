# SPDX-License-Identifier: MIT
"""
What ptpmon.exe says of a driver that is there, and what it does when an adapter is reset under it: the driver is
detached and attached anew, and a capture of it ends. What nobody can have seen is told as a gap between two times.
"""
import json
import pathlib
import re
import shutil
import signal
import time

import pytest

import frames
from lab import run, wait_until
from monitor import Monitor, Recording, parse_lines
from test_chain import observe

HERE = pathlib.Path(__file__).resolve().parent
RING_RECORDS = 4096
FRAMES = 1000

EDGE_S = 0.05  # of a frame within 10 ms of the beginning or the end it is not told that it has no event

GONE_EXIT = 3
GONE_S = 60  # longer than it looks for an adapter


@pytest.fixture(autouse=True)
def nobody_is_left(chain):
    """Who still monitors after a test that failed would be in the way of the next."""
    yield
    for process in chain.lab.processes:
        process.kill()


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


class Watch:
    """A running `watch --json`."""

    count = 0

    def __init__(self, chain, *options):
        Watch.count += 1
        self.chain = chain
        self.process = chain.lab.start(f"reset-{Watch.count}",
                                       [chain.ptpmon, "watch", "--json", *options, chain.end.interface], chain.end)
        self.process.wait_for('"type":"start"', "stdout")
        time.sleep(EDGE_S)

    def whole_lines(self):
        return lines_of(self.process.stdout.rpartition("\n")[0])

    def losses(self, where="monitor"):
        return [line for line in self.whole_lines() if line["type"] == "loss" and line["where"] == where]

    def stop(self):
        time.sleep(EDGE_S)
        assert self.process.stop() == 0, self.process.stderr
        return Recording(parse_lines(self.process.stdout))


def ask(chain, command, *arguments):
    """Exit code, objects, and what was said."""
    Watch.count += 1
    process = chain.lab.start(f"asked-{Watch.count}", [chain.ptpmon, command, *arguments], chain.end)
    code = process.wait()
    return code, process.stdout, process.stderr


def adapter_of(chain, command="status"):
    code, out, err = ask(chain, command, "--json", chain.end.interface)
    assert (code, err) == (0, ""), (code, out, err)
    adapter, = [line for line in lines_of(out) if line["type"] == "adapter"]
    return adapter


def burst(chain):
    assert f"passed: {FRAMES}" in chain.run_bridge("burst", chain.adapter, FRAMES)


# ---- status and stats -------------------------------------------------------------------------


def test_status_of_an_idle_driver(attached):
    adapter = adapter_of(attached)
    assert (adapter["driver"], adapter["bound"], adapter["monitored"]) == ("answers", True, False)
    assert adapter["owner_process"] is None and adapter["statistics"]["frames_seen"] == 0


def test_another_process_counts_are_told(attached):
    """Both commands, in text and JSON; and the driver is not taken out under who uses it."""
    watch = Watch(attached, "--no-capture")
    burst(attached)
    adapter = adapter_of(attached)
    assert adapter["monitored"] and adapter["owner_process"] > 0 and adapter["owner_program"] == "ptpmon.exe"
    statistics = adapter["statistics"]
    assert statistics["frames_seen"] == statistics["events_emitted"] == FRAMES
    assert statistics["buffer_size"] == RING_RECORDS and statistics["stamp_source"] == "none"
    assert not any(statistics["reasons"].values()) and not any(statistics["register_results"].values())
    assert adapter_of(attached, "stats") == adapter
    code, text, _ = ask(attached, "stats")
    assert code == 0 and f"process {adapter['owner_process']} (ptpmon.exe)" in text
    assert re.search(rf"events +{FRAMES} in the ring of {RING_RECORDS}, 0 dropped", text)
    code, _, said = ask(attached, "uninstall")
    assert code == 6 and f"process {adapter['owner_process']} (ptpmon.exe) monitors it; end that first" in said
    assert watch.stop().statistics["frames_seen"] == FRAMES
    adapter = adapter_of(attached)
    assert not adapter["monitored"] and adapter["statistics"]["frames_seen"] == FRAMES


# ---- Resets -----------------------------------------------------------------------------------


def assert_is_gap(recording, first, second):
    """Losses without a number, one after the other, between two bursts; the clocks are read after them."""
    assert recording.losses and all(loss["frames"] is None and loss["stamps"] is None for loss in recording.losses)
    for before, after in zip(recording.losses, recording.losses[1:]):
        assert before["to_system_timestamp_ns"] == after["from_system_timestamp_ns"]
    begin, end = recording.losses[0]["from_system_timestamp_ns"], recording.losses[-1]["to_system_timestamp_ns"]
    assert max(line["system_timestamp_ns"] for line in first) <= end
    assert min(line["system_timestamp_ns"] for line in second) >= begin
    assert max(line["system_timestamp_ns"] for line in first) < min(line["system_timestamp_ns"] for line in second)
    after = recording.objects[recording.objects.index(recording.losses[-1]):]
    assert next(line for line in after if line["type"] in ("clocks", "frame"))["type"] == "clocks"


@pytest.mark.parametrize("is_long", [False, True])
def test_watch_goes_on_after_a_reset(attached, is_long):
    """No event is lost or counted twice: of the old attachment, what was in the ring; of the new one, everything."""
    watch = Watch(attached, "--no-capture")
    burst(attached)
    attachment = adapter_of(attached)["statistics"]["attachment"]
    if is_long:
        attached.detach()
        wait_until(lambda: len(watch.losses()) >= 2, "what is not seen is told while that goes on")
    attached.attach(RING_RECORDS)
    wait_until(lambda: adapter_of(attached)["monitored"], "the adapter is monitored again")
    assert adapter_of(attached)["statistics"]["attachment"] > attachment
    burst(attached)
    recording = watch.stop()
    events = recording.events()
    assert len(events) == 2 * FRAMES
    assert_is_gap(recording, events[:FRAMES], events[FRAMES:])
    statistics = recording.statistics
    assert statistics["frames_seen"] == statistics["frames_emitted"] == 2 * FRAMES, statistics
    assert statistics["frames_dropped"] == 0, statistics


@pytest.mark.parametrize("bursts", [1, 5])
def test_what_the_driver_did_not_tell_any_more(attached, bursts):
    """The adapter goes before its counters are read: what was emitted and dropped until then is counted."""
    watch = Watch(attached, "--no-capture")
    watch.process.send_signal(signal.SIGSTOP)
    for _ in range(bursts):
        burst(attached)
    attached.attach(RING_RECORDS)
    watch.process.send_signal(signal.SIGCONT)
    wait_until(lambda: adapter_of(attached)["monitored"], "the adapter is monitored again")
    recording = watch.stop()
    statistics = recording.statistics
    emitted = min(bursts * FRAMES, RING_RECORDS)
    dropped = bursts * FRAMES - emitted
    assert len(recording.events()) == statistics["frames_emitted"] == emitted
    assert (statistics["frames_seen"], statistics["frames_dropped"]) == (emitted + dropped, dropped)
    assert [loss["frames"] for loss in recording.losses if loss["frames"] is not None] == [dropped] * (dropped > 0)
    assert any(loss["frames"] is None for loss in recording.losses)


def test_a_taken_adapter_is_told(attached):
    """While it was away another process took it."""
    first = Watch(attached, "--no-capture")
    attached.detach()
    wait_until(first.losses, "the adapter is gone")
    first.process.send_signal(signal.SIGSTOP)  # it cannot be the faster one
    attached.attach(RING_RECORDS)
    second = Watch(attached, "--no-capture")
    first.process.send_signal(signal.SIGCONT)
    assert first.process.wait() == 6
    assert "monitors it; end that first" in first.process.stderr
    second.stop()


def test_an_adapter_that_stays_away(attached):
    """It is looked for, but not for ever; until the end nothing was seen, and that is told."""
    watch = Watch(attached, "--no-capture")
    burst(attached)
    attached.detach()
    assert watch.process.wait(GONE_S) == GONE_EXIT
    assert f"{attached.end.interface}: the interface has vanished" in watch.process.stderr
    recording = Recording(parse_lines(watch.process.stdout))
    assert len(recording.events()) == recording.statistics["frames_emitted"] == FRAMES
    assert_losses_reach_the_end(recording)


def assert_losses_reach_the_end(recording):
    clocks = recording.of_type("clocks")[-1]["system_timestamp_ns"]
    assert recording.losses[-1]["to_system_timestamp_ns"] >= clocks - 10**9
    assert all(loss["frames"] is None for loss in recording.losses)


@pytest.fixture
def npcap(attached):
    """A file: while it is there, the double of Npcap's library fails, as of an adapter that is being reset."""
    place = attached.session.prefix / "drive_c/windows/system32/Npcap"
    place.mkdir()
    library, gone = place / "wpcap.dll", attached.lab.directory / "gone"
    run("x86_64-w64-mingw32-gcc", "-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-static", "-o", library,
        HERE / "npcap_double.c")
    program, environment = attached.ptpmon, attached.session.environment
    attached.session.environment = environment | {
        "NPCAP_GONE": "Z:" + str(gone).replace("/", "\\"),
        "WINEDLLOVERRIDES": environment["WINEDLLOVERRIDES"] + ";wpcap=n,b"}  # Wine's own is preferred else
    attached.ptpmon = attached.wrapper("ptpmon-npcap", attached.command / "ptpmon.exe")
    yield gone
    gone.unlink(missing_ok=True)
    attached.ptpmon, attached.session.environment = program, environment
    shutil.rmtree(place)


def is_shown(chain, watch, sequence_id):
    """Sends it, and tells whether it, or one like it before, is shown."""
    chain.lab.packet_socket(chain.ends[1]).send(frames.ethernet(frames.ptp(sequence_id)))
    return any(line.get("sequenceId") == sequence_id for line in watch.whole_lines())


def test_the_capture_goes_on_after_a_reset(attached, npcap):
    """What is not captured is told while that goes on, and frames are captured when the adapter is back."""
    watch = Watch(attached)
    wait_until(lambda: is_shown(attached, watch, 1), "the first frame is shown")
    npcap.touch()
    wait_until(lambda: len(watch.losses("capture")) >= 2, "what is not captured is told")
    npcap.unlink()
    wait_until(lambda: is_shown(attached, watch, 2), "frames are captured again")
    recording = watch.stop()
    losses = [loss for loss in recording.losses if loss["where"] == "capture"]
    assert losses == recording.losses and all(loss["frames"] is None for loss in losses)
    times = [(loss["from_system_timestamp_ns"], loss["to_system_timestamp_ns"]) for loss in losses]
    assert all(before[0] < after[0] <= before[1] for before, after in zip(times, times[1:]))
    assert recording.summary["dropped_frames"] == 0
    assert {line["reason"] for line in recording.lines} == {"no_event"}  # nobody passes them to the driver


def test_an_event_without_a_capture_is_no_surprise(attached, npcap):
    """What passed meanwhile has an event, and its frame counts as lost."""
    watch = Watch(attached)
    npcap.touch()
    wait_until(lambda: watch.losses("capture"), "the capture is gone")
    burst(attached)
    npcap.unlink()
    wait_until(lambda: is_shown(attached, watch, 2), "frames are captured again")
    recording = watch.stop()
    reasons = [line["reason"] for line in recording.events()]
    assert len(reasons) == FRAMES and set(reasons) == {"capture_lost"}


def test_a_capture_that_stays_away(attached, npcap):
    watch = Watch(attached)
    npcap.touch()
    assert watch.process.wait(GONE_S) == 1
    assert f"{attached.end.interface}: the capture failed: " in watch.process.stderr
    assert lines_of(watch.process.stdout)[-1]["type"] == "summary"


# ---- The order of times -----------------------------------------------------------------------


def test_the_order_of_times_is_checked(attached):
    """Here the driver gets a frame after it was captured. Of a sent frame that is as on Windows; of a received one it
    cannot be, and each is told."""
    recording, _ = observe(attached, "gptp", Monitor(attached.lab, attached.ptpmon, attached.end))
    for line in recording.lines:
        if line["outcome"] == "matched" and not line["decided_early"]:
            assert line["differs"] == (["time_order"] if line["direction"] == "rx" else []), line
    received = sum(line["outcome"] == "matched" and line["direction"] == "rx" for line in recording.lines)
    assert recording.summary["time_order_differs"] == received > 0
