# SPDX-License-Identifier: MIT
"""Analyses of simulated recordings say what is true, and of all recordings what the C library says."""
import gc
import itertools
import json
import math
import pathlib
import re
import struct
import subprocess

import numpy as np
import pytest

import ptp_monitor
from ptp_monitor import Recording, analysis, simulation
from ptp_monitor import _analysis_structures as a
from ptp_monitor import _exchange_arrays as exchange_arrays
from ptp_monitor._analysis_sources import Source, tell_all
from ptp_monitor.analysis import NOT_KNOWN, Analyzer, analyze

SECOND = 10**9
UNIT = 65536  # in a ns


class Simulated:
    """Recordings of a simulation, and its truth."""

    def __init__(self, path, **settings):
        self.path = path
        self.result = simulation.simulate(path, **settings)
        lines = (path.parent / f"{path.name}.truth.jsonl").read_text(encoding="utf-8").splitlines()
        self.truth = [json.loads(line) for line in lines]

    def files(self, port):
        return [f"{self.path}.{port}.{suffix}" for suffix in ("pcapng", "events")]

    def exchanges(self, port, kind):
        """True exchanges by sequenceId."""
        return {each["sequenceId"]: each for each in self.truth
                if (each["type"], each.get("port"), each.get("kind")) == ("exchange", port, kind)}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    made = {}

    def make(**settings):
        key = tuple(sorted((name, str(value)) for name, value in settings.items()))
        if key not in made:
            made[key] = Simulated(tmp_path_factory.mktemp("simulated") / "run", **settings)
        return made[key]
    return make


@pytest.fixture(scope="module")
def e2e(simulated):
    """A client 10 ppm too fast, behind an asymmetric link."""
    return simulated(profile="e2e", duration="40s", drift=10, asymmetry="100ns", link_delay="500ns", sync_interval=-2)


@pytest.fixture(scope="module")
def gptp(simulated):
    return simulated(profile="gptp", duration="40s", drift=10, bridges=1)


# ---- Against the C library ----


def exact(row, column):
    return "-" if row[column] == NOT_KNOWN else f"{row[column]}+{row[f'{column}_fraction']}"


def identity(name):
    return name.replace(".", "") if name else "0" * 16 + "-0"


def line_of(row):
    """As tests/python/truth.c writes it."""
    stamps = ["none 0" if row[f"t{n}"] == NOT_KNOWN else f"{row[f't{n}_kind']} {row[f't{n}']}" for n in (1, 2, 3, 4)]
    own = ["none 0" if row[f"own_t{n}"] == NOT_KNOWN else f"{row[f'own_t{n}_kind']} {row[f'own_t{n}']}"
           for n in (1, 2, 3, 4)]
    parts = [row["kind"], row["reason"], row["end"], row["segment"], row["domainNumber"], row["sequenceId"],
             row["syncSequenceId"], identity(row["sourcePortIdentity"]),
             identity(row["requestingPortIdentity"]), row["system_timestamp_ns"], row["time_ns"], row["frame_number"],
             *stamps, *own,
             *(row[f"correction_{name}"] for name in ("sync", "follow_up", "response", "response_follow_up")),
             row["known"],
             *(exact(row, name) for name in ("masterToSlave", "slaveToMaster", "delay", "offsetFromMaster",
                                             "offsetFromMaster_filtered"))]
    ratio = 0.0 if math.isnan(row["neighborRateRatio"]) else row["neighborRateRatio"]
    return [*map(str, parts), float(ratio)]


def told_by_c(program, capture, events):
    lines = subprocess.run([program, "analyze", events, capture], stdout=subprocess.PIPE, check=True,
                           text=True).stdout.splitlines()
    return [[*line.rpartition(" ")[0].split(" "), float(line.rpartition(" ")[2])] for line in lines]


def told_by_python(found):
    return [[*" ".join(line[:-1]).split(" "), line[-1]] for line in map(line_of, found.exchanges)]


def test_exchanges_are_those_of_the_library(demo, truth_program):
    capture, events = demo.with_suffix(".pcapng"), demo.with_suffix(".events")
    found = told_by_python(analyze(capture, events))
    assert found == told_by_c(truth_program, capture, events) and len(found) > 20


@pytest.mark.parametrize("port", ["client", "gm", "bridge1-up"])
def test_exchanges_of_a_simulation_are_those_of_the_library(gptp, truth_program, port):
    found = told_by_python(analyze(*gptp.files(port)))
    assert found == told_by_c(truth_program, *gptp.files(port)) and len(found) > 40


def test_more_exchanges_than_are_fetched_at_once(simulated, truth_program):
    run = simulated(profile="e2e", duration="70s", sync_interval=-7, observe="client", truth="none")
    found = analyze(*run.files("client"))
    assert len(found.exchanges) > 2 * 4096 and told_by_python(found) == told_by_c(truth_program, *run.files("client"))
    assert found.counts[0].counts["not_fetched"] == 0
    assert found.select("sync")["sequenceId"].tolist() == list(range(len(found.select("sync"))))


def test_however_many_are_fetched_at_once(gptp, monkeypatch):
    expected = told_by_python(analyze(*gptp.files("client")))
    monkeypatch.setattr(exchange_arrays, "_AT_ONCE", 3)
    assert told_by_python(analyze(*gptp.files("client"))) == expected


# ---- Against the truth ----


def in_units(pair):
    return pair[0] * UNIT + pair[1]


def test_e2e_exchanges_are_true(e2e):
    found = analyze(*e2e.files("client"))
    true = e2e.exchanges("client", "e2e")
    rows = found.select("e2e", reason="computed")
    assert len(rows) == len(true) == 40
    for row in rows:
        truth = true[row["sequenceId"]]
        assert row["t3"] == truth["t3"][0] and row["syncSequenceId"] == truth["syncSequenceId"]
        assert [row["slaveToMaster"], row["slaveToMaster_fraction"]] == truth["slaveToMaster"]
        assert row["slaveToMaster_ns"] == in_units(truth["slaveToMaster"]) / UNIT
    delays = found.delay().value[1:]  # of the first the rate of the clocks is not known
    assert np.abs(delays - 500).max() <= 2 and set(rows["stamps"].tolist()) == {"hardware"}


def test_sync_exchanges_are_true(e2e):
    found = analyze(*e2e.files("client"))
    true = e2e.exchanges("client", "sync")
    rows = found.select("sync")
    assert len(rows) == len(true) == 160
    for row in rows:
        truth = true[row["sequenceId"]]
        assert row["t2"] == truth["t2"][0] and row["t2_kind"] == "hardware" and row["t1_kind"] == "message"
        assert [row["masterToSlave"], row["masterToSlave_fraction"]] == truth["masterToSlave"]
    later = rows[~np.isnan(rows["offsetFromMaster_ns"]) & (rows["sequenceId"] > 8)]
    offsets = np.array([in_units(true[number]["offset"]) / UNIT for number in later["sequenceId"].tolist()])
    # Two-way times cannot show the asymmetry: it looks like an offset.
    assert len(later) > 140 and np.abs(later["offsetFromMaster_ns"] - offsets - 100).max() <= 3


def test_gptp_exchanges_are_true(gptp):
    found = analyze(*gptp.files("client"))
    rows = found.select("p2p-as", end="requester", reason="computed")
    assert len(rows) == 40 and np.abs(rows["delay_ns"][2:] - 500).max() <= 2
    times, ratios, base = found.neighbor_rate_ratio()
    assert base == 0 and times.size == ratios.size > 30 and np.all(np.diff(times) > 0)
    assert np.abs((ratios[5:] - 1) * 1e6 + 10).max() < 0.01
    own = found.select("p2p-as", end="responder")
    assert set(own["reason"].tolist()) == {"at_responder"} and (own["own_t2"] != NOT_KNOWN).all()
    assert np.isnan(own["delay_ns"]).all() and (own["delay"] == NOT_KNOWN).all()


@pytest.mark.parametrize("epoch", ["tai", "zero"])
def test_offsets_keep_their_ns_however_far_the_clocks_are_apart(simulated, epoch):
    run = simulated(profile="e2e", duration="20s", client_epoch=epoch, offset="20s", truth="full")
    found = analyze(*run.files("client"))
    true = run.exchanges("client", "sync")
    times, values, base = found.offset()
    assert abs(base) > 10 * SECOND and times.size == values.size >= 19
    rows = found.select("sync", reason="computed")
    exactly = [in_units(true[number]["offset"]) - base * UNIT for number in rows["sequenceId"].tolist()]
    assert np.abs(values * UNIT - exactly).max() <= 1.5 * UNIT
    piece, = found.time_error()
    assert piece.base_ns == base and np.ptp(piece.x) < 5


def test_an_asymmetry_is_told_by_a_reference(e2e, simulated):
    run = simulated(profile="e2e", duration="40s", asymmetry="100ns")
    alone, = analyze(*run.files("client")).asymmetry
    assert alone.method == "not_observable" and math.isnan(alone.delayAsymmetry) and math.isnan(alone.bound)
    told, = analyze(*run.files("client"), true_offset_ns=0).asymmetry
    assert told.method == "by_reference" and told.delayAsymmetry == pytest.approx(100, abs=2)
    assert (told.forward_floor, told.reverse_floor) == (pytest.approx(600, abs=2), pytest.approx(400, abs=2))
    other, = analyze(*run.files("client"), true_offset_ns=40.5).asymmetry
    assert other.delayAsymmetry == pytest.approx(59.5, abs=2)


@pytest.mark.parametrize("profile, kind", [("p2p", "p2p"), ("gptp", "p2p-as")])
def test_an_asymmetry_of_a_link(profile, kind, simulated):
    run = simulated(profile=profile, duration="40s", asymmetry="100ns", offset="-3us", truth="none")
    alone, = analyze(*run.files("client")).asymmetry
    assert alone.method == "not_observable" and alone.kind == kind
    found = analyze(*run.files("client"), true_offset_ns=-3000)
    told, = found.asymmetry
    assert told.method == "by_reference" and told.delayAsymmetry == pytest.approx(100, abs=2)
    assert (told.forward_floor, told.reverse_floor) == (pytest.approx(-2400, abs=2), pytest.approx(3400, abs=2))
    asked = found.select(kind, end="requester", reason="computed")
    assert told.sourcePortIdentity == asked["sourcePortIdentity"][0]
    assert told.requestingPortIdentity == asked["requestingPortIdentity"][0]


def test_a_step_of_the_clock_is_found(simulated):
    run = simulated(profile="e2e", duration="40s", sync_interval=-2, fault="phc_step:at=20s,size=1ms")
    found = analyze(*run.files("client"))
    step, = [finding for finding in found.findings if finding.kind == "clock_step"]
    assert step.size == pytest.approx(1e6, abs=step.bound) and step.bound < 1e5 and step.point == 0
    assert len(found.time_error()) == 2, "not across the step"
    assert all(np.ptp(piece.x) < 10 for piece in found.time_error())


def test_time_error_of_a_perfect_clock_is_its_asymmetry(simulated):
    run = simulated(profile="e2e", duration="60s", asymmetry="100ns", sync_interval=-3, truth="none")
    found = analyze(*run.files("client"))
    piece, = found.time_error()
    assert piece.tau0 == 0.125 and piece.summary().cte == pytest.approx(100, abs=1) and piece.mtie()[1].max() <= 2
    assert {check.kind for check in piece.check("G.8273.2-A") if check.within is False} >= {"cte"}


# ---- One file alone, several points ----


def test_a_capture_alone(e2e):
    capture, events = e2e.files("client")
    both, alone = analyze(capture, events), analyze(capture)
    rows = alone.select("e2e")
    assert set(rows["stamps"].tolist()) == {"capture"} and len(rows) == len(both.select("e2e"))
    assert set(rows["system_timestamp_ns"].tolist()) == {0} and rows["frame_number"].all()
    assert not np.array_equal(rows["t3"], both.select("e2e")["t3"]), "capture times are not the NIC's"
    assert alone.points == ["client"] and set(alone.select("sync")["t1_kind"].tolist()) == {"message"}


def test_a_capture_without_a_name_and_without_frames(tmp_path):
    (tmp_path / "empty.pcap").write_bytes(struct.pack("=IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
    found = analyze(tmp_path / "empty.pcap")
    assert found.points == ["empty.pcap"] and found.exchanges.size == 0 and found.counts[0].messages == {}
    assert found.offset().value.size == 0 and found.time_error() == [] and found.series == found.asymmetry == []


def test_each_interface_of_a_capture_is_a_point(e2e, tmp_path):
    merged = tmp_path / "merged.pcapng"
    client, gm = e2e.files("client")[0], e2e.files("gm")[0]
    subprocess.run(["mergecap", "-w", merged, client, gm], check=True)
    found = analyze(merged)
    assert sorted(found.points) == ["client", "gm"]
    for capture, name in ((client, "client"), (gm, "gm")):
        alone = analyze(capture)
        rows = found.select(point=found.points.index(name))
        assert [(row["kind"], row["sequenceId"], row["reason"]) for row in rows if row["kind"] != "transit"] == [
            (row["kind"], row["sequenceId"], row["reason"]) for row in alone.exchanges]


def test_events_alone(e2e):
    found = analyze(events=e2e.files("client")[1])
    assert found.exchanges.size and set(found.exchanges["reason"].tolist()) == {"without_frame"}
    assert found.offset().value.size == found.delay().value.size == 0
    with pytest.raises(ValueError, match="no exchange|give"):
        analyze()


def test_several_points(gptp):
    up, down = gptp.files("bridge1-up"), gptp.files("bridge1-down")
    found = analyze(*gptp.files("client"), points=[up, (*down, "down")], points_share_clock=False)
    assert found.points == ["client", Recording(up[1]).header.interface_name, "down"]
    assert len(found.counts) == 3 and all(counts.messages["Sync"] for counts in found.counts)
    alone = analyze(*gptp.files("client"))
    assert told_by_python(alone) == [line for line, row in zip(told_by_python(found), found.exchanges)
                                     if row["point"] == 0 and row["kind"] != "transit"]
    assert {series.point for series in found.series} == {0, 1, 2}


class Told(Source):
    """A source whose observations are times."""

    def __init__(self, name, times, told):
        self._times, self._name, self._told = iter(times), name, told

    def advance(self):
        self.time_ns = next(self._times, None)
        return self.time_ns is not None

    def tell(self):
        self._told.append((self.time_ns, self._name))


def test_points_take_turns():
    told = []
    tell_all([Told("a", [1, 4, 5, 90], told), Told("b", [], told), Told("c", [2, 3, 3, 8, 9, 10], told)])
    assert told == sorted(told) and len(told) == 10
    told.clear()
    tell_all([Told("a", [3, 1, 2], told)])
    assert told == [(3, "a"), (1, "a"), (2, "a")], "one point's observations keep their order"
    tell_all([Told("a", [], told)])


def test_transits_of_a_bridge(simulated):
    run = simulated(profile="e2e", duration="20s", bridges=1, bridge="e2e-tc")
    found = analyze(points=[run.files("bridge1-up"), run.files("bridge1-down")], points_share_clock=True)
    rows = found.select("transit", messageType=0)
    assert len(rows) >= 19 and np.nanmin(rows["residenceTime_ns"]) > 9000
    assert np.abs(rows["correctionError_ns"][~np.isnan(rows["correctionError_ns"])]).max() <= 2


@pytest.mark.parametrize("options", [{"window": 0}, {"window": 31}, {"stamps": "NIC"}, {"delay_filter": -1},
                                     {"max_offset": 0}, {"true_offset_ns": math.nan}, {"points": [(None, None)]}])
def test_what_cannot_be_is_refused(e2e, options):
    with pytest.raises(ptp_monitor.InvalidUse):
        analyze(*e2e.files("client"), **options)


def test_files_that_do_not_belong_together(e2e, demo, tmp_path):
    with pytest.raises(ptp_monitor.BadFile):
        analyze(demo.with_suffix(".pcapng"), e2e.files("client")[1])
    with pytest.raises(ptp_monitor.SystemFailure, match="missing.pcap"):
        analyze(tmp_path / "missing.pcap")
    (tmp_path / "text.pcap").write_text("not a capture\n")
    with pytest.raises(ptp_monitor.BadFile, match="text.pcap"):
        analyze(tmp_path / "text.pcap")


def test_stamps_of_one_kind_only(simulated):
    run = simulated(profile="e2e", duration="20s", stamps="both", truth="none")
    for stamps in ("hardware", "software"):
        rows = analyze(*run.files("client"), stamps=stamps).select("e2e", reason="computed")
        assert len(rows) > 15 and set(rows["stamps"].tolist()) == {stamps}


# ---- As it comes ----


def test_an_analyzer_fed_by_a_correlation_finds_the_same(e2e):
    capture, events = e2e.files("client")
    analyzer = Analyzer()
    correlation = Recording(events).correlate_with_npcap(capture)
    taken, pairs = [], 0
    for pair in analyzer.observe(correlation):
        pairs += pair.matched
        taken += map(line_of, analyzer.take())
    found = analyzer.finish()
    whole = analyze(capture, events)
    assert taken + list(map(line_of, found.exchanges)) == list(map(line_of, whole.exchanges))
    assert taken and pairs == correlation.counts["matched"] > 300
    assert (found.points, found.counts, found.findings) == (whole.points, whole.counts, whole.findings)
    assert [series.quantity for series in found.series] == [series.quantity for series in whole.series]


def test_a_finished_analyzer_takes_no_more(demo):
    analyzer = Analyzer()
    pairs = analyzer.observe(Recording(demo.with_suffix(".events")).correlate_with_npcap(demo.with_suffix(".pcapng")))
    next(pairs)
    analyzer.finish()
    with pytest.raises(ptp_monitor.InvalidUse):
        list(pairs)


def test_objects_are_freed(demo):
    def mappings():
        with open("/proc/self/maps", encoding="utf-8") as maps:
            return maps.read().count(str(demo.with_suffix(".events")))

    for _ in range(3):
        analyze(demo.with_suffix(".pcapng"), demo.with_suffix(".events"))
    gc.collect()
    assert mappings() == 0


# ---- What is told besides exchanges ----


def test_series_and_counts(e2e):
    found = analyze(*e2e.files("client"))
    series = {(each.quantity, each.messageTypeName): each for each in found.series}
    delay = series["meanPathDelay", None]
    assert (delay.unit, delay.stamps, delay.count) == ("ns", "hardware", 40)
    assert delay.median == pytest.approx(500, abs=1) and delay.sourcePortIdentity and delay.requestingPortIdentity
    assert delay.minimum == found.delay().value.min() and delay.last == found.delay().value[-1]
    rate = series["intervalError", "Sync"]
    assert rate.last_rate_60s == pytest.approx(4, rel=0.05) and abs(rate.median) < 1e6
    counts = found.counts[0]
    assert counts.messages["Sync"] == counts.messages["Follow_Up"] == counts.exchanges["sync"] == 160
    assert sum(counts.by_reason.values()) == sum(counts.exchanges.values()) == len(found.exchanges)
    assert set(counts.counts) == set(a.COUNTS) and repr(found).startswith("<Analysis of client: 200 exchanges")


def test_losses_are_counted(simulated):
    run = simulated(profile="e2e", duration="40s", fault="loss:type=follow_up,p=0.3", seed=3)
    found = analyze(*run.files("client"))
    reasons = found.select("sync")["reason"]
    lost = int((reasons == "without_follow_up").sum())
    counted = found.counts[0].counts["sync_without_follow_up"]
    assert 3 <= lost <= 25 and lost - 1 <= counted <= lost  # that of the last Sync may just not be recorded
    assert np.isnan(found.select("sync", reason="without_follow_up")["masterToSlave_ns"]).all()


# ---- From structures to columns ----


def test_every_value_finds_its_column():
    raw = np.zeros(3, dtype=exchange_arrays._RAW)
    raw["kind"], raw["reason"], raw["end"] = [1, 0, 3], [0, 9, 16], [1, 0, 2]
    raw["source"]["clockIdentity"][0], raw["source"]["portNumber"][0] = range(1, 9), 0x1234
    raw["t"]["kind"][0], raw["t"]["ns"][0] = [1, 2, 2, 1], [5, -6, 7, 8]
    raw["own"]["kind"][2], raw["own"]["ns"][2] = [0, 3, 3, 0], [0, 10, 11, 0]
    raw["known"][0] = a.KNOWS_OFFSET | a.KNOWS_DELAY | a.KNOWS_RATE_RATIO
    raw["offsetFromMaster"]["ns"], raw["offsetFromMaster"]["fraction"] = -1, 0xC000
    raw["delay"]["ns"], raw["delay_age_ns"], raw["rateRatio"] = 1 << 62, 77, 1.5
    table = exchange_arrays._table_of(raw, exchange_arrays._PortNames())
    assert table["kind"].tolist() == ["e2e", "sync", "p2p-as"] and table["end"].tolist() == ["requester", "unknown",
                                                                                         "responder"]
    assert table["reason"].tolist() == ["computed", "without_delay", "of_another_port"]
    assert table["sourcePortIdentity"].tolist() == ["010203.0405.060708-4660", "", ""]
    assert table["requestingPortIdentity"].tolist() == [""] * 3
    assert table["stamps"].tolist() == ["hardware", "none", "software"]
    assert [table[f"t{n}"][0] for n in (1, 2, 3, 4)] == [5, -6, 7, 8] and table["t1"][1] == NOT_KNOWN
    assert [table[f"t{n}_kind"][0] for n in (1, 2)] == ["message", "hardware"] and table["own_t3"][2] == 11
    assert table["offsetFromMaster_ns"][0] == -0.25 and math.isnan(table["offsetFromMaster_ns"][1])
    assert (table["offsetFromMaster"][0], table["offsetFromMaster_fraction"][0]) == (-1, 0xC000)
    assert (table["offsetFromMaster"][1], table["offsetFromMaster_fraction"][1]) == (NOT_KNOWN, 0)
    assert table["delay"][0] == 1 << 62 and table["delay_age_ns"][0] == 77 and math.isnan(table["delay_age_ns"][1])
    assert table["rateRatio"][0] == 1.5 and math.isnan(table["neighborRateRatio"][0])
    assert math.isnan(table["turnaround_ns"][0])


# ---- Names ----

ROOT = pathlib.Path(__file__).resolve().parents[2]


def members_of(heading):
    """The members of a type of docs/json.md."""
    page = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0].split("\n| member | type | meaning |\n")[1]
    rows = itertools.takewhile(lambda line: line.startswith("|"), section.splitlines())
    return {name for row in rows for name in re.findall("`([^`]+)`", row.split("|")[1])}


@pytest.mark.parametrize("heading, names, others", [
    ("exchange", analysis.EXCHANGE_DTYPE.names,
     {"delay_ns", "delay_filtered_ns", "correction_sync", "neighborRateRatio", "rateRatio", "messageType", "stamps",
      "known", "offsetFromMaster", "masterToSlave", "delay", "offsetFromMaster_fraction"}),
    ("series", analysis.Series.__dataclass_fields__, set()),
    ("asymmetry", analysis.Asymmetry.__dataclass_fields__, set()),
    ("finding", analysis.Finding.__dataclass_fields__, {"size", "bound"}),
], ids=lambda value: value if isinstance(value, str) else "")
def test_names_are_those_of_the_json(heading, names, others):
    """What has another name, since it has another unit or holds several, stands in the table of python/README.md."""
    readme = (ROOT / "python" / "README.md").read_text(encoding="utf-8")
    table = readme.split("| here | JSON, CSV | |")[1].split("\n\n")[0]
    different = set(names) - members_of(heading)
    families = {name.replace("_filtered", "").replace("_fraction", "") for name in different}
    families = {"correction_sync" if name.startswith("correction_") else name for name in families}
    assert families - {"slaveToMaster"} <= others and different >= others
    assert all(re.search(rf"[`.]{name}\b", table) for name in others)
    assert all(re.search(rf"`{name}[`_.]", table) for name in members_of(heading) - set(names)
               if not name.startswith("correction_") and name != "interface")


# ---- The simulator ----


def test_equal_settings_give_equal_files(tmp_path):
    for name in ("one", "two"):
        simulation.simulate(tmp_path / name, profile="p2p", duration="3s", seed=5, queue="exponential")
    for port in ("client.pcapng", "client.events", "gm.events", "truth.jsonl"):
        assert (tmp_path / f"one.{port}").read_bytes() == (tmp_path / f"two.{port}").read_bytes()


def test_settings_and_what_is_none(tmp_path):
    names = {setting.name: setting for setting in simulation.settings()}
    assert names["profile"].value == "e2e|p2p|gptp" and names["fault"].repeatable and names["duration"].meaning
    with pytest.raises(ptp_monitor.InvalidUse, match="colour"):
        simulation.simulate(tmp_path / "none", colour="red")
    faults = ["loss:type=sync,p=0.5", "duplicate:type=announce,p=0.5"]
    result = simulation.simulate(tmp_path / "two", duration="2s", fault=faults)
    assert result.ports == 2 and result.frames > 0 and (tmp_path / "two.gm.pcapng").stat().st_size > 0
