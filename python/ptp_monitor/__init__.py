# SPDX-License-Identifier: MIT
"""
When each PTP frame passed the network card, joined with the frame itself.

    from ptp_monitor import PtpMonitor

    monitor = PtpMonitor("eth0")
    for pair in monitor.correlate_with_npcap("eth0", timeout=10):
        print(pair)

PtpMonitor reads an interface, Recording a file of recorded events. ptp_monitor.arrays has their records as NumPy
arrays, ptp_monitor.plot draws them. ptp_monitor.analysis computes PTP exchanges from recordings and live,
ptp_monitor.time_error MTIE and TDEV, ptp_monitor.plot_analysis draws these. Times are integers in ns;
ptp_monitor.event says on which clocks.
"""
import importlib
from typing import TYPE_CHECKING, Any

from ._version import __version__
from .correlation import Alignment, CorrelatedEvent, Correlation, Latencies, Latency, PtpFrame
from .errors import (BadFile, Busy, InterfaceNotFound, InvalidUse, LibraryNotFound, NotSupported, OutOfMemory,
                     PermissionDenied, PtpMonitorError, SystemFailure)
from .event import ClocksReading, Loss, PtpTimestampEvent, Record
from .interfaces import Interface, interfaces
from .monitor import MonitorInfo, PtpMonitor
from .recording import Recording, RecordingHeader
from .simulation import SimulationResult, Truth, read_truth, simulate

if TYPE_CHECKING:
    from .analysis import Analysis, Analyzer, analyze
    from .arrays import CLOCKS_DTYPE, EVENT_DTYPE, LOSS_DTYPE, collect

__all__ = [
    "Alignment", "Analysis", "Analyzer", "BadFile", "Busy", "CLOCKS_DTYPE", "ClocksReading", "CorrelatedEvent",
    "Correlation", "EVENT_DTYPE", "Interface", "InterfaceNotFound", "InvalidUse", "LOSS_DTYPE", "Latencies", "Latency",
    "LibraryNotFound", "Loss", "MonitorInfo", "NotSupported", "OutOfMemory", "PermissionDenied", "PtpFrame",
    "PtpMonitor", "PtpMonitorError", "PtpTimestampEvent", "Record", "Recording", "RecordingHeader", "SimulationResult",
    "SystemFailure", "Truth", "__version__", "analyze", "collect", "interfaces", "read_truth", "simulate",
]

# Which modules of those that need NumPy have what.
_NEED_NUMPY = {"Analysis": "analysis", "Analyzer": "analysis", "analyze": "analysis", "CLOCKS_DTYPE": "arrays",
               "EVENT_DTYPE": "arrays", "LOSS_DTYPE": "arrays", "collect": "arrays"}


def __getattr__(name: str) -> Any:
    if name in _NEED_NUMPY:
        return getattr(importlib.import_module(f".{_NEED_NUMPY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
