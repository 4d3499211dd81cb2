# SPDX-License-Identifier: MIT
"""
Computed equals true. Networks drawn from a seed are simulated, the client's recording is analyzed, and each exchange is
held against three others:

- computed a second time from the bytes of the recording (oracle.py): equal, to 2^-16 ns;
- what the simulator knows to be true plus the errors of the very stamps that it gave: equal, to 2^-16 ns;
- what is true, whatever the stamps were: within a bound that follows from the settings. Where each test has it, the
  bound is derived.

And as many are computed as there are, so that nothing passes by being left out. PTPMON_TRUTH_SEEDS in the environment
sets how many seeds of each profile are tried; with `pytest -s` the largest differences from the truth are printed.
"""
import collections
import functools
import os
import random
from fractions import Fraction

import pytest

import oracle
import wire
from simulated import analyze, numbered, simulate

SEEDS = int(os.environ.get("PTPMON_TRUTH_SEEDS", "8"))
PROFILES = ("e2e", "p2p", "gptp")
UNIT = Fraction(1, 65536)
# Counted, and nothing to worry about.
HARMLESS = {"wraps", "follow_up_first", "no_ptp"}

BRIDGES = {"e2e": ("e2e-tc", "boundary", "switch"), "p2p": ("p2p-tc", "boundary"), "gptp": ("gptp",)}
TIME_UNITS = {"ns": 1, "us": 1000, "ms": 10**6, "s": 10**9}


def ns(text):
    """A time of the settings."""
    digits = text.rstrip("nums")
    return Fraction(digits) * TIME_UNITS[text[len(digits):]]


def drawn(profile, seed):
    """A network. What adds an error that its bound must know of stands in the settings."""
    draw = random.Random(f"{profile} {seed}")
    bridges = draw.choice((0, 0, 1, 2, 3))
    one_step = draw.random() < 0.3
    settings = {
        "profile": profile, "seed": seed, "duration": "6s", "observe": "client",
        "sync-interval": draw.choice((-4, -3)), "delay-interval": draw.choice((-4, -3)),
        "pdelay-interval": draw.choice((-3, -2)), "announce-interval": 0,
        "bridges": bridges, "bridge": draw.choice(BRIDGES[profile]), "step": "one" if one_step else "two",
        "bridge-step": "one" if one_step else draw.choice(("one", "two")),
        "drift": f"{draw.uniform(-100, 100):.3f}", "gm-drift": f"{draw.uniform(-5, 5):.3f}",
        "bridge-drift": f"{draw.uniform(-100, 100):.3f}",
        "offset": draw.choice(("0s", "123456.789us", "-37s", "250ms", "-3.5us")),
        "link-delay": ",".join(draw.choice(("0ns", "35.25ns", "500ns", "4321.5ns", "20us"))
                               for _ in range(bridges + 1)),
        "granularity": draw.choice(("1ns", "8ns", "40ns", "0.25ns")),
        "client-epoch": draw.choice(("tai", "utc", "zero")),
        "jitter": draw.choice(("0s", "5ms")),
        "vlan": draw.choice((0, 5)),
    }
    if settings["bridge"] == "boundary":  # each sends only once it is locked
        settings["duration"] = "9s"
    if settings["granularity"] in ("1ns", "0.25ns"):
        settings["domains"] = draw.choice(("0", "0,7"))
    if profile != "gptp":
        settings["transport"] = draw.choice(("ethernet", "udp4", "udp6"))
    if profile == "p2p":
        settings["turnaround-in"] = draw.choice(("timestamps", "correction"))
    if draw.random() < 0.5:
        settings.update({"queue": draw.choice(("uniform", "exponential", "gaussian")), "queue-time": "3us",
                         "load": "0.5", "granularity": "1ns"})
    if draw.random() < 0.4:
        settings.update({"stamp-error": "5ns", "stamp-noise": draw.choice(("uniform", "gaussian"))})
    if draw.random() < 0.3:
        settings["wander"] = "0.01"
    if draw.random() < 0.4:
        settings["asymmetry"] = ",".join(f"{draw.randint(-30, 30)}ns" if "0ns" != delay else "0ns"
                                         for delay in settings["link-delay"].split(","))
    return settings


class Run:
    """One simulated and analyzed recording of the client."""

    def __init__(self, settings, simulation, ptpmon, options=()):
        self.settings = settings
        self.simulation = simulation
        capture, events = simulation.files("client")
        self.analysis = analyze(ptpmon, capture, events, options=options)
        self.observations = oracle.observed(capture, events)
        # Two frames may be stamped in one step of the NIC's clock: taken for a latch that is stuck, and counted.
        self.repeated = oracle.without_repeated(oracle.events_of(events))[1]

    def computed(self, *kinds):
        """Of the client as requester, by (kind, domain, source, requesting, sequenceId, repetition)."""
        found = [one for one in self.analysis.exchanges if one["kind"] in kinds and one["end"] == "requester"]
        return numbered(sorted(found, key=lambda one: one["system_timestamp_ns"]), key_of_exchange)

    def with_stamps(self, kind, name, stamp="t2"):
        """Those of them that have this value, by stamps of the NIC."""
        return {key: one for key, one in self.computed(*kind).items()
                if one[name] is not None and one[f"{stamp}_kind"] == "hardware"}

    def assert_same(self, truths, found):
        """All that is in the truth was found, but what lacks a stamp of its own: up to four requests use one Sync."""
        assert set(found) <= set(truths) and len(truths) - len(found) <= 4 * self.repeated


def key_of_exchange(one):
    return (one["kind"], one["domainNumber"], one["sourcePortIdentity"], one["requestingPortIdentity"],
            one["sequenceId"])


def key_of_truth(line):
    return (line["kind"], line["domainNumber"], line["source"], line.get("requesting"), line["sequenceId"])


def key_of_oracle(kind, exchange):
    message = exchange.message
    requesting = message.requesting and wire.identity_text(message.requesting)
    return kind, message.domainNumber, wire.identity_text(message.source), requesting, message.sequenceId


@pytest.fixture(scope="module")
def runs(tmp_path_factory, ptpmon):
    directory = tmp_path_factory.mktemp("truth")

    @functools.cache
    def made(profile, seed):
        settings = drawn(profile, seed)
        simulation = simulate(ptpmon, directory / f"{profile}-{seed}", settings)
        return Run(settings, simulation, ptpmon)
    return made


@pytest.fixture(params=[(profile, seed) for profile in PROFILES for seed in range(SEEDS)],
                ids=lambda param: f"{param[0]}-{param[1]}")
def run(request, runs):
    return runs(*request.param)


@pytest.fixture(scope="module")
def largest():
    """By what was compared: the largest difference from the truth, in ns, and the bound that it was held against."""
    found = collections.defaultdict(lambda: (Fraction(0), Fraction(0)))
    yield found
    for what, (error, bound) in sorted(found.items()):
        print(f"\n{what}: at most {float(error):.3f} off the truth (bound there {float(bound):.3f})", end="")


def note(largest, what, error, bound):
    error = abs(error)
    assert error <= bound, f"{what}: {float(error)} off, bound {float(bound)}"
    largest[what] = max(largest[what], (error, bound))


# ---- Computed a second time ----------------------------------------------------------------

def test_syncs_recomputed(run):
    expected = numbered(oracle.syncs(run.observations), functools.partial(key_of_oracle, "sync"))
    found = run.with_stamps(["sync"], "masterToSlave_ns")
    assert set(expected) == set(found) and len(expected) > 40
    for key, sync in expected.items():
        one = found[key]
        assert (one["t1"], one["t2"]) == (sync.t1, sync.t2)
        assert one["correction_sync_ns"] + (one["correction_follow_up_ns"] or 0) == sync.correction
        assert one["masterToSlave_ns"] == sync.masterToSlave


def test_end_to_end_recomputed(run):
    expected = numbered(oracle.end_to_end(run.observations), functools.partial(key_of_oracle, "e2e"))
    found = run.with_stamps(["e2e"], "slaveToMaster_ns", "t3")
    run.assert_same(expected, found)  # its Sync may be without
    assert len(expected) > 40 or run.settings["profile"] != "e2e"
    syncs = {(sync.message.domainNumber, wire.identity_text(sync.message.source), sync.message.sequenceId): sync
             for sync in oracle.syncs(run.observations)}
    for key, one in found.items():
        exchange = expected[key]
        assert (one["t3"], one["t4"]) == (exchange.t3, exchange.t4)
        assert one["slaveToMaster_ns"] == exchange.slaveToMaster
        if one["reason"] == "without_sync":
            assert min(sync.event_time for sync in syncs.values()) > exchange.event_time - 10**9
            continue
        sync = syncs[(key[1], key[2], one["syncSequenceId"])]
        assert sync.event_time < exchange.event_time  # and no other one between them:
        assert not [other for (domain, source, _), other in syncs.items() if (domain, source) == (key[1], key[2])
                    and sync.event_time < other.event_time < exchange.event_time]
        change, precision = rate_change(one)
        assert abs(one["meanPathDelay_ns"] - (sync.masterToSlave + exchange.slaveToMaster) / 2 - change) <= precision
        assert one["offsetFromMaster_ns"] == sync.masterToSlave - one["meanPathDelay_ns"]


def rate_change(one):
    """
    What the rate of the master's clock changes in a meanPathDelay, and how exactly that can be told: the rate is
    written with six decimals of a ppm, half of the last is 5e-13 of the time; halving rounds to 2^-16 ns, and where
    there is a rate the product with it does.
    """
    span, ratio = one["t2"] - one["t3"], one["rateRatio_ppm"]
    if ratio is None:
        return 0, UNIT
    return span * Fraction(ratio) / 10**6 / 2, 2 * UNIT + abs(span) * Fraction(1, 10**12)


def test_peer_delay_recomputed(run):
    kind = "p2p-as" if run.settings["profile"] == "gptp" else "p2p"
    expected = numbered(oracle.peer_delays(run.observations), functools.partial(key_of_oracle, kind))
    found = run.with_stamps(["p2p", "p2p-as"], "meanLinkDelay_ns", "t1")
    assert set(expected) == set(found)
    assert len(expected) > 15 or run.settings["profile"] == "e2e"
    for key, exchange in expected.items():
        one = found[key]
        assert tuple(one[f"t{number}"] for number in (1, 2, 3, 4)) == exchange.t
        assert one["turnaround_ns"] == oracle.turnaround(exchange)
        ratio = 1 + Fraction(one["neighborRateRatio_ppm"] or 0) / 10**6
        # neighborRateRatio_ppm has six decimals, half of the last is 5e-13 of the turnaround; scaling rounds to 2^-16.
        rounded = UNIT + oracle.turnaround(exchange) * Fraction(1, 10**12)
        assert abs(one["meanLinkDelay_ns"] - oracle.link_delay(exchange, ratio)) <= rounded


# ---- Exactly true --------------------------------------------------------------------------

def test_syncs_are_true(run):
    truths = numbered([line for line in run.simulation.exchanges("client", "sync")
                       if line["masterToSlave"] is not None], key_of_truth)
    found = run.with_stamps(["sync"], "masterToSlave_ns")
    run.assert_same(truths, found)
    assert len(found) > 40
    for key, one in found.items():
        assert one["masterToSlave_ns"] == truths[key]["masterToSlave"], key


def test_end_to_end_is_true(run):
    truths = numbered(run.simulation.exchanges("client", "e2e"), key_of_truth)
    found = run.with_stamps(["e2e"], "slaveToMaster_ns", "t3")
    run.assert_same(truths, found)
    for key, one in found.items():
        truth = truths[key]
        assert one["slaveToMaster_ns"] == truth["slaveToMaster"], key
        if one["meanPathDelay_ns"] is not None and truth.get("syncSequenceId") == one["syncSequenceId"]:
            change, precision = rate_change(one)
            assert abs(one["meanPathDelay_ns"] - truth["computedDelay"] - change) <= precision
            assert abs(one["offsetFromMaster_ns"] - truth["computedOffset"] + change) <= precision


def test_peer_delay_is_true(run):
    """
    t4 - t1 = forward + turnaround + reverse on the requester's clock, and the errors of the two stamps; what the
    messages say of the turnaround is that of the responder's clock, and the errors of its two.
    """
    truths = numbered(run.simulation.exchanges("client", "p2p", "p2p-as"), key_of_truth)
    found = run.with_stamps(["p2p", "p2p-as"], "meanLinkDelay_ns", "t1")
    run.assert_same(truths, found)
    for key, one in found.items():
        truth, errors = truths[key], truths[key]["stamp_errors"]
        there = truth["turnaround"] + errors[2] - errors[1]
        around = truth["forward"] + truth["turnaround_requester"] + truth["reverse"] + errors[3] - errors[0]
        there /= 1 + Fraction(one["neighborRateRatio_ppm"] or 0) / 10**6
        # Corrections are rounded to 2^-16 ns by who sends them: two of them, halved; and our half. The ratio: as above.
        assert abs(one["meanLinkDelay_ns"] - (around - there) / 2) <= 2 * UNIT + there * Fraction(1, 10**12), key


# ---- Within bounds -------------------------------------------------------------------------

def stamp_bound(settings):
    """
    How far the difference of two stamps is off: each is rounded down to the granularity, or to whole ns where that is
    less (the record holds no more), and is off by the noise before: uniform its bound, gaussian here at most six sigma.
    """
    noise = ns(settings.get("stamp-error", "0s")) * (6 if settings.get("stamp-noise") == "gaussian" else 1)
    return max(ns(settings["granularity"]), 1) + 2 * noise


def rate_bound(settings):
    """Of a clock's rate against another: the drifts, and the wander in 10 s at six sigma; as a ratio."""
    drifts = [abs(Fraction(settings[name])) for name in ("drift", "gm-drift", "bridge-drift")]
    wander = Fraction(settings.get("wander", "0")) * 6 * 4
    return (sum(drifts) + wander) / 10**6


def rate_errors(run, lines, noise_of, interval):
    """
    (domain, source, sequenceId) -> how far a rate may be off that was measured up to this exchange, as a ratio. Rates
    are medians of ratios between pairs of times half a window apart, of eight where there are so many. Each is off by
    the difference of the noises of its two times, which are whole ns, over the time between them, and by what a clock
    wanders meanwhile.
    """
    settings, found, noises = run.settings, {}, collections.defaultdict(list)
    interval = Fraction(10**9) * Fraction(2) ** interval - 2 * ns(settings["jitter"])
    wander = Fraction(settings.get("wander", "0")) * 24 / 10**6
    for line in sorted(lines, key=lambda line: line["time"]):
        group = noises[line["domainNumber"], line["source"]]
        group.append(noise_of(line))
        window = group[-8:]
        apart = max(len(window) // 2, 1)
        found[line["domainNumber"], line["source"], line["sequenceId"]] = \
            (max(window) - min(window) + 1) / (apart * interval) + wander + Fraction(1, 10**12)
    return found


def test_end_to_end_within_bounds(run, largest):
    """
    meanPathDelay: half of the errors of m2s and s2m, each the difference of two stamps; of corrections, each bridge's
    residence time is the difference of two stamps of its own, on a clock that is off by its drift; and half of what the
    offset moved between t2 and t3, of which the rate of the Syncs takes away all but its error, where it is known.
    offsetFromMaster at t2: likewise, and the asymmetry of the path, which is there in full.
    """
    settings = run.settings
    lines = run.simulation.exchanges("client", "sync")
    syncs = {(line["domainNumber"], line["source"], line["sequenceId"]): line for line in lines}
    rates = rate_errors(run, [line for line in lines if line["masterToSlave"] is not None],
                        lambda line: line["masterToSlave"] - line["offset_source"], settings["sync-interval"])
    truths = numbered(run.simulation.exchanges("client", "e2e"), key_of_truth)
    for key, one in run.with_stamps(["e2e"], "meanPathDelay_ns", "t3").items():
        truth, used = truths[key], (key[1], key[2], one["syncSequenceId"])
        sync, rate = syncs[used], rate_bound(settings)
        span = truth["t3"] - sync["t2"]
        moved = abs(span) * (rate if one["rateRatio_ppm"] is None else rates[used])
        if follows(settings):
            moved = abs(truth["offset_request"] - sync["offset_source"])
            moved += abs(span * (one["rateRatio_ppm"] or 0)) / 10**6
        corrections = abs(sync["correction"] - sync["corrected"]) + abs(truth["correction"] - truth["corrected"])
        residence = sum(sync["residence"]) + sum(truth["residence"])
        # Two messages carry parts of a ns of their senders' stamps besides.
        allowed = (len(sync["residence"]) + len(truth["residence"])) * (stamp_bound(settings) + 1)
        allowed += residence * rate + 2
        if settings["bridge"] != "switch":
            assert corrections <= allowed
        bound = stamp_bound(settings) + (moved + corrections) / 2 + 2 * UNIT
        forward, reverse = sync["forward"] - sync["corrected"], truth["reverse"] - truth["corrected"]
        note(largest, "e2e meanPathDelay", one["meanPathDelay_ns"] - (forward + reverse) / 2, bound)
        note(largest, "e2e offsetFromMaster without the asymmetry",
             one["offsetFromMaster_ns"] - sync["offset_source"] - (forward - reverse) / 2, bound)


def follows(settings):
    """A boundary clock is set and changes its rate as it follows its master: no bound is known of that beforehand."""
    return settings["bridge"] == "boundary" and settings["bridges"] > 0


def link_rate_errors(run):
    """Of neighborRateRatio: its times are t3 and t4."""
    return rate_errors(run, run.simulation.exchanges("client", "p2p", "p2p-as"),
                       lambda line: line["reverse"] + line["stamp_errors"][3] - line["stamp_errors"][2],
                       run.settings["pdelay-interval"])


def test_peer_delay_within_bounds(run, largest):
    """
    meanLinkDelay: half of the errors of t4 - t1 and of t3 - t2, each the difference of two stamps. The turnaround
    is one by the responder's clock: half of it times the difference of the rates is in the result, of which
    neighborRateRatio takes away all but its own error, where it is known.
    """
    truths, rates = numbered(run.simulation.exchanges("client", "p2p", "p2p-as"), key_of_truth), link_rate_errors(run)
    for key, one in run.with_stamps(["p2p", "p2p-as"], "meanLinkDelay_ns", "t1").items():
        truth = truths[key]
        off = rate_bound(run.settings) if one["neighborRateRatio_ppm"] is None else rates[key[1], key[2], key[4]]
        if follows(run.settings):
            true = Fraction(truth["neighborRateOffset"], 2**41)
            off = abs(Fraction(one["neighborRateRatio_ppm"] or 0) / 10**6 - true)
        bound = stamp_bound(run.settings) + truth["turnaround"] * off / 2 + 3 * UNIT
        note(largest, f"{one['kind']} meanLinkDelay", one["meanLinkDelay_ns"] - truth["meanLinkDelay"], bound)


def test_neighbor_rate_ratio(run, largest):
    truths, rates = numbered(run.simulation.exchanges("client", "p2p", "p2p-as"), key_of_truth), link_rate_errors(run)
    found = [(key, one) for key, one in run.with_stamps(["p2p", "p2p-as"], "neighborRateRatio_ppm", "t1").items()]
    assert found or run.settings["profile"] != "gptp"
    for key, one in found if not follows(run.settings) else []:
        true = Fraction(truths[key]["neighborRateOffset"], 2**41) * 10**6
        bound = rates[key[1], key[2], key[4]] * 10**6 + Fraction(1, 10**5)  # the truth has 2^-41
        note(largest, f"{one['kind']} neighborRateRatio, ppm", one["neighborRateRatio_ppm"] - true, bound)


def test_offsets_of_syncs(run, largest):
    """offsetFromMaster of a Sync is masterToSlave - the delay that it names. What is wrong in it: the stamps of Sync,
    its correction, and how far that delay is from what this very Sync took."""
    known = 0
    for key, one in run.with_stamps(["sync"], "masterToSlave_ns").items():
        assert (one["offsetFromMaster_ns"] is None) == (one["reason"] != "computed")
        if one["offsetFromMaster_ns"] is None:
            continue
        known += 1
        # IEEE 802.1AS has the delay on the grandmaster's time base.
        scaled = one["delay_used_ns"] * (1 + Fraction(one["rateRatio_ppm"] or 0) / 10**6)
        difference = one["masterToSlave_ns"] - scaled - one["offsetFromMaster_ns"]
        assert abs(difference) <= UNIT + abs(one["delay_used_ns"]) * Fraction(1, 10**12), key
    assert known > 30
    truths = numbered(run.simulation.exchanges("client", "sync"), key_of_truth)
    for key, one in run.with_stamps(["sync"], "offsetFromMaster_ns").items():
        if key in truths:
            truth = truths[key]
            took = truth["forward"] - truth["corrected"]
            scaled = one["delay_used_ns"] * (1 + Fraction(one["rateRatio_ppm"] or 0) / 10**6)
            bound = (stamp_bound(run.settings) + abs(truth["correction"] - truth["corrected"]) + abs(scaled - took) +
                     2 * UNIT)
            note(largest, f"sync offsetFromMaster ({run.settings['profile']})",
                 one["offsetFromMaster_ns"] - truth["offset_source"], bound)


# ---- And nothing else ----------------------------------------------------------------------

def test_as_many_as_there_are(run):
    """Every exchange is decided once; those that are not computed are at the edges of the recording, or wait for the
    first delay."""
    kinds = {"e2e": {"sync", "e2e"}, "p2p": {"sync", "p2p"}, "gptp": {"sync", "p2p-as"}}[run.settings["profile"]]
    assert {one["kind"] for one in run.analysis.exchanges} == kinds
    reasons = collections.Counter(one["reason"] for one in run.analysis.exchanges if one["end"] == "requester")
    allowed = {"computed", "without_delay", "without_sync", "without_response", "without_response_follow_up",
               "without_follow_up"}
    assert set(reasons) <= allowed, reasons
    not_computed = sum(reasons.values()) - reasons["computed"]
    assert reasons["computed"] > 60 and not_computed <= 20 + 2 * run.repeated, reasons


def test_nothing_is_counted(run):
    for point in run.analysis.of_type("point"):
        assert point["counts"]["stamp_repeated"] == run.repeated
        counted = {name for name, count in point["counts"].items() if count} - HARMLESS - {"stamp_repeated"}
        # A boundary clock that is set while a client asks it may well answer such; and a rate of Syncs that waited in
        # queues, by what is left of them after the median, makes the delay shorter than the path.
        queues = run.settings["profile"] == "e2e" and "queue" in run.settings
        assert counted <= ({"negative_delay"} if follows(run.settings) or queues else set())
    assert run.analysis.of_type("finding") == []
