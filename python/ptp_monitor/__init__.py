# SPDX-License-Identifier: MIT
"""
When each PTP frame passed the network card, joined with the frame itself.

    from ptp_monitor import PtpMonitor

    monitor = PtpMonitor("eth0")
    for pair in monitor.correlate_with_npcap("eth0", timeout=10):
        print(pair)

PtpMonitor reads an interface, Recording a file of recorded events. ptp_monitor.arrays has their records as NumPy arrays,
ptp_monitor.plot draws them. Times are integers in ns; ptp_monitor.event says on which clocks.
"""
from typing import TYPE_CHECKING, Any

from ._version import __version__
from .correlation import Alignment, CorrelatedEvent, Correlation, Latencies, Latency, PtpFrame
from .errors import (BadFile, Busy, InterfaceNotFound, InvalidUse, LibraryNotFound, NotSupported, OutOfMemory,
                     PermissionDenied, PtpMonitorError, SystemFailure)
from .event import ClocksReading, Loss, PtpTimestampEvent, Record
from .interfaces import Interface, interfaces
from .monitor import MonitorInfo, PtpMonitor
from .recording import Recording, RecordingHeader

if TYPE_CHECKING:
    from .arrays import CLOCKS_DTYPE, EVENT_DTYPE, LOSS_DTYPE, collect

__all__ = [
    "Alignment", "BadFile", "Busy", "CLOCKS_DTYPE", "ClocksReading", "CorrelatedEvent", "Correlation", "EVENT_DTYPE",
    "Interface", "InterfaceNotFound", "InvalidUse", "LOSS_DTYPE", "Latencies", "Latency", "LibraryNotFound", "Loss",
    "MonitorInfo", "NotSupported", "OutOfMemory", "PermissionDenied", "PtpFrame", "PtpMonitor", "PtpMonitorError",
    "PtpTimestampEvent", "Record", "Recording", "RecordingHeader", "SystemFailure", "__version__", "collect",
    "interfaces",
]

_NEED_NUMPY = ("CLOCKS_DTYPE", "EVENT_DTYPE", "LOSS_DTYPE", "collect")


def __getattr__(name: str) -> Any:
    if name in _NEED_NUMPY:
        from . import arrays

        return getattr(arrays, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
