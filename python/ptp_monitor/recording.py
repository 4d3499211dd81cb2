# SPDX-License-Identifier: MIT
"""Recorded events: NAME.events, as `ptpmon record` writes it."""
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, Iterator, Optional, Union

from . import _structures as c
from ._handle import MonitorHandle
from ._library import bytes_of, library, text_of
from ._source import EventSource
from .correlation import Correlation, capture_of, start_correlation
from .event import Record
from .monitor import statistics_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_CLOCKS = {c.CLOCK_NONE: "none", c.CLOCK_MONOTONIC: "monotonic", c.CLOCK_QPC: "qpc", c.CLOCK_REALTIME: "realtime",
           c.CLOCK_PHC: "phc"}


@dataclass(frozen=True)
class RecordingHeader:
    """What a recording says of itself (PTP_RECORDING_HEADER). "" = not known."""

    format_version: int
    abi_version: int
    tool_version: str  #: of what wrote the file
    host: str
    boot_id: str  #: tells one run of the host's clocks from another
    interface_name: str
    interface_guid: str  #: Windows
    mac: bytes  #: of the interface, 6 bytes
    stamping: int  #: PTPMON_CAN_... and PTPMON_ON_... of ptpmon.h, when the recording began
    phc_index: Optional[int]  #: /dev/ptpN; None = no clock of its own
    system_clock_hz: int  #: ticks of system_timestamp per second
    hw_clock: str  #: of hw_timestamp_ns: "none", "phc"
    system_clock: str  #: of system_timestamp: "monotonic", "qpc"
    software_clock: str  #: of software_timestamp: "realtime", "qpc", "none"


def _header_of(header: c.PTP_RECORDING_HEADER) -> RecordingHeader:
    return RecordingHeader(
        format_version=header.format_version, abi_version=header.abi_version, tool_version=text_of(header.tool_version),
        host=text_of(header.host), boot_id=text_of(header.boot_id), interface_name=text_of(header.interface_name),
        interface_guid=text_of(header.interface_guid), mac=bytes(header.mac), stamping=header.stamping,
        phc_index=header.phc_index if header.phc_index >= 0 else None, system_clock_hz=header.system_clock_hz,
        hw_clock=_CLOCKS.get(header.hw_clock, "unknown"), system_clock=_CLOCKS.get(header.system_clock, "unknown"),
        software_clock=_CLOCKS.get(header.software_clock, "unknown"))


def open_recording(path: "Union[str, os.PathLike[str]]") -> MonitorHandle:
    """A recording at its beginning."""
    loaded = library()
    handle = MonitorHandle(loaded, loaded.open("ptpmon_monitor_open_recording", bytes_of(path)))
    handle.enable()
    return handle


class Recording(EventSource):
    """
    A file of recorded events.

        recording = Recording("eth0.events")
        print(recording.header.host, len(recording))
        for event in recording.read_events():
            print(event)

    Every iteration begins at the start, and any number may go on at once. A file that is cut off is good up to its last
    whole record.
    """

    def __init__(self, path: "Union[str, os.PathLike[str]]") -> None:
        """Reads the header. Raises BadFile where it is not a recording of this version."""
        self.path = os.fspath(path)
        handle = self._open()
        found = handle.library.call("ptpmon_monitor_recording_header", handle.pointer)
        self.header = _header_of(found.contents)  #: what the recording says of itself
        self._first = int(found.contents.header_bytes)
        self._count = (os.path.getsize(self.path) - self._first) // c.RECORD_BYTES

    def _open(self) -> MonitorHandle:
        return open_recording(self.path)

    def __len__(self) -> int:
        """The number of whole records, of all kinds, when the file was opened."""
        return self._count

    def __repr__(self) -> str:
        return f"<Recording {self.path}: {len(self)} records of {self.header.interface_name} on {self.header.host}>"

    # ---- Events ----

    def read_records(self, timeout: Optional[float] = None) -> Iterator[Record]:
        """Yields events (late TX stamps joined), readings of the clocks (ClocksReading) and losses (Loss), in the order
        in which they came. timeout: seconds; None = to the end."""
        return self._open().read(timeout)

    def correlate_with_npcap(self, npcap_capture: Any, *, timeout: Optional[float] = None, window: float = 1.0,
                             max_offset: float = 60.0, other_clock: bool = False) -> Correlation:
        """Yields CorrelatedEvent: each event with its captured frame, and what has no counterpart with the reason.

        npcap_capture is a capture file (str or path object: pcap or pcapng, us or ns), or packets of scapy or pyshark: a
        list, or anything that can be iterated over. Packets of another interface are passed over. The result is that of
        the live run.

        timeout: seconds after which no more packets are taken.
        window: seconds, at most 30, within which equal keys may belong together.
        max_offset: capture files: seconds that the clock of the capture and the system clock may be apart.
        other_clock: capture files: the capture was stamped by a clock of its own (adapter stamps, a tap). The times of
        packets given one by one are taken for those of the system clock.

        Raises BadFile where the capture does not belong to the events, with the reason.
        """
        capture = capture_of(npcap_capture, self.header.interface_name, is_live=False)
        return start_correlation(self._open(), capture, timeout, window, max_offset, other_clock, owner=self)

    def get_statistics(self) -> Dict[str, int]:
        """The counters of PtpMonitor.get_statistics(), as far as the recording tells them."""
        handle = self._open()
        for _ in handle.read(None):
            pass
        return statistics_of(handle)

    # ---- Arrays ----

    @property
    def records(self) -> "npt.NDArray[np.void]":
        """All records as they are in the file (EVENT_DTYPE), mapped, read-only, without a copy.

        Late TX stamps are records of their own here. The file must not be cut short while the array is in use.
        """
        from .arrays import mapped_records

        return mapped_records(self.path, self._first, self._count)

    @property
    def events(self) -> "npt.NDArray[np.void]":
        """The records of frames (EVENT_DTYPE, a copy), late stamps not joined: see arrays.events_array()."""
        from .arrays import events_array

        return events_array(self.records)

    @property
    def clocks(self) -> "npt.NDArray[np.void]":
        """The readings of the clocks (CLOCKS_DTYPE, a copy): see arrays.clocks_array()."""
        from .arrays import clocks_array

        return clocks_array(self.records)

    @property
    def losses(self) -> "npt.NDArray[np.void]":
        """The losses (LOSS_DTYPE, a copy): see arrays.losses_array()."""
        from .arrays import losses_array

        return losses_array(self.records)
