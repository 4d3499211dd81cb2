# SPDX-License-Identifier: MIT
"""Pictures of what the clocks are doing, as ptp_monitor.plot draws them: on axes of the caller's.

    found = analysis.analyze("eth0.pcapng", "eth0.events")
    figure, axes = plot.new_figure()
    plot_analysis.offset(axes, found)
    plot.save(figure, "offset.svg")

Every function returns the numbers that it drew, and draws a sentence where there is nothing to draw. Where `columns`
are taken, they choose exchanges as Analysis.select() does: sourcePortIdentity="...", domainNumber=0, stamps="hardware".
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from . import _plot_numbers as numbers
from ._plot_numbers import grouped, quantity
from ._plot_parts import (BLACK, BLUE, ORANGE, SKY, VERMILLION, columns_of, days_of, finish, legend_above, new_page,
                          nothing, plural, time_axis)
from ._exchange_arrays import FAR_NS, without_base
from .analysis import Analysis, Asymmetry, TimeError, Values
from .time_error import Check, mask

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ._plot_numbers import Array

_COLOURS = (BLUE, ORANGE, VERMILLION, SKY, "0.5", BLACK)
_FLOOR_WINDOWS = 50  # in a picture, where nothing says how long one is
_TWO_WAY_KINDS = ("e2e", "p2p", "p2p-as")
_PATH_WAYS = ("forward: masterToSlave", "reverse: slaveToMaster")
_LINK_WAYS = ("forward: from the port asked", "reverse: to it")


# ---- Values over time ---------------------------------------------------------------------------


class Curve(NamedTuple):
    """One line of a picture, of one path; its unit is that of the picture's numbers: ns or ppm."""

    name: str  # whose it is
    values: int
    base_ns: int  # added to what follows; 0 unless the first value is beyond +-10 s
    minimum: float
    median: float
    maximum: float
    beyond: int  # values too far away for the picture's scale


def _paths(found: Analysis, kind: Sequence[str], columns: Any) -> "List[Tuple[str, Array]]":
    """The exchanges of each path: between which ports, at which point, by which stamps. Names tell what differs."""
    rows = found.select(kind, **columns)
    fields = ("point", "domainNumber", "sourcePortIdentity", "requestingPortIdentity", "stamps")
    keys = list(zip(*(rows[field].tolist() for field in fields)))
    different = sorted(set(keys))
    telling = [index for index in range(len(fields)) if len({key[index] for key in different}) > 1]
    number = {key: index for index, key in enumerate(different)}
    which = np.array([number[key] for key in keys], dtype=np.int64)
    return [(_path_name(found, key, telling), rows[which == index]) for index, key in enumerate(different)]


def _path_name(found: Analysis, key: Tuple[Any, ...], telling: List[int]) -> str:
    point, domain, source, requesting, stamps = key
    texts = (found.points[point], f"domain {domain}", source or "no answer", requesting and f"to {requesting}",
             f"{stamps} stamps")
    return ", ".join(str(texts[index]) for index in telling if texts[index])


def _known(rows: Array, column: str) -> Values:
    rows = rows[~np.isnan(rows[column]) & (rows["time_ns"] > 0)]
    return Values(rows["time_ns"], *without_base(rows, column))


def _draw_paths(axes: "Axes", paths: List[Tuple[str, Values]], unit_of: Callable[[float], Tuple[str, float]],
                noun: str) -> Tuple[List[Curve], str]:
    """Points, or median within minimum to maximum where they would cover one another. Returns what, and the unit."""
    everything = np.concatenate([values.value for _, values in paths])
    shown = numbers.robust_range(everything)
    unit, size = unit_of(max(abs(shown.low), abs(shown.high)))
    margin = 0.06 * (shown.high - shown.low) / size or 0.5
    axes.set_ylim(shown.low / size - margin, shown.high / size + margin)
    curves = []
    for (name, values), colour in zip(paths, _COLOURS * len(paths)):
        on_base = f" \u2212 {values.base_ns} ns" if values.base_ns else ""
        _draw_path(axes, (name or noun) + on_base, values, size, colour)
        beyond = int(((values.value < shown.low) | (values.value > shown.high)).sum())
        least, median, most = np.percentile(values.value, (0, 50, 100)).tolist()
        curves.append(Curve(name, values.value.size, values.base_ns, least, median, most, beyond))
    if shown.below + shown.above:
        axes.plot([], [], " ", label=f"{grouped(shown.below + shown.above)} beyond the picture")
    return curves, unit


def _draw_path(axes: "Axes", name: str, values: Values, size: float, colour: str) -> None:
    days, scaled = days_of(values.time_ns), values.value / size
    columns = columns_of(axes) // 2
    if scaled.size <= 4 * columns:
        axes.plot(days, scaled, linestyle="none", marker="o", markersize=2.5, color=colour, label=name)
        return
    series = numbers.envelope(days, scaled, columns)
    axes.stairs(series.high, series.edges, baseline=series.low, fill=True, facecolor=colour, edgecolor=colour,
                linewidth=0.4, alpha=0.35, label=f"{name}: minimum to maximum")
    axes.plot((series.edges[1:] + series.edges[:-1]) / 2, series.median, color=colour, linewidth=1.0, marker=".",
              markersize=1.5, label=f"{name}: median")


def _ns_unit(largest: float) -> Tuple[str, float]:
    unit = numbers.unit_for(largest)
    return unit.name, unit.ns


def _over_time(axes: "Axes", found: Analysis, kind: Sequence[str], columns: Any, value_of: Callable[["Array"], Values],
               words: Tuple[str, str, str], unit_of: Callable[[float], Tuple[str, float]] = _ns_unit) -> List[Curve]:
    """words: title, name of the y axis, what one exchange gives."""
    title, ylabel, noun = words
    paths = [(name, value_of(rows)) for name, rows in _paths(found, kind, columns)]
    paths = [(name, values) for name, values in paths if values.value.size]
    if not paths:
        nothing(axes, title, _why_not(found, kind, columns, noun))
        return []
    curves, unit = _draw_paths(axes, paths, unit_of, noun)
    times = np.concatenate([values.time_ns for _, values in paths])
    finish(axes, f"{title}, {plural(times.size, noun)}", time_axis(axes, times), f"{ylabel} ({unit})",
                legend_above(axes, 1 if len(paths) > 1 else 2))
    return curves


def _why_not(found: Analysis, kind: Sequence[str], columns: Any, noun: str) -> str:
    reasons, counts = np.unique(found.select(kind, **columns)["reason"].astype(str), return_counts=True)
    if reasons.size == 0:
        return f"There is no {noun}: no exchange of this kind was seen."
    said = [f"{grouped(int(counts[index]))} {str(reasons[index]).replace('_', ' ')}" for index in np.argsort(-counts)]
    return f"No {noun} is known; exchanges: {', '.join(said)}."


def offset(axes: "Axes", found: Analysis, *, filtered: bool = False, kind: str = "sync", **columns: Any) -> List[Curve]:
    """offsetFromMaster over time, a curve for each master; > 0: the local clock is ahead. Numbers in ns."""
    column = "offsetFromMaster_filtered_ns" if filtered else "offsetFromMaster_ns"
    how = ", with filtered delay" if filtered else ""
    return _over_time(axes, found, (kind,), columns, lambda rows: _known(rows, column),
                      (f"Offset from master{how}", "local clock \u2212 master", "offset"))


def delay(axes: "Axes", found: Analysis, *, filtered: bool = False, **columns: Any) -> List[Curve]:
    """meanPathDelay and meanLinkDelay over time, a curve for each path. Numbers in ns."""
    column = "delay_filtered_ns" if filtered else "delay_ns"
    kinds = tuple(kind for kind in ("e2e", "p2p", "p2p-as") if found.select(kind, **columns).size)
    name = "meanPathDelay" if kinds == ("e2e",) else "meanLinkDelay" if kinds and "e2e" not in kinds else "mean delay"
    how = ", filtered" if filtered else ""
    return _over_time(axes, found, kinds or ("e2e",), columns, lambda rows: _known(rows, column),
                      (f"Delay of the path{how}", name, "delay"))


def neighbor_rate_ratio(axes: "Axes", found: Analysis, **columns: Any) -> List[Curve]:
    """neighborRateRatio over time as ppm: how much faster the neighbour's clock runs than the local one."""
    def ppm(rows: "Array") -> Values:
        values = _known(rows, "neighborRateRatio")
        return Values(values.time_ns, (values.value - 1) * 1e6)

    return _over_time(axes, found, ("p2p", "p2p-as"), columns, ppm,
                      ("Rate of the neighbour's clock", "neighborRateRatio \u2212 1", "ratio"), lambda _: ("ppm", 1.0))


# ---- Delay floors -------------------------------------------------------------------------------


class Floors(NamedTuple):
    """The least delays of each direction, window by window; ns, on base_ns (reverse: on -base_ns)."""

    forward: Values  # masterToSlave, or from the port that answers Pdelay_Req; times: the windows' beginnings
    reverse: Values  # slaveToMaster, or to that port
    window_s: float
    base_ns: int
    asymmetry: Optional[Asymmetry]  # what the analyzer tells of it


def _minima(values: Values, begin: int, window_ns: int) -> Values:
    """Of windows with less than half as many values as most have there is no floor: the least of few is not low."""
    window = (values.time_ns - begin) // window_ns
    order = np.argsort(window, kind="stable")
    number, starts, counts = np.unique(window[order], return_index=True, return_counts=True)
    if number.size == 0:
        return Values(number, np.empty(0))
    enough = 2 * counts >= np.median(counts)
    return Values(begin + number[enough] * window_ns, np.minimum.reduceat(values.value[order], starts)[enough])


def _ways_of_path(found: Analysis, rows: Array) -> Tuple[Values, Values]:
    """masterToSlave of all Syncs, and slaveToMaster."""
    reverse = _known(rows, "slaveToMaster_ns")
    same = {name: rows[0][name] for name in ("point", "domainNumber", "sourcePortIdentity", "stamps")}
    forward = _known(found.select("sync", **same), "masterToSlave_ns")
    if forward.value.size == 0:
        forward = _known(rows, "masterToSlave_ns")
    base = forward.base_ns  # what one direction has too much, the other has too little
    return forward, Values(reverse.time_ns, reverse.value + (reverse.base_ns + base), -base)


def _ways_of_link(rows: Array) -> Tuple[Values, Values]:
    """From the port that answers (t4 - t3, corrected), and to it: the rest of twice meanLinkDelay, which is moved to
    the instant of the answer by neighborRateRatio. Of IEEE 1588 only where no transparent clock corrected anything."""
    correction = rows["correction_response_follow_up"] - rows["correction_request"] * (rows["kind"] == "p2p")
    whole = (np.abs(correction) < 65536) & (np.abs(rows["correction_response"]) < 65536)
    told = ~np.isnan(rows["delay_ns"]) & ~np.isnan(rows["neighborRateRatio"]) & (whole | (rows["kind"] != "p2p"))
    told &= (rows["t3_kind"] == "message") & (rows["time_ns"] > 0)
    rows, correction = rows[told], correction[told]
    forward = rows["t4"] - rows["t3"]
    base = int(forward[0]) if forward.size and abs(forward[0]) > FAR_NS else 0
    value = (forward - base) - correction / 65536.0
    return (Values(rows["time_ns"], value, base),
            Values(rows["time_ns"], 2 * rows["delay_ns"] - value, -base))


def delay_floors(axes: "Axes", found: Analysis, *, window: Optional[float] = None,
                 kind: Union[str, Sequence[str]] = _TWO_WAY_KINDS, **columns: Any) -> Optional[Floors]:
    """The delays of both directions over time with their least values, and what that says of the asymmetry:
    masterToSlave and slaveToMaster of a path, or those of a link, from the port that answers Pdelay_Req and to it.

    Of one path or link: where there are several, that with the most exchanges. window: seconds that a floor is the
    least of; None: the analyzer's, or a fiftieth of the time.
    """
    title = "Delay floors, forward and reverse"
    kinds = (kind,) if isinstance(kind, str) else tuple(kind)
    ways = [(rows[0], *(_ways_of_path(found, rows) if each == "e2e" else _ways_of_link(rows)))
            for each in kinds for _, rows in _paths(found, (each,), columns)]
    if not any(reverse.value.size for _, _, reverse in ways):
        nothing(axes, title, _why_not(found, kinds, columns, "slaveToMaster"))
        return None
    first, forward, reverse = max(ways, key=lambda way: way[2].value.size)
    floors = _floors_of(forward, reverse, forward.base_ns, _asymmetry_of(found, first), window)
    names = _PATH_WAYS if first["kind"] == "e2e" else _LINK_WAYS
    _draw_floors(axes, forward, reverse, floors, title, names)
    return floors


def _asymmetry_of(found: Analysis, row: Any) -> Optional[Asymmetry]:
    for each in found.asymmetry:
        if (each.kind == row["kind"] and each.point == row["point"] and each.domainNumber == row["domainNumber"]
                and each.sourcePortIdentity == row["sourcePortIdentity"]
                and each.requestingPortIdentity in ("", row["requestingPortIdentity"])
                and each.stamps == row["stamps"]):
            return each
    return None


def _floors_of(forward: Values, reverse: Values, base: int, told: Optional[Asymmetry],
               window: Optional[float]) -> Floors:
    times = np.concatenate([forward.time_ns, reverse.time_ns])
    begin, span = int(times.min()), int(np.ptp(times))
    if window is None:
        longest = max(span / 1e9 / _FLOOR_WINDOWS, 1.0)
        window = min(told.floor_window_s, longest) if told and told.floor_window_s > 0 else longest
    window_ns = max(1, round(window * 1e9))
    return Floors(_minima(forward, begin, window_ns), _minima(reverse, begin, window_ns), window, base, told)


def _floor_range(forward: Values, reverse: Values, floors: Floors) -> numbers.Range:
    """What shows the floors, and of what lies above them the nearer part."""
    shown = numbers.robust_range(np.concatenate([floors.forward.value, floors.reverse.value]))
    everything = np.concatenate([forward.value, reverse.value])
    high = max(shown.high, float(np.percentile(everything, 90)))
    return numbers.Range(shown.low, high, int((everything < shown.low).sum()), int((everything > high).sum()))


def _draw_floors(axes: "Axes", forward: Values, reverse: Values, floors: Floors, title: str,
                 names: Tuple[str, str]) -> None:
    shown = _floor_range(forward, reverse, floors)
    unit = numbers.unit_for(max(abs(shown.low), abs(shown.high)))
    margin = 0.06 * (shown.high - shown.low) / unit.ns or 0.5
    axes.set_ylim(shown.low / unit.ns - margin, shown.high / unit.ns + margin)
    for values, floor, colour, name in ((forward, floors.forward, BLUE, names[0]),
                                        (reverse, floors.reverse, ORANGE, names[1])):
        if values.value.size == 0:
            continue
        thinned = numbers.one_per_column(values.time_ns.astype(np.float64), 4 * columns_of(axes))
        axes.plot(days_of(values.time_ns[thinned]), values.value[thinned] / unit.ns, linestyle="none", marker=".",
                  markersize=2, color=colour, alpha=0.35)
        axes.step(days_of(floor.time_ns), floor.value / unit.ns, where="post", color=colour, linewidth=1.6,
                  label=f"{name}, least {quantity(float(floor.value.min()))}")
    axes.plot([], [], " ", label=_asymmetry_words(floors.asymmetry))
    if shown.below:
        axes.plot([], [], " ", label=f"{grouped(shown.below)} below the picture")
    less = f", less \u00b1{quantity(floors.base_ns)}" if floors.base_ns else ""
    times = np.concatenate([forward.time_ns, reverse.time_ns])
    finish(axes, f"{title}; windows of {quantity(floors.window_s * 1e9)}", time_axis(axes, times),
                f"one-way delay, offset included{less} ({unit.name})", legend_above(axes, 1))


def _asymmetry_words(told: Optional[Asymmetry]) -> str:
    if told is None or told.method == "not_observable":
        return "asymmetry: not observable from two-way times alone"
    how = {"by_reference": "by a reference", "by_change": "its change", "by_comparison": "against other grandmasters"}
    return (f"asymmetry {quantity(told.delayAsymmetry)} \u00b1{quantity(told.bound)}, {how[told.method]}: "
            "(forward \u2212 reverse) / 2")


# ---- MTIE and TDEV ------------------------------------------------------------------------------


class Stability(NamedTuple):
    """What a picture of MTIE or TDEV shows."""

    tau: Array  # s
    value: Array  # ns; of TE
    low_tau: Array  # s
    low_value: Array  # ns; of dTE_L, where the mask limits that
    checks: List[Check]  # each value beside its limit


def mtie(axes: "Axes", samples: Optional[TimeError], limits: Optional[str] = None) -> Stability:
    """MTIE over the length of the window, with a mask's limits. limits: one of time_error.MASKS."""
    return _draw_stability(axes, samples, limits, "mtie")


def tdev(axes: "Axes", samples: Optional[TimeError], limits: Optional[str] = None) -> Stability:
    """TDEV over the integration time, with a mask's limits. limits: one of time_error.MASKS."""
    return _draw_stability(axes, samples, limits, "tdev")


def _curve_of(samples: Optional[TimeError], what: str) -> Tuple[Array, Array]:
    if samples is None:
        return np.empty(0), np.empty(0)
    return samples.mtie() if what == "mtie" else samples.tdev()


def _draw_stability(axes: "Axes", samples: Optional[TimeError], limits: Optional[str], what: str) -> Stability:
    title = what.upper()
    tau, value = _curve_of(samples, what)
    if samples is None or tau.size == 0:
        nothing(axes, title, f"There are too few evenly spaced offsets for {title}.")
        return Stability(tau, value, np.empty(0), np.empty(0), [])
    low_tau, low_value = np.empty(0), np.empty(0)
    axes.set_xscale("log")
    axes.set_yscale("log")
    _draw_curve(axes, tau, value, BLUE, "o", f"{title} of TE")
    checks: List[Check] = []
    if limits:
        checks = [check for check in samples.check(limits) if check.kind in (what, f"dte_low_{what}")]
        if any(check.kind != what for check in checks):
            low_tau, low_value = _curve_of(samples.low(), what)
            _draw_curve(axes, low_tau, low_value, ORANGE, "s", f"{title} of TE filtered at 0.1 Hz")
        _draw_limits(axes, limits, what, tau)
    taus = f"{plural(len(samples.x), 'sample')}, {samples.tau0:g} s apart"
    xlabel = "observation interval" if what == "mtie" else "integration time"
    finish(axes, f"{title}, {taus}{_verdict(checks, limits)}", f"{xlabel} (s)", f"{title} (ns)",
                legend_above(axes, 2))
    return Stability(tau, value, low_tau, low_value, checks)


def _draw_curve(axes: "Axes", tau: Array, value: Array, colour: str, marker: str, name: str) -> None:
    """A logarithmic axis has no zero."""
    axes.plot(tau, np.where(value > 0, value, np.nan), color=colour, marker=marker, markersize=3.5, linewidth=1.2,
              label=name)


def _draw_limits(axes: "Axes", limits: str, what: str, tau: Array) -> None:
    dense = np.geomspace(tau.min() / 1.5, tau.max() * 1.5, 400)
    for kind, style in ((what, "-"), (f"dte_low_{what}", "--")):
        limit = mask(limits, kind, dense)
        if not np.isnan(limit).all():
            of_what = " for filtered TE" if kind != what else ""
            axes.plot(dense, limit, color=VERMILLION, linestyle=style, linewidth=1.6, label=f"{limits}{of_what}")


def _verdict(checks: List[Check], limits: Optional[str]) -> str:
    if not limits:
        return ""
    if not checks:
        return f"; {limits} does not limit it"
    if any(check.within is False for check in checks):
        return f"; beyond {limits}"
    if any(check.within is None for check in checks):
        return f"; too few samples for all of {limits}"
    return f"; within {limits}"


# ---- A page -------------------------------------------------------------------------------------


def analysis_figure(found: Analysis, title: str = "", *, limits: Optional[str] = None,
                    samples: Optional[TimeError] = None) -> "Figure":
    """A page with everything: offset, delay, delay floors, rate, and MTIE and TDEV of `samples`."""
    has_rate = bool(np.count_nonzero(~np.isnan(found.exchanges["neighborRateRatio"])))
    has_floors = bool(np.count_nonzero(~np.isnan(found.exchanges["slaveToMaster_ns"])))
    drawn: List[Callable[["Axes"], Any]] = [lambda axes: offset(axes, found), lambda axes: delay(axes, found)]
    if has_floors:
        drawn.append(lambda axes: delay_floors(axes, found))
    if has_rate:
        drawn.append(lambda axes: neighbor_rate_ratio(axes, found))
    figure = new_page(3.2 * (len(drawn) + 1), title)
    parts = figure.subfigures(len(drawn) + 1, 1)
    for part, draw in zip(parts, drawn):
        draw(part.add_subplot())
    left, right = parts[-1].subplots(1, 2)
    mtie(left, samples, limits)
    tdev(right, samples, limits)
    return figure
