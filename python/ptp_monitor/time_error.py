# SPDX-License-Identifier: MIT
"""
MTIE, TDEV, the filter of ITU-T G.8273.2 and the limits of clocks, over samples of a time error.

    pieces = time_error.resample(time_ns, offset_ns, tau0=0.125, max_gap=0.5)
    for piece in pieces:
        print(piece.summary())
        print(piece.mtie(), piece.tdev())
        print(piece.check("G.8273.2-C"))

Samples are ns, evenly spaced by tau0 seconds. No gap is filled: what lies before and after one are pieces of their own.
"""
import ctypes
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

from . import _analysis_structures as a
from . import _structures as c
from ._library import library
from ._optional import require
from .errors import InvalidUse

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Floats = npt.NDArray[np.float64]
else:
    np = require("numpy", "ptp_monitor.time_error")

#: The names of the masks: T-BC and T-TSC of G.8273.2, by class; primary reference time clocks of G.8272 and G.8272.1.
MASKS = a.MASKS
#: What a mask may limit; those that end in mtie and tdev depend on tau.
LIMITS = a.LIMITS

_DOUBLES = ctypes.POINTER(ctypes.c_double)
_SIZES = ctypes.POINTER(ctypes.c_size_t)


def _samples(x: object) -> "Floats":
    row: "Floats" = np.ascontiguousarray(x, dtype=np.float64)
    if row.ndim != 1:
        raise InvalidUse(f"time error: samples of {row.ndim} dimensions; give one row of ns")
    return row


def _doubles(row: "Floats") -> Any:
    return row.ctypes.data_as(_DOUBLES)


def _of_windows(function: str, x: object, m: object) -> "Floats":
    row, asked = _samples(x), np.atleast_1d(np.asarray(m))
    if asked.dtype.kind not in "iu" or asked.ndim != 1 or (asked < 1).any():
        raise InvalidUse("time error: windows are numbers of samples, 1 and more")
    windows = np.ascontiguousarray(asked, dtype=np.uintp)
    result: "Floats" = np.empty(windows.size)
    library().status(function, _doubles(row), row.size, windows.ctypes.data_as(_SIZES), windows.size, _doubles(result))
    return result


def mtie(x: object, m: "Union[int, Sequence[int], Array]") -> "Floats":
    """MTIE (ITU-T G.810 II.5) of windows of m * tau0, ns: the greatest peak to peak of m + 1 samples in a row.

    1 <= m < len(x), in any order. Costs len(x) for each, plus len(x) * log(max(m)).
    """
    return _of_windows("ptpmon_te_mtie", x, m)


def tdev(x: object, m: "Union[int, Sequence[int], Array]") -> "Floats":
    """TDEV (ITU-T G.810 II.3) of integration times m * tau0, ns; 1 <= m <= len(x) / 3. Costs len(x) for each."""
    return _of_windows("ptpmon_te_tdev", x, m)


def low_pass(x: object, tau0: float, cutoff: float = 0.1) -> "Floats":
    """The causal first-order low-pass of G.8273.2, cutoff in Hz: TE_L; x minus it is the high-pass.

    It starts at x[0] and has settled after 5 / (2 pi cutoff) seconds.
    """
    row = _samples(x)
    low: "Floats" = np.empty(row.size)
    library().status("ptpmon_te_low_pass", _doubles(row), row.size, tau0, cutoff, _doubles(low))
    return low


class TimeErrorSummary(NamedTuple):
    """ns. What is filtered, at 0.1 Hz, is told from when the filter has settled (8 s); NaN where the samples are over
    before, or 5 s and more apart."""

    max_te: float  #: max |TE|, unfiltered
    max_te_low: float  #: max |TE_L|, low-pass filtered
    cte: float  #: cTE: mean over the last 1000 s, or over all if that is less
    cte_seconds: float  #: over so many
    dte_low_pp: float  #: peak to peak of dTE_L
    dte_high_pp: float  #: peak to peak of dTE_H
    seconds: float  #: so many samples, times tau0


def te_summary(x: object, tau0: float) -> TimeErrorSummary:
    """max|TE|, max|TE_L|, cTE, dTE_L and dTE_H of samples that are tau0 seconds apart."""
    row, found = _samples(x), a.ptpmon_te_summary()
    library().status("ptpmon_te_summarize", _doubles(row), row.size, tau0, ctypes.byref(found))
    return TimeErrorSummary(*(getattr(found, name) for name in TimeErrorSummary._fields))


def mask(name: str, kind: str, tau: "Union[float, Sequence[float], Array]" = 1.0) -> "Floats":
    """The limit of a mask (MASKS) for one kind of value (LIMITS), ns, at each tau, seconds; NaN: there is none."""
    if kind not in LIMITS:
        raise InvalidUse(f"{kind}: no such kind of limit; there are {', '.join(LIMITS)}")
    taus = np.atleast_1d(np.asarray(tau, dtype=np.float64))
    limits: "Floats" = np.full(taus.shape, np.nan)
    limit = ctypes.c_double()
    for index, each in enumerate(taus.tolist()):
        if library().status("ptpmon_te_limit", name.encode(), LIMITS.index(kind), each, ctypes.byref(limit)) == c.OK:
            limits[index] = limit.value
    return limits


def windows(longest: int) -> List[int]:
    """1, 2, 5, 10, 20... up to `longest`, which is the last one."""
    steps = [step * 10 ** power for power in range(len(str(max(longest, 1)))) for step in (1, 2, 5)]
    return [step for step in steps if step < longest] + [longest] * (longest > 0)


class Check(NamedTuple):
    """A value beside its limit; ns."""

    kind: str  #: one of LIMITS
    tau: Optional[float]  #: seconds; None: does not depend on it
    value: float  #: NaN: the samples do not tell it
    limit: float

    @property
    def within(self) -> Optional[bool]:
        """None: the samples do not tell."""
        return None if np.isnan(self.value) else self.value <= self.limit


@dataclass(frozen=True)
class TimeError:
    """Evenly spaced samples without a gap."""

    x: "Floats"  #: ns, on base_ns
    tau0: float  #: seconds between two of them
    start_ns: int = 0  #: of the first one, on the clock of the times that were given
    base_ns: int = 0  #: the time error is base_ns + x: of clocks that nobody set, of which a float would not hold a ns

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.x) * self.tau0

    def mtie(self, m: "Optional[Sequence[int]]" = None) -> "Tuple[Floats, Floats]":
        """tau in seconds, and MTIE in ns; of 1, 2, 5, 10... samples up to all, where m does not say which."""
        chosen = np.asarray(windows(len(self.x) - 1) if m is None else m, dtype=np.uintp)
        return chosen * self.tau0, mtie(self.x, chosen)

    def tdev(self, m: "Optional[Sequence[int]]" = None) -> "Tuple[Floats, Floats]":
        """tau in seconds, and TDEV in ns; up to a twelfth of the samples, where m does not say."""
        chosen = np.asarray(windows(len(self.x) // 12) if m is None else m, dtype=np.uintp)
        return chosen * self.tau0, tdev(self.x, chosen)

    def summary(self) -> TimeErrorSummary:
        """max|TE|, cTE and what else is one number. On a base_ns that is not 0 only peak to peak values mean anything:
        the others are NaN."""
        found = te_summary(self.x, self.tau0)
        if self.base_ns == 0:
            return found
        nothing = float("nan")
        return found._replace(max_te=nothing, max_te_low=nothing, cte=nothing, cte_seconds=nothing)

    def low(self, cutoff: float = 0.1) -> "Optional[TimeError]":
        """TE_L, from when the filter has settled; None: it does not, or the samples are too far apart for it."""
        settled = int(np.ceil(5 / (2 * np.pi * cutoff) / self.tau0))
        if cutoff * self.tau0 >= 0.5 or settled >= len(self.x):
            return None
        return TimeError(low_pass(self.x, self.tau0, cutoff)[settled:], self.tau0,
                         self.start_ns + round(settled * self.tau0 * 1e9), self.base_ns)

    def check(self, name: str) -> List[Check]:
        """Each limit of a mask (MASKS) beside the value found."""
        summary, low = self.summary(), self.low()
        single = {"max_te": summary.max_te, "max_te_low": summary.max_te_low, "cte": abs(summary.cte),
                  "dte_high_pp": summary.dte_high_pp}
        checks = [Check(kind, None, value, limit) for kind, value in single.items()
                  for limit in mask(name, kind).tolist() if not np.isnan(limit)]
        for kind, samples in (("mtie", self), ("tdev", self), ("dte_low_mtie", low), ("dte_low_tdev", low)):
            checks += _checks(name, kind, samples, self.tau0)
        return checks


def _checks(name: str, kind: str, samples: Optional[TimeError], tau0: float) -> Iterator[Check]:
    """Of a kind that depends on tau."""
    if samples is None or len(samples.x) < (2 if kind.endswith("mtie") else 12):
        for limit in mask(name, kind, tau0).tolist():
            if not np.isnan(limit):
                yield Check(kind, tau0, float("nan"), limit)
        return
    taus, values = samples.mtie() if kind.endswith("mtie") else samples.tdev()
    for tau, value, limit in zip(taus.tolist(), values.tolist(), mask(name, kind, taus).tolist()):
        if not np.isnan(limit):
            yield Check(kind, tau, value, limit)


def resample(time_ns: object, value: object, tau0: float, max_gap: float) -> List[TimeError]:
    """(time, value) pairs, ordered by time, as pieces of evenly spaced samples: sample k is the newest value at
    (k + 1/2) * tau0 after the first, so that values which come at that spacing are all taken once.

    tau0, max_gap: seconds; a piece ends where two pairs are further apart than max_gap. Nothing is interpolated.
    """
    if not 1e-9 <= tau0 < 1e9 or not 1e-9 <= max_gap < 1e9:
        raise InvalidUse(f"time error: tau0={tau0}, max_gap={max_gap}: give seconds, more than 0")
    times, values = np.ascontiguousarray(time_ns, dtype=np.int64), _samples(value)
    if times.shape != values.shape:
        raise InvalidUse(f"time error: {times.size} times for {values.size} values; give one for each")
    steps = np.diff(times)
    if (steps < 0).any():
        raise InvalidUse("time error: times go back; sort the pairs")
    ends = np.flatnonzero(steps > round(max_gap * 1e9)) + 1
    bounds = [0, *ends.tolist(), times.size] if times.size else [0]
    return [_resampled(times[begin:end], values[begin:end], round(tau0 * 1e9), round(max_gap * 1e9))
            for begin, end in zip(bounds, bounds[1:])]


def _resampled(times: "Array", values: "Floats", tau0_ns: int, max_gap_ns: int) -> TimeError:
    """Pairs without a gap."""
    out: "Floats" = np.empty((int(times[-1]) - int(times[0])) // tau0_ns + 2)
    count, used = ctypes.c_size_t(), ctypes.c_size_t()
    library().status("ptpmon_te_resample", times.ctypes.data_as(ctypes.POINTER(ctypes.c_int64)), _doubles(values),
                     times.size, tau0_ns, max_gap_ns, _doubles(out), out.size, ctypes.byref(count), ctypes.byref(used))
    return TimeError(out[:count.value], tau0_ns / 1e9, int(times[0]))
