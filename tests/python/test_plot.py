# SPDX-License-Identifier: MIT
"""The pictures say what the numbers are: axes, legends, counts and percentiles are compared, not pixels."""
import os
import re
import subprocess
import sys
import xml.etree.ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from pictures import axes, legend, random, texts  # noqa: F401

from ptp_monitor import ClocksReading, Loss, _plot_numbers as numbers, arrays, plot
from ptp_monitor import _structures as c

BEGIN = 1_795_374_000_000_000_000  # 2026-11-22 19:00:00 UTC
EVENT_TIME = 10**13  # event time of BEGIN
SECOND = 10**9
MASTER, CLIENT = "bae929.fffe.996d3c-1", "66502d.fffe.de6c83-1"


def messages_of(rows):
    """(seconds since BEGIN, messageType, direction, sender) as collect() gives them."""
    rows = sorted(rows)
    return {"time_ns": BEGIN + np.array([round(row[0] * 1e9) for row in rows], dtype=np.int64),
            "messageType": np.array([row[1] for row in rows], dtype=np.uint8),
            "direction": np.array([row[2] for row in rows], dtype=np.uint8),
            "sourcePortIdentity": np.array([row[3] for row in rows], dtype="U24"),
            "domainNumber": np.zeros(len(rows), dtype=np.uint8), "stamp": np.zeros(len(rows), dtype=np.uint8),
            "outcome": np.full(len(rows), "matched", dtype="U20")}


def regular(message_type, direction, sender, period, count):
    return [(period * number, message_type, direction, sender) for number in range(count)]


def clocks_of(difference_ns, uncertainty_ns=0):
    """CLOCKS records of consecutive seconds with these differences PHC - CLOCK_REALTIME."""
    clocks = np.zeros(len(difference_ns), dtype=arrays.CLOCKS_DTYPE)
    seconds = SECOND * np.arange(len(difference_ns))
    clocks["direction"] = c.DIRECTION_CLOCKS
    clocks["system_timestamp"] = EVENT_TIME + seconds
    clocks["realtime_ns"] = BEGIN + seconds
    clocks["hw_timestamp_ns"] = BEGIN + seconds + np.asarray(difference_ns, dtype=np.int64)
    clocks["hw_uncertainty_ns"] = uncertainty_ns
    return clocks


# ---- Numbers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("ns, text", [
    (0, "0 ns"), (1, "1 ns"), (-17, "-17 ns"), (12.34, "12.3 ns"), (999, "999 ns"), (999.7, "1.00 µs"),
    (4176, "4.18 µs"), (999_499, "999 µs"), (999_500, "1.00 ms"), (-1_500_000, "-1.50 ms"), (125e6, "125 ms"),
    (2e9, "2.00 s"), (4321e9, "4.32e+03 s")])
def test_quantity(ns, text):
    assert numbers.quantity(ns) == text


def test_units_fit_what_is_shown():
    assert [numbers.unit_for(ns).name for ns in (0, 999, 1000, 44e3, -2e6, 5e9)] == ["ns", "ns", "µs", "µs", "ms", "s"]


def test_range_leaves_out_what_is_far_away_only(random):
    values = random.gamma(2, 2000, 10_000)
    assert numbers.robust_range(values) == (values.min(), values.max(), 0, 0)
    shown = numbers.robust_range(np.append(values, [10e6, 12e6, -9e6]))
    assert (shown.low, shown.high) == (values.min(), values.max())
    assert (shown.below, shown.above) == (1, 2)


@pytest.mark.parametrize("values", [[5.0], [5.0, 5.0, 5.0], [1.0, 2.0], [0.0] * 99 + [7.0]])
def test_few_and_equal_values(values):
    values = np.array(values)
    shown = numbers.robust_range(values)
    assert (shown.low, shown.high) == (values.min(), values.max())
    assert np.histogram(values, numbers.bin_edges(values))[0].sum() == values.size


@pytest.mark.parametrize("quantum", [1, 8, 1000])
def test_bins_hold_as_many_ticks_of_the_clock(random, quantum):
    values = quantum * random.integers(3, 60, 5000) + 5.0
    edges = numbers.bin_edges(values)
    possible = quantum * np.arange(0, 80) + 5.0
    inside = possible[(possible >= values.min()) & (possible <= values.max())]
    per_bin = np.histogram(inside, edges)[0]
    assert len(set(per_bin[1:-1])) == 1, "all but the ends alike"
    assert edges[0] < values.min() and edges[-1] > values.max()


def test_bins_of_fractions(random):
    values = random.normal(0, 1, 5000)
    edges = numbers.bin_edges(values)
    assert edges[0] <= values.min() and edges[-1] >= values.max() and 10 <= edges.size <= 260


def test_envelope_keeps_every_column_s_extremes(random):
    x, y = np.sort(random.uniform(0, 10, 100_000)), random.normal(0, 1, 100_000)
    y[[12_345, 67_890]] = (99, -98)
    series = numbers.envelope(x, y, 300)
    assert np.nanmax(series.high) == 99 and np.nanmin(series.low) == -98
    column = np.minimum(((x - x[0]) * 300 / (x[-1] - x[0])).astype(int), 299)
    for number in (0, 37, 299):
        assert series.low[number] == y[column == number].min() and series.high[number] == y[column == number].max()


def test_envelope_leaves_gaps_empty():
    series = numbers.envelope(np.array([0.0, 1.0, 9.0, 10.0]), np.array([1.0, 2.0, 3.0, 4.0]), 10)
    assert np.isnan(series.low[2:9]).all() and series.low[0] == 1 and series.high[9] == 4 and series.low[9] == 3


def test_one_mark_per_column_covers_all_columns(random):
    x = np.sort(random.uniform(0, 1, 50_000))
    assert set((x * 100).astype(int)) <= {int(v) for v in range(100)}
    kept = x[numbers.one_per_column(x, 100)]
    assert kept.size <= 101
    scaled = (x - x[0]) * 100 / (x[-1] - x[0])
    assert set(scaled.astype(int)) == set(((kept - x[0]) * 100 / (x[-1] - x[0])).astype(int))
    assert numbers.one_per_column(x[:50], 100).size == 50


@pytest.mark.parametrize("seconds, nominal", [(0.125, 125e6), (0.13, 125e6), (1.0, 1e9), (0.68, None), (16.0, 16e9)])
def test_nominal_interval(seconds, nominal):
    assert numbers.nominal_interval(np.full(20, seconds * 1e9)) == nominal


def test_random_intervals_have_no_nominal_one(random):
    assert numbers.nominal_interval(random.uniform(0, 2e9, 200)) is None


@pytest.mark.parametrize("spans, gap, joined", [
    ([], 5, []), ([(1, 2), (5, 6)], 2, [(1, 2), (5, 6)]), ([(5, 6), (1, 2)], 3, [(1, 6)]),
    ([(1, 9), (2, 3), (9, 12), (20, 21)], 0, [(1, 12), (20, 21)])])
def test_merged_spans(spans, gap, joined):
    assert numbers.merged(spans, gap) == joined


def test_utc_follows_the_nearest_reading():
    clocks = clocks_of([0] * 5)
    clocks["realtime_ns"][3:] += 7 * SECOND  # a step between the third and the fourth reading
    event_times = EVENT_TIME + np.array([-5, 0, 2.4 * SECOND, 2.6 * SECOND, 9 * SECOND]).astype(np.int64)
    utc = numbers.utc_of(event_times, clocks) - BEGIN
    assert utc.tolist() == [-5, 0, int(2.4 * SECOND), int(9.6 * SECOND), 16 * SECOND]
    assert numbers.utc_of([EVENT_TIME + 3], clocks[:1]).tolist() == [BEGIN + 3]


def test_utc_of_a_counter_that_does_not_count_ns():
    clocks = clocks_of([0])
    assert numbers.utc_of([EVENT_TIME + 10_000_000], clocks, 10_000_000).tolist() == [BEGIN + SECOND]


# ---- Latencies ----------------------------------------------------------------------------------


def test_latency_histogram(axes, random):
    latencies = (1000 + random.gamma(2, 2000, 3000)).round()
    with_unknown = np.concatenate([latencies, np.full(500, np.nan)])
    drawn = plot.latency_histogram(axes, with_unknown, name="rx_driver")
    assert drawn.values == drawn.counts.sum() == 3000
    expected = {"median": 50, "90 %": 90, "99 %": 99, "99.9 %": 99.9, "max": 100}
    assert drawn.marked == {name: np.percentile(latencies, each) for name, each in expected.items()}
    assert legend(axes) == [f"{name}  {numbers.quantity(value)}" for name, value in drawn.marked.items()]
    lines = [line.get_xdata()[0] for line in axes.lines]
    assert np.allclose(lines, [value / 1000 for value in drawn.marked.values()])
    assert axes.get_title(loc="left") == "RX driver latency, 3\u2009000 messages"
    assert axes.get_xlabel() == "network stack's stamp to driver side (µs)"
    assert re.match(r"messages per \d+ (ns|µs)", axes.get_ylabel())


def test_an_outlier_is_counted_and_does_not_flatten_the_picture(axes, random):
    latencies = np.append(random.normal(5000, 500, 2000).round(), [40e6, 50e6])
    drawn = plot.latency_histogram(axes, latencies)
    assert (drawn.below, drawn.above, drawn.values, drawn.counts.sum()) == (0, 2, 2002, 2000)
    assert "not shown: 2 to the right, up to 50.0 ms" in axes.get_xlabel()
    assert drawn.marked["max"] == 50e6 and "max  50.0 ms" in legend(axes)
    assert axes.get_xlim()[1] < 20, "µs"


def test_percentiles_of_the_caller(axes):
    drawn = plot.latency_histogram(axes, np.arange(1, 101), percentiles=(25,), name="my latency")
    assert list(drawn.marked) == ["25 %", "max"] and "my latency, 100 messages" in texts(axes)


@pytest.mark.parametrize("logarithmic, scale", [(True, "log"), (False, "linear")])
def test_scale_of_the_counts(axes, logarithmic, scale):
    plot.latency_histogram(axes, [1, 2, 2, 3], logarithmic=logarithmic)
    assert axes.get_yscale() == scale


def test_a_long_tail_makes_the_counts_logarithmic(axes, random):
    plot.latency_histogram(axes, random.exponential(1000, 100_000).round())
    assert axes.get_yscale() == "log" and "logarithmic" in axes.get_ylabel()


# ---- Jitter -------------------------------------------------------------------------------------


def test_definitions_of_jitter():
    latencies = [10.0, np.nan, 14.0, 11.0, 30.0]
    assert np.array_equal(plot.jitter_of(latencies), [-2.5, np.nan, 1.5, -1.5, 17.5], equal_nan=True)
    consecutive = plot.jitter_of(latencies, "consecutive")
    assert np.array_equal(consecutive, [np.nan, np.nan, 4, -3, 19], equal_nan=True)
    with pytest.raises(ValueError, match="deviation, consecutive"):
        plot.jitter_of(latencies, "other")


def test_consecutive_jitter_is_of_one_kind():
    messages = messages_of([(0, 0, 0, MASTER), (1, 8, 0, MASTER), (2, 0, 0, MASTER), (3, 8, 0, MASTER),
                            (4, 0, 0, CLIENT)])
    jitter = plot.jitter_of([1.0, 100.0, 3.0, 104.0, 7.0], "consecutive", messages)
    assert np.array_equal(jitter, [np.nan, np.nan, 2, 4, np.nan], equal_nan=True)


def test_jitter_over_time(axes, random):
    latencies = random.normal(4000, 300, 200).round()
    shown = plot.jitter(axes, BEGIN + SECOND * np.arange(200), latencies, name="rx_driver")
    deviation = latencies - np.median(latencies)
    assert shown.jitter.messages == shown.drawn == 200 and shown.beyond == 0
    assert shown.jitter.standard_deviation == pytest.approx(deviation.std())
    assert shown.jitter.within_99 == np.percentile(np.abs(deviation), 99)
    assert shown.jitter.peak_to_peak == np.ptp(latencies)
    assert f"99 % within ±{numbers.quantity(shown.jitter.within_99)}" in legend(axes)
    assert axes.get_ylabel() == "latency minus its median (ns)" or axes.get_ylabel().endswith("(µs)")
    assert axes.get_xlabel() == "time of day, UTC, 2026-11-22"
    assert np.allclose(axes.lines[0].get_ydata() * (1 if "ns" in axes.get_ylabel() else 1000), deviation)


def test_a_long_series_keeps_its_extremes(axes, random):
    latencies = random.normal(4000, 300, 200_000).round()
    shown = plot.jitter(axes, BEGIN + SECOND * np.arange(200_000), latencies)
    assert shown.drawn < 2000 and shown.jitter.messages == 200_000
    high, _, low = axes.patches[0].get_data()
    unit = 1000 if axes.get_ylabel().endswith("(µs)") else 1
    assert np.nanmax(high) * unit == pytest.approx(latencies.max() - np.median(latencies))
    assert np.nanmin(low) * unit == pytest.approx(latencies.min() - np.median(latencies))


def test_messages_beyond_the_scale_are_marked(axes, random):
    latencies = random.normal(4000, 300, 500).round()
    latencies[[3, 77]] = 9e6
    shown = plot.jitter(axes, BEGIN + SECOND * np.arange(500), latencies)
    assert shown.beyond == 2 and any(entry.startswith("2 beyond, up to 9.00 ms") for entry in legend(axes))


def test_jitter_histogram(axes, random):
    latencies = random.normal(4000, 300, 5000).round()
    drawn = plot.jitter_histogram(axes, latencies, definition="consecutive")
    change = np.abs(np.diff(latencies))
    assert drawn.values == 4999
    assert drawn.marked["90 %"] == np.percentile(change, 90) and drawn.marked["99 %"] == np.percentile(change, 99)
    assert f"90 % within ±{numbers.quantity(drawn.marked['90 %'])}" in legend(axes)
    assert "change of latency from one message to the next" in axes.get_xlabel()


# ---- Intervals ----------------------------------------------------------------------------------


def test_message_intervals(axes, random):
    sync = regular(0, 0, MASTER, 0.125, 41)
    del sync[20]
    requests = [(second, 1, 1, CLIENT) for second in np.cumsum(random.uniform(0, 2, 30))]
    rows = plot.message_intervals(axes, messages_of(sync + requests + regular(0xB, 0, MASTER, 2, 4)))
    assert [(row.messageType, row.direction, row.sourcePortIdentity, row.intervals) for row in rows] == [
        (0, 0, MASTER, 39), (1, 1, CLIENT, 29), (0xB, 0, MASTER, 3)]
    assert [row.nominal for row in rows] == [125e6, None, 2e9]
    assert (rows[0].median, rows[0].minimum, rows[0].maximum) == (125e6, 125e6, 250e6)
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == [f"Sync RX\n{MASTER}", f"Delay_Req TX\n{CLIENT}", f"Announce RX\n{MASTER}"]
    assert "39 intervals, median 125.0 ms" in texts(axes) and "(ms)" in axes.get_xlabel()
    assert axes.get_xscale() == "log" and "125" in [label.get_text() for label in axes.get_xticklabels()]
    assert legend(axes) == ["nominal: a power of two, ± 30 % (IEEE 1588)"]


def test_intervals_tell_domains_apart(axes):
    messages = messages_of(regular(0, 0, MASTER, 1, 8))
    messages["domainNumber"][4:] = 24
    rows = plot.message_intervals(axes, messages)
    assert [(row.domainNumber, row.intervals) for row in rows] == [(0, 3), (24, 3)]
    assert axes.get_yticklabels()[1].get_text() == f"Sync RX\n{MASTER}, domain 24"


def test_too_many_senders_are_said_not_drawn(axes):
    rows = [row for number in range(20) for row in regular(0, 0, f"0000{number:02}.fffe.000000-1", 1, 3 + number)]
    assert len(plot.message_intervals(axes, messages_of(rows))) == 20
    assert len(axes.get_yticks()) == 16 and "not shown: 4 kinds with fewer messages" in axes.get_xlabel()


# ---- Clocks -------------------------------------------------------------------------------------


def drifting(ppm, count=61):
    return 37 * SECOND + (ppm * 1e3 * np.arange(count)).astype(np.int64)


def test_clock_drift(axes):
    drift = plot.phc_against_system(axes, clocks_of(drifting(12), uncertainty_ns=250))
    assert drift.ppm == pytest.approx(12, abs=1e-6) and drift.readings == 61 and drift.steps_ns == []
    assert drift.bound_ppm == pytest.approx(500 / 60e9 * 1e6) and drift.first_ns == 37 * SECOND
    assert "linear fit: PHC +12.000 ppm (±0.0083)" in legend(axes)
    assert "PHC − CLOCK_REALTIME, 61 readings" in legend(axes) and "uncertainty, at most ±250 ns" in legend(axes)
    assert axes.get_ylabel().endswith("(µs)") and "+37.000000000 s" in texts(axes)
    readings = next(line for line in axes.lines if "readings" in line.get_label())
    assert readings.get_ydata()[-1] == pytest.approx(720)


def test_a_step_is_no_drift(axes, random):
    difference = drifting(-3.5) + random.integers(-100, 101, 61)
    difference[40:] += 1_500_000
    drift = plot.phc_against_system(axes, clocks_of(difference, 200))
    assert drift.ppm == pytest.approx(-3.5, abs=0.02)
    assert len(drift.steps_ns) == 1 and drift.steps_ns[0] == pytest.approx(1.5e6, abs=1000)
    assert "step of +1.50 ms" in legend(axes)
    parts = [line for line in axes.lines if len(line.get_xdata()) in (40, 21)]
    assert len(parts) == 4, "readings and fit, each in two parts"


def test_many_steps_are_summed_up(axes):
    difference = drifting(1, 120)
    for number in range(1, 6):
        difference[20 * number:] += number * 100_000
    drift = plot.phc_against_system(axes, clocks_of(difference))
    assert len(drift.steps_ns) == 5 and "5 steps, up to 500 µs" in legend(axes) and len(legend(axes)) == 4


def test_what_the_fit_leaves(axes):
    plot.phc_against_system(axes, clocks_of(drifting(12)), subtract="fit")
    readings = next(line for line in axes.lines if "readings" in line.get_label())
    assert np.abs(readings.get_ydata()).max() < 2 and "the linear fit (ns)" in axes.get_ylabel()
    with pytest.raises(ValueError, match="first, fit"):
        plot.phc_against_system(axes, clocks_of(drifting(12)), subtract="other")


def test_readings_as_objects(axes):
    readings = [ClocksReading(BEGIN + second * (SECOND + 5000), EVENT_TIME + second * SECOND, BEGIN + second * SECOND,
                              10, 10) for second in range(5)]
    assert plot.phc_against_system(axes, readings).ppm == pytest.approx(5)


@pytest.mark.parametrize("clocks, sentence", [
    (clocks_of([]), "no clock of its own"), (clocks_of([5]), "read only once"),
    ([ClocksReading(0, EVENT_TIME, BEGIN, 0, 0)] * 3, "no clock of its own")])
def test_without_a_clock_of_the_nic(axes, clocks, sentence):
    drift = plot.phc_against_system(axes, clocks)
    assert np.isnan(drift.ppm) and sentence in texts(axes)


# ---- Timeline -----------------------------------------------------------------------------------


@pytest.fixture
def seen():
    """A minute with two kinds of messages, two missing stamps, three events that no frame was captured of."""
    messages = messages_of(regular(0, 0, MASTER, 0.5, 120) + regular(1, 1, CLIENT, 1, 60))
    messages["stamp"][np.flatnonzero(messages["direction"] == 1)[[4, 9]]] = c.STAMP_EXPECTED | c.STAMP_MISSING
    messages["outcome"][[7, 8, 100]] = "event_without_frame"
    return messages


def spans(axes):
    return [patch for patch in axes.patches if patch.get_hatch()]


def test_timeline(axes, seen):
    losses = [Loss(EVENT_TIME + 20 * SECOND, EVENT_TIME + 21 * SECOND, 3, 1, False),
              Loss(EVENT_TIME + 40 * SECOND, EVENT_TIME + 41 * SECOND, 9, 0, False),
              Loss(EVENT_TIME + 50 * SECOND, EVENT_TIME + 51 * SECOND, 2, 0, True)]
    shown = plot.timeline(axes, seen, clocks=clocks_of([0] * 61), losses=losses)
    assert shown.rows == [(0, 0, 120), (1, 1, 60)] and shown.drawn == 180
    assert (shown.missing, shown.unmatched) == (2, {"event_without_frame": 3})
    assert (shown.losses, shown.frames_dropped, shown.stamps_dropped) == (2, 12, 1)
    assert (shown.capture_losses, shown.frames_not_captured) == (1, 2)
    assert len(spans(axes)) == 3 and len({patch.get_hatch() for patch in spans(axes)}) == 2
    assert legend(axes) == ["TX stamp missing: 2", "event without frame: 3", "dropped: 12 events, 1 late stamp",
                            "not captured: 2 frames"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Sync RX (120)", "Delay_Req TX (60)"]
    assert axes.get_xlabel() == "time of day, UTC, 2026-11-22"


def test_losses_are_where_they_were(axes, seen):
    losses = np.zeros(1, dtype=arrays.LOSS_DTYPE)
    losses["since"], losses["system_timestamp"] = EVENT_TIME + 20 * SECOND, EVENT_TIME + 23 * SECOND
    losses["frames_dropped"] = 5
    plot.timeline(axes, seen, clocks=clocks_of([0] * 61), losses=losses)
    x = spans(axes)[0].get_xy()[:, 0]
    assert np.allclose([x.min(), x.max()], [(BEGIN + each * SECOND) / 86400e9 for each in (20, 23)], atol=1e-9)
    with pytest.raises(ValueError, match="CLOCKS"):
        plot.timeline(axes, seen, losses=losses)


def test_an_hour_of_losses_is_drawn_as_one(axes, seen):
    losses = [Loss(EVENT_TIME + each * 10**7, EVENT_TIME + (each + 1) * 10**7, 1, 0, False) for each in range(5000)]
    shown = plot.timeline(axes, seen, clocks=clocks_of([0] * 61), losses=losses)
    assert (shown.losses, shown.frames_dropped, len(spans(axes))) == (5000, 5000, 1)


def test_a_long_timeline_has_a_mark_per_column(axes):
    shown = plot.timeline(axes, messages_of(regular(0, 0, MASTER, 0.001, 20_000)))
    assert shown.rows == [(0, 0, 20_000)] and 100 < shown.drawn < 2000


def test_the_date_is_that_of_both_ends(axes):
    plot.timeline(axes, messages_of([(0, 0, 0, MASTER), (86400, 0, 0, MASTER)]))
    assert axes.get_xlabel() == "time of day, UTC, 2026-11-22 to 2026-11-23"


def test_ticks_are_times_of_day(axes):
    plot.timeline(axes, messages_of(regular(0, 0, MASTER, 1, 60)))
    axes.figure.canvas.draw()
    assert "19:00:30" in [label.get_text() for label in axes.get_xticklabels()]


def test_messages_without_a_time_are_left_out(axes, seen):
    seen["time_ns"][5:10] = 0
    assert sum(row[2] for row in plot.timeline(axes, seen).rows) == 175


# ---- Records ------------------------------------------------------------------------------------


@pytest.fixture
def records():
    """A recording: clocks, 20 Sync of 1/8 s, three late stamps, one loss."""
    events = np.zeros(23, dtype=arrays.EVENT_DTYPE)
    events["system_timestamp"] = EVENT_TIME + SECOND // 8 * np.arange(23)
    events["clockIdentity"] = list(bytes.fromhex("bae929fffe996d3c"))
    events["portNumber"] = 1
    events["direction"][20:], events["stamp"][20:] = 1, c.STAMP_LATE
    loss = np.zeros(1, dtype=arrays.LOSS_DTYPE)
    loss["direction"], loss["frames_dropped"] = c.DIRECTION_LOSS, 4
    loss["since"], loss["system_timestamp"] = EVENT_TIME + SECOND, EVENT_TIME + 2 * SECOND
    return np.concatenate([clocks_of(drifting(2, 4)).view(arrays.EVENT_DTYPE), events, loss.view(arrays.EVENT_DTYPE)])


def test_records_tell_their_own_clocks_and_losses(axes, records):
    shown = plot.timeline(axes, records)
    assert shown.rows == [(0, 0, 20)] and (shown.losses, shown.frames_dropped) == (1, 4)
    intervals = plot.message_intervals(plot.new_figure()[1], records)
    assert [(row.sourcePortIdentity, row.intervals, row.nominal) for row in intervals] == [(MASTER, 19, 125e6)]


def test_events_need_clocks(axes, records):
    with pytest.raises(ValueError, match="clocks"):
        plot.timeline(axes, arrays.events_array(records))
    assert plot.timeline(axes, arrays.events_array(records), clocks=arrays.clocks_array(records)).drawn == 20


# ---- Pages and files ----------------------------------------------------------------------------


def test_empty_input_is_a_sentence():
    nothing = messages_of([])
    draw = [(plot.latency_histogram, []), (plot.latency_histogram, [np.nan]), (plot.jitter, [], []),
            (plot.jitter_histogram, []), (plot.message_intervals, nothing), (plot.timeline, nothing),
            (plot.timeline, np.zeros(0, dtype=arrays.EVENT_DTYPE)), (plot.phc_against_system, [])]
    for function, *given in draw:
        _, axes = plot.new_figure()
        function(axes, *given)
        assert len(axes.texts) == 1 and axes.texts[0].get_text().endswith("."), function.__name__
        axes.figure.canvas.draw()


def page(seen):
    seen["latency_rx_driver"] = np.where(seen["direction"] == 0, 4000.0 + np.arange(180), np.nan)
    seen["latency_tx_hardware"] = np.full(180, np.nan)
    return plot.summary_figure(seen, "eth0 <1>", clocks=clocks_of(drifting(1)))


def test_summary_has_what_is_known(seen):
    titles = [axes.get_title(loc="left").partition(",")[0] for part in page(seen).subfigs for axes in part.axes]
    assert titles == ["Messages over time", "RX driver latency", "Jitter of RX driver latency",
                      "Jitter of RX driver latency", "Intervals between messages of one type from one sender",
                      "NIC's clock (PHC) against system clock"]


def test_summary_of_records(records, tmp_path):
    plot.save(plot.summary_figure(records), tmp_path / "records.png")
    plot.save(plot.summary_figure(messages_of([])), tmp_path / "nothing.svg")


def test_files_hold_nothing_of_the_moment(seen, tmp_path):
    for kind in ("png", "svg"):
        plot.save(page(seen), tmp_path / f"page.{kind}")
    assert not re.search(b"tEXt|iTXt|tIME", (tmp_path / "page.png").read_bytes())
    svg = [(tmp_path / "page.svg").read_text(encoding="utf-8")]
    plot.save(page(seen), tmp_path / "page.svg")
    svg.append((tmp_path / "page.svg").read_text(encoding="utf-8"))
    assert "dc:date" not in svg[0]
    assert re.findall('(?:id|href|clip-path)="[^"]+"', svg[0]) == re.findall('(?:id|href|clip-path)="[^"]+"', svg[1])


def test_text_in_svg_is_text(seen, tmp_path):
    plot.save(page(seen), tmp_path / "page.svg")
    words = "".join(xml.etree.ElementTree.parse(tmp_path / "page.svg").getroot().itertext())
    for text in ("eth0 <1>", "Messages over time, 180 messages", "time of day, UTC, 2026-11-22", "Sync RX (120)"):
        assert text in words


def test_a_million_messages_make_small_files(random, tmp_path):
    count = 1_000_000
    messages = messages_of([])
    messages.update(
        time_ns=BEGIN + np.sort(random.integers(0, 3600 * SECOND, count)), messageType=random.choice([0, 8], count),
        direction=np.zeros(count, dtype=np.uint8), domainNumber=np.zeros(count, dtype=np.uint8),
        sourcePortIdentity=np.full(count, MASTER), stamp=np.zeros(count, dtype=np.uint8),
        outcome=np.full(count, "matched"), latency_rx_driver=random.gamma(2, 2000, count).round())
    figure = plot.summary_figure(messages)
    for kind in ("png", "svg"):
        plot.save(figure, tmp_path / f"million.{kind}")
        assert (tmp_path / f"million.{kind}").stat().st_size < 2_000_000


def test_axes_of_any_figure():
    axes = Figure().add_subplot()
    assert plot.latency_histogram(axes, [1, 2, 3]).values == 3


def run_python(source_tree, code):
    return subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "PYTHONPATH": str(source_tree / "python")})


def test_pyplot_is_not_touched(source_tree):
    code = ("import sys; from ptp_monitor import plot; figure, axes = plot.new_figure(); "
            "plot.latency_histogram(axes, [1, 2]); sys.exit('matplotlib.pyplot' in sys.modules)")
    assert run_python(source_tree, code).returncode == 0


@pytest.mark.parametrize("missing", ["numpy", "matplotlib"])
def test_what_is_missing_is_named(source_tree, missing):
    code = f"import sys; sys.modules[{missing!r}] = None\nimport ptp_monitor\nfrom ptp_monitor import plot"
    done = run_python(source_tree, code)
    assert done.returncode == 1 and f"install python3-{missing} (Debian)" in done.stderr
