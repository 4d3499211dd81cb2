# SPDX-License-Identifier: MIT
"""The monitor of an interface."""
import ctypes
import os
import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Any, Dict, Iterator, NamedTuple, Optional, Type, Union

from . import _structures as c
from ._handle import MonitorHandle
from ._library import bytes_of, library, text_of
from ._source import EventSource
from .correlation import Correlation, capture_of, counters, start_correlation
from .errors import InvalidUse
from .event import Record

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class MonitorInfo(NamedTuple):
    """Where a monitor gets things from on this system. Times are event time; 0 = not yet."""

    rx_frames: str  #: "tcx", "clsact"
    tx_frames: str  #: "net_dev_start_xmit", "tcx", "clsact"
    tx_stamps: str  #: "fentry/skb_tstamp_tx", "kfree_skb/consume_skb", "none"
    tx_queue_known: bool  #: TX events have a queueId and tell whether a stamp is expected
    rx_software: bool  #: RX events have a software_timestamp
    enabled_at: int  #: from here on every frame is seen
    disabled_at: int  #: until here every frame was seen; 0 = still running
    delivered_until: int  #: what is older has come through read_events(), but for records that were being made


def _info_of(handle: MonitorHandle) -> MonitorInfo:
    info = c.ptpmon_monitor_info()
    handle.call("ptpmon_monitor_info_get", ctypes.byref(info))
    return MonitorInfo(text_of(info.rx_frames), text_of(info.tx_frames), text_of(info.tx_stamps), info.tx_queue_known,
                       info.rx_software, info.enabled_at, info.disabled_at, info.delivered_until)


def statistics_of(handle: MonitorHandle) -> Dict[str, int]:
    """The library's counters, by their names."""
    statistics = c.ptpmon_statistics()
    handle.call("ptpmon_monitor_statistics", ctypes.byref(statistics))
    return counters(statistics)


class PtpMonitor(EventSource):
    """
    Tells when each PTP frame passes an interface.

        with PtpMonitor("eth0") as monitor:
            for event in monitor.read_events(timeout=10):
                print(event)

    The interface is that of the calling thread's network namespace. Needs the rights that `ptpmon watch` needs (Linux:
    CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON; to capture, CAP_NET_RAW); raises PermissionDenied without them.

    A monitor that nobody refers to any more is closed. Threads take turns at it: another may call disable() or
    get_statistics() while one reads. It must not be used in a child of os.fork().
    """

    def __init__(self, interface_name: str, *, ring_bytes: int = 0, tracing: bool = True,
                 hw_stamps: bool = False) -> None:
        """Opens the interface; nothing is attached to it yet.

        ring_bytes: size of the ring, a power of two; 0 = 1 MiB. A record takes 72 bytes.
        tracing: False = Linux: without kernel tracing; then there are neither TX stamps nor TX queues.
        hw_stamps: switches the card's stamping on with enable(), and back with disable().
        """
        flags = (0 if tracing else c.NO_TRACING) | (c.HW_STAMPS if hw_stamps else 0)
        if not 0 <= ring_bytes < 1 << 32:
            raise InvalidUse(f"ring_bytes={ring_bytes}: give a power of two, or 0")
        options = c.ptpmon_monitor_options(ring_bytes=ring_bytes, flags=flags)
        self.interface_name = interface_name
        loaded = library()
        opened = loaded.open("ptpmon_monitor_open", interface_name.encode(), ctypes.byref(options))
        handle = MonitorHandle(loaded, opened)
        self._open_handle: Optional[MonitorHandle] = handle
        # Also at exit, since what hw_stamps switched on must be switched back.
        self._finalizer = weakref.finalize(self, handle.disable)

    @property
    def _handle(self) -> MonitorHandle:
        if self._open_handle is None:
            raise InvalidUse(f"{self.interface_name}: the monitor is closed; make a new PtpMonitor")
        return self._open_handle

    # ---- Life ----

    def enable(self) -> None:
        """Frames that pass after this are seen. After disable() it starts afresh: what was not read is gone."""
        self._handle.enable()

    def record(self, path: "Union[str, os.PathLike[str]]") -> None:
        """From the next enable() on, writes all that read_events() or a correlation reads to this file, which Recording
        reads; while enabled: from now on, in place of the file so far. An existing file is replaced."""
        self._handle.call("ptpmon_monitor_record", bytes_of(path))

    def disable(self) -> None:
        """Detaches everything; what lies in the ring can still be read."""
        self._handle.disable()

    def close(self) -> None:
        """Disables, and frees the ring as soon as no array of read_batch() is in use any more."""
        if self._open_handle is not None:
            self._finalizer()
            self._open_handle = None

    def __enter__(self) -> "PtpMonitor":
        if not self.enabled:
            self.enable()
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._open_handle is None else "enabled" if self.enabled else "disabled"
        return f"<PtpMonitor {self.interface_name}, {state}>"

    # ---- State ----

    @property
    def enabled(self) -> bool:
        """Whether frames are seen."""
        return self._open_handle is not None and self._open_handle.enabled

    @property
    def info(self) -> MonitorInfo:
        """Where the monitor gets things from."""
        return _info_of(self._handle)

    def get_statistics(self) -> Dict[str, int]:
        """Counters since enable().

        events_emitted = frames_emitted + stamps_emitted, events_dropped likewise: records put into the ring, or dropped
        because it was full. buffer_size: of the ring, in records. For frames, and for late TX stamps, seen = emitted +
        dropped once the monitor is disabled. ptp_v1, other_version, truncated, bad_length, tx_unreadable: frames passed
        over. hw_stamp_not_a_time, hw_stamp_of_other_device: stamps refused. stamps_joined, stamps_missing,
        stamps_orphaned, stamps_ambiguous: what read_events() made of late stamps.
        """
        return statistics_of(self._handle)

    # ---- Events ----

    def wait(self, timeout: float) -> bool:
        """Waits until there is something to read, at most `timeout` seconds; a signal ends it early.

        A record may be up to 25 ms old when this returns.
        """
        return self._handle.wait(min(round(timeout * 1000), 0x7FFFFFFF)) == c.OK

    def read_records(self, timeout: Optional[float] = None) -> Iterator[Record]:
        """Yields events, readings of the clocks (ClocksReading; at enable(), every second, at disable()) and losses
        (Loss), in the order in which they came. timeout: as for read_events()."""
        handle = self._handle
        if not handle.ran:
            raise InvalidUse(f"{self.interface_name}: the monitor was never enabled; call enable() before reading")
        return self._records_of(handle, timeout)

    def _records_of(self, handle: MonitorHandle, timeout: Optional[float]) -> Iterator[Record]:
        """A method, so that this object lives as long as the iteration."""
        yield from handle.read(timeout)

    def correlate_with_npcap(self, npcap_capture: Any, *, timeout: Optional[float] = None, window: float = 1.0,
                             max_offset: float = 60.0, other_clock: bool = False) -> Correlation:
        """Yields CorrelatedEvent: each event with its captured frame, and what has no counterpart with the reason.

        npcap_capture is one of

        - the name of an interface, normally this one: it is captured, then the monitor is enabled if it is not;
        - a capture file: a str that is no interface's name, or a path object. The monitor is disabled, and the events
          that it holds meet the file's frames;
        - packets of scapy or pyshark: a list, or anything that can be iterated over, also while it captures. The monitor
          is enabled if it never was; where the packets end, it is disabled. While the iterable waits for a packet, this
          does, too. Packets of another interface are passed over.

        timeout: seconds after which monitor and capture are stopped; None = see Correlation.
        window: seconds, at most 30, within which equal keys may belong together.
        max_offset, other_clock: have a meaning with recordings only; see Recording.correlate_with_npcap().

        The events go to the correlation now: do not use read_events() beside it.
        """
        handle = self._handle
        capture = capture_of(npcap_capture, self.interface_name, is_live=True)
        return start_correlation(handle, capture, timeout, window, max_offset, other_clock, owner=self)

    # ---- Records in place ----

    def read_batch(self) -> "npt.NDArray[np.void]":
        """What lies in the ring, in place: a read-only NumPy array of EVENT_DTYPE, without a copy; it may be empty.

        These are records: events, CLOCKS and LOSS are not among them (the library makes them for read_events()), and a
        late TX stamp is a record of its own (stamp & 8). Valid until release() or the next read_batch(): then the ring
        may overwrite it. Copy what you need for longer. The memory stays mapped for as long as any array on it exists,
        even after close(). Use either this or read_events().
        """
        from ._batch import array_of

        handle = self._handle
        return array_of(handle, handle.peek())

    def release(self) -> None:
        """Gives the records of the last batch back to the ring."""
        self._handle.release()
