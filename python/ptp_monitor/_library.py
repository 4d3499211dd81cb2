# SPDX-License-Identifier: MIT
"""Loads libptpmon and declares its functions. _search.py says where it is looked for."""
import ctypes
import functools
import os
import sys
from ctypes import POINTER, byref, c_char_p, c_double, c_int, c_int64, c_size_t, c_uint32, c_void_p
from typing import Any, Dict, Optional, Tuple, Union

from . import _analysis_structures as a
from . import _structures as c
from ._search import find_library, is_windows
from ._version import __version__ as VERSION
from .errors import LibraryNotFound, error_of

# LoadLibraryEx: what the DLL needs comes from the system's own directory.
_SEARCH_SYSTEM32 = 0x800
_NOT_FOR_THIS_PROCESSOR = 193  # ERROR_BAD_EXE_FORMAT

# Functions that return a status.
_CHECKED: Dict[str, Tuple[Any, ...]] = {
    "ptpmon_interfaces": (POINTER(POINTER(c.ptpmon_interface)), POINTER(c_size_t)),
    "ptpmon_monitor_open": (c_char_p, POINTER(c.ptpmon_monitor_options), POINTER(c_void_p)),
    "ptpmon_monitor_open_recording": (c_char_p, POINTER(c_void_p)),
    "ptpmon_monitor_record": (c_void_p, c_char_p),
    "ptpmon_monitor_enable": (c_void_p,),
    "ptpmon_monitor_disable": (c_void_p,),
    "ptpmon_monitor_info_get": (c_void_p, POINTER(c.ptpmon_monitor_info)),
    "ptpmon_monitor_statistics": (c_void_p, POINTER(c.ptpmon_statistics)),
    "ptpmon_monitor_wait": (c_void_p, c_int),
    "ptpmon_records_peek": (c_void_p, POINTER(c.ptpmon_batch)),
    "ptpmon_records_release": (c_void_p, c_size_t),
    "ptpmon_events_read": (c_void_p, c_void_p, c_size_t, POINTER(c_size_t)),
    "ptpmon_capture_open_live": (c_char_p, POINTER(c_void_p)),
    "ptpmon_capture_open_file": (c_char_p, POINTER(c_void_p)),
    "ptpmon_capture_open_given": (c_char_p, POINTER(c_void_p)),
    "ptpmon_capture_next": (c_void_p, POINTER(c.ptpmon_frame)),
    "ptpmon_capture_interface_get": (c_void_p, c_size_t, POINTER(c.ptpmon_capture_interface)),
    "ptpmon_capture_give": (c_void_p, POINTER(c.ptpmon_frame)),
    "ptpmon_observer_open": (c_void_p, c_void_p, POINTER(c.ptpmon_observer_options), POINTER(c_void_p)),
    "ptpmon_observer_next": (c_void_p, c_int, POINTER(c.ptpmon_observation)),
    "ptpmon_observer_stop": (c_void_p,),
    "ptpmon_clocks_now": (POINTER(c.PTP_CLOCKS_RECORD),),
    "ptpmon_analyzer_open": (POINTER(a.ptpmon_analyzer_options), POINTER(c_void_p)),
    "ptpmon_analyzer_add_point": (c_void_p, c_char_p, POINTER(c_uint32)),
    "ptpmon_analyzer_observe": (c_void_p, c_uint32, POINTER(c.ptpmon_observation)),
    "ptpmon_analyzer_frame": (c_void_p, c_uint32, POINTER(c.ptpmon_frame)),
    "ptpmon_analyzer_finish": (c_void_p,),
    "ptpmon_analyzer_next_exchanges": (c_void_p, c_void_p, c_size_t, POINTER(c_size_t)),
    "ptpmon_analyzer_next_finding": (c_void_p, POINTER(a.ptpmon_finding)),
    "ptpmon_analyzer_counts": (c_void_p, c_uint32, POINTER(a.ptpmon_analysis_counts)),
    "ptpmon_analyzer_series": (c_void_p, c_size_t, POINTER(a.ptpmon_series)),
    "ptpmon_analyzer_asymmetry": (c_void_p, c_size_t, POINTER(a.ptpmon_asymmetry)),
    "ptpmon_simulation_open": (POINTER(c_void_p),),
    "ptpmon_simulation_set": (c_void_p, c_char_p, c_char_p),
    "ptpmon_simulation_run": (c_void_p, c_char_p, c_void_p, c_void_p, POINTER(a.ptpmon_simulation_result)),
    "ptpmon_te_resample": (POINTER(c_int64), POINTER(c_double), c_size_t, c_int64, c_int64, POINTER(c_double), c_size_t,
                           POINTER(c_size_t), POINTER(c_size_t)),
    "ptpmon_te_mtie": (POINTER(c_double), c_size_t, POINTER(c_size_t), c_size_t, POINTER(c_double)),
    "ptpmon_te_tdev": (POINTER(c_double), c_size_t, POINTER(c_size_t), c_size_t, POINTER(c_double)),
    "ptpmon_te_low_pass": (POINTER(c_double), c_size_t, c_double, c_double, POINTER(c_double)),
    "ptpmon_te_summarize": (POINTER(c_double), c_size_t, c_double, POINTER(a.ptpmon_te_summary)),
    "ptpmon_te_limit": (c_char_p, c_int, c_double, POINTER(c_double)),
}

# All others: what they return, and what they take.
_OTHERS: Dict[str, Tuple[Any, Tuple[Any, ...]]] = {
    "ptpmon_version": (c_char_p, ()),
    "ptpmon_status_name": (c_char_p, (c_int,)),
    "ptpmon_error_message": (c_char_p, ()),
    "ptpmon_interfaces_free": (None, (POINTER(c.ptpmon_interface),)),
    "ptpmon_monitor_close": (None, (c_void_p,)),
    "ptpmon_monitor_recording_header": (POINTER(c.PTP_RECORDING_HEADER), (c_void_p,)),
    "ptpmon_capture_interface_count": (c_size_t, (c_void_p,)),
    "ptpmon_capture_close": (None, (c_void_p,)),
    "ptpmon_analyzer_close": (None, (c_void_p,)),
    "ptpmon_analyzer_series_count": (c_size_t, (c_void_p,)),
    "ptpmon_analyzer_asymmetry_count": (c_size_t, (c_void_p,)),
    "ptpmon_simulation_close": (None, (c_void_p,)),
    "ptpmon_simulation_setting_count": (c_size_t, ()),
    "ptpmon_simulation_setting_at": (POINTER(a.ptpmon_simulation_setting), (c_size_t,)),
    "ptpmon_observer_close": (None, (c_void_p,)),
    "ptpmon_observer_counts": (None, (c_void_p, POINTER(c.ptpmon_correlation))),
    "ptpmon_observer_alignment": (None, (c_void_p, POINTER(c.ptpmon_alignment))),
}


class Library:
    """The loaded library. Every call of a function that can fail raises its failure."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._dll = _load(path)
        self._check_version()
        for name, arguments in _CHECKED.items():
            self._declare(name, c_int, arguments)
        for name, (result, arguments) in _OTHERS.items():
            self._declare(name, result, arguments)

    def _function(self, name: str) -> Any:
        try:
            return getattr(self._dll, name)
        except AttributeError:
            raise LibraryNotFound(f"{self.path}: has no {name}(); it is not libptpmon {VERSION}, "
                                  "which this ptp_monitor needs") from None

    def _declare(self, name: str, result: Any, arguments: Tuple[Any, ...]) -> None:
        function = self._function(name)
        function.restype = result
        function.argtypes = arguments

    def _check_version(self) -> None:
        self._declare("ptpmon_version", c_char_p, ())
        version = self.version
        if version.split(".")[:2] != VERSION.split(".")[:2]:
            raise LibraryNotFound(f"{self.path}: is libptpmon {version}, but this ptp_monitor belongs to {VERSION}; "
                                  "install both from one release, or name the right file in PTPMON_LIBRARY")

    @property
    def version(self) -> str:
        text: bytes = self._dll.ptpmon_version()
        return text.decode()

    def status(self, name: str, *arguments: Any) -> int:
        """Calls a function that can fail; returns OK, END or NOTHING, and raises what else there is."""
        status: int = getattr(self._dll, name)(*arguments)
        if status > c.NOTHING:
            raise self.failure(status)
        return status

    def failure(self, status: int) -> Exception:
        """The exception for a failure in this thread."""
        return error_of(text_of(self._dll.ptpmon_status_name(status)), text_of(self._dll.ptpmon_error_message()))

    def call(self, name: str, *arguments: Any) -> Any:
        """Calls a function that cannot fail."""
        return getattr(self._dll, name)(*arguments)

    def open(self, name: str, *arguments: Any) -> c_void_p:
        """Calls a function that opens an object, whose last parameter takes it."""
        opened = c_void_p()
        self.status(name, *arguments, byref(opened))
        return opened


def text_of(value: Optional[bytes]) -> str:
    """A string of the library."""
    return (value or b"").decode("utf-8", "replace")


def bytes_of(path: "Union[str, os.PathLike[str]]") -> bytes:
    """A path as the library takes it: the system's bytes, on Windows UTF-8."""
    text = os.fspath(path)
    return text.encode("utf-8") if is_windows() else os.fsencode(text)


def _load(path: str) -> ctypes.CDLL:
    try:
        if sys.platform == "win32":
            return ctypes.CDLL(path, winmode=_SEARCH_SYSTEM32)
        return ctypes.CDLL(path)
    except OSError as error:
        if getattr(error, "winerror", None) == _NOT_FOR_THIS_PROCESSOR:
            raise LibraryNotFound(f"{path}: is for x64, and this Python is not; use one of 64 bits for x64") from error
        raise LibraryNotFound(f"{path}: cannot be loaded as libptpmon: {error}") from error


@functools.lru_cache(maxsize=None)
def library() -> Library:
    """The library, loaded at first use."""
    return Library(find_library())
