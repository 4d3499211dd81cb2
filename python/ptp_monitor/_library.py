# SPDX-License-Identifier: MIT
"""
Finds libptpmon, loads it and declares its functions.

The library is looked for in this order:

1. the file that the environment variable PTPMON_LIBRARY names; if it is set, nowhere else;
2. beside this package (Windows), in build/ of the source tree, in the library directories of the prefix that this
   package is installed below;
3. where the system looks for libraries.
"""
import ctypes
import ctypes.util
import functools
import os
import pathlib
import sys
import sysconfig
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_void_p
from typing import Any, Dict, Iterator, List, Optional, Tuple, Union

from . import _structures as c
from ._version import __version__ as VERSION
from .errors import LibraryNotFound, error_of

_IS_WINDOWS = sys.platform == "win32"
_FILE_NAME = "ptpmon.dll" if _IS_WINDOWS else f"libptpmon.so.{VERSION.partition('.')[0]}"

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
    "ptpmon_capture_give": (c_void_p, POINTER(c.ptpmon_frame)),
    "ptpmon_observer_open": (c_void_p, c_void_p, POINTER(c.ptpmon_observer_options), POINTER(c_void_p)),
    "ptpmon_observer_next": (c_void_p, c_int, POINTER(c.ptpmon_observation)),
    "ptpmon_observer_stop": (c_void_p,),
    "ptpmon_clocks_now": (POINTER(c.PTP_CLOCKS_RECORD),),
}

# All others: what they return, and what they take.
_OTHERS: Dict[str, Tuple[Any, Tuple[Any, ...]]] = {
    "ptpmon_version": (c_char_p, ()),
    "ptpmon_status_name": (c_char_p, (c_int,)),
    "ptpmon_error_message": (c_char_p, ()),
    "ptpmon_interfaces_free": (None, (POINTER(c.ptpmon_interface),)),
    "ptpmon_monitor_close": (None, (c_void_p,)),
    "ptpmon_monitor_recording_header": (POINTER(c.PTP_RECORDING_HEADER), (c_void_p,)),
    "ptpmon_capture_close": (None, (c_void_p,)),
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
    return text.encode("utf-8") if _IS_WINDOWS else os.fsencode(text)


def _load(path: str) -> ctypes.CDLL:
    directory = os.path.dirname(os.path.abspath(path))
    try:
        if sys.platform == "win32" and os.path.isdir(directory):
            with os.add_dll_directory(directory):
                return ctypes.CDLL(path)
        return ctypes.CDLL(path)
    except OSError as error:
        raise LibraryNotFound(f"{path}: cannot be loaded as libptpmon: {error}") from error


def _directories() -> Iterator[pathlib.Path]:
    """Where the library lies relative to this package: in the source tree, and after an installation."""
    package = pathlib.Path(__file__).resolve().parent
    if _IS_WINDOWS:
        yield package
    if (package.parents[1] / "include" / "ptpmon.h").is_file():
        yield package.parents[1] / "build"
    multiarch = sysconfig.get_config_var("MULTIARCH")
    for prefix in package.parents[1:6]:  # PREFIX/lib/python3/dist-packages/ptp_monitor and the like
        if _IS_WINDOWS:
            yield prefix / "bin"
            yield prefix
        elif prefix != pathlib.Path("/"):
            if multiarch:
                yield prefix / "lib" / multiarch
            yield prefix / "lib"
            yield prefix / "lib64"
    if _IS_WINDOWS:
        for entry in os.environ.get("PATH", "").split(os.pathsep):
            if entry:
                yield pathlib.Path(entry)


def _find() -> str:
    named = os.environ.get("PTPMON_LIBRARY")
    if named:
        if not os.path.isfile(named):
            raise LibraryNotFound(f"{named}: no such file, but PTPMON_LIBRARY names it as libptpmon")
        return named
    looked: List[str] = []
    for directory in _directories():
        file = directory / _FILE_NAME
        if file.is_file():
            return str(file)
        if str(directory) not in looked:
            looked.append(str(directory))
    found = ctypes.util.find_library("ptpmon")
    if found:
        return found
    shown = looked[:8] + (["the directories on PATH"] if _IS_WINDOWS else ["where the system looks for libraries"])
    raise LibraryNotFound(f"{_FILE_NAME}: not found in {', '.join(shown)}; install ptpmon (or `make` in its source tree), "
                          "or name the file in the environment variable PTPMON_LIBRARY")


@functools.lru_cache(maxsize=None)
def library() -> Library:
    """The library, loaded at first use."""
    return Library(_find())
