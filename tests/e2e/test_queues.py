# SPDX-License-Identifier: MIT
"""
Several queues: the events carry the queue that the frame really took. TX: four queues of a veth, chosen by the
sending processor (XPS). RX: a TAP interface, where the test itself chooses the queue.
"""
import json
import os
import time

import pytest

import frames
from compare import assert_complete
from lab import run
from ptp4l import client, grandmaster, wait_synchronizing
from watched import Watched, stop_all

QUEUES = 4
FRAMES = 40


def processors():
    """Two to send from, or one where there is no other."""
    return sorted(os.sched_getaffinity(0))[:2]


def map_processors_to_queues(end):
    """Processor n sends through queue 1 or 3, so that neither is the default. Returns the queue by processor."""
    queues = dict(zip(processors(), (1, 3)))
    for queue in range(QUEUES):
        mask = sum(1 << processor for processor, used in queues.items() if used == queue)
        # sysfs shows an interface in its own namespace only, where `ip netns exec` mounts it.
        end.run("sh", "-c", f"echo {mask:x} > /sys/class/net/{end.interface}/queues/tx-{queue}/xps_cpus")
    return queues


def count_per_queue(end):
    """Puts a counting queueing discipline on each TX queue."""
    run("tc", "-n", end.namespace, "qdisc", "add", "dev", end.interface, "root", "handle", "1:", "mq")
    for queue in range(QUEUES):
        run("tc", "-n", end.namespace, "qdisc", "add", "dev", end.interface, "parent", f"1:{queue + 1:x}", "pfifo")


def frames_per_queue(end):
    shown = json.loads(run("tc", "-n", end.namespace, "-j", "-s", "qdisc", "show", "dev", end.interface).stdout)
    return {int(one["parent"].partition(":")[2], 16) - 1: one["packets"]
            for one in shown if one["kind"] == "pfifo"}


@pytest.fixture(scope="module")
def queues_used():
    return dict(zip(processors(), (1, 3)))


@pytest.fixture(scope="module")
def observed(lab, ptpmon, frame_sender):
    """First end: one sender per processor, pinned to it. Then a real ptp4l at both ends."""
    ends = lab.link(queues=QUEUES)
    for end in ends:
        map_processors_to_queues(end)
        count_per_queue(end)
    watched = Watched(lab, ptpmon, ends)
    watched.wait_ready()
    before = frames_per_queue(ends[0])
    for processor in processors():
        ends[0].run("taskset", "-c", str(processor), frame_sender, ends[0].interface, str(FRAMES), "1000",
                    str(processor))
    master, follower = grandmaster(lab, ends[0], "l2"), client(lab, ends[1], "l2")
    wait_synchronizing(follower)
    time.sleep(1)
    follower.stop()
    master.stop()
    results, = stop_all(lab, [watched])
    after = frames_per_queue(ends[0])
    return results, {queue: after[queue] - before[queue] for queue in after}


def test_every_frame_has_its_event(observed):
    for end in observed[0]:
        assert_complete(end.recording, end.truth)


def lines_of_sender(recording, direction, processor):
    return [line for line in recording.events(direction)
            if line["sourcePortIdentity"].startswith(f"0200e2.fffe.e200{processor:02x}-")]


def test_tx_queue_is_the_one_taken(observed, queues_used):
    recording = observed[0][0].recording
    for processor, queue in queues_used.items():
        lines = lines_of_sender(recording, "tx", processor)
        assert len(lines) == FRAMES
        expected = queue if recording.traced else None
        assert {line["queueId"] for line in lines} == {expected}


def test_tx_queues_agree_with_the_queueing_disciplines(observed):
    """All frames of the end, ptp4l's among them, were counted per queue by somebody else too."""
    results, counted = observed
    recording = results[0].recording
    if not recording.traced:
        pytest.skip("this kernel allows no tracing: the TX queue is not to be had")
    seen = {queue: 0 for queue in range(QUEUES)}
    for line in recording.events("tx"):
        seen[line["queueId"]] += 1
    assert seen == counted


def test_no_rx_queue_is_invented(observed):
    """A veth does not record on which queue a frame arrives; what is left in the frame is the sender's TX queue."""
    recording = observed[0][1].recording
    assert {line["queueId"] for line in recording.events("rx")} == {None}


def test_rx_queue_is_the_recorded_one(lab, ptpmon):
    end, files = lab.tap(QUEUES)
    watched = Watched(lab, ptpmon, [end])
    watched.wait_ready()
    order = [queue for queue in (2, 0, 3, 1) for _ in range(3)]
    for sequence_id, queue in enumerate(order):
        files[queue].write(frames.ethernet(frames.ptp(sequence_id)))
    (observed_end,), = stop_all(lab, [watched])
    assert_complete(observed_end.recording, observed_end.truth)
    assert [line["queueId"] for line in observed_end.recording.events("rx")] == order
