# SPDX-License-Identifier: MIT
"""
Each fault of the simulator shows up under its name, as often as it happened, and makes no number wrong: what is
computed beside it is what is true, exactly as without the fault, and as much is computed as can be.
"""
import functools
from fractions import Fraction

import pytest

import oracle
import wire
from simulated import numbered, simulate
from test_truth import HARMLESS, UNIT, Run, key_of_oracle, key_of_truth
from wire import (DELAY_REQ, DELAY_RESP, FOLLOW_UP, PDELAY_REQ, PDELAY_RESP, PDELAY_RESP_FOLLOW_UP, SYNC)

BASE = {
    "e2e": {"profile": "e2e", "sync-interval": -3, "delay-interval": -3, "bridges": 1, "transport": "ethernet"},
    "p2p": {"profile": "p2p", "sync-interval": -3, "pdelay-interval": -3, "bridges": 1},
    "gptp": {"profile": "gptp", "sync-interval": -3, "pdelay-interval": -3, "bridges": 1},
}
COMMON = {"duration": "12s", "seed": 3, "observe": "client", "drift": "20", "offset": "5us", "link-delay": "500ns"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory, ptpmon):
    directory = tmp_path_factory.mktemp("faults")
    names = iter(range(1000))

    @functools.cache
    def made(profile, *faults, options=(), **more):
        settings = {"granularity": "8ns", "client-epoch": "tai", **COMMON, **BASE[profile], **more}
        simulation = simulate(ptpmon, directory / f"{next(names)}", settings, faults)
        return Run(settings, simulation, ptpmon, options)
    return made


def counts_of(run):
    point, = run.analysis.of_type("point")
    return {name: count for name, count in point["counts"].items() if count and name not in HARMLESS}


def findings_of(run, kind=None):
    return [one for one in run.analysis.of_type("finding") if kind in (None, one["kind"])]


def assert_all_true(run, least):
    """
    Each number that was computed with the NIC's stamps is the one that exact computing gives of what is true and the
    errors of the stamps; at least so many are. Where a hardware stamp is missing, a software stamp may have been used,
    and the exchange says so.
    """
    looked_at = 0
    syncs = numbered(run.simulation.exchanges("client", "sync"), key_of_truth)
    for key, one in run.computed("sync").items():
        # Of a Sync that came too late for it the simulated daemon does not say what it could have computed.
        if one["masterToSlave_ns"] is not None and one["t2_kind"] == "hardware":
            looked_at += 1
            assert syncs[key]["masterToSlave"] in (one["masterToSlave_ns"], None), one
    delays = numbered(run.simulation.exchanges("client", "e2e"), key_of_truth)
    for key, one in run.computed("e2e").items():
        if one["slaveToMaster_ns"] is not None and one["t3_kind"] == "hardware":
            looked_at += 1
            assert one["slaveToMaster_ns"] == delays[key]["slaveToMaster"], one
            of_number = ("sync", key[1], key[2], None, one["syncSequenceId"])
            assert one["masterToSlave_ns"] in [found["masterToSlave_ns"] for sync, found in run.computed("sync").items()
                                               if sync[:5] == of_number], one
    links = numbered(run.simulation.exchanges("client", "p2p", "p2p-as"), key_of_truth)
    for key, one in run.computed("p2p", "p2p-as").items():
        if one["meanLinkDelay_ns"] is not None and one["t1_kind"] == "hardware" and key in links:
            looked_at += 1
            truth = links[key]
            errors, ratio = truth["stamp_errors"], 1 + Fraction(one["neighborRateRatio_ppm"] or 0) / 10**6
            there = (truth["turnaround"] + errors[2] - errors[1]) / ratio
            around = truth["forward"] + truth["turnaround_requester"] + truth["reverse"] + errors[3] - errors[0]
            assert abs(one["meanLinkDelay_ns"] - (around - there) / 2) <= 2 * UNIT + there / 10**12, one
    assert looked_at >= least, looked_at


def assert_all_computed(run):
    """Exactly what a second computation from the bytes can compute is computed, and the same."""
    kinds = {"sync": (oracle.syncs, "masterToSlave_ns"), "e2e": (oracle.end_to_end, "slaveToMaster_ns"),
             "p2p": (oracle.peer_delays, "turnaround_ns"), "p2p-as": (oracle.peer_delays, "turnaround_ns")}
    kinds.pop("p2p" if run.settings["profile"] == "gptp" else "p2p-as")
    for kind, (compute, name) in kinds.items():
        expected = numbered(compute(run.observations), functools.partial(key_of_oracle, kind))
        found = {key: one for key, one in run.computed(kind).items()
                 if one[name] is not None and (kind[:3] != "p2p" or one["meanLinkDelay_ns"] is not None)}
        assert set(found) == set(expected), kind
        for key, one in found.items():
            again = oracle.turnaround(expected[key]) if kind[:3] == "p2p" else getattr(expected[key], name[:-3])
            assert one[name] == again, one


# ---- Messages that are lost, late, twice ---------------------------------------------------

LOST = [  # profile, type, name of the count
    ("e2e", "sync", SYNC, "follow_up_without_sync"),
    ("e2e", "follow_up", FOLLOW_UP, "sync_without_follow_up"),
    ("e2e", "delay_resp", DELAY_RESP, "delay_req_without_response"),
    ("p2p", "pdelay_resp", PDELAY_RESP, "pdelay_follow_up_without_response"),
    ("p2p", "pdelay_resp_follow_up", PDELAY_RESP_FOLLOW_UP, "pdelay_resp_without_follow_up"),
    ("gptp", "sync", SYNC, "follow_up_without_sync"),
    ("gptp", "pdelay_resp", PDELAY_RESP, "pdelay_follow_up_without_response"),
    ("gptp", "pdelay_resp_follow_up", PDELAY_RESP_FOLLOW_UP, "pdelay_resp_without_follow_up"),
]


@pytest.mark.parametrize("profile, kind, message_type, name", LOST, ids=lambda value: str(value))
def test_loss(profile, kind, message_type, name, runs):
    """Not at the edges, where exchanges are cut anyway."""
    run = runs(profile, f"loss:type={kind},p=0.2,at=2s,until=10s")
    lost = len(run.simulation.faults("loss", message_type))
    assert lost > 5
    assert counts_of(run)[name] == lost
    assert_all_true(run, 120)
    assert_all_computed(run)


def test_duplicates(runs):
    run = runs("gptp", "duplicate:p=0.3")
    assert counts_of(run)["duplicates"] == len(run.simulation.faults("duplicate")) > 20
    assert_all_true(run, 160)
    assert_all_computed(run)


def test_reordered(runs):
    """Syncs that come 150 ms late, behind their Follow_Up and the next Sync."""
    run = runs("gptp", "reorder:type=sync,p=0.2")
    assert counts_of(run)["reordered"] > 5
    assert_all_true(run, 160)
    assert_all_computed(run)


def test_reordered_end_to_end(runs):
    """With a delay that is 150 ms too long: what contradicts the exchange before it may be left out, by that name."""
    run = runs("e2e", "reorder:type=sync,p=0.2")
    assert counts_of(run)["reordered"] > 5
    assert {one["reason"] for one in run.computed("e2e").values()} <= {"computed", "times_contradict"}
    assert_all_true(run, 140)


@pytest.mark.parametrize("profile", BASE)
def test_follow_up_first(profile, runs):
    run = runs(profile, "follow_up_first:p=0.5")
    point, = run.analysis.of_type("point")
    assert point["counts"]["follow_up_first"] == len(run.simulation.faults("follow_up_first")) > 10
    assert_all_true(run, 130)
    assert_all_computed(run)


def test_restart(runs):
    run = runs("e2e", "restart:at=6s")
    assert counts_of(run)["restarts"] >= 1
    assert_all_true(run, 150)


# ---- Stamps --------------------------------------------------------------------------------

MISSING = [("e2e", "delay_req", DELAY_REQ, "e2e"), ("p2p", "pdelay_req", PDELAY_REQ, "p2p"),
           ("gptp", "pdelay_req", PDELAY_REQ, "p2p-as")]


@pytest.mark.parametrize("profile, name, message_type, kind", MISSING)
def test_missing_tx_stamps(profile, name, message_type, kind, runs):
    """These exchanges, and no others, are without what the NIC would have said: named where only its stamps are asked
    for, and else computed with others, which each says of itself."""
    fault = f"missing_tx_stamp:type={name},p=0.3"
    run, strict = runs(profile, fault), runs(profile, fault, options=("--stamps=hardware",))
    missing = {line["sequenceId"] for line in run.simulation.faults("missing_tx_stamp", message_type)}
    assert len(missing) > 5 and counts_of(run)["stamp_missing"] == counts_of(strict)["stamp_missing"] == len(missing)
    local = "t3_kind" if kind == "e2e" else "t1_kind"
    assert {one["sequenceId"] for one in run.computed(kind).values() if one[local] != "hardware"} == missing
    assert {one["sequenceId"] for one in strict.computed(kind).values() if one["reason"] == "without_stamp"} == missing
    for each in (run, strict):
        assert_all_true(each, 100)


def test_stuck_latch(runs):
    """A stamp that another message had is no time of this one: not computed with, and counted."""
    fault = "stuck_latch:type=sync,p=0.2"
    run, strict = runs("gptp", fault), runs("gptp", fault, options=("--stamps=hardware",))
    stuck = {line["sequenceId"] for line in run.simulation.faults("stuck_latch", SYNC)}
    assert len(stuck) > 5 and counts_of(run)["stamp_repeated"] == len(stuck)
    assert {one["sequenceId"] for one in run.computed("sync").values() if one["t2_kind"] != "hardware"} == stuck
    assert {one["sequenceId"] for one in strict.computed("sync").values() if one["reason"] == "without_stamp"} == stuck
    for each in (run, strict):
        assert_all_true(each, 140)


# ---- Clocks --------------------------------------------------------------------------------

@pytest.mark.parametrize("size", ["-1s", "37s", "10us"])
@pytest.mark.parametrize("profile", BASE)
def test_phc_step(profile, size, runs):
    run = runs(profile, f"phc_step:at=6.05s,size={size}")
    step, = run.simulation.of_type("clock_step")
    found, = findings_of(run, "clock_step")
    assert abs(found["size_ns"] - float(step["size"])) <= found["bound_ns"] < abs(float(step["size"]))
    assert findings_of(run) == [found]
    assert {one["segment"] for one in run.analysis.exchanges} >= {0, 1}
    assert_all_true(run, 150)
    # 20 ppm for 12 s are 240 us: no reading stands among those of before the step.
    offsets = [one for one in run.analysis.of_type("series") if one["quantity"] == "phcOffset"]
    assert {one["segment"] for one in offsets} == {0, 1}
    assert all(one["maximum"] - one["minimum"] < 250000 for one in offsets)


@pytest.mark.parametrize("size", ["2us", "20us", "1ms"])
@pytest.mark.parametrize("profile", BASE)
def test_step_of_the_masters_clock(profile, size, runs):
    """It is no rate: beside the exchange in which it happened no delay is off."""
    faults = [f"phc_step:at=6.05s,size={size},where={where}" for where in ("gm", "bridge1")]
    run = runs(profile, *faults, **{"sync-interval": 0, "duration": "20s", "link-delay": "500ns", "bridge-offset": "0s"})
    names = {"e2e": "meanPathDelay_ns", "p2p": "meanLinkDelay_ns", "p2p-as": "meanLinkDelay_ns"}
    delays = [one[names[one["kind"]]] for kind in names for one in run.computed(kind).values()
              if one["reason"] == "computed" and (kind != "e2e" or one["rateRatio_ppm"] is not None)]
    usual = sorted(delays)[len(delays) // 2]
    assert len(delays) > 100 and sum(abs(delay - usual) > 60 for delay in delays) <= 1


def test_phc_rate(runs):
    run = runs("gptp", "phc_rate:at=10s,ppm=50", duration="30s")
    found, = findings_of(run, "rate_change")
    assert abs(found["size_ppm"] - 50) <= found["bound_ppm"] < 25
    assert_all_true(run, 400)


@pytest.mark.parametrize("seed", range(1, 7))
def test_small_phc_rate(seed, runs):
    """Readings of +-1 us leave it open for a while whether the clock was stepped or changed its rate: no step is told."""
    run = runs("e2e", "phc_rate:at=30s,ppm=-5", duration="60s", seed=seed, **{"reading-error": "1us"})
    assert {one["kind"] for one in findings_of(run)} <= {"rate_change"}
    assert all(abs(one["size_ppm"] + 5) <= one["bound_ppm"] for one in findings_of(run))


def test_system_step(runs):
    run = runs("gptp", "system_step:at=6s,size=5ms")
    found, = findings_of(run, "system_clock_step")
    assert abs(found["size_ns"] - 5e6) <= found["bound_ns"] < 2.5e6
    assert_all_true(run, 160)


def test_utc_seconds(runs):
    """A grandmaster that sends UTC: every number is what the messages say, 37 s beside the truth."""
    before, after = runs("gptp"), runs("gptp", "utc_seconds")
    for run, seconds in ((before, 0), (after, 37)):
        offsets = [one["offsetFromMaster_ns"] for one in run.computed("sync").values()
                   if one["offsetFromMaster_ns"] is not None]
        assert len(offsets) > 80 and all(abs(offset - seconds * 10**9) < 10**6 for offset in offsets)


@pytest.mark.parametrize("profile", BASE)
@pytest.mark.parametrize("length", ["20us", "100us"])
def test_long_links_of_fast_clocks(profile, length, runs):
    """122 ppm apart, 4 or 20 km of fibre: within the limits of PTP, and no clock was stepped."""
    run = runs(profile, **{"drift": "-35", "bridge-drift": "87", "link-delay": length, "bridges": 1})
    assert counts_of(run) == {} and findings_of(run) == []
    assert not {"clock_stepped", "times_contradict"} & {one["reason"] for one in run.analysis.exchanges}
    assert_all_true(run, 160)


# ---- Values --------------------------------------------------------------------------------

VALUES = [
    ("e2e", "bad_nanoseconds:type=follow_up,p=0.2", FOLLOW_UP, "timestamp_out_of_range", "sync"),
    ("e2e", "bad_nanoseconds:type=delay_resp,p=0.2", DELAY_RESP, "timestamp_out_of_range", "e2e"),
    ("p2p", "bad_nanoseconds:type=pdelay_resp_follow_up,p=0.2", PDELAY_RESP_FOLLOW_UP, "timestamp_out_of_range", "p2p"),
    ("gptp", "bad_nanoseconds:type=pdelay_resp,p=0.2", PDELAY_RESP, "timestamp_out_of_range", "p2p-as"),
    ("gptp", "correction_too_big:type=follow_up,p=0.2", FOLLOW_UP, "correction_out_of_range", "sync"),
    ("e2e", "correction_too_big:type=delay_resp,p=0.2", DELAY_RESP, "correction_out_of_range", "e2e"),
    ("p2p", "correction_too_big:type=pdelay_resp_follow_up,p=0.2", PDELAY_RESP_FOLLOW_UP, "correction_out_of_range",
     "p2p"),
]


@pytest.mark.parametrize("profile, fault, message_type, name, kind", VALUES, ids=lambda value: str(value))
def test_values(profile, fault, message_type, name, kind, runs):
    """Counted once for each message that says such, and each exchange that needs one of them has this reason."""
    run = runs(profile, fault)
    hit = {line["sequenceId"] for line in run.simulation.faults(fault.partition(":")[0], message_type)}
    wrong = [one for one in run.observations
             if one.message.nanoseconds >= 10**9 or one.message.correctionField == wire.TOO_BIG]
    assert len(hit) > 5 and counts_of(run)[name] == len(wrong)
    assert {one["sequenceId"] for one in run.computed(kind).values() if one["reason"] == name} == hit
    assert_all_true(run, 120)


# ---- Neighbors and masters -----------------------------------------------------------------

def test_several_responders(runs):
    run = runs("gptp", "several_responders:at=6.03s")
    at, = [line["time"] for line in run.simulation.faults("several_responders")]
    truths = numbered(run.simulation.exchanges("client", "p2p-as"), key_of_truth)
    later = {key[4] for key, truth in truths.items() if truth["time"] > at}
    found = run.computed("p2p-as")
    assert len(later) > 20 and counts_of(run)["several_responders"] == len(later)
    assert {key[4] for key, one in found.items() if one["reason"] == "several_responders"} == later
    assert all((one["meanLinkDelay_ns"] is None) == (key[4] in later) for key, one in found.items())
    assert_all_true(run, 120)


def test_late_turnaround(runs):
    """Of the client, and of its neighbor, which answers the client."""
    run = runs("gptp", "late_turnaround:p=0.3")
    late = [line for line in run.simulation.faults("late_turnaround") if line["port"] in ("client", "bridge1-down")]
    assert counts_of(run)["late_turnaround"] == len(late) > 10
    assert_all_true(run, 140)
    assert "late_turnaround" not in counts_of(runs("p2p", "late_turnaround:p=0.3"))  # IEEE 1588 knows no limit


def test_second_grandmaster(runs):
    """Two senders of Sync in one domain: each Sync is held against its own."""
    run = runs("e2e", "second_gm:at=4s,takes_over=yes", bridges=0)
    assert len(findings_of(run, "source_change")) >= 1
    assert len({one["sourcePortIdentity"] for one in run.computed("sync").values()}) == 2
    assert_all_true(run, 150)


def test_path_change(runs):
    run = runs("e2e", "path_change:at=60s,size=10us,direction=forward", bridges=0, duration="120s", drift="0")
    found, = findings_of(run, "forward_delay_change")
    assert abs(found["size_ns"] - 10_000) <= found["bound_ns"] < 5_000
    assert findings_of(run) == [found]
    assert_all_true(run, 1500)


# ---- Bridges that correct wrongly ----------------------------------------------------------

@pytest.mark.parametrize("fault", ["wrong_sign", "no_correction"])
def test_wrong_corrections(fault, runs):
    """Numbers are what the messages say; two points at the bridge tell that these are wrong."""
    run = runs("e2e", fault, observe="bridge1-up,bridge1-down,client")
    assert_all_true(run, 160)


# ---- Recordings with holes -----------------------------------------------------------------

@pytest.mark.parametrize("fault, name", [("event_loss:at=5s,size=500ms", "without_event"),
                                         ("capture_loss:at=5s,size=500ms", "without_frame")])
@pytest.mark.parametrize("profile", BASE)
def test_recordings_with_holes(profile, fault, name, runs):
    run, whole = runs(profile, fault), runs(profile)
    assert counts_of(run)[name] > 3
    assert_all_true(run, len([one for one in whole.analysis.exchanges if one["reason"] == "computed"]) - 40)


def test_faultless(runs):
    for profile in BASE:
        run = runs(profile)
        assert counts_of(run) == {} and findings_of(run) == []
        assert_all_true(run, 160)
