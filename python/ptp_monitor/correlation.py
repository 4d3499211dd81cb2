# SPDX-License-Identifier: MIT
"""Events paired with captured frames."""
import ctypes
import os
import time
import weakref
from types import TracebackType
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Type, Union

from . import _structures as c
from ._handle import MonitorHandle
from ._library import Library, bytes_of, text_of
from .errors import InvalidUse
from .event import ClocksReading, Loss, PtpTimestampEvent, _Message, clocks_of, event_at, loss_of
from .interfaces import interfaces
from .packets import GivenFrame, frame_of

_WAIT_MS = 50  # at most, so that other threads get their turn and a deadline is kept


class _FrameFields(NamedTuple):
    time_ns: int
    number: int
    system_timestamp: int
    direction: int
    messageType: int
    sequenceId: int
    domainNumber: int
    sourceMac: bytes
    stamp: int
    vlanId: int
    pcp: int
    clockIdentity: bytes
    portNumber: int
    sdoId: int
    flags: int
    transport: int
    version: int


class PtpFrame(_FrameFields, _Message):
    """A captured PTP frame, and what was read in it; fields that an event has too mean the same.

    ================= ================================================================================
    time_ns           capture time, ns since 1970, on the clock of the capture
    number            of the frame in the capture, from 1
    system_timestamp  time_ns as event time; 0 = before that clock started
    direction         0 RX, 1 TX, 255 where the capture does not tell
    stamp             only the bits that is_tagged and has_more_tags show
    ================= ================================================================================
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<PtpFrame {self.number} {self._identity_text()} time_ns={self.time_ns}>"


class Latency(NamedTuple):
    """A time that a frame took."""

    ns: int
    bound: int  #: +- ns, from the uncertainty of the clock readings


class Latencies(NamedTuple):
    """How long a frame took; None: a stamp is missing, or the readings of the clocks do not allow to tell."""

    rx_driver: Optional[Latency]  #: network stack's RX stamp -> driver side
    nic_to_host: Optional[Latency]  #: NIC's RX stamp -> driver side
    tx_software: Optional[Latency]  #: driver side -> network stack's TX stamp
    tx_hardware: Optional[Latency]  #: driver side -> NIC's TX stamp


class CorrelatedEvent(NamedTuple):
    """An event with its captured frame, or one of them, and why the other is missing."""

    #: "matched", "event_without_frame", "frame_without_event", "duplicate", "ambiguous" or "outside"
    outcome: str
    #: "by_software_time", "by_key", "by_order"; "not_captured", "capture_lost"; "no_event", "event_lost";
    #: "same_key_matched"; "counts_differ", "order_unproven"; "before_monitor", "after_monitor", "before_capture",
    #: "after_capture". ptpmon.h (ptpmon_reason) says what each means.
    reason: str
    event: Optional[PtpTimestampEvent]
    frame: Optional[PtpFrame]
    latencies: Latencies
    realtime_ns: Optional[int]  #: UTC when the driver side saw it, without event: capture time; ns since 1970
    source_mac_differs: bool  #: matched, but the frame's source address is not the event's
    vlan_differs: bool  #: matched, but the tag or its VLAN is not
    pcp_differs: bool  #: matched, but the tag's priority is not
    #: matched, but captured before what it must come after, or after what it must come before; live on Windows only
    time_order_differs: bool
    decided_early: bool  #: decided before the window had passed: another of the same key may exist
    interface: str

    @property
    def matched(self) -> bool:
        """Whether this is a pair."""
        return self.outcome == "matched"

    @property
    def message(self) -> Union[PtpTimestampEvent, PtpFrame]:
        """What tells the message: the event where there is one, else the frame."""
        message = self.event or self.frame
        assert message is not None
        return message

    def __repr__(self) -> str:
        seen = {(True, True): "both", (True, False): "event alone", (False, True): "frame alone"}
        what = seen[self.event is not None, self.frame is not None]
        latencies = "".join(f" {name}={latency.ns}ns" for name, latency in self.latencies._asdict().items() if latency)
        return f"<CorrelatedEvent {self.outcome} ({self.reason}), {what}: {self.message._identity_text()}{latencies}>"


class Alignment(NamedTuple):
    """How the clock of the capture relates to the system clock."""

    #: "system": it is the system clock of this host, live or proved by stamps; "other": another one, its offset
    #: followed; "assumed": nothing to tell it by, taken for the system clock
    clock: str
    equal_stamps: int  #: received messages whose capture time is the event's software stamp...
    compared_stamps: int  #: ...of so many that have both
    pairs: int  #: "other": pairs from which the rest was estimated, so far
    at_ns: int  #: "other": capture time of the first pair, ns since 1970
    offset_ns: int  #: "other": there, capture clock - system clock
    drift_ppm: float  #: "other": capture clock against system clock, mean; > 0: the capture clock gains
    residual_ns: int  #: "other": nine of ten pairs lie this close to that line


# ---- What can be correlated with -----------------------------------------------------------------------------------


class _Capture:
    """The frames of one correlation. Owns a ptpmon_capture from open() on."""

    is_live = False
    is_complete = False  # nothing will be added to it any more
    pointer: ctypes.c_void_p

    def open(self, library: Library) -> None:
        raise NotImplementedError

    def give(self, library: Library) -> bool:
        """Hands the next frame to the library, where it does not get them itself; False: there are no more."""
        return False


class _LiveCapture(_Capture):
    is_live = True

    def __init__(self, interface: str) -> None:
        self._interface = interface

    def open(self, library: Library) -> None:
        self.pointer = library.open("ptpmon_capture_open_live", self._interface.encode())


class _CaptureFile(_Capture):
    is_complete = True

    def __init__(self, path: "Union[str, os.PathLike[str]]") -> None:
        self._path = path

    def open(self, library: Library) -> None:
        self.pointer = library.open("ptpmon_capture_open_file", bytes_of(self._path))


class _GivenPackets(_Capture):
    def __init__(self, packets: Iterable[Any], interface: str) -> None:
        self._packets = iter(packets)
        self._name = type(packets).__name__
        self._interface = interface
        self._given = self._passed_over = 0
        self._passed_over_kind = ""

    def open(self, library: Library) -> None:
        self.pointer = library.open("ptpmon_capture_open_given", f"packets of {self._name}".encode())

    def give(self, library: Library) -> bool:
        for packet in self._packets:
            frame = frame_of(packet)
            if frame is not None and ("" in (frame.interface, self._interface) or frame.interface == self._interface):
                self._give(library, frame)
                return True
            self._passed_over += 1
            self._passed_over_kind = frame.interface if frame else type(packet).__name__
        if self._given == 0 and self._passed_over > 0:
            raise InvalidUse(f"{self._name}: none of its {self._passed_over} packets is an Ethernet frame captured on "
                             f"{self._interface}, but of {self._passed_over_kind}; capture on that interface")
        return False

    def _give(self, library: Library, frame: GivenFrame) -> None:
        self._given += 1
        given = c.ptpmon_frame(
            time_ns=frame.time_ns, bytes=frame.data, captured_length=len(frame.data), length=frame.length,
            resolution_ns=frame.resolution_ns, direction=frame.direction)
        library.status("ptpmon_capture_give", self.pointer, ctypes.byref(given))


def capture_of(npcap_capture: Any, interface: str, is_live: bool) -> _Capture:
    """What correlate_with_npcap() was given. interface: where the events come from."""
    if isinstance(npcap_capture, str) and is_live:
        known = {one.name for one in interfaces()}
        if npcap_capture in known:
            return _LiveCapture(npcap_capture)
        if not os.path.exists(npcap_capture):
            raise InvalidUse(f"{npcap_capture}: neither an interface nor a file; interfaces() lists the interfaces")
    if isinstance(npcap_capture, (str, os.PathLike)):
        return _CaptureFile(npcap_capture)
    if not hasattr(npcap_capture, "__iter__") or isinstance(npcap_capture, (bytes, bytearray)):
        raise TypeError(f"{type(npcap_capture).__name__}: give the name of an interface, a capture file, or packets of "
                        "scapy or pyshark")
    return _GivenPackets(npcap_capture, interface)


# ---- The correlation -----------------------------------------------------------------------------------------------

_RESULT = c.ptpmon_observation.result.offset
_EVENT = _RESULT + c.ptpmon_result.event.offset
_FRAME = _RESULT + c.ptpmon_result.frame.offset


def _frame_at(observed: memoryview, result: c.ptpmon_result) -> PtpFrame:
    e = event_at(observed, _FRAME)
    return PtpFrame(result.frame_time_ns, result.frame_number, e.system_timestamp, e.direction, e.messageType,
                    e.sequenceId, e.domainNumber, e.sourceMac, e.stamp, e.vlanId, e.pcp, e.clockIdentity, e.portNumber,
                    e.sdoId, e.flags, e.transport, e.version)


def _correlated(observation: c.ptpmon_observation, observed: memoryview) -> CorrelatedEvent:
    """observed: the same bytes."""
    result = observation.result
    return CorrelatedEvent(
        outcome=c.OUTCOMES[result.outcome],
        reason=c.REASONS[result.reason],
        event=event_at(observed, _EVENT) if result.has_event else None,
        frame=_frame_at(observed, result) if result.has_frame else None,
        latencies=Latencies(*(Latency(one.ns, one.bound) if one.known else None for one in observation.latencies)),
        realtime_ns=observation.realtime_ns if observation.has_realtime else None,
        source_mac_differs=bool(result.cross_check & c.SOURCE_MAC_DIFFERS),
        vlan_differs=bool(result.cross_check & c.VLAN_DIFFERS),
        pcp_differs=bool(result.cross_check & c.PCP_DIFFERS),
        time_order_differs=bool(result.cross_check & c.TIME_ORDER_DIFFERS),
        decided_early=result.decided_early,
        interface=text_of(observation.interface))


def counters(structure: ctypes.Structure) -> Dict[str, Any]:
    """The fields of a structure of counters."""
    return {field[0]: getattr(structure, field[0]) for field in structure._fields_}


def close_observer(library: Library, observer: ctypes.c_void_p, capture: Optional[ctypes.c_void_p],
                   _monitor: MonitorHandle) -> None:
    """The monitor is passed only to outlive the observer."""
    library.call("ptpmon_observer_close", observer)
    library.call("ptpmon_capture_close", capture)


class Correlation(Iterator[CorrelatedEvent]):
    """
    A running correlation: iterate over it.

    Messages come in order of event time within what is decided at once; of a live monitor 1 to 2.3 s after they
    passed. Live, it goes on until stop() or PtpMonitor.disable() is called (by another thread, by a signal handler, or
    between two events), or the timeout is over; then comes what is left. After a KeyboardInterrupt one may call stop()
    and go on iterating. An exception on the way says that one side has failed; going on gives what is left.

    Losses and readings of the clocks are kept in `losses` and `clocks` as the iteration meets them.
    """

    def __init__(self, monitor: MonitorHandle, capture: _Capture, options: c.ptpmon_observer_options,
                 timeout: Optional[float], owner: object) -> None:
        """The capture is open and belongs to this object now; the owner of the monitor lives as long as it."""
        self.clocks: List[ClocksReading] = []
        self.losses: List[Loss] = []  #: by_capture tells which side lost something
        self._owner = owner
        self._monitor = monitor
        self._was_enabled = monitor.enabled
        self._library = monitor.library
        self._capture = capture
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._stopped = self._closed = False
        self._observation = c.ptpmon_observation()
        self._observed = memoryview(self._observation).cast("B")
        self._told: Optional[Callable[[c.ptpmon_observation], None]] = None
        try:
            with monitor.turn:
                monitor.release()
                self._observer = self._library.open("ptpmon_observer_open", monitor.pointer, capture.pointer,
                                                    ctypes.byref(options))
        except BaseException:
            self._library.call("ptpmon_capture_close", capture.pointer)
            raise
        self._finalizer = weakref.finalize(self, close_observer, self._library, self._observer, capture.pointer,
                                           monitor)
        self._finalizer.atexit = False
        if capture.is_complete:
            self.stop()

    def __iter__(self) -> "Correlation":
        return self

    def __next__(self) -> CorrelatedEvent:
        while not self._closed:
            with self._monitor.turn:
                status = self._library.status("ptpmon_observer_next", self._observer, self._patience_ms(),
                                              ctypes.byref(self._observation))
                if status == c.OK and self._told:
                    self._told(self._observation)
                if status == c.OK and self._observation.kind == c.OBSERVED_MESSAGE:
                    return _correlated(self._observation, self._observed)
                if status == c.OK:
                    self._keep()
            if status == c.END:
                break
            if status == c.NOTHING:
                self._go_on()
        raise StopIteration

    def _patience_ms(self) -> int:
        """While frames are given, it is their giver who waits."""
        return _WAIT_MS if self._capture.is_live or self._stopped else 0

    def _keep(self) -> None:
        if self._observation.kind == c.OBSERVED_CLOCKS:
            self.clocks.append(clocks_of(self._observation.clocks))
        else:
            by_capture = self._observation.kind == c.OBSERVED_CAPTURE_LOSS
            self.losses.append(loss_of(self._observation.loss, by_capture))

    def _go_on(self) -> None:
        """What there was has been told."""
        if self._stopped:
            return
        over = self._deadline is not None and time.monotonic() >= self._deadline
        disabled = self._was_enabled and not self._monitor.enabled
        if over or disabled or not (self._capture.is_live or self._capture.give(self._library)):
            self.stop()

    def tell(self, told: Callable[[c.ptpmon_observation], None]) -> None:
        """From now on also hands every observation to this function, as the library gives it: see analysis.Analyzer."""
        self._told = told

    def stop(self) -> None:
        """Ends monitor and capture; going on to iterate gives what is left, which a stop decides at once."""
        with self._monitor.turn:
            if not self._stopped and not self._closed:
                self._stopped = True
                self._monitor.enabled = False
                self._library.status("ptpmon_observer_stop", self._observer)

    def close(self) -> None:
        """Gives up what was not told yet. The monitor goes on if it was not stopped."""
        with self._monitor.turn:
            self._final = self.counts, self.alignment
            self._closed = True
            self._finalizer()

    def __enter__(self) -> "Correlation":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()

    @property
    def counts(self) -> Dict[str, Any]:
        """What was found so far.

        events and frames: PTP messages taken in. matched: pairs. unmatched_, duplicate_, ambiguous_, outside_ events
        and frames. by_reason: results by reason. source_mac_differs, vlan_differs, pcp_differs: among the matched.
        decided_early: results. frames_by_kind: all frames, PTP or not. At the end events = matched + the four counts of
        events, and likewise frames.
        """
        if self._closed:
            return self._final[0]
        counted = c.ptpmon_correlation()
        with self._monitor.turn:
            self._library.call("ptpmon_observer_counts", self._observer, ctypes.byref(counted))
        counts = counters(counted)
        counts["by_reason"] = dict(zip(c.REASONS, counted.by_reason))
        counts["frames_by_kind"] = dict(zip(c.FRAME_KINDS, counted.frames_by_kind))
        return counts

    @property
    def alignment(self) -> Alignment:
        """How the clock of the capture relates to the system clock, as far as is known."""
        if self._closed:
            return self._final[1]
        found = c.ptpmon_alignment()
        with self._monitor.turn:
            self._library.call("ptpmon_observer_alignment", self._observer, ctypes.byref(found))
        fields = counters(found)
        fields["clock"] = c.CAPTURE_CLOCKS[found.clock]
        return Alignment(**fields)


def start_correlation(monitor: MonitorHandle, capture: _Capture, timeout: Optional[float], window: float,
                      max_offset: float, other_clock: bool, owner: object) -> Correlation:
    """Opens the capture, then enables the monitor if need be: no event comes before the frames do."""
    if not 0 < window <= 30:
        raise InvalidUse(f"window={window}: give seconds, more than 0 and at most 30")
    if not 0 < max_offset < 1e9:
        raise InvalidUse(f"max_offset={max_offset}: give seconds, more than 0")
    options = c.ptpmon_observer_options(window_ns=round(window * 1e9), max_offset_ns=round(max_offset * 1e9),
                                        other_clock=other_clock, messages=True)
    capture.open(monitor.library)
    try:
        if not monitor.enabled and (capture.is_live or not monitor.ran):
            monitor.enable()
    except BaseException:
        monitor.library.call("ptpmon_capture_close", capture.pointer)
        raise
    return Correlation(monitor, capture, options, timeout, owner)
