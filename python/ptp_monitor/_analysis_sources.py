# SPDX-License-Identifier: MIT
"""What recorded observation points tell an analyzer: one observation after the other, the points in turn."""
import ctypes
import heapq
import os
import weakref
from typing import Callable, Dict, Iterable, Optional, Union

from . import _structures as c
from ._library import bytes_of, library, text_of
from .correlation import close_observer
from .recording import open_recording

Path = Union[str, "os.PathLike[str]"]


class Source:
    """The observations of a recorded point; of a capture alone those of each of its interfaces."""

    time_ns = -1 << 63  # UTC of the observation that is to be told, so far as is known

    def advance(self) -> bool:
        """Reads the next observation; False: there is none."""
        raise NotImplementedError

    def tell(self) -> None:
        """Gives it to the analyzer."""
        raise NotImplementedError


#: Readings of the clocks may come by so much ahead of the messages of their time.
_READ_AHEAD_NS = 60 * 10**9


class ObservedSource(Source):
    """Recorded events, with the frames of a capture or without."""

    def __init__(self, events: Path, capture: Optional[Path], options: c.ptpmon_observer_options,
                 observe: Callable[[c.ptpmon_observation], None]) -> None:
        self._library = library()
        self._observe = observe
        self._observation = c.ptpmon_observation()
        self._reference = ctypes.byref(self._observation)
        monitor = open_recording(events)
        header = self._library.call("ptpmon_monitor_recording_header", monitor.pointer)
        self.interface_name = text_of(header.contents.interface_name)
        frames = None
        if capture is not None:
            frames = self._library.open("ptpmon_capture_open_file", bytes_of(capture))
        try:
            self._observer = self._library.open("ptpmon_observer_open", monitor.pointer, frames, ctypes.byref(options))
        except BaseException:
            self._library.call("ptpmon_capture_close", frames)
            raise
        weakref.finalize(self, close_observer, self._library, self._observer, frames, monitor).atexit = False

    def advance(self) -> bool:
        observation = self._observation
        status = c.NOTHING
        while status == c.NOTHING:
            status = self._library.status("ptpmon_observer_next", self._observer, 0, self._reference)
        if status == c.END:
            return False
        if observation.kind == c.OBSERVED_MESSAGE:
            if observation.has_realtime:
                self.time_ns = observation.realtime_ns
        elif observation.kind == c.OBSERVED_CLOCKS:
            self.time_ns = max(self.time_ns, observation.clocks.realtime_ns - _READ_AHEAD_NS)
        return True

    def tell(self) -> None:
        self._observe(self._observation)


class CapturedSource(Source):
    """A capture without events: each of its interfaces is a point."""

    def __init__(self, capture: Path, name: str, add_point: Callable[[str], int],
                 take_frame: Callable[[int, c.ptpmon_frame], None]) -> None:
        self._library = library()
        self._take_frame = take_frame
        self._add_point = add_point
        self._name, self._file_name = name, os.path.basename(os.fspath(capture))
        self._points: Dict[int, int] = {}
        self._frame = c.ptpmon_frame()
        self._reference = ctypes.byref(self._frame)
        self._capture = self._library.open("ptpmon_capture_open_file", bytes_of(capture))
        weakref.finalize(self, self._library.call, "ptpmon_capture_close", self._capture).atexit = False
        if self._library.call("ptpmon_capture_interface_count", self._capture) == 1:
            self._point_of(0)  # also if it captured nothing

    def advance(self) -> bool:
        if self._library.status("ptpmon_capture_next", self._capture, self._reference) != c.OK:
            return False
        self.time_ns = self._frame.time_ns
        return True

    def tell(self) -> None:
        self._take_frame(self._point_of(self._frame.interface), self._frame)

    def _point_of(self, interface: int) -> int:
        if interface not in self._points:
            self._points[interface] = self._add_point(self._point_name(interface))
        return self._points[interface]

    def _point_name(self, interface: int) -> str:
        about = c.ptpmon_capture_interface()
        self._library.status("ptpmon_capture_interface_get", self._capture, interface, ctypes.byref(about))
        unnamed = f", interface {interface}" if interface else ""
        return self._name or text_of(about.name) or f"{self._file_name}{unnamed}"


def tell_all(sources: Iterable[Source]) -> None:
    """Every observation of all sources, in order of time: none is ahead of the others by more than its own next one."""
    waiting = [source for source in sources if source.advance()]
    if len(waiting) == 1:
        source = waiting[0]
        source.tell()
        while source.advance():
            source.tell()
        return
    queue = [(source.time_ns, number, source) for number, source in enumerate(waiting)]
    heapq.heapify(queue)
    while queue:
        _, number, source = queue[0]
        source.tell()
        if source.advance():
            heapq.heapreplace(queue, (source.time_ns, number, source))
        else:
            heapq.heappop(queue)
