# SPDX-License-Identifier: MIT
"""
NumPy arrays of records, and of what a correlation found.

EVENT_DTYPE, CLOCKS_DTYPE and LOSS_DTYPE name the fields of PTP_TIMESTAMP_EVENT, PTP_CLOCKS_RECORD and PTP_LOSS_RECORD
(include/avb/avb_ptp_events.h). All three have 64 bytes, and `direction` lies at the same place in all: an array of
mixed records has EVENT_DTYPE, and is told apart by `direction`.
"""
from typing import TYPE_CHECKING, Any, Dict, Iterable, List

from . import _structures as c
from ._optional import require

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from .correlation import CorrelatedEvent
else:
    np = require("numpy", "ptp_monitor.arrays")


def _dtype(structure: Any) -> "np.dtype[np.void]":
    """Names, types and places as in the C structure."""
    dtype: "np.dtype[np.void]" = np.dtype(structure)
    return dtype


#: A frame's record, or any record.
EVENT_DTYPE: "np.dtype[np.void]" = _dtype(c.PTP_TIMESTAMP_EVENT)
#: A reading of the clocks.
CLOCKS_DTYPE: "np.dtype[np.void]" = _dtype(c.PTP_CLOCKS_RECORD)
#: Records that were dropped.
LOSS_DTYPE: "np.dtype[np.void]" = _dtype(c.PTP_LOSS_RECORD)


def mapped_records(path: str, first: int, count: int) -> "npt.NDArray[np.void]":
    """`count` records of a file from byte `first` on (EVENT_DTYPE), mapped, read-only."""
    if count == 0:  # nothing cannot be mapped
        return np.empty(0, EVENT_DTYPE)
    return np.memmap(path, EVENT_DTYPE, "r", first, (count,))


def _chosen(records: "npt.NDArray[np.void]", mask: "npt.NDArray[np.bool_]") -> "npt.NDArray[np.void]":
    chosen: "npt.NDArray[np.void]" = np.asarray(records)[mask]
    return chosen


def events_array(records: "npt.NDArray[np.void]") -> "npt.NDArray[np.void]":
    """The records of frames (EVENT_DTYPE, a copy), without the records that carry the stamp of an earlier one.

    Times: hw_timestamp_ns in ns of the NIC's clock, 0 = none; system_timestamp on the clock of events (Linux:
    CLOCK_MONOTONIC, ns); software_timestamp on the system clock (Linux: UTC, ns since 1970), 0 = none.
    """
    of_frames = records["direction"] <= c.DIRECTION_TX
    late = (records["stamp"] & c.STAMP_LATE) != 0
    return _chosen(records, of_frames & ~late)


def clocks_array(records: "npt.NDArray[np.void]") -> "npt.NDArray[np.void]":
    """The readings of the clocks (CLOCKS_DTYPE, a copy): hw_timestamp_ns (0 = no PHC), system_timestamp, realtime_ns."""
    return _chosen(records, records["direction"] == c.DIRECTION_CLOCKS).view(CLOCKS_DTYPE)


def losses_array(records: "npt.NDArray[np.void]") -> "npt.NDArray[np.void]":
    """The losses (LOSS_DTYPE, a copy): frames_dropped and stamps_dropped between `since` and `system_timestamp`."""
    return _chosen(records, records["direction"] == c.DIRECTION_LOSS).view(LOSS_DTYPE)


def collect(correlated: "Iterable[CorrelatedEvent]") -> "Dict[str, npt.NDArray[Any]]":
    """Runs a correlation to its end and gives its columns, each as one array, all of the same length.

    ======================= ======= ==========================================================================
    time_ns                 int64   UTC when the driver side saw the frame, ns since 1970; 0 = not known
    outcome, reason         str     "matched", ...; "by_software_time", ...
    has_event, has_frame    bool
    direction               uint8   0 RX, 1 TX, 255 not known
    messageType             uint8
    sequenceId              uint16
    domainNumber            uint8
    sourcePortIdentity      str     as linuxptp writes it
    system_timestamp        uint64  of the event; 0 without event
    hw_timestamp_ns         uint64  of the event; 0 = none
    software_timestamp      uint64  of the event; 0 = none
    stamp                   uint8   of the event; 0 without event
    frame_time_ns           int64   capture time, ns since 1970; 0 without frame
    latency_NAME            float64 ns, NaN = not known; NAME: rx_driver, nic_to_host, tx_software, tx_hardware
    latency_NAME_bound      float64 +- ns, likewise
    ======================= ======= ==========================================================================
    """
    types: Dict[str, Any] = {
        "time_ns": np.int64, "outcome": "U20", "reason": "U20", "has_event": np.bool_, "has_frame": np.bool_,
        "direction": np.uint8, "messageType": np.uint8, "sequenceId": np.uint16, "domainNumber": np.uint8,
        "sourcePortIdentity": "U24", "system_timestamp": np.uint64, "hw_timestamp_ns": np.uint64,
        "software_timestamp": np.uint64, "stamp": np.uint8, "frame_time_ns": np.int64,
    }
    for name in c.LATENCIES:
        types[f"latency_{name}"] = types[f"latency_{name}_bound"] = np.float64
    rows = [_row(one) for one in correlated]
    columns: List[Any] = list(zip(*rows)) if rows else [() for _ in types]
    return {name: np.array(column, dtype=kind) for (name, kind), column in zip(types.items(), columns)}


def _row(one: "CorrelatedEvent") -> "List[Any]":
    """In the order of collect()'s columns."""
    event, frame, message = one.event, one.frame, one.message
    row: List[Any] = [
        one.realtime_ns or 0, one.outcome, one.reason, event is not None, frame is not None,
        message.direction, message.messageType, message.sequenceId, message.domainNumber, message.sourcePortIdentity,
    ]
    row += [event.system_timestamp, event.hw_timestamp_ns, event.software_timestamp, event.stamp] if event else [0] * 4
    row.append(frame.time_ns if frame else 0)
    for latency in one.latencies:
        row += [latency.ns, latency.bound] if latency else [np.nan, np.nan]
    return row
