# SPDX-License-Identifier: MIT
"""
Two ports of a simulated bridge, recorded and analyzed together: how long each message stayed in it, and how well the
bridge corrected for that.
"""
import pytest

from simulated import analyze, numbered, simulate

SETTINGS = {"duration": "6s", "seed": 1, "bridges": 1, "observe": "bridge1-up,bridge1-down", "sync-interval": -3,
            "delay-interval": -3, "pdelay-interval": -3, "drift": "20", "bridge-drift": "30", "link-delay": "500ns",
            "transport": "ethernet", "granularity": "8ns", "queue": "uniform", "queue-time": "3us",
            "queue-at": "bridges"}
TYPES = {"Sync": 0, "Delay_Req": 1}


@pytest.fixture
def transits(ptpmon, tmp_path):
    def made(*faults, **settings):
        """(truth, what was computed of it) of each passage, all of them; counts of both points."""
        simulation = simulate(ptpmon, tmp_path / "bridge", {**SETTINGS, **settings}, faults)
        files = [*simulation.files("bridge1-up"), *simulation.files("bridge1-down")]
        analysis = analyze(ptpmon, *files, options=("--same-clock",))
        truths = numbered([line for name in ("bridge1-up", "bridge1-down")
                           for line in simulation.exchanges(name, "transit")],
                          lambda line: (line["messageType"], line["source"], line["sequenceId"]))
        found = numbered([one for one in analysis.exchanges if one["kind"] == "transit"], lambda one: (
            TYPES[one["messageTypeName"]], one["sourcePortIdentity"] or one["requestingPortIdentity"],
            one["sequenceId"]))
        assert truths and set(found) == set(truths)
        counts = [point["counts"] for point in analysis.of_type("point")]
        assert not any(count["decided_early"] for count in counts)
        return [(truths[key], one) for key, one in found.items()], counts
    return made


@pytest.mark.parametrize("profile", ["e2e", "p2p"])
def test_transparent_clock(profile, transits):
    """
    residenceTime is the difference of the two stamps: exactly the true one and their errors, which the bridge itself
    makes, too, for it has the same stamps. So correctionError of a bridge that corrects well is less than a ns: its
    stamps' parts of a ns, and of the link delay that a peer-to-peer one adds, the error of two stamps more.
    """
    found, counts = transits(profile=profile)
    for truth, one in found:
        assert one["residenceTime_ns"] == truth["residence"] + truth["stamp_error"]
        assert abs(one["correctionError_ns"]) < (1 if profile == "e2e" else 1 + 8)
    assert not [count["correction_decreased"] for count in counts if count["correction_decreased"]]


def test_one_step(transits):
    """What a one-step bridge sends it stamps itself, and tells nobody: no residence time is known of that."""
    found, _ = transits(profile="e2e", **{"bridge-step": "one"})
    for truth, one in found:
        if one["t2_kind"] == "hardware":
            assert one["residenceTime_ns"] == truth["residence"] + truth["stamp_error"]
        else:
            assert one["residenceTime_ns"] is None or one["t1_kind"] == one["t2_kind"] != "hardware"


def test_wrong_sign(transits):
    """A bridge that takes its residence time off: the correction falls, and is wrong by twice that time."""
    found, counts = transits("wrong_sign", profile="e2e")
    assert sum(count["correction_decreased"] for count in counts) == len(found)
    for truth, one in found:
        assert one["residenceTime_ns"] == truth["residence"] + truth["stamp_error"]
        assert abs(one["correctionError_ns"] + 2 * one["residenceTime_ns"]) < 1


def test_no_correction(transits):
    found, _ = transits("no_correction", profile="e2e")
    for _, one in found:
        assert abs(one["correctionError_ns"] + one["residenceTime_ns"]) < 1


def test_what_the_nic_writes_later(ptpmon, tmp_path):
    """A host captures a one-step message that it sends before the NIC writes time or turnaround into it."""
    simulation = simulate(ptpmon, tmp_path / "one", {**SETTINGS, "profile": "p2p", "step": "one",
                                                     "observe": "gm,client", "bridges": 0})
    for port in ("gm", "client"):
        peers = [one for one in analyze(ptpmon, *simulation.files(port)).exchanges if one["kind"] == "p2p"]
        assert {(one["end"], one["turnaround_ns"] is None) for one in peers} == {("requester", False),
                                                                                  ("responder", True)}
    sent = [one for one in analyze(ptpmon, *simulation.files("gm")).exchanges if one["kind"] == "sync"]
    assert len(sent) > 40 and {(one["end"], one["t1"]) for one in sent} == {("responder", None)}


def test_points_are_read_in_turn(ptpmon, tmp_path):
    """Readings of the clocks come ahead of the messages of their time: no point goes ahead of the other by them."""
    simulation = simulate(ptpmon, tmp_path / "turn", {**SETTINGS, "profile": "e2e"})
    analysis = analyze(ptpmon, *simulation.files("bridge1-up"), *simulation.files("bridge1-down"))
    times = [one["time_ns"] for one in analysis.exchanges if one["kind"] in ("sync", "e2e")]
    assert len(times) > 100
    assert all(time > max(times[:i], default=0) - 1_000_000_000 for i, time in enumerate(times))


def test_time_aware_system(ptpmon, tmp_path):
    """It corrects by the grandmaster's clock, however fast its own is: 100 ppm of 5 ms are 500 ns."""
    simulation = simulate(ptpmon, tmp_path / "bridge", {**SETTINGS, "profile": "gptp", "residence": "5ms",
                                                        "granularity": "1ns", "bridge-drift": "100"})
    files = [*simulation.files("bridge1-up"), *simulation.files("bridge1-down")]
    errors = [one["correctionError_ns"] for one in analyze(ptpmon, *files, options=("--same-clock",)).exchanges
              if one["kind"] == "transit" and one["correctionError_ns"] is not None]
    assert len(errors) > 40 and all(abs(error) < 10 for error in errors[8:])  # the first ones before it knows the rate


@pytest.mark.parametrize("options, told", [((), False), (("--stamps=capture",), True)])
def test_hosts_own_times_are_no_transit_times(options, told, ptpmon, tmp_path):
    """
    A host captures what comes in late and what goes out early, by more than the message was in the bridge: two captures
    that know directions tell no residenceTime, but to who asks for just these stamps.
    """
    simulation = simulate(ptpmon, tmp_path / "bridge", {**SETTINGS, "profile": "e2e"})
    captures = [simulation.files(port)[0] for port in ("bridge1-up", "bridge1-down")]
    transits = [one for one in analyze(ptpmon, *captures, options=("--same-clock", *options)).exchanges
                if one["kind"] == "transit"]
    assert len(transits) > 50
    assert all((one["residenceTime_ns"] is not None) == told for one in transits)
    assert told or {one["reason"] for one in transits} == {"without_stamp"}
