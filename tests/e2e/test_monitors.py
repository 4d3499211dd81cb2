# SPDX-License-Identifier: MIT
"""
Several monitors on one interface: each sees everything, the death of one does not touch the others,
and whatever way they end nothing of them stays in the kernel.
"""
import signal

import pytest

import frames
from compare import assert_complete, assert_same_frames
from lab import run, wait_until
from monitor import Monitor, kernel_objects_of, wait_until_gone
from truth import Truth, read_all, settle

FRAMES = 50


class Sender:
    """Sends frames whose sequenceId goes on counting."""

    def __init__(self, lab, end):
        self.raw = lab.packet_socket(end)
        self.sequence_id = 0

    def send(self, count=FRAMES):
        for _ in range(count):
            self.raw.send(frames.ethernet(frames.ptp(self.sequence_id)))
            self.sequence_id += 1


def filters_and_qdiscs(end):
    """What tc shows of the interface that ptpmon may have put there."""
    shown = run("tc", "-n", end.namespace, "qdisc", "show", "dev", end.interface).stdout
    lines = [line for line in shown.splitlines() if "clsact" in line]
    for hook in ("ingress", "egress"):
        lines += run("tc", "-n", end.namespace, "filter", "show", "dev", end.interface, hook).stdout.splitlines()
    return lines


@pytest.fixture
def ends(lab):
    return lab.link()


def test_three_monitors_of_which_one_is_killed(lab, ptpmon, ends):
    """At the sending end and at the receiving end alike."""
    truths = [Truth(lab, end) for end in ends]
    monitors = [[Monitor(lab, ptpmon, end) for _ in range(3)] for end in ends]
    for one in [*truths, *monitors[0], *monitors[1]]:
        one.wait_ready()
    objects = [[kernel_objects_of(monitor.process) for monitor in three] for three in monitors]
    sender = Sender(lab, ends[0])

    sender.send()
    settle()
    for three, its_objects in zip(monitors, objects):
        three[1].process.kill()
        wait_until_gone(its_objects[1])
    sender.send()
    settle()

    recordings = [[monitor.stop() for monitor in (three[0], three[2])] for three in monitors]
    for truth in truths:
        truth.stop()
    read_all(lab, truths)
    for two, truth, direction in zip(recordings, truths, ("tx", "rx")):
        assert len(truth.frames[direction]) == 2 * FRAMES
        for recording in two:
            assert_complete(recording, truth)
    for end, three in zip(ends, objects):
        wait_until_gone(set().union(*three))
        assert filters_and_qdiscs(end) == []


def test_monitor_that_joins_later(lab, ptpmon, ends):
    """It sees what passes from then on; that another watched before does not matter."""
    truth = Truth(lab, ends[0])
    first = Monitor(lab, ptpmon, ends[0])
    truth.wait_ready()
    first.wait_ready()
    sender = Sender(lab, ends[0])
    sender.send()
    second = Monitor(lab, ptpmon, ends[0])
    second.wait_ready()
    sender.send()
    settle()
    earlier, later = first.stop(), second.stop()
    truth.stop()
    read_all(lab, [truth])
    assert_complete(earlier, truth)
    truth.frames["tx"] = truth.frames["tx"][FRAMES:]
    assert_complete(later, truth)


# ---- Attached through clsact, as on kernels before 6.6 ----

TRACING = pytest.mark.parametrize("options", [[], ["--no-tracing"]], ids=["tracing", "no tracing"])


def start_clsact(lab, clsact_monitor, end, options):
    process = lab.start("clsact_monitor", [clsact_monitor, end.interface, *options], end)
    process.wait_for("ready\n", "stdout")
    assert any("clsact" in line for line in filters_and_qdiscs(end))
    return process


def events_of(process, direction):
    return [int(line.split()[1]) for line in process.stdout.splitlines() if line.startswith(direction)]


def assert_seen(processes, directions, count):
    for process, direction in zip(processes, directions):
        wait_until(lambda process=process, direction=direction: len(events_of(process, direction)) >= count,
                   f"{process.name}: {count} events")
        assert events_of(process, direction) == list(range(count))


@TRACING
def test_clsact_is_removed_at_the_end(lab, clsact_monitor, ends, options):
    processes = [start_clsact(lab, clsact_monitor, end, options) for end in ends]
    objects = [kernel_objects_of(process) for process in processes]
    Sender(lab, ends[0]).send()
    assert_seen(processes, ("tx", "rx"), FRAMES)
    for process, end, its_objects in zip(processes, ends, objects):
        assert process.stop() == 0, process.stderr
        assert filters_and_qdiscs(end) == []
        wait_until_gone(its_objects)


@TRACING
def test_clsact_is_removed_after_a_kill(lab, clsact_monitor, ends, options):
    """Of two on one interface, one is killed: the other goes on. Then it is killed as well."""
    end = ends[1]
    killed, other = [start_clsact(lab, clsact_monitor, end, options) for _ in range(2)]
    objects = [kernel_objects_of(process) for process in (killed, other)]
    sender = Sender(lab, ends[0])
    sender.send()
    assert_seen([killed, other], ("rx", "rx"), FRAMES)
    killed.kill()
    wait_until_gone(objects[0])
    assert filters_and_qdiscs(end) != []
    sender.send()
    assert_seen([other], ("rx",), 2 * FRAMES)
    other.send_signal(signal.SIGKILL)
    other.wait()
    wait_until_gone(objects[1])
    wait_until(lambda: filters_and_qdiscs(end) == [], "clsact and its filters are removed")


def test_foreign_clsact_filter_stays(lab, clsact_monitor, ends):
    """A clsact qdisc that somebody else made, and his filter, outlive a monitor."""
    end = ends[1]
    tc = ["tc", "-n", end.namespace]
    run(*tc, "qdisc", "add", "dev", end.interface, "clsact")
    run(*tc, "filter", "add", "dev", end.interface, "ingress", "protocol", "ip", "prio", "7", "u32", "match", "u32",
        "0", "0")
    before = filters_and_qdiscs(end)
    process = start_clsact(lab, clsact_monitor, end, [])
    Sender(lab, ends[0]).send()
    assert_seen([process], ("rx",), FRAMES)
    assert len(filters_and_qdiscs(end)) > len(before)
    assert process.stop() == 0, process.stderr
    assert filters_and_qdiscs(end) == before


def test_together_with_tcx(lab, ptpmon, clsact_monitor, ends):
    """One monitor through TCX, one through clsact, on one interface: both see all."""
    truth = Truth(lab, ends[1])
    by_tcx = Monitor(lab, ptpmon, ends[1])
    truth.wait_ready()
    by_tcx.wait_ready()
    by_clsact = start_clsact(lab, clsact_monitor, ends[1], [])
    Sender(lab, ends[0]).send()
    assert_seen([by_clsact], ("rx",), FRAMES)
    settle()
    assert by_clsact.stop() == 0, by_clsact.stderr
    recording = by_tcx.stop()
    truth.stop()
    read_all(lab, [truth])
    assert_same_frames(recording, truth, "rx")
    assert filters_and_qdiscs(ends[1]) == []
