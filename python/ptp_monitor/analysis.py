# SPDX-License-Identifier: MIT
"""
What the clocks are doing: PTP exchanges computed from what was recorded, or live, and their statistics.

    from ptp_monitor import analysis

    found = analysis.analyze("eth0.pcapng", "eth0.events")     # either alone works
    sync = found.select("sync")
    print(sync["sequenceId"], sync["offsetFromMaster_ns"], sync["reason"])
    times, offsets, base = found.offset()    # base is 0 unless a clock was never set
    for piece in found.time_error():
        print(piece.summary(), piece.check("G.8273.2-C"))

Where something cannot be computed its value is NaN (or NOT_KNOWN, in a column of integers), and `reason` says why.
docs/quantities.md defines each quantity; ptpmon_analysis.h says what the values mean.
"""
import ctypes
import os
import weakref
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Union

from . import _analysis_structures as a
from . import _structures as c
from . import _words as words
from . import time_error as te
from ._analysis_sources import CapturedSource, ObservedSource, Path, Source, tell_all
from ._exchange_arrays import EXCHANGE_DTYPE, NOT_KNOWN, ExchangeReader, without_base
from ._library import library, text_of
from ._optional import require
from .correlation import CorrelatedEvent, Correlation
from .errors import InvalidUse
from .time_error import TimeError, low_pass, mask, mtie, tdev, te_summary

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[Any]
else:
    np = require("numpy", "ptp_monitor.analysis")

__all__ = ["Analysis", "Analyzer", "Asymmetry", "Counts", "EXCHANGE_DTYPE", "Finding", "NOT_KNOWN", "Point", "Series",
           "TimeError", "Values", "analyze", "low_pass", "mask", "mtie", "tdev", "te_summary"]

_FETCH_EVERY = 1024  # observations; the library keeps many more exchanges
_MOST_PENDING = 1 << 15  # messages; what they can decide at once and what was not fetched fit into what is kept
_DELAY_KINDS = ("e2e", "p2p", "p2p-as")


# ---- What is found -------------------------------------------------------------------------------------------------


def _port(identity: a.ptpmon_port_identity) -> str:
    """"" = none."""
    clock = bytes(identity.clockIdentity)
    return words.port_identity(clock, identity.portNumber) if any(clock) or identity.portNumber else ""


@dataclass(frozen=True)
class Finding:
    """Something that happened to a clock or a path at one moment."""

    #: "clock_step", "rate_change", "system_clock_step", "forward_delay_change", "reverse_delay_change",
    #: "gm_time_base_change", "source_change"
    kind: str
    point: int
    domainNumber: int
    sdoId: int
    sourcePortIdentity: str  #: "" where it is about a clock
    system_timestamp_ns: int  #: event time
    time_ns: Optional[int]  #: UTC, ns since 1970
    size: float  #: ns; of rate_change ppm
    bound: float  #: +-, of size


@dataclass(frozen=True)
class Counts:
    """What was counted at one observation point."""

    messages: Dict[str, int]  #: by the name of their messageType; those that were seen
    exchanges: Dict[str, int]  #: decided, by kind
    computed: Dict[str, int]  #: of these, computed
    by_reason: Dict[str, int]  #: exchanges
    counts: Dict[str, int]  #: "missing_messages", "duplicates", "late_turnaround"...: see ptpmon_count


@dataclass(frozen=True)
class Series:
    """Statistics of one quantity of one pair of ports at one point, by one kind of stamps, in one segment of the local
    clock. All values are base_ns + what stands here; base_ns is 0 unless the first value is beyond +-10 s."""

    quantity: str  #: "offsetFromMaster", "meanPathDelay", "neighborRateRatio"...
    unit: str  #: "ns" or "ppm"
    point: int
    segment: int
    stamps: str  #: kind of the local times; "message" where there are none
    domainNumber: int
    messageTypeName: Optional[str]  #: of intervalError, residenceTime, correctionError
    sdoId: int
    sourcePortIdentity: str
    requestingPortIdentity: str
    count: int  #: 0: what follows is NaN, but for the rates
    base_ns: int
    minimum: float
    maximum: float
    mean: float
    standard_deviation: float
    median: float
    p95: float
    p99: float
    p999: float
    last: float
    greatest_rate_1s: float  #: intervalError: messages per second, greatest in any second
    last_rate_60s: float  #: intervalError: mean of the last 60 s


@dataclass(frozen=True)
class Asymmetry:
    """What can be told of the asymmetry of one path or link. Two-way times alone do not show a constant one: it looks
    like an offset. Forward is from sourcePortIdentity to requestingPortIdentity: from the master, or from the port that
    answers Pdelay_Req.
    Values are on base_ns, as in Series; reverse_floor on -base_ns."""

    method: str  #: "not_observable", "by_reference", "by_change", "by_comparison"
    point: int
    stamps: str
    domainNumber: int
    sdoId: int
    sourcePortIdentity: str
    requestingPortIdentity: str
    base_ns: int
    forward_floor: float  #: least masterToSlave in the last window; of a link likewise, by its exchanges
    reverse_floor: float  #: least slaveToMaster
    floor_window_s: float
    delayAsymmetry: float  #: ns, (forward - reverse) / 2; by_change: its change. NaN: not observable
    bound: float  #: +- ns
    kind: str  #: of which exchanges: "e2e"; "p2p" and "p2p-as": of a link


def _finding_of(found: a.ptpmon_finding) -> Finding:
    return Finding(a.FINDING_KINDS[found.kind], found.point, found.domainNumber, found.sdoId, _port(found.source),
                   found.event_time, None if found.realtime_ns == NOT_KNOWN else found.realtime_ns, found.size,
                   found.bound)


def _counts_of(found: a.ptpmon_analysis_counts) -> Counts:
    names = words.MESSAGE_TYPE_NAMES
    return Counts(
        messages={names.get(kind, f"reserved {kind}"): count for kind, count in enumerate(found.messages) if count},
        exchanges=dict(zip(a.EXCHANGE_KINDS, found.exchanges)), computed=dict(zip(a.EXCHANGE_KINDS, found.computed)),
        by_reason=dict(zip(a.EXCHANGE_REASONS, found.by_reason)), counts=dict(zip(a.COUNTS, found.counts)))


#: Fields that have other names in docs/json.md, and here.
_RENAMED = {"source": "sourcePortIdentity", "requesting": "requestingPortIdentity", "messageType": "messageTypeName",
            "p50": "median", "rate_1s": "greatest_rate_1s", "rate_60s": "last_rate_60s"}


def _named_fields(structure: ctypes.Structure) -> Dict[str, Any]:
    """The fields of a structure; ports and kinds of stamps by name."""
    names = [field[0] for field in structure._fields_]
    fields = {_RENAMED.get(name, name): getattr(structure, name) for name in names}
    fields.update(sourcePortIdentity=_port(structure.source), requestingPortIdentity=_port(structure.requesting),
                  stamps=a.EXCHANGE_STAMPS[structure.stamps])
    return fields


_OF_VALUES = ("minimum", "maximum", "mean", "standard_deviation", "median", "p95", "p99", "p999", "last")


def _series_of(found: a.ptpmon_series) -> Series:
    fields = _named_fields(found)
    if found.count == 0:  # of an interval whose length is not known: only the messages are counted
        fields.update(dict.fromkeys(_OF_VALUES, float("nan")))
    fields.update(quantity=a.QUANTITIES[found.quantity], unit=a.QUANTITY_UNITS[found.quantity],
                  messageTypeName=words.MESSAGE_TYPE_NAMES.get(found.messageType))
    return Series(**fields)


def _asymmetry_of(found: a.ptpmon_asymmetry) -> Asymmetry:
    fields = _named_fields(found)
    fields.update(method=a.ASYMMETRY_METHODS[found.method], kind=a.EXCHANGE_KINDS[found.kind])
    if fields["method"] == "not_observable":
        fields.update(delayAsymmetry=float("nan"), bound=float("nan"))
    return Asymmetry(**fields)


class Values(NamedTuple):
    """Values over time. They are base_ns + what stands here; base_ns is 0 unless the first one is beyond +-10 s."""

    time_ns: "Array"  #: UTC, ns since 1970
    value: "Array"
    base_ns: int = 0


@dataclass(frozen=True, repr=False)
class Analysis:
    """
    What was found.

    `exchanges` is a structured array (EXCHANGE_DTYPE), a row for each exchange in the order in which they were decided:

    ========================= ======= ================================================================================
    kind                      str     "sync", "e2e", "p2p", "p2p-as", "transit"
    reason                    str     "computed", or why the main quantity is not known: "without_follow_up"...
    end                       str     "requester", "responder", "bystander", "unknown": whose stamps these are
    sourcePortIdentity        str     who sent or answered, as linuxptp writes it; "" = none
    requestingPortIdentity    str     who asked; "" = none
    stamps                    str     kind of the local times: "hardware", "software", "capture", "none"
    point, segment            uint32  of `points`; of the local clock
    t1, t2, t3, t4            int64   ns, as they were read; NOT_KNOWN where the exchange has no such time
    own_t1 ... own_t4         int64   ns, at the responder: the local stamp of the same instant
    t1_kind ... own_t4_kind   str     of each of these "message", or the kind of the local stamp; "none"
    correction_...            int64   2^-16 ns: _sync, _follow_up, _request, _response, _response_follow_up; 0 = none
    known                     uint32  PTPMON_KNOWS_... of ptpmon_analysis.h
    offsetFromMaster_ns, ...  float64 NaN = not known. Also masterToSlave, slaveToMaster, delay, turnaround,
                                      transmitterError, receiverError, residenceTime, correctionError, delay_age, and
                                      delay_filtered, offsetFromMaster_filtered. Exact to 2^-16 ns up to 137 s, to 1 ns
                                      up to 104 days
    offsetFromMaster, ...     int64   the same exactly: ns, rounded down, NOT_KNOWN = not known. Also
                                      offsetFromMaster_filtered, delay, masterToSlave, slaveToMaster
    ..._fraction              uint16  and what is above that, 2^-16 ns
    neighborRateRatio         float64 NaN = not known; likewise rateRatio
    time_ns                   int64   UTC of its first message here, ns since 1970; NOT_KNOWN
    system_timestamp_ns       uint64  the same in event time; 0 = not known
    frame_number              uint64  of its first message; 0 = not known
    two_step, domainNumber, messageType, sdoId, sequenceId, syncSequenceId, logMessageInterval: as in ptpmon_exchange
    ========================= ======= ================================================================================

    Names are those of the JSON of `ptpmon analyze` where both have the same; the package's README says what differs.
    """

    points: List[str]  #: names of the observation points, by number
    exchanges: "Array"
    counts: List[Counts]  #: by point
    series: List[Series]
    findings: List[Finding]
    asymmetry: List[Asymmetry]

    def __repr__(self) -> str:
        computed = int(np.count_nonzero(self.exchanges["reason"] == "computed"))
        return (f"<Analysis of {', '.join(self.points) or 'nothing'}: {len(self.exchanges)} exchanges, {computed} "
                f"computed, {len(self.findings)} findings>")

    def select(self, kind: Union[None, str, Sequence[str]] = None, **columns: Any) -> "Array":
        """The exchanges of one kind, or of several; of these where columns have these values: domainNumber=0."""
        chosen = np.ones(len(self.exchanges), dtype=bool)
        if kind is not None:
            kinds = (kind,) if isinstance(kind, str) else tuple(kind)
            for each in kinds:
                if each not in a.EXCHANGE_KINDS:
                    raise InvalidUse(f"{each}: no such kind of exchange; there are {', '.join(a.EXCHANGE_KINDS)}")
            chosen = np.isin(self.exchanges["kind"].astype("U7"), kinds)
        for name, value in columns.items():
            if name not in (EXCHANGE_DTYPE.names or ()):
                raise InvalidUse(f"{name}: no such column of exchanges")
            chosen &= self.exchanges[name] == value
        rows: "Array" = self.exchanges[chosen]
        return rows

    def values(self, column: str, kind: Union[None, str, Sequence[str]] = None, **columns: Any) -> Values:
        """A column of numbers over time: of select()'s exchanges those in which it is known, and whose UTC is."""
        rows = self.select(kind, **columns)
        values = rows[column]
        there = ~np.isnan(values) if values.dtype.kind == "f" else values != NOT_KNOWN
        rows = rows[there & (rows["time_ns"] != NOT_KNOWN)]
        return Values(rows["time_ns"], *without_base(rows, column))

    def offset(self, *, filtered: bool = False, kind: str = "sync", **columns: Any) -> Values:
        """offsetFromMaster in ns; > 0: the local clock is ahead. filtered: with the median of the last delays."""
        return self.values("offsetFromMaster_filtered_ns" if filtered else "offsetFromMaster_ns", kind, **columns)

    def delay(self, *, filtered: bool = False, kind: Union[str, Sequence[str]] = _DELAY_KINDS,
              **columns: Any) -> Values:
        """meanPathDelay (e2e) or meanLinkDelay (p2p, p2p-as) in ns, where it was measured."""
        return self.values("delay_filtered_ns" if filtered else "delay_ns", kind, **columns)

    def neighbor_rate_ratio(self, **columns: Any) -> Values:
        """The neighbour's clock over the local one, as a ratio near 1, where it was measured."""
        return self.values("neighborRateRatio", ("p2p", "p2p-as"), **columns)

    def time_error(self, *, filtered: bool = False, kind: str = "sync", tau0: Optional[float] = None,
                   max_gap: Optional[float] = None, **columns: Any) -> List[TimeError]:
        """offset() as evenly spaced samples: a piece for each stretch without a gap or a step of the clock.

        Samples are of one master, by one kind of stamps at one point: where there are more, columns say which
        (sourcePortIdentity="...", domainNumber=0, stamps="hardware"). Their times are those of the local clock.

        tau0: seconds between samples; None: the interval that the messages announce, or else keep to.
        max_gap: seconds that two exchanges may be apart; None: 3 * tau0.
        """
        column = "offsetFromMaster_filtered_ns" if filtered else "offsetFromMaster_ns"
        rows = self.select(kind, **columns)
        rows = rows[~np.isnan(rows[column])]
        for name in ("point", "domainNumber", "sdoId", "sourcePortIdentity", "stamps"):
            different = sorted(set(rows[name].tolist()))
            if len(different) > 1:
                texts = ", ".join(str(each) for each in different)
                raise InvalidUse(f"time error: offsets of several, {name} is {texts}; give one")
        pieces: List[TimeError] = []
        for segment in sorted(set(rows["segment"].tolist())):
            part = rows[rows["segment"] == segment]
            part = part[np.argsort(part["t2"], kind="stable")]
            spacing = _spacing_of(part) if tau0 is None else tau0
            value, base = without_base(part, column)
            for piece in te.resample(part["t2"], value, spacing, 3 * spacing if max_gap is None else max_gap):
                pieces.append(replace(piece, base_ns=base))
        return pieces


def _spacing_of(rows: "Array") -> float:
    """The interval of messages, seconds, a power of two: as they say if they keep to it, else as they come."""
    between = np.diff(rows["t2"])
    between = between[between > 0]
    if between.size == 0:
        return 1.0  # of a single one
    log = float(np.log2(np.median(between) / 1e9))
    said = set(rows["logMessageInterval"].tolist())
    keeps_to_it = len(said) == 1 and abs(log - min(said)) < 1
    return float(2.0 ** (min(said) if keeps_to_it else np.rint(log)))


# ---- The analyzer --------------------------------------------------------------------------------------------------


class Analyzer:
    """
    Computes exchanges from observations as they come.

        analyzer = Analyzer()
        with PtpMonitor("eth0") as monitor:
            for pair in analyzer.observe(monitor.correlate_with_npcap("eth0", timeout=60)):
                for exchange in analyzer.take():
                    print(exchange["kind"], exchange["sequenceId"], exchange["offsetFromMaster_ns"])
        print(analyzer.finish().series)

    One pass; of a message no more is kept than the window needs, of exchanges what was not taken. One thread at a time.
    """

    def __init__(self, *, window: Optional[float] = None, stamps: Optional[str] = None, delay_filter: int = 0,
                 points_share_clock: bool = False, true_offset_ns: Optional[float] = None) -> None:
        """
        window: seconds that the messages of one exchange may be apart; None: 1 s or three intervals, up to 30 s.
        stamps: "hardware", "software", "capture": local times of this kind only; None: the best there is.
        delay_filter: of how many delays the filtered one is the median; 0 = 10.
        points_share_clock: the stamps of all points are of one clock: then residence times and asymmetry can be told.
        true_offset_ns: local - master, known from elsewhere: then the asymmetry can be told.
        """
        options = a.ptpmon_analyzer_options(
            window_ns=_ns_of_window(window), max_pending=_MOST_PENDING, stamps=_stamp_kind(stamps),
            delay_filter=_checked_filter(delay_filter), points_share_clock=points_share_clock)
        if true_offset_ns is not None:
            options.has_true_offset, options.true_offset = True, _time_of(true_offset_ns)
        self.points: List[str] = []  #: names of the observation points, by number
        self.findings: List[Finding] = []  #: so far, in order
        self._library = library()
        self._pointer = self._library.open("ptpmon_analyzer_open", ctypes.byref(options))
        weakref.finalize(self, self._library.call, "ptpmon_analyzer_close", self._pointer).atexit = False
        self._reader = ExchangeReader(self._library, self._pointer)
        self._not_fetched = 0

    def add_point(self, name: str) -> int:
        """An observation point: an interface, or a capture. Returns its number."""
        number = ctypes.c_uint32()
        self._library.status("ptpmon_analyzer_add_point", self._pointer, name.encode("utf-8", "replace"),
                             ctypes.byref(number))
        self.points.append(name)
        return number.value

    def observe(self, correlation: Correlation, name: str = "") -> Iterator[CorrelatedEvent]:
        """A point: yields what the correlation yields, and takes it in on the way, its clocks and losses included."""
        point: List[int] = []

        def tell(observation: c.ptpmon_observation) -> None:
            if not point:
                point.append(self.add_point(name or text_of(observation.interface)))
            self._take_observation(point[0], observation)

        correlation.tell(tell)
        return iter(correlation)

    def _take_observation(self, point: int, observation: c.ptpmon_observation) -> None:
        self._library.status("ptpmon_analyzer_observe", self._pointer, point, ctypes.byref(observation))
        self._not_fetched += 1
        if self._not_fetched >= _FETCH_EVERY:
            self._fetch()

    def _take_frame(self, point: int, frame: c.ptpmon_frame) -> None:
        self._library.status("ptpmon_analyzer_frame", self._pointer, point, ctypes.byref(frame))
        self._not_fetched += 1
        if self._not_fetched >= _FETCH_EVERY:
            self._fetch()

    def _fetch(self) -> None:
        self._not_fetched = 0
        self._reader.fetch()
        found = a.ptpmon_finding()
        while self._library.status("ptpmon_analyzer_next_finding", self._pointer, ctypes.byref(found)) == c.OK:
            self.findings.append(_finding_of(found))

    def take(self) -> "Array":
        """The exchanges that were decided since the last take() (EXCHANGE_DTYPE, see Analysis)."""
        self._fetch()
        return self._reader.take()

    @property
    def counts(self) -> List[Counts]:
        """What was counted so far, by point."""
        found = a.ptpmon_analysis_counts()
        counts: List[Counts] = []
        for point in range(len(self.points)):
            self._library.status("ptpmon_analyzer_counts", self._pointer, point, ctypes.byref(found))
            counts.append(_counts_of(found))
        return counts

    @property
    def series(self) -> List[Series]:
        """Statistics so far, ordered by point, domain, ports, quantity, segment."""
        return [_series_of(found) for found in self._all("series", a.ptpmon_series)]

    @property
    def asymmetry(self) -> List[Asymmetry]:
        """What can be told of asymmetries so far."""
        return [_asymmetry_of(found) for found in self._all("asymmetry", a.ptpmon_asymmetry)]

    def _all(self, what: str, structure: Any) -> Iterator[Any]:
        """Each structure is good until the next."""
        found = structure()
        for index in range(self._library.call(f"ptpmon_analyzer_{what}_count", self._pointer)):
            self._library.status(f"ptpmon_analyzer_{what}", self._pointer, index, ctypes.byref(found))
            yield found

    def finish(self) -> Analysis:
        """No more will come: decides what waits. The Analysis has the exchanges that were not taken."""
        self._fetch()
        self._library.status("ptpmon_analyzer_finish", self._pointer)
        return Analysis(points=list(self.points), exchanges=self.take(), counts=self.counts, series=self.series,
                        findings=list(self.findings), asymmetry=self.asymmetry)


def _ns_of_window(window: Optional[float]) -> int:
    if window is not None and not 0 < window <= 30:
        raise InvalidUse(f"window={window}: give seconds, more than 0 and at most 30")
    return round((window or 0) * 1e9)


def _stamp_kind(stamps: Optional[str]) -> int:
    if stamps not in (None, "hardware", "software", "capture"):
        raise InvalidUse(f"stamps={stamps}: give hardware, software or capture")
    return a.EXCHANGE_STAMPS.index(stamps or "none")


def _checked_filter(delay_filter: int) -> int:
    if not 0 <= delay_filter < 1 << 32:
        raise InvalidUse(f"delay_filter={delay_filter}: give a number of delays, or 0")
    return delay_filter


def _time_of(ns: float) -> c.ptpmon_time:
    if not abs(ns) < 2.0 ** 62:
        raise InvalidUse(f"true_offset_ns={ns}: give ns")
    whole = ns // 1
    scaled = round((ns - whole) * 65536)
    return c.ptpmon_time(int(whole) + (scaled >> 16), scaled & 0xFFFF)


# ---- Recordings ----------------------------------------------------------------------------------------------------


class Point(NamedTuple):
    """What was recorded at an observation point; one of the files may be missing."""

    capture: Optional[Path] = None
    events: Optional[Path] = None
    name: str = ""  #: "" = the interface's


def _points_of(capture: Optional[Path], events: Optional[Path], points: Iterable[Sequence[Any]]) -> List[Point]:
    first = [Point(capture, events)] if capture is not None or events is not None else []
    all_points = first + [Point(*point) for point in points]
    for point in all_points:
        if point.capture is None and point.events is None:
            raise InvalidUse("analyze: a point without files; give a capture, events, or both")
    if not all_points:
        raise InvalidUse("analyze: nothing is given; give a capture, events, or both")
    return all_points


def _source_of(point: Point, analyzer: Analyzer, options: c.ptpmon_observer_options) -> Source:
    if point.events is None:
        assert point.capture is not None
        return CapturedSource(point.capture, point.name, analyzer.add_point, analyzer._take_frame)
    number: List[int] = []

    def observe(observation: c.ptpmon_observation) -> None:
        analyzer._take_observation(number[0], observation)

    source = ObservedSource(point.events, point.capture, options, observe)
    number.append(analyzer.add_point(point.name or source.interface_name or os.fspath(point.events)))
    return source


def analyze(capture: Optional[Path] = None, events: Optional[Path] = None, *, points: Iterable[Sequence[Any]] = (),
            window: Optional[float] = None, stamps: Optional[str] = None, delay_filter: int = 0,
            points_share_clock: bool = False, true_offset_ns: Optional[float] = None, max_offset: float = 60.0,
            other_clock: bool = False) -> Analysis:
    """
    Analyzes recordings: a capture (pcap or pcapng), the events of the same interface and time, or both.

    A capture alone knows capture times only, and each of its interfaces is a point; events alone know no content of
    messages, so nothing of what needs one is computed.

    points: further observation points, each (capture, events) or (capture, events, name); see Point.
    max_offset, other_clock: how capture and events are joined, see Recording.correlate_with_npcap().
    The rest is as for Analyzer. Raises BadFile where the files do not belong together.
    """
    if not 0 < max_offset < 1e9:
        raise InvalidUse(f"max_offset={max_offset}: give seconds, more than 0")
    analyzer = Analyzer(window=window, stamps=stamps, delay_filter=delay_filter, points_share_clock=points_share_clock,
                        true_offset_ns=true_offset_ns)
    options = c.ptpmon_observer_options(max_offset_ns=round(max_offset * 1e9), other_clock=other_clock, messages=True)
    tell_all([_source_of(point, analyzer, options) for point in _points_of(capture, events, points)])
    return analyzer.finish()
