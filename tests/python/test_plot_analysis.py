# SPDX-License-Identifier: MIT
"""The pictures of an analysis say what the numbers are. The analysis is made here, row by row."""
import dataclasses

import numpy as np
import pytest
from matplotlib.figure import Figure
from pictures import axes, legend, random, texts  # noqa: F401

from ptp_monitor import plot, plot_analysis, time_error
from ptp_monitor.analysis import EXCHANGE_DTYPE, NOT_KNOWN, Analysis, Asymmetry
from ptp_monitor.time_error import TimeError

BEGIN = 1_795_374_000_000_000_000  # 2026-11-22 19:00:00 UTC
SECOND = 10**9
MASTER, OTHER, CLIENT = "bae929.fffe.996d3c-1", "0200e2.fffe.e20001-1", "66502d.fffe.de6c83-1"


def exchanges(kind, count, interval=0.125, **columns):
    """Exchanges of one kind; floats are not known where columns do not say."""
    rows = np.zeros(count, dtype=EXCHANGE_DTYPE)
    for name in EXCHANGE_DTYPE.names:
        if EXCHANGE_DTYPE[name].kind == "f":
            rows[name] = np.nan
        elif EXCHANGE_DTYPE[name].kind == "O":
            rows[name] = "none"
    rows["kind"], rows["reason"], rows["end"], rows["stamps"] = kind, "computed", "requester", "hardware"
    rows["sourcePortIdentity"], rows["requestingPortIdentity"] = MASTER, "" if kind == "sync" else CLIENT
    rows["time_ns"] = BEGIN + (interval * SECOND * np.arange(count)).astype(np.int64)
    rows["t2"] = rows["time_ns"] + 37 * SECOND
    rows["logMessageInterval"] = 0x7F
    for name, value in columns.items():
        rows[name] = value
        if f"{name[:-3]}_fraction" in EXCHANGE_DTYPE.names:
            known = ~np.isnan(rows[name])
            rows[name[:-3]][known] = np.floor(rows[name][known])
            rows[f"{name[:-3]}_fraction"][known] = 65536 * (rows[name] - np.floor(rows[name]))[known]
    return rows


def analysis_of(*rows, asymmetry=()):
    return Analysis(points=["eth0", "eth1"], exchanges=np.concatenate(rows), counts=[], series=[], findings=[],
                    asymmetry=list(asymmetry))


# ---- Choosing exchanges -------------------------------------------------------------------------


def test_values_are_those_that_are_known():
    rows = exchanges("sync", 5, offsetFromMaster_ns=[1, np.nan, 3, 4, 5], t1=[10, 20, NOT_KNOWN, 40, 50])
    rows["time_ns"][4] = NOT_KNOWN
    found = analysis_of(rows, exchanges("e2e", 2, delay_ns=[7, 8]))
    assert found.offset().value.tolist() == [1, 3, 4]
    assert found.offset().time_ns.tolist() == (BEGIN + 125_000_000 * np.array([0, 2, 3])).tolist()
    assert found.values("t1", "sync").value.tolist() == [10, 20, 40]
    assert found.delay().value.tolist() == [7, 8] and found.delay(kind="p2p").value.tolist() == []
    assert len(found.select()) == 7 and len(found.select(("sync", "e2e"))) == 7 and len(found.select("transit")) == 0


def test_what_is_no_kind_and_no_column_is_refused():
    found = analysis_of(exchanges("sync", 1))
    with pytest.raises(ValueError, match="sync, e2e, p2p"):
        found.select("Sync")
    with pytest.raises(ValueError, match="colour"):
        found.select("sync", colour=1)


def test_time_error_is_of_one_master_and_one_kind_of_stamps():
    one = exchanges("sync", 4, offsetFromMaster_ns=[1, 2, 3, 4])
    for column, value in (("sourcePortIdentity", OTHER), ("domainNumber", 3), ("stamps", "software"), ("point", 1)):
        other = exchanges("sync", 4, offsetFromMaster_ns=[9, 9, 9, 9], **{column: value})
        with pytest.raises(ValueError, match=f"{column} is "):
            analysis_of(one, other).time_error()
        pieces = analysis_of(one, other).time_error(**{column: one[column][0]})
        assert [piece.x.tolist() for piece in pieces] == [[1, 2, 3, 4]]


def test_time_error_ends_at_gaps_and_steps_of_the_clock():
    rows = exchanges("sync", 12, offsetFromMaster_ns=np.arange(12), logMessageInterval=-3)
    rows["t2"][6:] += SECOND  # six messages are missing
    rows["segment"][9:] = 1
    rows = np.delete(rows, [2])  # one is missing: what is held is the value before it
    pieces = analysis_of(rows[::-1]).time_error()
    assert [piece.x.tolist() for piece in pieces] == [[0, 1, 1, 3, 4, 5], [6, 7, 8], [9, 10, 11]]
    assert {piece.tau0 for piece in pieces} == {0.125} and pieces[0].start_ns == BEGIN + 37 * SECOND
    assert len(analysis_of(rows).time_error(max_gap=2)) == 2
    assert analysis_of(rows).time_error(tau0=0.25)[0].x.tolist() == [1, 3, 5]
    assert analysis_of(exchanges("sync", 3)).time_error() == []


@pytest.mark.parametrize("said, spacing", [(-3, 0.125), (0x7F, 0.125), (0, 0.125), (-30, 0.125)])
def test_messages_that_do_not_keep_to_the_interval_that_they_announce(said, spacing):
    rows = exchanges("sync", 5, interval=0.13, offsetFromMaster_ns=np.arange(5), logMessageInterval=said)
    piece, = analysis_of(rows).time_error()
    assert piece.tau0 == spacing and piece.x.tolist() == [0, 1, 2, 3, 4]


# ---- Values over time ---------------------------------------------------------------------------


def test_offset_over_time(axes, random):
    offsets = random.normal(250, 20, 300)
    found = analysis_of(exchanges("sync", 300, offsetFromMaster_ns=offsets))
    curves = plot_analysis.offset(axes, found)
    assert [(curve.name, curve.values) for curve in curves] == [("", 300)]
    assert curves[0][3:] == (offsets.min(), np.median(offsets), offsets.max(), 0)
    assert np.allclose(axes.lines[0].get_ydata(), offsets) and "local clock \u2212 master (ns)" == axes.get_ylabel()
    assert axes.get_title(loc="left") == "Offset from master, 300 offsets"
    assert axes.get_xlabel() == "time of day, UTC, 2026-11-22"


def test_masters_are_told_apart(axes):
    found = analysis_of(exchanges("sync", 3, offsetFromMaster_ns=5),
                        exchanges("sync", 4, offsetFromMaster_ns=7, sourcePortIdentity=OTHER, domainNumber=20, point=1))
    curves = plot_analysis.offset(axes, found)
    assert [(curve.name, curve.values, curve.median) for curve in curves] == [
        (f"eth0, domain 0, {MASTER}", 3, 5), (f"eth1, domain 20, {OTHER}", 4, 7)]
    assert legend(axes) == [curve.name for curve in curves]
    assert [curve.median for curve in plot_analysis.offset(axes, found, domainNumber=20)] == [7]


def test_a_long_series_keeps_its_extremes(axes, random):
    offsets = random.normal(0, 20, 100_000)
    offsets[[3, 70_000]] = 95, -97
    plot_analysis.offset(axes, analysis_of(exchanges("sync", 100_000, offsetFromMaster_ns=offsets)))
    high, _, low = axes.patches[0].get_data()
    assert np.nanmax(high) == 95 and np.nanmin(low) == -97


def test_values_beyond_the_picture_are_counted(axes, random):
    offsets = random.normal(0, 20, 500)
    offsets[7] = 9e6
    curves = plot_analysis.offset(axes, analysis_of(exchanges("sync", 500, offsetFromMaster_ns=offsets)))
    assert curves[0].beyond == 1 and curves[0].maximum == 9e6 and axes.get_ylim()[1] < 200
    assert "1 beyond the picture" in legend(axes)


def test_nothing_to_draw_says_why(axes):
    found = analysis_of(exchanges("sync", 3, reason="without_delay"), exchanges("sync", 1, reason="without_follow_up"))
    assert plot_analysis.offset(axes, found) == []
    assert "No offset is known; exchanges: 3 without delay, 1 without follow up." in texts(axes)
    assert plot_analysis.delay(plot.new_figure()[1], found) == []


def test_delay_over_time(axes):
    found = analysis_of(exchanges("p2p-as", 5, delay_ns=[500, 510, 505, 500, 505], delay_filtered_ns=505),
                        exchanges("sync", 3, delay_ns=1))
    curves = plot_analysis.delay(axes, found)
    assert [(curve.values, curve.median) for curve in curves] == [(5, 505)] and "meanLinkDelay (ns)" in texts(axes)
    assert plot_analysis.delay(plot.new_figure()[1], found, filtered=True)[0].minimum == 505


def test_neighbor_rate_ratio_in_ppm(axes):
    found = analysis_of(exchanges("p2p", 4, neighborRateRatio=[1.00001, 1.00001, np.nan, 0.99999]))
    curves = plot_analysis.neighbor_rate_ratio(axes, found)
    assert curves[0].values == 3 and curves[0].median == pytest.approx(10) and curves[0].minimum == pytest.approx(-10)
    assert "(ppm)" in axes.get_ylabel()


# ---- Floors -------------------------------------------------------------------------------------


def two_way(random, forward=700.0, reverse=500.0):
    sync = exchanges("sync", 800, masterToSlave_ns=forward + random.exponential(100, 800))
    e2e = exchanges("e2e", 100, interval=1, slaveToMaster_ns=reverse + random.exponential(100, 100),
                    masterToSlave_ns=-1e9)
    return sync, e2e


def asymmetry(method, value=100.0):
    return Asymmetry(method=method, point=0, stamps="hardware", domainNumber=0, sdoId=0, sourcePortIdentity=MASTER,
                     requestingPortIdentity=CLIENT, base_ns=0, forward_floor=700, reverse_floor=500, floor_window_s=10,
                     delayAsymmetry=value, bound=3, kind="e2e")


def test_floors_are_the_least_values_of_their_windows(axes, random):
    sync, e2e = two_way(random)
    floors = plot_analysis.delay_floors(axes, analysis_of(sync, e2e), window=10)
    assert floors.window_s == 10 and floors.base_ns == 0 and floors.asymmetry is None
    assert floors.forward.value.tolist() == sync["masterToSlave_ns"].reshape(10, 80).min(axis=1).tolist()
    assert floors.reverse.value.tolist() == e2e["slaveToMaster_ns"].reshape(10, 10).min(axis=1).tolist()
    assert floors.forward.time_ns[:2].tolist() == [BEGIN, BEGIN + 10 * SECOND]
    assert "asymmetry: not observable from two-way times alone" in legend(axes)


def test_few_values_make_no_floor(axes, random):
    sync, e2e = two_way(random)
    sync["masterToSlave_ns"][:] = 700
    sync["masterToSlave_ns"][798:] = 5000  # two messages in a window of their own
    floors = plot_analysis.delay_floors(axes, analysis_of(sync, e2e), window=12.475)
    assert floors.forward.value.tolist() == [700] * 8


@pytest.mark.parametrize("method, words", [
    ("by_reference", "asymmetry 100 ns ±3 ns, by a reference"), ("by_change", "asymmetry 100 ns ±3 ns, its change"),
    ("not_observable", "asymmetry: not observable")])
def test_the_asymmetry_is_told_with_its_method(axes, random, method, words):
    floors = plot_analysis.delay_floors(axes, analysis_of(*two_way(random), asymmetry=[asymmetry(method)]))
    assert floors.asymmetry.method == method and any(entry.startswith(words) for entry in legend(axes))


def test_floors_of_clocks_that_nobody_set(axes, random):
    """What is added to one direction is missing in the other."""
    sync, e2e = two_way(random)
    least = sync["masterToSlave_ns"].min() + e2e["slaveToMaster_ns"].min()
    far = 1_700_000_000 * SECOND + 1  # 54 years, of which a double holds 256 ns
    for rows, name, sign in ((sync, "masterToSlave", 1), (e2e, "slaveToMaster", -1)):
        rows[name] += sign * far
        rows[f"{name}_ns"] += sign * far
    floors = plot_analysis.delay_floors(axes, analysis_of(sync, e2e))
    assert floors.base_ns == sync["masterToSlave"][0]
    assert floors.forward.value.min() + floors.reverse.value.min() == pytest.approx(least, abs=1e-4)


def link(kind, count, far=0, **columns):
    """Exchanges of a link: 700 ns from the port that answers and 500 ns to it, and offset; some meet a queue."""
    number = np.arange(count)
    rows = exchanges(kind, count, interval=1, delay_ns=600 + 30 * (number % 3), neighborRateRatio=1.00001)
    rows["t1"] = rows["time_ns"]
    rows["t3"] = rows["t1"] + SECOND // 100
    rows["t4"] = rows["t3"] + 700 + 60 * (number % 3) + far
    rows["t3_kind"] = "message"
    for name, value in columns.items():
        rows[name] = value
    return rows


@pytest.mark.parametrize("far", [0, 1_700_000_000 * SECOND + 1])
@pytest.mark.parametrize("kind", ["p2p", "p2p-as"])
def test_floors_of_a_link(axes, kind, far):
    """Both directions lie in one exchange; meanLinkDelay is half of their sum. What is answered here is none."""
    rows = link(kind, 60, far, correction_response_follow_up=-32768)
    rows["neighborRateRatio"][0], rows["t4"][0] = np.nan, rows["t4"][0] - 10_000
    answered = exchanges(kind, 100, interval=1, delay_ns=np.nan, sourcePortIdentity=CLIENT,
                         requestingPortIdentity=MASTER)
    told = dataclasses.replace(asymmetry("by_reference"), kind=kind)
    floors = plot_analysis.delay_floors(axes, analysis_of(answered, rows, asymmetry=[asymmetry("by_change"), told]),
                                        window=12)
    base = 60 + far + 700 if far else 0  # the first that is told
    assert floors.base_ns == base and floors.asymmetry is told
    assert set((floors.forward.value + (base - far)).tolist()) == {700.5}
    assert set((floors.reverse.value - (base - far)).tolist()) == {499.5}
    assert floors.forward.time_ns.size == 5
    assert any(entry.startswith("forward: from the port asked") for entry in legend(axes))


def test_floors_of_a_link_behind_a_transparent_clock(axes):
    """IEEE 1588 only: less than a ns is a part of the responder's stamps, more nobody knows of which direction."""
    corrections = {"correction_request": -300 * 65536, "correction_response_follow_up": -300 * 65536 + 65535}
    assert plot_analysis.delay_floors(axes, analysis_of(link("p2p", 20, **corrections))).forward.value.size
    for name in ("correction_response", "correction_response_follow_up"):
        page = plot.new_figure()[1]
        assert plot_analysis.delay_floors(page, analysis_of(link("p2p", 20, **{name: 65536}))) is None
        assert plot_analysis.delay_floors(plot.new_figure()[1], analysis_of(link("p2p-as", 20, **{name: 65536})))


def test_floors_of_the_kind_that_is_asked_for(axes, random):
    found = analysis_of(*two_way(random), link("p2p", 20))
    floors = plot_analysis.delay_floors(axes, found, kind="p2p")
    assert floors.forward.value.min() == 700 and floors.reverse.value.min() == 500
    assert plot_analysis.delay_floors(plot.new_figure()[1], found, kind="e2e").reverse.value.min() < 510
    assert plot_analysis.delay_floors(plot.new_figure()[1], found, kind="p2p-as") is None


def test_offsets_of_clocks_that_nobody_set(axes):
    far = 1_700_000_000 * SECOND
    rows = exchanges("sync", 4, offsetFromMaster_ns=[10, 12.5, 11, 14])
    rows["offsetFromMaster"] += far + 1
    rows["offsetFromMaster_ns"] += far + 1
    found = analysis_of(rows)
    times, values, base = found.offset()
    assert (values.tolist(), base) == ([0, 2.5, 1, 4], far + 11) and times.size == 4
    piece = found.time_error()[0]
    assert piece.x.tolist() == [0, 2.5, 1, 4] and piece.base_ns == far + 11 and piece.mtie([1])[1] == 3
    summary = piece.summary()
    assert np.isnan([summary.max_te, summary.cte, summary.cte_seconds]).all() and summary.seconds == 4 * piece.tau0
    assert piece.check("PRTC-A")[0].kind == "max_te" and piece.check("PRTC-A")[0].within is None
    curve, = plot_analysis.offset(axes, found)
    assert (curve.base_ns, curve.minimum, curve.maximum) == (far + 11, 0, 4)
    assert f"offset \u2212 {far + 11} ns" in legend(axes)


def test_no_floors_without_a_way_back(axes):
    assert plot_analysis.delay_floors(axes, analysis_of(exchanges("sync", 9, masterToSlave_ns=5))) is None
    assert "no exchange of this kind was seen" in texts(axes)


# ---- MTIE, TDEV ---------------------------------------------------------------------------------


def test_mtie_with_a_mask(axes, random):
    samples = TimeError(random.normal(0, 3, 9600), 0.125)
    shown = plot_analysis.mtie(axes, samples, "G.8273.2-C")
    assert np.array_equal(shown.value, time_error.mtie(samples.x, (shown.tau / 0.125).round().astype(int)))
    assert np.array_equal(shown.low_value, samples.low().mtie()[1])
    assert {check.kind for check in shown.checks} == {"dte_low_mtie"} and all(check.within for check in shown.checks)
    assert legend(axes) == ["MTIE of TE", "MTIE of TE filtered at 0.1 Hz", "G.8273.2-C for filtered TE"]
    assert "within G.8273.2-C" in texts(axes) and (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_tdev_beyond_a_mask(axes, random):
    shown = plot_analysis.tdev(axes, TimeError(random.normal(0, 30, 9600), 0.125), "PRTC-B")
    assert any(not check.within for check in shown.checks) and "beyond PRTC-B" in texts(axes)
    assert legend(axes) == ["TDEV of TE", "PRTC-B"] and shown.low_tau.size == 0


def test_without_a_mask_and_what_it_does_not_limit(axes, random):
    samples = TimeError(random.normal(0, 3, 100), 0.125)
    assert plot_analysis.mtie(axes, samples).checks == [] and "within" not in texts(axes)
    other = plot.new_figure()[1]
    assert plot_analysis.mtie(other, samples, "G.8273.2-D").checks == [] and "does not limit it" in texts(other)


@pytest.mark.parametrize("samples", [None, TimeError(np.zeros(1), 1.0)])
def test_too_few_samples(axes, samples):
    assert plot_analysis.tdev(axes, samples).value.size == 0 and "too few" in texts(axes)


def test_a_clock_without_any_error_can_be_drawn(axes):
    shown = plot_analysis.mtie(axes, TimeError(np.full(100, 5.0), 1.0), "PRTC-A")
    assert not shown.value.any() and "within PRTC-A" in texts(axes)
    axes.figure.canvas.draw()


# ---- A page -------------------------------------------------------------------------------------


def test_page(random, tmp_path):
    sync, e2e = two_way(random)
    sync["offsetFromMaster_ns"] = 100
    e2e["delay_ns"] = 600
    found = analysis_of(sync, e2e, exchanges("p2p", 9, neighborRateRatio=1.0, delay_ns=5))
    figure = plot_analysis.analysis_figure(found, "eth0", limits="PRTC-A", samples=found.time_error()[0])
    assert isinstance(figure, Figure) and len(figure.axes) == 6
    plot.save(figure, tmp_path / "page.png")
    plot.save(figure, tmp_path / "page.svg")
    svg = (tmp_path / "page.svg").read_text(encoding="utf-8")
    assert all(words in svg for words in ("Offset from master", "Delay floors", "neighbour", "MTIE", "TDEV", "eth0"))
    assert len(plot_analysis.analysis_figure(analysis_of(exchanges("sync", 2))).axes) == 4
