# SPDX-License-Identifier: MIT
"""The simulator: what its files say is what its truth says, to 2^-16 ns; and each fault does what it is said to do."""
import itertools
import pathlib
import re
import shutil
import subprocess
from collections import Counter

import pytest
from simulated_files import (CLOCKS, DELAY_REQ, FOLLOW_UP, LATE, PDELAY_FOLLOW_UP, PDELAY_RESP, RX, SYNC, TX, compare,
                             dropped, losses, messages, records)

import ptp_monitor
from ptp_monitor import BadFile, InvalidUse, Recording, simulation

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Run:
    """A simulation, its truth and its files."""

    def __init__(self, path, **settings):
        self.path = str(path)
        self.result = simulation.simulate(self.path, **settings)
        self.truth = simulation.read_truth(self.path)

    def messages(self, port="client", kind=None, direction=None):
        return [one for one in messages(self.path, port)
                if (kind is None or one.type == kind) and (direction is None or one.direction == direction)]

    def records(self, port="client"):
        return list(records(f"{self.path}.{port}.events"))

    def faults(self, name):
        return list(self.truth.faults(name))

    def exchanges(self, kind, port="client"):
        return list(self.truth.exchanges(kind, port))


@pytest.fixture
def run(tmp_path):
    numbers = itertools.count()
    return lambda **settings: Run(tmp_path / f"run{next(numbers)}", **settings)


# ---- The truth against the files ----

SET_UPS = {
    "e2e": dict(profile="e2e", offset="1us", asymmetry="100ns"),
    "e2e one-step": dict(profile="e2e", step="one", drift=30, transport="udp6"),
    "e2e transparent": dict(profile="e2e", bridges=3, drift=50, bridge_drift=30, queue="exponential", load=0.7),
    "e2e transparent one-step": dict(profile="e2e", bridges=2, step="one", bridge_step="one", unicast="yes"),
    "e2e boundary": dict(profile="e2e", bridges=2, bridge="boundary", domains="0,5", domain_offset="1ms",
                         duration="30s"),
    "e2e switches": dict(profile="e2e", bridges=2, bridge="switch", queue="gaussian", queue_time="3us", jitter="1ms"),
    "e2e servo": dict(profile="e2e", client="servo", offset="1ms", drift=30, stamps="both", transport="ethernet"),
    "p2p": dict(profile="p2p", drift=-20, wander=0.1),
    "p2p one-step": dict(profile="p2p", bridges=1, step="one", bridge_step="one", transport="udp4"),
    "p2p turnaround in correction": dict(profile="p2p", bridges=2, turnaround_in="correction", granularity="0.25ns"),
    "p2p fractions": dict(profile="p2p", bridges=1, granularity="0.3ns", drift=10, unicast="yes"),
    "p2p boundary": dict(profile="p2p", bridges=2, bridge="boundary", drift=10, sync_interval=-3),
    "gptp": dict(profile="gptp", offset="-3us", client_epoch="zero"),
    "gptp bridges": dict(profile="gptp", bridges=8, drift=5, gm_drift=-3.5, bridge_drift=20, gm_wander=0.01),
    "gptp one-step": dict(profile="gptp", bridges=2, step="one", vlan=5, pcp=6, client_epoch="utc"),
    "gptp fractions": dict(profile="gptp", granularity="0.1ns", response_delay="1ms", drift=100, client="servo"),
    "gptp queues": dict(profile="gptp", bridges=2, queue="uniform", queue_at="bridges", host_drift=10,
                        host_offset="1s"),
}


@pytest.mark.parametrize("name", SET_UPS)
def test_files_say_what_is_true(run, name):
    for seed, stamps in enumerate([{}, dict(granularity="8ns", stamp_error="5ns"),
                                   dict(stamp_error="20ns", stamp_noise="uniform")]):
        simulated = run(seed=seed, **{**SET_UPS[name], **(stamps if "fractions" not in name else {})})
        counts = compare(simulated.path)
        assert {outcome for _, outcome in counts} == {"equal"}, counts
        assert sum(counts.values()) == sum(
            1 for line in simulated.truth.exchanges() if line["kind"] != "transit") > 10


def test_without_noise_every_number_is_exact(run):
    simulated = run(profile="e2e", bridges=3, offset="5us", asymmetry="10ns,20ns,30ns,-40ns", link_delay="1us")
    for line in simulated.exchanges("sync"):
        assert (line["offset"], line["offset_source"], line["bound"]) == (5000, 5000, 0)
        assert line["forward"] == sum(line["links"]) + sum(line["residence"])
        assert line["corrected"] == line["correction"] == sum(line["residence"])
        assert line["masterToSlave"] == 5000 + 4 * 1000 + 20
    for line in simulated.exchanges("e2e"):
        assert line["links"] == [1040, 970, 980, 990] and line["meanPathDelay"] == 4000 and line["asymmetry"] == 20
        assert (line["computedDelay"], line["computedOffset"]) == (4000, 5020)


@pytest.mark.parametrize("profile", ["p2p", "gptp"])
def test_what_bridges_add_is_exact(run, profile):
    """Residence times, and the mean delay of each link before the last; an asymmetry stays in what is left."""
    simulated = run(profile=profile, bridges=3, link_delay="300ns,400ns,500ns,600ns", asymmetry="10ns",
                    bridge_offset="1s", offset="-1us", duration="5s")
    lines = simulated.exchanges("sync")
    assert len(lines) > 3
    for line in lines:
        assert line["correction"] == line["corrected"] == sum(line["residence"]) + 300 + 400 + 500
        assert line["masterToSlave"] == -1000 + 600 + 4 * 10
        assert line["links"] == [310, 410, 510, 610] and len(line["residence"]) == 3


def test_bounds_hold(run):
    """Offset and delay as they are computed are off by no more than the line's bound."""
    simulated = run(profile="e2e", bridges=2, drift=20, bridge_drift=50, granularity="8ns", stamp_error="10ns",
                    sync_interval=-2, duration="60s")
    lines = [line for line in simulated.exchanges("e2e") if "bound" in line]
    offsets = {line["sequenceId"]: line["offset"] for line in simulated.exchanges("sync")}
    assert len(lines) > 50
    for line in lines:
        assert abs(line["computedDelay"] - line["meanPathDelay"]) <= line["bound"]
        assert abs(line["computedOffset"] - line["asymmetry"] - offsets[line["syncSequenceId"]]) <= line["bound"]


def test_rates(run):
    simulated = run(profile="gptp", drift=10, gm_drift=-5, duration="20s")
    for line in simulated.exchanges("p2p-as"):
        assert line["neighborRateOffset"] / 2**41 * 1e6 == pytest.approx(-15, abs=0.001)
    for line in simulated.exchanges("sync"):
        assert line["rateOffset"] / 2**41 * 1e6 == pytest.approx(-15, abs=0.001)
    first, last = simulated.exchanges("sync")[0], simulated.exchanges("sync")[-1]
    assert float((last["offset"] - first["offset"]) / (last["received"] - first["received"])) == pytest.approx(15e-6,
                                                                                                             rel=1e-3)


def test_a_servo_follows(run):
    simulated = run(profile="gptp", client="servo", offset="1ms", drift=40, duration="60s", granularity="8ns")
    assert [step["size"] < -900000 for step in simulated.truth.clock_steps()] == [True]
    assert all(abs(line["offset"]) < 50 for line in simulated.exchanges("sync")[-100:])


INTERVALS = [(-7, 0), (-3, -3), (0, 0), (0, -7), (1, 1)]


@pytest.mark.parametrize("sync_interval, delay_interval", INTERVALS)
@pytest.mark.parametrize("profile", ["e2e", "p2p", "gptp"])
def test_a_servo_locks(run, profile, sync_interval, delay_interval):
    """One step, within seconds, and not more than a tenth of a microsecond off ever after; at last, what stamps of 8 ns
    and 5 ns of noise let it know."""
    interval = {"delay_interval" if profile == "e2e" else "pdelay_interval": delay_interval}
    simulated = run(profile=profile, client="servo", offset="100us", drift=30, duration="60s", granularity="8ns",
                    stamp_error="5ns", sync_interval=sync_interval, observe="client", **interval)
    step, = simulated.truth.clock_steps()
    locked = 4 * 2**max(sync_interval, delay_interval, 0)
    assert step["by"] == "servo" and step["time"] <= locked * 10**9
    lines = simulated.exchanges("sync")
    after = [abs(line["offset"]) for line in lines if line["received"] > step["time"]]
    assert len(after) > len(lines) / 2 and max(after) < 100
    assert max(after[-len(after) // 4:]) < 50


@pytest.mark.parametrize("profile", ["e2e", "p2p"])
def test_boundary_clocks_lock_one_after_the_other(run, profile):
    simulated = run(profile=profile, bridges=3, bridge="boundary", client="servo", offset="1ms", drift=30,
                    bridge_drift=20, bridge_offset="10us", sync_interval=-3, duration="30s", observe="client")
    assert [step["node"] for step in simulated.truth.clock_steps()] == ["bridge1", "bridge2", "bridge3", "client"]
    assert max(abs(line["offset"]) for line in simulated.exchanges("sync")[-80:]) < 20


@pytest.mark.parametrize("fault", ["phc_step:at=20s,size=1ms", "phc_step:at=20.05s,size=1ms,where=gm",
                                   "phc_rate:at=20s,ppm=80"])
@pytest.mark.parametrize("profile", ["e2e", "p2p", "gptp"])
def test_a_servo_locks_again(run, profile, fault):
    """With one more step: no delay that was measured across the fault takes part in it."""
    simulated = run(profile=profile, client="servo", offset="100us", sync_interval=0, duration="60s", fault=fault,
                    observe="client")
    assert [step["by"] for step in simulated.truth.clock_steps()].count("servo") == 2
    assert max(abs(line["offset"]) for line in simulated.exchanges("sync")[-20:]) < 10


@pytest.mark.parametrize("settings", [
    dict(queue="exponential", queue_time="20us", queue_at="links"),
    dict(profile="e2e", bridges=2, bridge="switch", queue="exponential", queue_time="20us", queue_at="bridges",
         sync_interval=-3),
    dict(fault="duplicate:size=0ns,type=sync"),
    dict(fault=["reorder:size=2us,p=0.5,type=sync", "duplicate:size=300ns,type=sync"])], ids=str)
def test_frames_keep_their_distance(run, settings):
    """84 octets at 1 Gbit/s, in each direction of each port. Hosts without latency show when frames passed the wire."""
    simulated = run(**settings, link_delay="0ns", host_latency="0ns", driver_latency="0ns")
    close = 0
    for port in simulated.truth.ports:
        for direction in (RX, TX):
            passed = [record.at for record in simulated.records(port)
                      if record.direction == direction and not record.stamp & LATE]
            apart = [later - earlier for earlier, later in zip(passed, passed[1:])]
            assert min(apart, default=672) >= 672, (port, direction)
            close += sum(one < 1000 for one in apart)
    assert close > 10
    equal_counts(simulated)


# ---- Faults ----

def equal_counts(simulated):
    counts = compare(simulated.path)
    assert not any(outcome == "different" for _, outcome in counts), counts
    return Counter(counts)


def test_loss(run):
    simulated = run(fault="loss:type=follow_up,p=0.3")
    lost = {fault["sequenceId"] for fault in simulated.faults("loss")}
    assert 10 < len(lost) < 40
    assert {one.sequence for one in simulated.messages(kind=FOLLOW_UP)} == set(range(80)) - lost
    assert equal_counts(simulated)["sync", "not usable"] == len(lost)


def test_duplicate(run):
    simulated = run(fault="duplicate:type=sync,p=0.3,size=3ms")
    twice = Counter(one.sequence for one in simulated.messages(kind=SYNC))
    assert {sequence for sequence, count in twice.items() if count == 2} == {
        fault["sequenceId"] for fault in simulated.faults("duplicate")} != set()
    assert equal_counts(simulated)["sync", "equal"] == 80


def test_reorder(run):
    simulated = run(fault="reorder:type=sync,p=0.2,size=200ms")
    order = [one.sequence for one in simulated.messages(kind=SYNC)]
    assert sorted(order) == list(range(80)) != order
    assert equal_counts(simulated)["sync", "equal"] == 80


def test_follow_up_first(run):
    """The host sees Sync after its Follow_Up; the NIC's stamps are of the wire."""
    simulated = run(fault="follow_up_first:type=sync,p=0.3")
    seen, first = set(), set()
    for one in simulated.messages(direction=RX):
        if one.type == FOLLOW_UP and (SYNC, one.sequence) not in seen:
            first.add(one.sequence)
        seen.add((one.type, one.sequence))
    assert first == {fault["sequenceId"] for fault in simulated.faults("follow_up_first")} != set()
    assert equal_counts(simulated)["sync", "equal"] == 80


def test_stuck_latch(run):
    simulated = run(fault="stuck_latch:p=0.2,type=sync")
    stamps = Counter(record.hw for record in simulated.records() if record.hw and record.direction <= TX)
    assert sum(count - 1 for count in stamps.values()) == len(simulated.faults("stuck_latch")) > 5
    assert equal_counts(simulated)["sync", "equal"] == 80


def test_missing_tx_stamps(run):
    simulated = run(profile="e2e", delay_interval=-3, fault="missing_tx_stamp:p=0.3,type=delay_req")
    missing = {fault["sequenceId"] for fault in simulated.faults("missing_tx_stamp")}
    asked = {record.sequence for record in simulated.records() if record.type == DELAY_REQ and not record.stamp & LATE}
    late = {record.sequence for record in simulated.records() if record.type == DELAY_REQ and record.stamp & LATE}
    assert asked - late == missing != set()


def test_missing_tx_stamps_of_the_master(run):
    simulated = run(fault="missing_tx_stamp:p=0.3,type=sync,where=gm")
    missing = {fault["sequenceId"] for fault in simulated.faults("missing_tx_stamp")}
    assert {one.sequence for one in simulated.messages(kind=FOLLOW_UP)} == set(range(80)) - missing
    assert equal_counts(simulated)["sync", "not usable"] == len(missing) > 0


@pytest.mark.parametrize("fault, sign", [("wrong_sign", -1), ("no_correction", 0)])
def test_wrong_corrections(run, fault, sign):
    simulated = run(profile="e2e", bridges=2, residence="20us", fault=f"{fault}:where=bridge2,type=sync")
    for line in simulated.exchanges("sync"):
        assert line["correction"] == line["residence"][0] + sign * line["residence"][1]
        assert line["corrected"] == sum(line["residence"])
    assert len(simulated.faults(fault)) == 10
    equal_counts(simulated)


def test_phc_step(run):
    simulated = run(profile="e2e", fault="phc_step:at=5.5s,size=-2ms", offset="1us")
    assert [(step["node"], step["by"], step["size"]) for step in simulated.truth.clock_steps()] == [
        ("client", "fault", -2000000)]
    assert {line["offset"] for line in simulated.exchanges("sync")} == {1000, 1000 - 2000000}
    clocks = [record for record in simulated.records() if record.direction == CLOCKS]
    assert len(clocks) == 10 + 2 + 1  # each second, at the ends, after the step
    differences = [later.hw - earlier.hw - (later.at - earlier.at) for earlier, later in zip(clocks, clocks[1:])]
    assert sum(abs(difference + 2000000) < 500 for difference in differences) == 1
    equal_counts(simulated)


def test_phc_rate(run):
    simulated = run(fault="phc_rate:at=5s,ppm=20")
    rates = [round(-line["rateOffset"] / 2**41 * 1e6, 2) for line in simulated.exchanges("sync")]
    assert set(rates) == {0, 20.0} and sorted(rates) == rates
    equal_counts(simulated)


def test_late_turnaround(run):
    simulated = run(fault="late_turnaround:p=0.5,size=15ms", duration="30s")
    late = [line for line in simulated.truth.exchanges("p2p-as") if line["turnaround"] > 10**7]
    assert len(late) == len(simulated.faults("late_turnaround")) > 10
    equal_counts(simulated)


@pytest.mark.parametrize("takes_over", ["yes", "no"])
def test_second_grandmaster(run, takes_over):
    simulated = run(profile="e2e", fault=f"second_gm:at=5s,size=1us,takes_over={takes_over}")
    by_source = Counter(one.source for one in simulated.messages(kind=SYNC))
    assert sorted(by_source.values()) == ([5, 5] if takes_over == "yes" else [5, 10])
    assert {line["offset"] for line in simulated.exchanges("sync")} == {0, -1000}
    assert equal_counts(simulated)["sync", "equal"] == sum(by_source.values())


def test_time_aware_systems_take_a_new_grandmaster(run):
    simulated = run(bridges=2, duration="20s", fault="second_gm:at=5s,size=1us,takes_over=yes")
    lines = simulated.exchanges("sync")
    assert {line["source"] for line in lines} == {lines[0]["source"]}  # the bridge's
    assert lines[0]["offset"] == 0 and lines[-1]["offset"] == -1000
    equal_counts(simulated)


def test_utc_seconds(run):
    simulated = run(profile="e2e", fault="utc_seconds:at=5s")
    shown = [one.time // 65536 // 10**9 for one in simulated.messages(kind=FOLLOW_UP)]
    assert shown[4] - shown[0] == 4 and shown[5] - shown[4] == 1 - 37
    assert {line["offset"] for line in simulated.exchanges("sync")} == {0}
    equal_counts(simulated)


def test_several_responders(run):
    simulated = run(fault="several_responders:at=5s")
    answers = Counter(one.sequence for one in simulated.messages(kind=PDELAY_RESP, direction=RX))
    assert [answers[sequence] for sequence in range(10)] == [1] * 5 + [2] * 5
    assert len({one.source for one in simulated.messages(kind=PDELAY_RESP, direction=RX)}) == 2


def test_bad_nanoseconds(run):
    simulated = run(fault="bad_nanoseconds:p=0.2,type=follow_up")
    bad = {one.sequence for one in simulated.messages(kind=FOLLOW_UP) if one.nanoseconds >= 10**9}
    assert bad == {fault["sequenceId"] for fault in simulated.faults("bad_nanoseconds")} != set()
    assert equal_counts(simulated)["sync", "not usable"] == len(bad)


@pytest.mark.parametrize("kind, name", [(PDELAY_RESP, "pdelay_resp"), (PDELAY_FOLLOW_UP, "pdelay_resp_follow_up")])
def test_bad_nanoseconds_of_one_type(run, kind, name):
    """Nothing is spoilt but what the truth says."""
    simulated = run(profile="p2p", pdelay_interval=-3, fault=f"bad_nanoseconds:p=0.3,type={name}")
    bad = {(one.type, one.sequence) for one in simulated.messages(direction=RX) if one.nanoseconds >= 10**9}
    assert bad == {(kind, fault["sequenceId"]) for fault in simulated.faults("bad_nanoseconds")} != set()
    assert equal_counts(simulated)["p2p", "equal"] == 160 - len(bad)  # of both ends


def test_bad_nanoseconds_before_their_sync(run):
    simulated = run(fault=["bad_nanoseconds:p=0.3,type=follow_up", "follow_up_first:type=sync"])
    bad = {fault["sequenceId"] for fault in simulated.faults("bad_nanoseconds")}
    assert {line["sequenceId"] for line in simulated.exchanges("sync") if line["masterToSlave"] is None} == bad != set()


def test_correction_too_big(run):
    simulated = run(profile="e2e", bridges=1, sync_interval=-3, step="one", bridge_step="one",
                    fault="correction_too_big:p=0.2,type=sync")
    big = {one.sequence for one in simulated.messages(kind=SYNC) if one.correction == 2**63 - 1}
    assert big == {fault["sequenceId"] for fault in simulated.faults("correction_too_big")} != set()
    assert equal_counts(simulated)["sync", "not usable"] == len(big)


def test_restart(run):
    simulated = run(fault="restart:at=5s")
    order = [one.sequence for one in simulated.messages(kind=SYNC)]
    assert order == list(range(len(order) // 2)) * 2
    assert Counter(line["cycle"] for line in simulated.exchanges("sync")) == {0: 40, 1: 40}
    assert equal_counts(simulated)["sync", "equal"] == 80


@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_path_change(run, direction):
    simulated = run(profile="e2e", fault=f"path_change:at=5s,size=300ns,direction={direction}")
    forward, reverse = (500, 800) if direction == "forward" else (500, 500), (500, 800)
    assert {line["forward"] for line in simulated.exchanges("sync")} == set(forward)
    assert {line["reverse"] for line in simulated.exchanges("e2e")} == (
        {500} if direction == "forward" else set(reverse))
    assert {line["meanPathDelay"] for line in simulated.exchanges("e2e")} == {500, 650}
    equal_counts(simulated)


def test_event_loss(run):
    whole, simulated = run(), run(fault="event_loss:at=5s,size=500ms")
    (frames, stamps), = losses(simulated.path + ".client.events")
    count = {one: Counter(bool(record.stamp & LATE) for record in one.records() if record.direction <= TX)
             for one in (whole, simulated)}
    assert (frames, stamps) == (count[whole][False] - count[simulated][False],
                                count[whole][True] - count[simulated][True])
    assert frames > 5
    statistics = Recording(simulated.path + ".client.events").get_statistics()
    assert (statistics["frames_dropped"], statistics["stamps_dropped"]) == (frames, stamps)


def test_capture_loss(run):
    whole, simulated = run(), run(fault="capture_loss:at=5s,size=500ms")
    lost = len(whole.messages()) - len(simulated.messages())
    assert dropped(simulated.path + ".client.pcapng") == lost > 5
    recording = Recording(simulated.path + ".client.events")
    alone = [pair for pair in recording.correlate_with_npcap(simulated.path + ".client.pcapng") if not pair.matched]
    assert len(alone) == lost and {pair.reason for pair in alone} == {"capture_lost"}


def test_system_step(run):
    simulated = run(fault="system_step:at=5.5s,size=100ms")
    step, = simulated.truth.clock_steps()
    assert (step["clock"], step["size"]) == ("utc", 10**8)
    differences = {record.software - record.at for record in simulated.records()
                   if record.direction == RX and record.software}
    assert max(differences) - min(differences) == pytest.approx(10**8, abs=10**5)
    recording = Recording(simulated.path + ".client.events")
    assert all(pair.matched for pair in recording.correlate_with_npcap(simulated.path + ".client.pcapng"))
    equal_counts(simulated)


def test_every_fault_is_tested():
    """Each fault of the page has a test here that names it."""
    page = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `(\w+)` \|", page.partition("## Faults")[2].partition("## The truth")[0], re.M)
    text = pathlib.Path(__file__).read_text(encoding="utf-8")
    assert len(named) == 21
    for name in named:
        assert f'"{name}' in text, name


# ---- Other readers ----

@pytest.mark.parametrize("name", SET_UPS)
def test_tshark_finds_nothing_wrong(run, name):
    simulated = run(**{**SET_UPS[name], "duration": "10s"}, observe="gm,client")
    assert shutil.which("tshark"), "tshark is not installed; `make setup` installs it"
    for port in ("gm", "client"):
        decoded = subprocess.run(
            ["tshark", "-r", f"{simulated.path}.{port}.pcapng", "-o", "ip.check_checksum:TRUE",
             "-o", "udp.check_checksum:TRUE", "-T", "fields", "-e", "ptp.v2.versionptp", "-e", "_ws.expert.message",
             "-e", "_ws.malformed"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True).stdout.splitlines()
        assert len(decoded) == len(simulated.messages(port)) > 10
        assert {line.split("\t")[0] for line in decoded} == {"2"}
        assert {line.partition("\t")[2].strip() for line in decoded} == {""}


# ---- The API ----

def settings_of_the_page():
    """name, value, range, default, meaning"""
    page = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (`[^|]*`|`[^`]*`) \| (?:([^|`]*?(?:, `auto`)?) )?\| (.*?) \| (.*?) \|$",
                      page.partition("## Settings")[2].partition("## Faults")[0].replace(r"\|", "\0"), re.M)
    return [(name, value.strip("`").replace("\0", "|"), bounds, default.strip("`"), meaning.replace("\0", "|"))
            for name, value, bounds, default, meaning in rows]


SETTINGS = settings_of_the_page()
BOUNDED = [(name, bounds.replace("2^63 - 1", str(2**63 - 1))) for name, _, bounds, _, _ in SETTINGS if bounds]
TIMES = [name for name, value, *_ in SETTINGS if value.startswith("TIME")]


def test_settings_are_those_of_the_page():
    shown = [(name, value, default, meaning) for name, value, _, default, meaning in SETTINGS]
    assert shown == [(one.name, one.value, one.default_value, one.meaning) for one in simulation.settings()]
    assert len(BOUNDED) > 30 and len(TIMES) > 15


def fits(tmp_path, name, value):
    """Whether the value is one of the setting; with the others it may not go together. The message otherwise."""
    try:
        simulation.simulate(tmp_path / "x", truth="none", observe="client", go_on=lambda _: False,
                            **{"duration": "1ms", name.replace("-", "_"): value})
    except InvalidUse as error:
        if "does not fit" in str(error):
            assert str(error).startswith(f"{name}: `{value}` does not fit; give ")
            return str(error)
    return None


@pytest.mark.parametrize("name, bounds", BOUNDED)
def test_ranges_are_those_of_the_page(tmp_path, name, bounds):
    """Either end fits, and what lies one beyond it does not: the message says the range."""
    first, last, auto = re.fullmatch(r"(.*) to (.*?)(, `auto`)?", bounds).groups()
    number = re.compile(r"(-?[0-9.]+)([a-z]*)")
    unit = number.fullmatch(last).group(2)
    if first == "more than 0":
        assert fits(tmp_path, name, f"0.0001{unit}") is None and fits(tmp_path, name, "0") is not None
    for end, beyond in ((first, -1), (last, 1)):
        if end == "more than 0":
            continue
        assert fits(tmp_path, name, end) is None
        message = fits(tmp_path, name, f"{int(number.fullmatch(end).group(1)) + beyond}{unit}")
        assert message is not None and f", {first} to {last}" in message
    assert auto is None or fits(tmp_path, name, "auto") is None


@pytest.mark.parametrize("name", TIMES)
def test_a_time_without_unit_is_told(name):
    with pytest.raises(InvalidUse, match=f"^{name}: `10` has no unit; give a number and ns, us, ms, s"):
        simulation.simulate("unwritten", **{name.replace("-", "_"): 10})


NEVER = {
    "pcp: frames have no tag": dict(pcp=3),
    "seed: `9223372036854775808` does not fit": dict(seed=2**63),
    "seed: `99999999999999999999` does not fit": dict(seed=99999999999999999999),
    "fault loss: it ends before it begins": dict(fault="loss:at=5s,until=3s"),
    "fault loss: it ends before": dict(fault="loss:at=5s,until=5s"),
    "fault phc_step: `at` is after the end": dict(fault="phc_step:at=10.001s,size=1ms"),
    "fault reorder: `at` is after the end": dict(fault="reorder:at=1m"),
    "fault loss: no message of this type": dict(fault="loss:type=delay_req"),
    "fault duplicate: no message of this type": dict(profile="e2e", fault="duplicate:type=pdelay_req"),
    "fault reorder: no message of this type": dict(profile="e2e", step="one", fault="reorder:type=follow_up"),
    "fault bad_nanoseconds: no message of": dict(profile="p2p", step="one",
                                                 fault="bad_nanoseconds:type=pdelay_resp_follow_up"),
}


@pytest.mark.parametrize("message", NEVER)
def test_what_could_never_happen_is_refused(tmp_path, message):
    with pytest.raises(InvalidUse, match=message):
        simulation.simulate(tmp_path / "x", **NEVER[message])
    assert not list(tmp_path.iterdir())


def test_what_can_happen_is_not_refused(run):
    run(vlan=5, pcp=3)
    run(fault=["phc_step:at=10s,size=1ms", "loss:at=5s,until=5.1s", "loss:type=pdelay_resp_follow_up"])
    run(step="one", fault="loss:type=pdelay_resp_follow_up")  # of gptp Pdelay has two steps
    run(profile="e2e", fault=["loss:type=delay_req,where=gm", "utc_seconds:type=delay_resp"])


def test_small_numbers_have_no_exponent(run):
    assert run(drift=1e-5).truth.settings["drift"] == "0.00001"


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def test_files_of_an_earlier_network_do_not_stay(tmp_path):
    """What lies beside PATH.truth.jsonl is of its network; files of others are left alone."""
    others = ["t.eth0.events", "t.bridge1-up.txt", "t2.bridge1-up.events", "t.bridge8-up.events"]
    for name in others:
        (tmp_path / name).write_text("of somebody else")
    simulation.simulate(tmp_path / "t", bridges=2, duration="1s")
    simulation.simulate(tmp_path / "t", duration="1s", observe="client")
    assert names(tmp_path) == sorted([*others, "t.client.events", "t.client.pcapng", "t.truth.jsonl"])
    assert simulation.read_truth(tmp_path / "t").ports == ["client"]


def test_a_run_that_is_refused_leaves_the_earlier_one(tmp_path):
    simulation.simulate(tmp_path / "t", bridges=1, duration="1s")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(InvalidUse):
        simulation.simulate(tmp_path / "t", pcp=3)
    assert before == {file.name: file.read_bytes() for file in tmp_path.iterdir()}


@pytest.mark.parametrize("header", [
    '{"type":"header","schema":1,"nodes":[{"ports":[{"name":"/../x","portIdentity":"1","observed":true}]}]}\n',
    '{"type":"header","schema":1,"nodes":[{"ports":[{"name":"x","portIdentity":"1","observed":false}]}]}\n',
    '{"type":"header","schema":2,"nodes":[{"ports":[{"name":"x","portIdentity":"1","observed":true}]}]}\n',
    '{"type":"header","schema":1,"nodes":[{"ports":[{"name":"x","portIdentity":"1","observed":true}]}]}',
    '{"type":"header","schema":1,"nodes":[{"name":"x","role":"client"}]}\n',
    '{"type":"header","schema":1,' + " " * 300000 + '{"name":"x","portIdentity":"1","observed":true}\n',
])
def test_a_truth_that_is_none_removes_nothing(tmp_path, header):
    (tmp_path / "a.").mkdir()
    for name in ("a.x.events", "x.events", "x.pcapng"):
        (tmp_path / name).write_text("of somebody else")
    (tmp_path / "a.truth.jsonl").write_text(header)
    simulation.simulate(tmp_path / "a", duration="1s", observe="gm")
    assert names(tmp_path) == ["a.", "a.gm.events", "a.gm.pcapng", "a.truth.jsonl", "a.x.events", "x.events",
                               "x.pcapng"]


def test_keywords(run, tmp_path):
    result = ptp_monitor.simulate(tmp_path / "kw", duration="1s", sync_interval=-4,
                                  fault=["loss:p=0.5,type=sync", "duplicate:p=0.5"])
    assert result.ports == 2 and result.frames > 0
    truth = ptp_monitor.read_truth(tmp_path / "kw")
    assert truth.settings["sync-interval"] == "-4"
    assert truth.settings["fault"] == "loss:p=0.5,type=sync duplicate:p=0.5"
    assert truth.ports == ["gm", "client"]
    assert {fault["fault"] for fault in truth.faults()} == {"loss", "duplicate"}
    with pytest.raises(InvalidUse, match="no-such: no such setting"):
        ptp_monitor.simulate(tmp_path / "kw", no_such="1")


def test_a_run_can_be_ended(tmp_path):
    seen = []
    simulation.simulate(tmp_path / "ended", duration="300s", sync_interval=-5,
                        go_on=lambda done: seen.append(done) or done < 0.3)
    assert 0.3 <= seen[-1] < 0.4 and sorted(seen) == seen
    last = list(simulation.read_truth(tmp_path / "ended").lines())[-1]
    assert (last["type"], last["whole"]) == ("end", False)
    recording = Recording(tmp_path / "ended.client.events")
    assert all(pair.matched for pair in recording.correlate_with_npcap(str(tmp_path / "ended.client.pcapng")))


def test_what_is_raised_in_between_is_not_lost(tmp_path):
    def interrupt(done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulation.simulate(tmp_path / "raised", duration="2000s", sync_interval=-5, go_on=interrupt)
    assert list(simulation.read_truth(tmp_path / "raised").lines("end"))


def test_a_truth_that_is_none(tmp_path):
    file = tmp_path / "x.truth.jsonl"
    for text in ("", "{}\n", '{"type":"header","schema":2}\n', "[1]\n", "no json\n"):
        file.write_text(text)
        with pytest.raises(BadFile, match="x.truth.jsonl: "):
            simulation.read_truth(tmp_path / "x")
    with pytest.raises(FileNotFoundError):
        simulation.read_truth(tmp_path / "absent")


def test_lists_and_yes_and_no(tmp_path):
    """A list is one value but for what can be set several times; True is how Python says yes."""
    simulation.simulate(tmp_path / "two", profile="e2e", duration="1s", domains=[1, 2], observe=["gm", "client"],
                        unicast=True)
    settings = simulation.read_truth(tmp_path / "two").settings
    assert (settings["domains"], settings["observe"], settings["unicast"]) == ("1,2", "gm,client", "yes")
    assert {one.name for one in tmp_path.glob("two.*.events")} == {"two.gm.events", "two.client.events"}
    with pytest.raises(InvalidUse, match="1s,2s"):
        simulation.simulate(tmp_path / "none", duration=["1s", "2s"])
