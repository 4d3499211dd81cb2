# SPDX-License-Identifier: MIT
"""What the pictures are drawn from: units, ranges, bins, envelopes, intervals, steps of clocks. No matplotlib here."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from ._optional import require
from ._words import port_identity

require("numpy", "ptp_monitor.plot")

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

UNITS = (("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9))
_REACH = 8.0  # how far a range reaches from the median, in distances from the median to the 10th and 90th percentile
_MOST_BINS = 100
_FEWEST_BINS = 10
_STEP_FLOOR_NS = 1000.0  # what a clock deviates by less from its own rate is not called a step


class Unit(NamedTuple):
    """An SI unit of time."""

    name: str
    ns: float  # its length


def unit_for(largest_ns: float) -> Unit:
    """The unit in which a picture that reaches to this value has the fewest digits."""
    fitting = [unit for unit in UNITS if abs(largest_ns) >= unit[1]]
    return Unit(*(fitting[-1] if fitting else UNITS[0]))


def grouped(count: int) -> str:
    """A number with thin spaces between its thousands."""
    return f"{count:,}".replace(",", "\u2009")


def quantity(ns: float, digits: int = 3) -> str:
    """A time with so many significant digits: 4176 -> "4.18 µs"."""
    full = 1000 - 0.5 * 10.0 ** (3 - digits)  # what would be rounded to 1000
    name, size = next((unit for unit in UNITS if abs(ns) < full * unit[1]), UNITS[-1])
    if size == 1.0 and ns == int(ns):
        return f"{int(ns)} ns"
    return f"{ns / size:#.{digits}g}".rstrip(".") + f" {name}"


def known(values: object) -> Array:
    """The values as one row of floats, without those that are not known (NaN)."""
    row: Array = np.asarray(values, dtype=np.float64).ravel()
    return row[~np.isnan(row)]


class Range(NamedTuple):
    """The part of some values that a picture shows, and how many lie beyond."""

    low: float
    high: float
    below: int
    above: int


def robust_range(values: Array) -> Range:
    """All of them, unless a few lie so far away that the others would be squeezed into a third of the picture."""
    lowest, highest = float(values.min()), float(values.max())
    low, median, high = np.percentile(values, (10, 50, 90))
    inside = values[(values >= median - _REACH * (median - low)) & (values <= median + _REACH * (high - median))]
    first, last = float(inside.min()), float(inside.max())
    if not 0 < 3 * (last - first) < highest - lowest:
        return Range(lowest, highest, 0, 0)
    return Range(first, last, int((values < first).sum()), int((values > last).sum()))


def _quantum(values: Array) -> float:
    """The largest step of which all differences are multiples: that of a clock that counts by 8 ns is 8. 0 = none."""
    distances = values - values.min()
    if not np.array_equal(distances, np.rint(distances)):
        return 0.0
    return float(np.gcd.reduce(distances.astype(np.int64)))


def round_number(ns: float) -> str:
    """A round number with its unit: 500 -> "500 ns"."""
    unit = unit_for(ns)
    return f"{ns / unit.ns:g} {unit.name}"


def _round_below(width: float) -> float:
    """The next smaller of 1, 2, 5, 10, 20..."""
    power = 10.0 ** np.floor(np.log10(width))
    return float(max(step * power for step in (1, 2, 5) if step * power <= width * 1.001))


def bin_edges(values: Array) -> Array:
    """Edges of equal bins for a histogram, about as wide as Freedman and Diaconis ask for, of a round width. Every bin
    holds the same number of the values that the clock can take: else a coarse clock would show as a comb."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        return np.array([low - 0.5, low + 0.5])
    quartiles = np.percentile(values, (25, 75))
    width = 2 * float(quartiles[1] - quartiles[0]) / float(np.cbrt(values.size))
    width = _round_below(min(max(width, (high - low) / _MOST_BINS), (high - low) / _FEWEST_BINS))
    quantum = _quantum(values)
    if quantum:
        width = max(1.0, np.ceil(width / quantum - 1e-9)) * quantum
    remainder = low % quantum if quantum else 0.0
    start = low - (low - remainder) % width - quantum / 2
    return start + width * np.arange(int(np.floor((high - start) / width)) + 2)


class Envelope(NamedTuple):
    """A long series, one entry for each column of the picture; NaN where it holds no value."""

    edges: Array  # of the columns
    low: Array
    median: Array
    high: Array


def envelope(x: Array, y: Array, columns: int) -> Envelope:
    """Minimum, median and maximum of each column: nothing that stands out is lost."""
    first, span = float(x.min()), float(x.max() - x.min()) or 1.0
    column = np.minimum(((x - first) * (columns / span)).astype(np.int64), columns - 1)
    order = np.lexsort((y, column))
    y = y[order]
    numbers, starts = np.unique(column[order], return_index=True)
    ends = np.append(starts[1:], y.size)
    made = Envelope(first + span / columns * np.arange(columns + 1), *np.full((3, columns), np.nan))
    made.low[numbers], made.median[numbers], made.high[numbers] = y[starts], y[(starts + ends) // 2], y[ends - 1]
    return made


def one_per_column(x: Array, columns: int) -> Array:
    """Of equal looking marks the first of each column, which covers the others. Returns indices."""
    if x.size <= columns:
        return np.arange(x.size)
    first, span = float(x.min()), float(x.max() - x.min()) or 1.0
    return np.unique(((x - first) * (columns / span)).astype(np.int64), return_index=True)[1]


def merged(spans: List[Tuple[int, int]], gap: int) -> List[Tuple[int, int]]:
    """The spans, those that lie no further apart than the gap as one."""
    joined: List[Tuple[int, int]] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1] + gap:
            begin, end = joined[-1][0], max(joined.pop()[1], end)
        joined.append((begin, end))
    return joined


def nominal_interval(intervals_ns: Array) -> Optional[float]:
    """The power of two, in seconds, that these intervals keep to as IEEE 1588 asks of Sync and Announce: nine of ten
    within 30 % of it. None: they keep to none. In ns."""
    if intervals_ns.size < 3:
        return None
    nominal = float(2.0 ** np.rint(np.log2(np.median(intervals_ns) / 1e9))) * 1e9
    close = np.abs(intervals_ns - nominal) <= 0.3 * nominal
    return nominal if close.mean() >= 0.9 else None


class Drift(NamedTuple):
    """How one clock runs against another."""

    ppm: float  # > 0: it gains
    bound_ppm: float  # +-, from the uncertainty of the first and the last reading
    steps: List[Tuple[int, float]]  # index of the reading after the step, its height in ns
    line_ns: Array  # the straight line through the readings, with the steps in it


def drift_of(time_ns: Array, difference_ns: Array, uncertainty_ns: Array) -> Drift:
    """A straight line through the differences of two clocks, apart from their steps. At least two readings."""
    elapsed, change = np.diff(time_ns), np.diff(difference_ns)
    usable = elapsed > 0
    rate = float(np.median(change[usable] / elapsed[usable])) if usable.any() else 0.0
    excess = change - rate * elapsed
    spread = 1.4826 * float(np.median(np.abs(excess - np.median(excess))))
    allowed = np.maximum(10 * spread + _STEP_FLOOR_NS, 4 * (uncertainty_ns[1:] + uncertainty_ns[:-1]))
    stepped = np.flatnonzero(np.abs(excess) > allowed) if change.size >= 3 else np.empty(0, dtype=np.int64)
    height = np.zeros(time_ns.size)
    height[stepped + 1] = excess[stepped]
    height = np.cumsum(height)
    slope, start = np.polyfit(time_ns - time_ns[0], difference_ns - height, 1)
    duration = float(time_ns[-1] - time_ns[0])
    bound = float(uncertainty_ns[0] + uncertainty_ns[-1]) / duration if duration > 0 else float("inf")
    steps = [(int(index) + 1, float(excess[index])) for index in stepped]
    return Drift(float(slope) * 1e6, bound * 1e6, steps, start + slope * (time_ns - time_ns[0]) + height)


# ---- Messages -----------------------------------------------------------------------------------


def utc_of(system_timestamp: object, clocks: Array, system_clock_hz: int = 1_000_000_000) -> Array:
    """Event time as UTC, ns since 1970, by the CLOCKS record that is nearest in event time."""
    times = np.asarray(system_timestamp).astype(np.int64)
    at = clocks["system_timestamp"].astype(np.int64)
    after = np.clip(np.searchsorted(at, times), 1, max(at.size - 1, 1))
    nearest = np.minimum(np.where(times - at[after - 1] <= at[np.minimum(after, at.size - 1)] - times,
                                  after - 1, after), at.size - 1)
    elapsed = times - at[nearest]
    if system_clock_hz != 1_000_000_000:
        elapsed = np.rint(elapsed * (1e9 / system_clock_hz)).astype(np.int64)
    utc: Array = clocks["realtime_ns"].astype(np.int64)[nearest] + elapsed
    return utc


def _senders(messages: Mapping[str, Any]) -> Tuple[Array, List[str]]:
    """Of each message the number of its sender, and the senders' names as linuxptp writes them."""
    if "sourcePortIdentity" in messages:
        names, number = np.unique(np.asarray(messages["sourcePortIdentity"]), return_inverse=True)
        return number, [str(name) for name in names]
    identities = np.ascontiguousarray(messages["clockIdentity"]).view(">u8").ravel()
    clocks, clock = np.unique(identities, return_inverse=True)
    ports, number = np.unique(clock.astype(np.int64) << 16 | messages["portNumber"], return_inverse=True)
    return number, [port_identity(int(clocks[port >> 16]).to_bytes(8, "big"), port & 0xFFFF) for port in ports.tolist()]


class Kind(NamedTuple):
    """Messages of one type from one sender."""

    messageType: int
    direction: int
    domainNumber: int
    sourcePortIdentity: str


def by_kind(messages: Mapping[str, Any]) -> Iterator[Tuple[Kind, Array]]:
    """The indices of the messages of each kind, ascending; kinds in order of the standard's message types."""
    if len(messages["messageType"]) == 0:
        return
    sender, names = _senders(messages)
    key = sender.astype(np.int64)
    for shift, field in ((32, "domainNumber"), (40, "direction"), (48, "messageType")):
        key |= np.asarray(messages[field]).astype(np.int64) << shift
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.diff(key[order])) + 1
    for indices in np.split(order, starts):
        value = int(key[indices[0]])
        yield Kind(value >> 48, value >> 40 & 0xFF, value >> 32 & 0xFF, names[value & 0xFFFFFFFF]), indices
