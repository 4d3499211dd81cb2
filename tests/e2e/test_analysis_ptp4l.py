# SPDX-License-Identifier: MIT
"""
`ptpmon analyze` against a real ptp4l, sample by sample: both ends of a link are recorded, the client's ptp4l tells its
own stamps, raw delays and offsets (ptp4l_samples.py), and each of them is the one that ptpmon computes.

Both use the same software stamps, so all is equal to the ns, but for three things, each with its name here:

- WHOLE_NS: ptp4l halves sums of whole ns and cuts the half; ptpmon keeps it.
- ANOTHER_SYNC, ANOTHER_DELAY: a Sync that arrives while a Delay_Req is under way, or a delay that becomes known while a
  Follow_Up is: the two may differ in what was the newest. Then ptp4l's number must be that of the neighboring one.
- The rate of the other clock, which ptpmon takes into account, and which ptp4l is told not to estimate: its time base
  would begin at another instant. What it changed is computed from the rate that ptpmon says, taken off for the
  comparison, and checked by test_what_the_rate_changes.
"""
import collections
import time

import pytest

from lab import run
from monitor import parse_lines
from ptp4l import client, grandmaster, wait_synchronizing
from ptp4l_samples import SETTINGS, Samples
from recorded import Recorder
from truth import settle

SECONDS = 4
FRACTIONS = 2**16
EQUAL, WHOLE_NS, ANOTHER_SYNC, ANOTHER_DELAY = "equal", "whole_ns", "another_sync", "another_delay"

# ptp4l's profile, its other settings, the kind of exchange that gives the delay.
PROFILES = {
    "udp_ipv4": ("udp_ipv4", {}, "e2e"),
    "l2": ("l2", {}, "e2e"),
    "p2p": ("l2", {"delay_mechanism": "P2P"}, "p2p"),
    # asCapable would need a rate ratio, and none is to be estimated.
    "gptp": ("gptp", {"asCapable": "true"}, "p2p-as"),
}

Scene = collections.namedtuple("Scene", "kind samples raw_delays client master")


def analyze(ptpmon, recorder):
    result = run(ptpmon, "analyze", "--exchanges", recorder.capture, recorder.events)
    return [value for value in parse_lines(result.stdout) if value["type"] == "exchange"]


@pytest.fixture(scope="module", params=PROFILES)
def scene(lab, ptpmon, request):
    profile, settings, kind = PROFILES[request.param]
    ends = lab.link()
    recorders = [Recorder(lab, ptpmon, end) for end in ends]
    for recorder in recorders:
        recorder.wait_ready()
    samples = Samples(lab, f"client-{request.param}")
    settings = {**SETTINGS, **settings}
    master = grandmaster(lab, ends[0], profile, **settings)
    slave = client(lab, ends[1], profile, slave_event_monitor=samples.monitor_path, **settings)
    samples.start(slave)
    wait_synchronizing(slave)
    time.sleep(SECONDS)
    samples.stop()
    slave.stop()
    master.stop()
    settle()
    for recorder in recorders:
        recorder.stop()
    return Scene(kind, samples, samples.raw_delays(), analyze(ptpmon, recorders[1]), analyze(ptpmon, recorders[0]))


def computed(exchanges, kind):
    """In order of time."""
    found = [one for one in exchanges if one["kind"] == kind and one["reason"] == "computed"]
    return sorted(found, key=lambda one: one["system_timestamp_ns"])


def of_client(scene, kind):
    return [one for one in computed(scene.client, kind) if one["end"] == "requester"]


def by_number(exchanges):
    found = {one["sequenceId"]: one for one in exchanges}
    assert len(found) == len(exchanges)
    return found


def identity_of(sample):
    clock, port = sample.source
    return f"{clock[:6]}.{clock[6:10]}.{clock[10:]}-{port}"


def scaled(*corrections):
    """The sum of some corrections that may be unknown, 2^-16 ns."""
    return sum(round((correction or 0) * FRACTIONS) for correction in corrections)


def cut(ns):
    """As ptp4l halves: towards 0."""
    return int(ns)


# ---- Stamps --------------------------------------------------------------------------------

def test_stamps_of_syncs(scene):
    found = by_number([one for one in scene.client if one["kind"] == "sync" and one["end"] == "requester"])
    assert len(scene.samples.syncs) > SECONDS * 4
    for sample in scene.samples.syncs:
        one = found[sample.sequenceId]
        assert (one["t1"], one["t1_kind"]) == (sample.origin, "message")
        assert (one["t2"], one["t2_kind"]) == (sample.ingress, "software")
        assert scaled(one["correction_sync_ns"], one["correction_follow_up_ns"]) == sample.correction
        assert one["sourcePortIdentity"] == identity_of(sample)
        assert one["masterToSlave_ns"] == sample.ingress - sample.origin - sample.correction / FRACTIONS


def test_stamps_of_delays(scene):
    """ptp4l tells them end to end only."""
    if scene.kind != "e2e":
        assert scene.samples.delays == []
        return
    found = by_number([one for one in scene.client if one["kind"] == "e2e"])
    assert len(scene.samples.delays) > SECONDS * 4
    for sample in scene.samples.delays:
        one = found[sample.sequenceId]
        assert (one["t3"], one["t3_kind"]) == (sample.origin, "software")
        assert (one["t4"], one["t4_kind"]) == (sample.response, "message")
        assert scaled(one["correction_response_ns"]) == sample.correction
        assert one["sourcePortIdentity"] == identity_of(sample)


def test_the_master_stamped_the_same(scene):
    """At the master's end: what its messages say is what the kernel gave it, and so the stamp of our own events."""
    found = [one for one in scene.master if one["transmitterError_ns"] is not None]
    assert {one["kind"] for one in found} == {"sync"} | ({scene.kind} if scene.kind != "e2e" else set())
    assert len(found) > SECONDS * 4
    for one in found:
        assert one["transmitterError_ns"] == 0 and one["end"] == "responder", one
    answered = [one for one in scene.master if one["receiverError_ns"] is not None]
    assert len(answered) > SECONDS * 4 and {one["kind"] for one in answered} == {scene.kind}
    assert all(one["receiverError_ns"] == 0 for one in answered)


# ---- Delays --------------------------------------------------------------------------------

def unscaled(one):
    """The delay of an exchange's four times at a rate ratio of 1: half of a sum of whole ns."""
    if one["kind"] == "e2e":
        return (one["masterToSlave_ns"] + one["slaveToMaster_ns"]) / 2
    return (one["t4"] - one["t1"] - one["turnaround_ns"]) / 2


def explain_delay(raw, one, syncs):
    """Why ptp4l's raw delay is this one; None: it is not."""
    if raw == unscaled(one):
        return EQUAL
    if raw == cut(unscaled(one)):
        return WHOLE_NS
    if one["kind"] == "e2e":
        numbers = [sync["sequenceId"] for sync in syncs]
        here = numbers.index(one["syncSequenceId"])
        for other in syncs[max(here - 1, 0):here] + syncs[here + 1:here + 2]:
            if raw == cut((other["masterToSlave_ns"] + one["slaveToMaster_ns"]) / 2):
                return ANOTHER_SYNC
    return None


def aligned(scene):
    """Pairs of ptp4l's raw delays and our exchanges, one run of the one in the other at the only place that fits; their
    reasons; how many raw delays come before them. ptp4l computes none before its first Sync, may take one for a request
    that was sent before it, and may not get to the last answers."""
    ours, raw = of_client(scene, scene.kind), scene.raw_delays
    syncs = sorted((one for one in scene.client if one["kind"] == "sync" and one["masterToSlave_ns"] is not None),
                   key=lambda one: one["system_timestamp_ns"])
    fitting = []
    for shift in range(-2, len(ours)):
        pairs = [(value, ours[i + shift]) for i, value in enumerate(raw) if 0 <= i + shift < len(ours)]
        reasons = [explain_delay(value, one, syncs) for value, one in pairs]
        if len(pairs) >= len(raw) - 2 and None not in reasons:
            fitting.append((pairs, reasons, max(-shift, 0)))
    assert len(fitting) == 1, (raw, [cut(unscaled(one)) for one in ours])
    return fitting[0]


def test_delays(scene):
    pairs, reasons, _ = aligned(scene)
    assert len(pairs) > SECONDS * 4
    counts = collections.Counter(reasons)
    assert counts[ANOTHER_SYNC] <= len(pairs) // 4, counts
    print(f"{scene.kind}: {dict(counts)}")


def rate_error(one):
    """What the delay differs from that at a rate ratio of 1 by, and how exactly that can be told: the rate is written
    with six decimals of a ppm, and the result is rounded to 2^-16 ns."""
    if one["kind"] == "e2e":
        ppm, span = one["rateRatio_ppm"], one["t2"] - one["t3"]
        change = span * (ppm or 0) / 1e6
    else:
        ppm, span = one["neighborRateRatio_ppm"], one["turnaround_ns"]
        change = span * (1 - 1 / (1 + (ppm or 0) / 1e6))
    return change / 2, abs(span) * 1e-12 + 2 / FRACTIONS


def test_what_the_rate_changes(scene):
    for one in of_client(scene, scene.kind):
        delay = one["meanPathDelay_ns" if one["kind"] == "e2e" else "meanLinkDelay_ns"]
        change, precision = rate_error(one)
        assert abs(delay - unscaled(one) - change) <= precision, one


# ---- Offsets -------------------------------------------------------------------------------

def test_offsets(scene):
    """offsetFromMaster of ptp4l is that of a Sync with one of the raw delays next to it; where that is the delay that
    ours used, the two are equal, but for what the rate changed in that delay."""
    syncs = [one for one in of_client(scene, "sync") if one["offsetFromMaster_ns"] is not None]
    pairs, _, before = aligned(scene)
    delays = {}  # ours -> ptp4l's of the same exchange
    for raw, one in pairs:
        delays.setdefault(one["meanPathDelay_ns" if scene.kind == "e2e" else "meanLinkDelay_ns"], []).append((raw, one))
    order = [one["system_timestamp_ns"] for _, one in pairs]
    counts = collections.Counter()
    for one in syncs:
        told = scene.samples.offsets.get(one["t2"])
        if told is None or (told == {0} and not counts):
            continue  # asked too late for this one; ptp4l knows no delay yet, and so no offset
        assert len(told) == 1
        used = cut(one["masterToSlave_ns"]) - min(told)  # ptp4l's delay
        # IEEE 802.1AS has the delay on the grandmaster's time base.
        scaled_delay = one["delay_used_ns"] * (1 + (one["rateRatio_ppm"] or 0) / 1e6)
        assert abs(one["masterToSlave_ns"] - scaled_delay - one["offsetFromMaster_ns"]) <= 2 / FRACTIONS
        near = before + sum(at <= one["system_timestamp_ns"] for at in order)
        assert used in scene.raw_delays[max(near - 2, 0):near + 2], (used, scene.raw_delays, one)
        same = [delay for raw, delay in delays.get(one["delay_used_ns"], []) if raw == used]
        if not same:
            counts[ANOTHER_DELAY] += 1
        else:
            offset = one["masterToSlave_ns"] - unscaled(same[0])
            counts[EQUAL if offset == min(told) else WHOLE_NS] += 1
            assert abs(offset - min(told)) < 1 or explain_delay(used, same[0], []) is None
    assert sum(counts.values()) > SECONDS * 4, counts
    assert counts[ANOTHER_DELAY] <= sum(counts.values()) // 4, counts
    print(f"{scene.kind}: {dict(counts)}")
