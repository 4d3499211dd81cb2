# SPDX-License-Identifier: MIT
"""Pictures of what was seen, on axes of the caller's.

Times go in as ns. Every function returns the numbers that it drew, and draws a sentence where there is nothing to
draw. Nothing here touches pyplot or its settings:

    figure, axes = plot.new_figure()
    plot.latency_histogram(axes, messages["latency_rx_driver"], name="rx_driver")
    plot.save(figure, "latency.svg")

`messages` is what ptp_monitor.arrays.collect() makes of correlated events, or an array of records (EVENT_DTYPE). The
CLOCKS and LOSS records among these are used where `clocks` and `losses` are not given.
"""
from __future__ import annotations

import io
import os
import re
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from . import _plot_numbers as numbers
from . import _structures as c
from . import _words as words
from . import arrays
from ._optional import require
from ._plot_numbers import grouped, known, quantity
from ._plot_parts import (BLACK, BLUE, ORANGE, SKY, VERMILLION, columns_of, days_of, finish, legend, legend_above,
                          new_canvas, new_page, nothing, plural, time_axis)
from .event import ClocksReading, Loss

require("matplotlib", "ptp_monitor.plot")

import matplotlib
import matplotlib.ticker
import numpy as np
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ._plot_numbers import Array

Messages = Union[Mapping[str, Any], "Array"]
Clocks = Union["Array", Iterable[ClocksReading]]
Losses = Union["Array", Iterable[Loss]]

#: What ptpmon measures, by the names in collect()'s columns: title, and from where to where.
LATENCIES = {"rx_driver": ("RX driver latency", "network stack's stamp to driver side"),
             "nic_to_host": ("NIC-to-host latency", "NIC's stamp to driver side"),
             "tx_software": ("TX latency (software stamp)", "driver side to network stack's stamp"),
             "tx_hardware": ("TX latency (hardware stamp)", "driver side to NIC's stamp")}

_LINES = ("-", "--", "-.", ":", (0, (1, 3)), (0, (6, 2, 1, 2, 1, 2)))
_MOST_ROWS = 16
MINUS = "\u2212"


# ---- Figures ------------------------------------------------------------------------------------


def new_figure(width: float = 7.0, height: float = 3.6) -> Tuple[Figure, "Axes"]:
    """A figure with one axes; inches."""
    figure = new_canvas(width, height)
    return figure, figure.add_subplot()


def save(figure: Figure, path: "Union[str, os.PathLike[str]]") -> None:
    """Writes .png or .svg: without date, version and names of the moment, so that equal pictures make equal files but
    for what the layout rounds. The text in an SVG file is text."""
    path = os.fspath(path)
    if not path.endswith(".svg"):
        figure.savefig(path, metadata={"Software": None})
        return
    text = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "ptp_monitor"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    with open(path, "w", encoding="utf-8") as file:
        file.write(_with_equal_names(text.getvalue()))


def _with_equal_names(svg: str) -> str:
    """matplotlib names clipping paths by where they lie in memory; here by their order."""
    names: Dict[str, str] = {}
    return re.sub(r'(?<=[#"])p[0-9a-f]{10}(?=[)"])', lambda old: names.setdefault(old[0], f"clip{len(names)}"), svg)


class _Losses(NamedTuple):
    """Intervals in which something was lost: first and last moment, UTC, and how much."""

    spans: List[Tuple[int, int]]
    frames: int
    stamps: int


class _Seen(NamedTuple):
    """What was seen, from whatever it was given as."""

    messages: Dict[str, Any]  # those whose time is known
    clocks: Array
    dropped: _Losses  # by the monitor
    not_captured: _Losses  # by the capture


def _seen(messages: Messages, clocks: Optional[Clocks], losses: Optional[Losses] = None) -> _Seen:
    if isinstance(messages, np.ndarray):
        clocks = arrays.clocks_array(messages) if clocks is None else clocks
        losses = arrays.losses_array(messages) if losses is None else losses
    readings = _clocks_array(clocks)
    if isinstance(messages, np.ndarray):
        messages = _table_of(arrays.events_array(messages), readings)
    timed = np.asarray(messages["time_ns"]) != 0
    table = {name: np.asarray(column)[timed] for name, column in messages.items()}
    dropped, by_capture = _losses_array(losses)
    return _Seen(table, readings, _place(dropped[~by_capture], readings), _place(dropped[by_capture], readings))


def _clocks_array(clocks: Optional[Clocks]) -> Array:
    if isinstance(clocks, np.ndarray):
        return clocks
    readings = list(clocks or ())
    table = np.zeros(len(readings), dtype=arrays.CLOCKS_DTYPE)
    for name in ClocksReading._fields:
        table[name] = [getattr(reading, name) for reading in readings]
    return table


def _losses_array(losses: Optional[Losses]) -> Tuple[Array, Array]:
    """LOSS records, and which of them are the capture's."""
    if isinstance(losses, np.ndarray):
        return losses, np.zeros(losses.size, dtype=bool)
    found = list(losses or ())
    table = np.zeros(len(found), dtype=arrays.LOSS_DTYPE)
    for name in ("since", "system_timestamp", "frames_dropped", "stamps_dropped"):
        table[name] = [getattr(loss, name) for loss in found]
    return table, np.array([loss.by_capture for loss in found], dtype=bool)


def _place(losses: Array, clocks: Array) -> _Losses:
    if losses.size == 0:
        return _Losses([], 0, 0)
    if clocks.size == 0:
        raise ValueError("losses cannot be placed without clocks: give the CLOCKS records, too")
    spans = zip(numbers.utc_of(losses["since"], clocks).tolist(),
                numbers.utc_of(losses["system_timestamp"], clocks).tolist())
    return _Losses(list(spans), int(losses["frames_dropped"].sum()), int(losses["stamps_dropped"].sum()))


def _table_of(events: Array, clocks: Array) -> Dict[str, Any]:
    if events.size and not clocks.size:
        raise ValueError("events alone do not say what time of day it was: give clocks, the CLOCKS records, too")
    table = {name: events[name] for name in ("messageType", "direction", "domainNumber", "clockIdentity", "portNumber",
                                             "stamp")}
    table["time_ns"] = (numbers.utc_of(events["system_timestamp"], clocks) if events.size
                        else np.empty(0, dtype=np.int64))
    return table


# ---- Histograms ---------------------------------------------------------------------------------


class Histogram(NamedTuple):
    """What a histogram shows; times in ns."""

    values: int  # how many, those not shown included
    edges: Array
    counts: Array
    marked: Dict[str, float]  # legend's name -> value: "median", "99 %", "max"...
    below: int  # values left of the picture
    above: int  # values right of it


_NO_HISTOGRAM = Histogram(0, np.empty(0), np.empty(0, dtype=np.int64), {}, 0, 0)


def _draw_histogram(axes: "Axes", values: Array, marked: Mapping[str, Sequence[float]],
                    logarithmic: Optional[bool]) -> Tuple[Histogram, numbers.Unit]:
    """Bins, and vertical lines at `marked`: name of the legend -> places."""
    shown = numbers.robust_range(values)
    inside = values[(values >= shown.low) & (values <= shown.high)]
    edges = numbers.bin_edges(inside)
    counts = np.histogram(inside, edges)[0]
    unit = numbers.unit_for(float(np.abs(edges).max()))
    if logarithmic is None:
        logarithmic = bool(counts.max() >= 200 * counts[counts > 0].min())
    if logarithmic:
        axes.set_yscale("log")
        axes.set_ylim(0.5, 2.0 * counts.max())
        axes.yaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda count, _: grouped(int(count))))
    axes.stairs(counts, edges / unit.ns, baseline=0.5 if logarithmic else 0, fill=True, color=SKY, alpha=0.6)
    axes.stairs(counts, edges / unit.ns, baseline=0.5 if logarithmic else 0, color=BLUE, linewidth=0.8)
    for (label, places), style in zip(marked.items(), _LINES):
        for place, name in zip(places, (label, "_same")):
            is_shown = edges[0] <= place <= edges[-1]
            axes.axvline(place / unit.ns if is_shown else np.nan, label=name, linestyle=style, linewidth=1.4,
                         color=BLACK if label.startswith("median") else VERMILLION)
    step = edges[1] - edges[0]
    axes.set_ylabel(f"messages per {numbers.round_number(step)}" + "\n(logarithmic)" * logarithmic)
    return Histogram(values.size, edges, counts, {}, shown.below, shown.above), unit


def _beyond(drawn: Histogram, values: Array) -> str:
    """A line for the x axis: what the picture does not reach to."""
    beyond = [f"{grouped(count)} {where}" for count, where in
              ((drawn.below, f"to the left, down to {quantity(values.min())}"),
               (drawn.above, f"to the right, up to {quantity(values.max())}")) if count]
    return f"\nnot shown: {'; '.join(beyond)}" if beyond else ""


def latency_histogram(axes: "Axes", latency_ns: Any, *, name: str = "latency",
                      percentiles: Sequence[float] = (50, 90, 99, 99.9),
                      logarithmic: Optional[bool] = None) -> Histogram:
    """How often which latency was seen, with percentiles and the maximum marked.

    latency_ns: ns, NaN where unknown. name: a key of LATENCIES, or any words. logarithmic: the counts' axis; None:
    where the counts differ by 200 and more. Single values far away from all others are counted in a note instead of
    drawn.
    """
    values = known(latency_ns)
    title, way = LATENCIES.get(name, (name, "latency"))
    if values.size == 0:
        nothing(axes, title, "No such latency is known: the messages lack one of the two stamps.")
        return _NO_HISTOGRAM
    marked = {"median" if each == 50 else f"{each:g} %": float(np.percentile(values, each)) for each in percentiles}
    marked["max"] = float(values.max())
    lines = {f"{label}  {quantity(place)}": [place] for label, place in marked.items()}
    drawn, unit = _draw_histogram(axes, values, lines, logarithmic)
    finish(axes, f"{title}, {plural(values.size, 'message')}", f"{way} ({unit.name}){_beyond(drawn, values)}",
            axes.get_ylabel())
    legend(axes)
    return drawn._replace(marked=marked)


# ---- Jitter -------------------------------------------------------------------------------------

_JITTER = {"deviation": "latency minus its median", "consecutive": "change of latency from one message to the next"}


def jitter_of(latency_ns: Any, definition: str = "deviation", messages: Optional[Mapping[str, Any]] = None) -> Array:
    """Jitter in ns, NaN where not known.

    "deviation": latency minus the median of all. "consecutive": latency minus that of the message before (RFC 5481
    calls it inter-packet delay variation); of the message before of the same type and sender, if the messages are given
    to which the latencies belong. Messages whose latency is not known are passed over.
    """
    if definition not in _JITTER:
        raise ValueError(f"{definition}: no such definition of jitter; there are {', '.join(_JITTER)}")
    latencies = np.asarray(latency_ns, dtype=np.float64)
    if definition == "deviation":
        there = known(latencies)
        return latencies - np.median(there) if there.size else latencies
    jitter = np.full(latencies.shape, np.nan)
    kinds = [np.arange(latencies.size)] if messages is None else [those for _, those in numbers.by_kind(messages)]
    for those in kinds:
        there = those[~np.isnan(latencies[those])]
        jitter[there[1:]] = np.diff(latencies[there])
    return jitter


class Jitter(NamedTuple):
    """What a picture of jitter says; ns."""

    messages: int
    standard_deviation: float
    within_90: float  # 90 % of the values are no further from 0
    within_99: float
    peak_to_peak: float

    def lines(self) -> List[str]:
        """For a legend."""
        return [f"standard deviation {quantity(self.standard_deviation)}",
                f"peak to peak {quantity(self.peak_to_peak)}"]


def _jitter_numbers(values: Array) -> Jitter:
    if values.size == 0:
        return Jitter(0, *[float("nan")] * 4)
    within = np.percentile(np.abs(values), (90, 99))
    return Jitter(values.size, float(values.std()), float(within[0]), float(within[1]), float(np.ptp(values)))


class JitterOverTime(NamedTuple):
    """What a picture of jitter over time shows."""

    jitter: Jitter
    drawn: int  # marks: less than messages where they would cover one another
    beyond: int  # messages too far away for the picture's scale: arrows at its edge


def _jitter_title(name: str, count: int) -> str:
    return f"Jitter of {LATENCIES.get(name, (name,))[0]}, {plural(count, 'message')}"


def jitter(axes: "Axes", time_ns: Any, latency_ns: Any, *, name: str = "latency", definition: str = "deviation",
           messages: Optional[Mapping[str, Any]] = None) -> JitterOverTime:
    """Jitter of a latency over time (see jitter_of()). time_ns: UTC, 0 = not known. name: a key of LATENCIES, or any
    words."""
    values = jitter_of(latency_ns, definition, messages)
    there = ~np.isnan(values) & (np.asarray(time_ns) != 0)
    values, times = values[there], np.asarray(time_ns)[there]
    summary = _jitter_numbers(values)
    if summary.messages == 0:
        nothing(axes, _jitter_title(name, 0), "There is nothing to compare: too few messages have a known latency.")
        return JitterOverTime(summary, 0, 0)
    shown = numbers.robust_range(values)
    unit = numbers.unit_for(max(abs(shown.low), abs(shown.high)))
    drawn = _draw_series(axes, days_of(times), values / unit.ns, shown, unit)
    for sign, label in ((1, f"99 % within \u00b1{quantity(summary.within_99)}"), (-1, "_same")):
        axes.axhline(sign * summary.within_99 / unit.ns, label=label, color=VERMILLION, linestyle="--", linewidth=1.2)
    axes.plot([], [], " ", label=", ".join(summary.lines()))
    rows = legend_above(axes, 2)
    words_of_y = _JITTER[definition].replace(" from", "\nfrom")
    finish(axes, _jitter_title(name, summary.messages), time_axis(axes, times), f"{words_of_y} ({unit.name})", rows)
    return JitterOverTime(summary, drawn, shown.below + shown.above)


def _draw_series(axes: "Axes", days: Array, scaled: Array, shown: numbers.Range, unit: numbers.Unit) -> int:
    """Points, or minimum to maximum where they would cover one another. Returns how many marks it drew."""
    columns = columns_of(axes) // 2
    low, high = shown.low / unit.ns, shown.high / unit.ns
    margin = 0.06 * (high - low) or 0.5
    axes.set_ylim(low - margin, high + margin)
    drawn = scaled.size
    if scaled.size <= 4 * columns:
        axes.plot(days, scaled, linestyle="none", marker="o", markersize=2.5, color=BLUE, label="message")
    else:
        drawn = _draw_envelope(axes, numbers.envelope(days, scaled, columns))
    for beyond, edge, marker in ((scaled > high, 0.98, "^"), (scaled < low, 0.02, "v")):
        if beyond.any():
            farthest = quantity(float(np.abs(scaled[beyond]).max()) * unit.ns)
            marks = days[beyond][numbers.one_per_column(days[beyond], columns)]
            axes.plot(marks, np.full(marks.size, edge), linestyle="none", marker=marker, markersize=5, color=VERMILLION,
                      transform=axes.get_xaxis_transform(), zorder=3,
                      label=f"{grouped(int(beyond.sum()))} beyond, up to {farthest}")
    return drawn


def _draw_envelope(axes: "Axes", series: numbers.Envelope) -> int:
    width = quantity(float(series.edges[1] - series.edges[0]) * 86400e9)
    axes.stairs(series.high, series.edges, baseline=series.low, fill=True, facecolor=SKY, edgecolor=SKY, linewidth=0.4,
                label=f"minimum to maximum, each {width}")
    axes.plot((series.edges[1:] + series.edges[:-1]) / 2, series.median, color=BLACK, linewidth=1.0, marker=".",
              markersize=1.5, label=f"median, each {width}")
    return int((~np.isnan(series.median)).sum())


def jitter_histogram(axes: "Axes", latency_ns: Any, *, name: str = "latency", definition: str = "deviation",
                     messages: Optional[Mapping[str, Any]] = None, logarithmic: Optional[bool] = None) -> Histogram:
    """How often which jitter was seen (see jitter_of()). name: a key of LATENCIES, or any words."""
    values = known(jitter_of(latency_ns, definition, messages))
    title = _jitter_title(name, values.size)
    if values.size == 0:
        nothing(axes, title, "There is nothing to compare: too few messages have a known latency.")
        return _NO_HISTOGRAM
    summary = _jitter_numbers(values)
    marked = {"90 %": summary.within_90, "99 %": summary.within_99}
    lines = {f"{label} within \u00b1{quantity(place)}": [-place, place] for label, place in marked.items()}
    drawn, unit = _draw_histogram(axes, values, lines, logarithmic)
    for line in summary.lines():
        axes.plot([], [], " ", label=line)
    finish(axes, title, f"{_JITTER[definition]} ({unit.name}){_beyond(drawn, values)}", axes.get_ylabel())
    legend(axes)
    return drawn._replace(marked={**marked, "standard deviation": summary.standard_deviation,
                                  "peak to peak": summary.peak_to_peak})


# ---- Intervals ----------------------------------------------------------------------------------


class Interval(NamedTuple):
    """Times between consecutive messages of one type from one sender; ns."""

    messageType: int
    direction: int  # 0 RX, 1 TX
    domainNumber: int
    sourcePortIdentity: str
    intervals: int
    median: float
    minimum: float
    maximum: float
    nominal: Optional[float]  # the power of two seconds that they keep to within 30 %; None: they keep to none


def message_intervals(axes: "Axes", messages: Messages, *, clocks: Optional[Clocks] = None) -> List[Interval]:
    """A row for each message type and sender: how long after one message the next one came."""
    table = _seen(messages, clocks).messages
    rows = []
    for kind, indices in numbers.by_kind(table):
        between = np.diff(np.sort(np.asarray(table["time_ns"])[indices])).astype(np.float64)
        between = between[between > 0]
        if between.size:
            rows.append((Interval(*kind, int(between.size), float(np.median(between)), float(between.min()),
                                  float(between.max()), numbers.nominal_interval(between)), between))
    if not rows:
        nothing(axes, "Intervals between messages", "No sender sent two messages of one type.")
        return []
    most = sorted(rows, key=lambda row: -row[0].intervals)[:_MOST_ROWS]
    shown = [row for row in rows if any(row is each for each in most)]
    notes = _draw_intervals(axes, shown)
    if len(rows) > len(shown):
        notes.insert(0, f"not shown: {len(rows) - len(shown)} kinds with fewer messages")
    if notes:
        axes.set_xlabel(f"{axes.get_xlabel()}\n{'; '.join(notes)}")
    return [row[0] for row in rows]


def _draw_intervals(axes: "Axes", rows: List[Tuple[Interval, Array]]) -> List[str]:
    """Returns what is left out, in words."""
    everything = np.concatenate([between for _, between in rows])
    medians = [row.median for row, _ in rows]
    low, high = max(everything.min(), min(medians) / 32), min(everything.max(), max(medians) * 32)
    edges = np.geomspace(min(low / 1.15, min(medians) / 2.3), max(high * 1.15, max(medians) * 2.3), 300)
    label = "nominal: a power of two, \u00b1 30 % (IEEE 1588)"
    for number, (row, between) in enumerate(rows):
        base = len(rows) - 1 - number
        _draw_interval(axes, base, row, np.histogram(between, edges)[0], edges)
        if row.nominal:
            axes.fill_between([0.7 * row.nominal / 1e6, 1.3 * row.nominal / 1e6], base, base + 0.8, color="0.87",
                              linewidth=0, zorder=1, label=label)
            axes.vlines(row.nominal / 1e6, base, base + 0.8, color="0.4", linestyle=":", linewidth=1, zorder=2)
            label = "_same"
    with_domain = len({row.domainNumber for row, _ in rows}) > 1
    axes.set_yticks([len(rows) - 1 - number + 0.35 for number in range(len(rows))])
    axes.set_yticklabels([_row_name(row, with_domain) for row, _ in rows], fontsize="small")
    axes.set_ylim(-0.1, len(rows))
    _power_of_two_axis(axes, edges[0], edges[-1])
    finish(axes, "Intervals between messages of one type from one sender",
            "time since the message before (ms), logarithmic", "", legend_above(axes, 1))
    axes.grid(False, axis="y")
    left_out = ((int((everything < edges[0]).sum()), f"shorter than {quantity(edges[0])}"),
                (int((everything > edges[-1]).sum()), f"longer than {quantity(edges[-1])}"))
    return [f"not shown: {grouped(count)} {what}" for count, what in left_out if count]


def _draw_interval(axes: "Axes", base: int, row: Interval, counts: Array, edges: Array) -> None:
    """One row; a single interval is high enough to be seen beside thousands of others."""
    heights = np.where(counts > 0, np.maximum(0.72 * counts / max(counts.max(), 1), 0.1), 0)
    axes.stairs(base + heights, edges / 1e6, baseline=base, fill=True, zorder=3,
                color=BLUE if row.direction == c.DIRECTION_RX else ORANGE)
    axes.axhline(base, color="0.75", linewidth=0.6, zorder=1)
    axes.text(1.01, base + 0.35, f"{plural(row.intervals, 'interval')}, median {quantity(row.median, 4)}\n"
              f"{quantity(row.minimum, 4)} to {quantity(row.maximum, 4)}",
              transform=axes.get_yaxis_transform(), va="center", fontsize="small")


def _row_name(row: Interval, with_domain: bool) -> str:
    domain = f", domain {row.domainNumber}" if with_domain else ""
    return f"{_type_name(row.messageType)} {_direction_name(row.direction)}\n{row.sourcePortIdentity}{domain}"


def _type_name(messageType: int) -> str:
    return words.MESSAGE_TYPE_NAMES.get(messageType, f"reserved {messageType}")


def _direction_name(direction: int) -> str:
    return words.DIRECTION_NAMES.get(direction, "RX or TX")


def _power_of_two_axis(axes: "Axes", low_ns: float, high_ns: float) -> None:
    """Ticks where PTP's intervals lie: 62.5, 125, 250 ms..."""
    axes.set_xscale("log", base=2)
    axes.set_xlim(low_ns / 1e6, high_ns / 1e6)
    first, last = np.ceil(np.log2(low_ns / 1e9)), np.floor(np.log2(high_ns / 1e9))
    ticks = 2.0 ** np.arange(last, first - 1, -max(1, np.ceil((last - first) / 8)))
    axes.set_xticks(1e3 * ticks)
    axes.set_xticklabels([f"{1e3 * tick:.4g}" if tick < 8 else grouped(int(1e3 * tick)) for tick in ticks])
    axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())


# ---- Clocks -------------------------------------------------------------------------------------


class ClockDrift(NamedTuple):
    """The NIC's clock against the system clock."""

    readings: int
    ppm: float  # > 0: the NIC's clock gains; NaN: less than two readings
    bound_ppm: float  # +-
    steps_ns: List[float]
    first_ns: int  # PHC - UTC at the first reading


def phc_against_system(axes: "Axes", clocks: Clocks, *, subtract: str = "first") -> ClockDrift:
    """The NIC's clock (PHC) minus the system clock (CLOCK_REALTIME) over time, with the uncertainty of each reading.

    clocks: CLOCKS records or ClocksReadings. subtract: "first", the first difference, or "fit", the straight line
    through all of them.
    """
    if subtract not in ("first", "fit"):
        raise ValueError(f"{subtract}: no such way to subtract; there are first, fit")
    title = "NIC's clock (PHC) against system clock"
    readings = _clocks_array(clocks)
    readings = readings[(readings["hw_timestamp_ns"] != 0) & (readings["realtime_ns"] != 0)]
    if readings.size < 2:
        nothing(axes, title, "There is no clock to compare: the interface has no clock of its own (PHC)."
                 if readings.size == 0 else "The NIC's clock (PHC) was read only once.")
        return ClockDrift(int(readings.size), float("nan"), float("nan"), [], 0)
    utc = readings["realtime_ns"].astype(np.int64)
    difference = readings["hw_timestamp_ns"].astype(np.int64) - utc
    since_first = (difference - difference[0]).astype(np.float64)
    uncertainty = readings["hw_uncertainty_ns"].astype(np.float64)
    drift = numbers.drift_of((utc - utc[0]).astype(np.float64), since_first, uncertainty)
    _draw_drift(axes, utc, since_first, uncertainty, drift, subtract)
    finish(axes, f"{title}, first difference {difference[0] / 1e9:+.9f} s", time_axis(axes, utc), axes.get_ylabel(),
            legend_above(axes, 2))
    return ClockDrift(int(readings.size), drift.ppm, drift.bound_ppm, [step for _, step in drift.steps],
                      int(difference[0]))


def _draw_drift(axes: "Axes", utc: Array, since_first: Array, uncertainty: Array,
                drift: numbers.Drift, subtract: str) -> None:
    base = drift.line_ns if subtract == "fit" else np.zeros(utc.size)
    curve, line, days = since_first - base, drift.line_ns - base, days_of(utc)
    unit = numbers.unit_for(float(np.abs(curve).max()))
    how = {"marker": "o", "linestyle": "none"} if utc.size <= 100 else {}
    for first, last in _stretches(drift.steps, utc.size):
        part, label = slice(first, last), "_same" if first else None
        axes.fill_between(days[part], (curve - uncertainty)[part] / unit.ns, (curve + uncertainty)[part] / unit.ns,
                          color=SKY, alpha=0.5, linewidth=0,
                          label=label or f"uncertainty, at most \u00b1{quantity(uncertainty.max())}")
        axes.plot(days[part], curve[part] / unit.ns, color=BLUE, linewidth=2.0, markersize=3.5, **how,
                  label=label or f"PHC {MINUS} CLOCK_REALTIME, {plural(utc.size, 'reading')}")
        axes.plot(days[part], line[part] / unit.ns, color=VERMILLION, linestyle="--", linewidth=1.2,
                  label=label or f"linear fit: PHC {drift.ppm:+.3f} ppm (\u00b1{drift.bound_ppm:.2g})")
    _draw_steps(axes, days, drift.steps)
    axes.set_ylabel(f"PHC {MINUS} CLOCK_REALTIME, less\n"
                    f"{'the first' if subtract == 'first' else 'the linear fit'} ({unit.name})")


def _draw_steps(axes: "Axes", days: Array, steps: List[Tuple[int, float]]) -> None:
    together = f"{len(steps)} steps, up to {quantity(max((abs(height) for _, height in steps), default=0))}"
    for number, (index, height) in enumerate(steps):
        label = f"step of {'+' if height > 0 else MINUS}{quantity(abs(height))}"
        if len(steps) > 3:
            label = "_same" if number else together
        axes.axvline((days[index - 1] + days[index]) / 2, color=BLACK, linestyle=":", linewidth=1.2, label=label)


def _stretches(steps: List[Tuple[int, float]], count: int) -> List[Tuple[int, int]]:
    """The readings between steps, first and last + 1 of each stretch."""
    bounds = [0, *(index for index, _ in steps), count]
    return list(zip(bounds[:-1], bounds[1:]))


# ---- Timeline -----------------------------------------------------------------------------------


class Timeline(NamedTuple):
    """What a timeline shows."""

    rows: List[Tuple[int, int, int]]  # messageType, direction, messages
    drawn: int  # marks: less than messages where they would cover one another
    missing: int  # messages whose TX stamp never came
    unmatched: Dict[str, int]  # outcome -> messages; not "matched"
    losses: int  # intervals in which the monitor dropped records
    frames_dropped: int
    stamps_dropped: int
    capture_losses: int  # intervals in which the capture lost frames
    frames_not_captured: int


_NOT_MATCHED = (("event_without_frame", "event without frame", "o"),
                ("frame_without_event", "frame without event", "s"),
                ("duplicate", "duplicate", "D"), ("ambiguous", "ambiguous", "^"))


def timeline(axes: "Axes", messages: Messages, *, clocks: Optional[Clocks] = None,
             losses: Optional[Losses] = None) -> Timeline:
    """Each message as a mark in the row of its type and direction. What was lost, messages without their partner, and
    TX stamps that never came stand out.

    clocks, losses: readings of the clocks and losses, as arrays of records or as objects (ClocksReading, Loss). The
    former are needed to place the latter.
    """
    return _timeline(axes, _seen(messages, clocks, losses))


def _timeline(axes: "Axes", seen: _Seen) -> Timeline:
    times = seen.messages["time_ns"].astype(np.int64)
    dropped, not_captured = seen.dropped, seen.not_captured
    spans = dropped.spans + not_captured.spans
    if times.size == 0 and not spans:
        nothing(axes, "Messages over time", "No message was seen.")
        return Timeline([], 0, 0, {}, 0, 0, 0, 0, 0)
    row_of, rows = _rows(seen.messages)
    drawn = _draw_rows(axes, times, row_of, rows)
    missing = _draw_missing(axes, times, row_of, seen.messages.get("stamp"))
    unmatched = _draw_unmatched(axes, times, row_of, seen.messages.get("outcome"))
    _draw_spans(axes, dropped.spans, "////", f"dropped: {plural(dropped.frames, 'event')}, "
                                             f"{plural(dropped.stamps, 'late stamp')}")
    _draw_spans(axes, not_captured.spans, "....", f"not captured: {plural(not_captured.frames, 'frame')}")
    everything = np.concatenate([times, *(np.array(span, dtype=np.int64) for span in spans)])
    finish(axes, f"Messages over time, {plural(times.size, 'message')}", time_axis(axes, everything), "",
            legend_above(axes, 2))
    axes.grid(False, axis="y")
    return Timeline(rows, drawn, missing, unmatched, len(dropped.spans), dropped.frames, dropped.stamps,
                    len(not_captured.spans), not_captured.frames)


def _rows(messages: Dict[str, Any]) -> Tuple[Array, List[Tuple[int, int, int]]]:
    """Each message's height in the picture, and the rows from the top."""
    kind = messages["messageType"].astype(np.int64) << 8 | messages["direction"].astype(np.int64)
    kinds, number, counts = np.unique(kind, return_inverse=True, return_counts=True)
    return kinds.size - 1 - number, [(each >> 8, each & 0xFF, count)
                                     for each, count in zip(kinds.tolist(), counts.tolist())]


def _draw_rows(axes: "Axes", times: Array, row_of: Array, rows: List[Tuple[int, int, int]]) -> int:
    drawn, columns = 0, columns_of(axes)
    for height, (_, direction, _) in zip(range(len(rows) - 1, -1, -1), rows):
        days = days_of(times[row_of == height])
        days = days[numbers.one_per_column(days, columns)]
        half = 0.36 if direction == c.DIRECTION_RX else 0.24
        colour = {c.DIRECTION_RX: BLUE, c.DIRECTION_TX: ORANGE}.get(direction, "0.5")
        axes.vlines(days, height - half, height + half, linewidth=1.1, color=colour)
        drawn += days.size
    axes.set_yticks(range(len(rows) - 1, -1, -1))
    axes.set_yticklabels([f"{_type_name(row[0])} {_direction_name(row[1])} ({grouped(row[2])})" for row in rows])
    axes.set_ylim(-0.6, max(len(rows), 1) - 0.4)
    return drawn


def _draw_missing(axes: "Axes", times: Array, row_of: Array, stamps: Optional[Array]) -> int:
    if stamps is None:
        return 0
    missing = np.flatnonzero(stamps & c.STAMP_MISSING)
    _draw_marks(axes, times[missing], row_of[missing], f"TX stamp missing: {grouped(missing.size)}", marker="x",
                markersize=7, markeredgewidth=1.6, color=VERMILLION, zorder=4)
    return int(missing.size)


def _draw_marks(axes: "Axes", times: Array, row_of: Array, label: str, **how: Any) -> None:
    """Marks in rows, one where several would cover one another."""
    for height in np.unique(row_of).tolist():
        days = days_of(times[row_of == height])
        days = days[numbers.one_per_column(days, columns_of(axes))]
        axes.plot(days, np.full(days.size, height), linestyle="none", label=label, **how)
        label = "_same"


def _draw_unmatched(axes: "Axes", times: Array, row_of: Array, outcomes: Optional[Array]) -> Dict[str, int]:
    counts: Dict[str, int] = {}
    for name, text, marker in _NOT_MATCHED if outcomes is not None else ():
        those = np.flatnonzero(outcomes == name)
        if those.size:
            counts[name] = int(those.size)
            _draw_marks(axes, times[those], row_of[those], f"{text}: {grouped(those.size)}", marker=marker,
                        markersize=6, markerfacecolor="white", markeredgecolor=BLACK, zorder=3)
    return counts


def _draw_spans(axes: "Axes", spans: List[Tuple[int, int]], hatch: str, label: str) -> None:
    if not spans:
        return
    length = max(end for _, end in spans) - min(begin for begin, _ in spans)
    for begin, end in numbers.merged(spans, length // columns_of(axes)):
        first, last = days_of(np.array([begin, end]))
        axes.axvspan(first, last, facecolor="none", edgecolor=VERMILLION, hatch=hatch, linewidth=0.8, zorder=2.5,
                     label=label)
        label = "_same"


# ---- A page -------------------------------------------------------------------------------------


def known_latencies(messages: Messages) -> Dict[str, Array]:
    """The latencies of which at least one is known: name -> ns, NaN where not known."""
    if isinstance(messages, np.ndarray):
        return {}
    columns = {name: np.asarray(messages.get(f"latency_{name}", ()), dtype=np.float64) for name in LATENCIES}
    return {name: column for name, column in columns.items() if known(column).size}


def summary_figure(messages: Messages, title: str = "", *, clocks: Optional[Clocks] = None,
                   losses: Optional[Losses] = None) -> Figure:
    """A page with everything: timeline, each known latency with its jitter, intervals, clocks."""
    seen = _seen(messages, clocks, losses)
    messages = seen.messages
    latencies = known_latencies(messages)
    kinds = sum(1 for _ in numbers.by_kind(messages))
    has_phc = np.count_nonzero(seen.clocks["hw_timestamp_ns"]) > 1
    heights = [1.5 + 0.28 * len(_rows(messages)[1]), *[2.6] * (2 * len(latencies)),
               1.5 + 0.45 * min(kinds, _MOST_ROWS), 2.8 if has_phc else 0.9]
    figure = new_page(sum(heights), title)
    parts = iter(figure.subfigures(len(heights), 1, height_ratios=heights))
    _timeline(next(parts).add_subplot(), seen)
    for name, latency in latencies.items():
        left, right = next(parts).subplots(1, 2)
        latency_histogram(left, latency, name=name)
        jitter_histogram(right, latency, name=name, definition="consecutive", messages=messages)
        jitter(next(parts).add_subplot(), messages["time_ns"], latency, name=name)
    message_intervals(next(parts).add_subplot(), messages)
    phc_against_system(next(parts).add_subplot(), seen.clocks)
    return figure
