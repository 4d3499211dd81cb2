# SPDX-License-Identifier: MIT
"""A monitor of the library, and who may touch it when."""
import collections
import ctypes
import threading
import time
import weakref
from types import TracebackType
from typing import Deque, Iterator, Optional, Type

from . import _structures as c
from ._library import Library
from .event import Record, records_in

_EVENTS_AT_ONCE = 256
_WAIT_MS = 50  # at most, so that other threads get their turn and a deadline is kept


class Turn:
    """A lock under which threads take turns: who releases it and wants it again queues up behind those who wait.

    The thread whose turn it is may enter again, also in a signal handler.
    """

    def __init__(self) -> None:
        self._queue = threading.RLock()
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        if self._lock._is_owned():  # type: ignore[attr-defined]
            self._lock.acquire()
        else:
            with self._queue:
                self._lock.acquire()

    def __exit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self._lock.release()


class MonitorHandle:
    """Owns a ptpmon_monitor: it is closed when the last reference to this object is gone.

    Whatever uses the monitor's memory, arrays on its ring among others, refers to this object.
    """

    def __init__(self, library: Library, pointer: ctypes.c_void_p) -> None:
        self.library = library
        self.pointer = pointer
        self.turn = Turn()
        self.enabled = self.ran = False
        self.lent = 0  # records of the last batch that are not released yet
        self._buffer = ctypes.create_string_buffer(_EVENTS_AT_ONCE * c.RECORD_BYTES)
        self._queue: Deque[Record] = collections.deque()
        # At exit the process takes its memory along; somebody may still look at it until then.
        weakref.finalize(self, library.call, "ptpmon_monitor_close", pointer).atexit = False

    def call(self, name: str, *arguments: object) -> int:
        """Calls a function of the library with this monitor as first argument; returns OK, END or NOTHING."""
        with self.turn:
            return self.library.status(name, self.pointer, *arguments)

    def enable(self) -> None:
        with self.turn:
            self.call("ptpmon_monitor_enable")
            self.enabled = self.ran = True
            self.lent = 0
            self._queue.clear()

    def disable(self) -> None:
        with self.turn:
            self.enabled = False
            self.call("ptpmon_monitor_disable")

    # ---- The records door ----

    def peek(self) -> c.ptpmon_batch:
        batch = c.ptpmon_batch()
        with self.turn:
            self.release()
            self.call("ptpmon_records_peek", ctypes.byref(batch))
            self.lent = batch.count
        return batch

    def release(self) -> None:
        with self.turn:
            if self.lent > 0:
                lent, self.lent = self.lent, 0
                self.call("ptpmon_records_release", lent)

    # ---- The events door ----

    def _fill(self) -> int:
        """Reads events into the queue, if it is empty; END: nothing more will come."""
        count = ctypes.c_size_t()
        with self.turn:
            if self._queue:
                return c.OK
            self.release()
            status = self.call("ptpmon_events_read", self._buffer, _EVENTS_AT_ONCE, ctypes.byref(count))
            self._queue.extend(records_in(memoryview(self._buffer).cast("B"), count.value))
        return status if status != c.OK or self._queue else c.NOTHING

    def _taken(self) -> Iterator[Record]:
        try:
            while True:
                yield self._queue.popleft()
        except IndexError:
            return

    def _event_time(self) -> int:
        now = c.PTP_CLOCKS_RECORD()
        self.library.status("ptpmon_clocks_now", ctypes.byref(now))
        return int(now.system_timestamp)

    def read(self, timeout: Optional[float]) -> Iterator[Record]:
        """What passes the events door, until the monitor is disabled and drained, or for `timeout` seconds.

        What was read and not taken by the caller comes first in the next call.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        until = None  # event time at the deadline: what lay in the ring then is still given
        while True:
            status = self._fill()
            last = 0
            for record in self._taken():
                last = record.system_timestamp
                yield record
            if status == c.END or (until is not None and (status == c.NOTHING or last > until)):
                return
            remaining = None if deadline is None else deadline - time.monotonic()
            if remaining is not None and remaining <= 0:
                until = self._event_time()
            elif status == c.NOTHING:
                self.wait(_WAIT_MS if remaining is None else min(_WAIT_MS, int(remaining * 1000) + 1))

    def wait(self, timeout_ms: int) -> int:
        """Waits until records can be read: OK, NOTHING (timeout or signal), END (disabled and empty)."""
        return self.call("ptpmon_monitor_wait", timeout_ms)
