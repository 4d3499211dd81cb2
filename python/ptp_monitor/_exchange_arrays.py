# SPDX-License-Identifier: MIT
"""Exchanges as NumPy arrays: from how the library writes them to columns with names."""
import ctypes
from typing import TYPE_CHECKING, Any, Dict, List, Sequence, Tuple

from . import _analysis_structures as a
from ._library import Library
from ._optional import require
from ._words import port_identity

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[Any]
else:
    np = require("numpy", "ptp_monitor.analysis")

#: An integer column holds this where its value is not known.
NOT_KNOWN = -(1 << 63)

_AT_ONCE = 4096
_RAW: "np.dtype[Any]" = np.dtype(a.ptpmon_exchange)  # as the library writes it

_STAMPS = [f"{whose}t{number}" for whose in ("", "own_") for number in (1, 2, 3, 4)]
_COPIED = ("point", "segment", "two_step", "domainNumber", "messageType", "sdoId", "sequenceId", "syncSequenceId",
           "logMessageInterval", "frame_number", "correction_sync", "correction_follow_up", "correction_request",
           "correction_response", "correction_response_follow_up", "known")
#: Columns that have the names of docs/json.md -> their fields.
_RENAMED = {"time_ns": "realtime_ns", "system_timestamp_ns": "event_time"}
_PORTS = {"sourcePortIdentity": "source", "requestingPortIdentity": "requesting"}
#: Column -> its field, and the flag that says whether it is known.
_TIMES = {"masterToSlave": ("masterToSlave", a.KNOWS_MASTER_TO_SLAVE),
          "slaveToMaster": ("slaveToMaster", a.KNOWS_SLAVE_TO_MASTER),
          "delay": ("delay", a.KNOWS_DELAY),
          "delay_filtered": ("delay_filtered", a.KNOWS_DELAY_FILTERED),
          "offsetFromMaster": ("offsetFromMaster", a.KNOWS_OFFSET),
          "offsetFromMaster_filtered": ("offset_filtered", a.KNOWS_OFFSET_FILTERED),
          "turnaround": ("turnaround", a.KNOWS_TURNAROUND),
          "transmitterError": ("transmitter_error", a.KNOWS_TRANSMITTER_ERROR),
          "receiverError": ("receiver_error", a.KNOWS_RECEIVER_ERROR),
          "residenceTime": ("residence", a.KNOWS_RESIDENCE),
          "correctionError": ("correction_error", a.KNOWS_CORRECTION_ERROR)}
_RATIOS = {"neighborRateRatio": a.KNOWS_NEIGHBOR_RATE_RATIO, "rateRatio": a.KNOWS_RATE_RATIO}
#: Of these the exact value stands beside the float: whole ns, rounded down, and 2^-16 ns.
_EXACT = ("masterToSlave", "slaveToMaster", "delay", "offsetFromMaster", "offsetFromMaster_filtered")
FAR_NS = 10_000_000_000  # values that begin beyond this are told from where they begin, as the library's series are

EXCHANGE_DTYPE: "np.dtype[np.void]" = np.dtype(
    [(name, object) for name in ("kind", "reason", "end", *_PORTS, "stamps")]
    + [(name, _RAW[name]) for name in _COPIED]
    + [(name, _RAW[field]) for name, field in _RENAMED.items()]
    + [(name, np.int64) for name in _STAMPS]
    + [(f"{name}_kind", object) for name in _STAMPS]
    + [(f"{name}_ns", np.float64) for name in (*_TIMES, "delay_age")]
    + [(name, np.float64) for name in _RATIOS]
    + [(name, kind) for column in _EXACT for name, kind in ((column, np.int64), (f"{column}_fraction", np.uint16))])


def _words_of(names: Sequence[str], values: "Array") -> "Array":
    words: "Array" = np.array(names, dtype=object)[values]
    return words


def _stamps_of(stamps: "Array") -> "Array":
    """The kind of an exchange's local times: all of its known ones are of one kind."""
    kinds = stamps["kind"]
    local: "Array" = np.where(kinds > a.EXCHANGE_STAMPS.index("message"), kinds, 0).max(axis=1)
    return local


def without_base(rows: "Array", column: str) -> "Tuple[Array, int]":
    """A column of floats, all of it known, and what was taken from it: 0, but for values of clocks that nobody set, of
    which a float would not hold single ns."""
    values: "Array" = rows[column]
    exact = column[:-len("_ns")]
    if not values.size or exact not in _EXACT or abs(values[0]) <= FAR_NS:
        return values, 0
    base = int(rows[exact][0])
    return (rows[exact] - base) + rows[f"{exact}_fraction"] / 65536.0, base


class _PortNames:
    """Names of ports, each made once."""

    def __init__(self) -> None:
        self._names: Dict[bytes, str] = {bytes(10): ""}

    def of(self, ports: "Array") -> "Array":
        identities = np.zeros((ports.size, 10), dtype=np.uint8)
        identities[:, :8] = ports["clockIdentity"]
        identities[:, 8], identities[:, 9] = ports["portNumber"] >> 8, ports["portNumber"] & 0xFF
        different, which = np.unique(identities.view("V10").ravel(), return_inverse=True)
        names: "Array" = np.array([self._name(port.tobytes()) for port in different], dtype=object)
        return names[which]

    def _name(self, identity: bytes) -> str:
        if identity not in self._names:
            self._names[identity] = port_identity(identity[:8], int.from_bytes(identity[8:], "big"))
        return self._names[identity]


def _fill_times(table: "Array", raw: "Array") -> None:
    known = raw["known"]
    for column, (field, flag) in _TIMES.items():
        value = raw[field]
        table[f"{column}_ns"] = np.where(known & flag, value["ns"] + value["fraction"] / 65536.0, np.nan)
    for column, flag in _RATIOS.items():
        table[column] = np.where(known & flag, raw[column], np.nan)
    table["delay_age_ns"] = np.where(known & a.KNOWS_DELAY, raw["delay_age_ns"].astype(np.float64), np.nan)
    for column in _EXACT:
        field, flag = _TIMES[column]
        table[column] = np.where(known & flag, raw[field]["ns"], NOT_KNOWN)
        table[f"{column}_fraction"] = np.where(known & flag, raw[field]["fraction"], 0)


def _table_of(raw: "Array", ports: _PortNames) -> "Array":
    table: "Array" = np.empty(raw.size, dtype=EXCHANGE_DTYPE)
    for column, names in (("kind", a.EXCHANGE_KINDS), ("reason", a.EXCHANGE_REASONS), ("end", a.ENDS)):
        table[column] = _words_of(names, raw[column])
    for column in _COPIED:
        table[column] = raw[column]
    for column, field in _RENAMED.items():
        table[column] = raw[field]
    for column, field in _PORTS.items():
        table[column] = ports.of(raw[field])
    table["stamps"] = _words_of(a.EXCHANGE_STAMPS, np.maximum(_stamps_of(raw["t"]), _stamps_of(raw["own"])))
    stamps = np.concatenate([raw["t"], raw["own"]], axis=1)
    for index, column in enumerate(_STAMPS):
        kinds = stamps["kind"][:, index]
        table[column] = np.where(kinds != 0, stamps["ns"][:, index], NOT_KNOWN)
        table[f"{column}_kind"] = _words_of(a.EXCHANGE_STAMPS, kinds)
    _fill_times(table, raw)
    return table


class ExchangeReader:
    """Takes exchanges from an analyzer, many at once."""

    def __init__(self, library: Library, analyzer: ctypes.c_void_p) -> None:
        self._library = library
        self._analyzer = analyzer
        self._raw: "Array" = np.empty(_AT_ONCE, dtype=_RAW)
        self._ports = _PortNames()
        self._tables: List["Array"] = []

    def fetch(self) -> None:
        """Takes all that are decided."""
        count = ctypes.c_size_t(_AT_ONCE)
        while count.value == _AT_ONCE:
            self._library.status("ptpmon_analyzer_next_exchanges", self._analyzer, self._raw.ctypes.data, _AT_ONCE,
                                 ctypes.byref(count))
            if count.value:
                self._tables.append(_table_of(self._raw[:count.value], self._ports))

    def take(self) -> "Array":
        """Those fetched since the last take()."""
        tables, self._tables = self._tables, []
        return np.concatenate(tables) if tables else np.empty(0, dtype=EXCHANGE_DTYPE)
