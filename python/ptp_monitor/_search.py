# SPDX-License-Identifier: MIT
"""
Where libptpmon lies. It is looked for in this order:

1. the file that the environment variable PTPMON_LIBRARY names; if it is set, nowhere else;
2. on Windows: beside this package, where the wheel has it; in the unpacked zip or the source tree that this package is
   part of; in the folder of the first ptpmon.exe on PATH; in Program Files\\ptpmon;
   elsewhere: in build/ of the source tree; in the library directories of the prefix that this package is installed
   below; where the system looks for libraries.

On Windows what is found is a full path, and neither the current directory nor the directories above the package are
looked at: others may put files there.
"""
import ctypes.util
import os
import pathlib
import sys
import sysconfig
from typing import Iterator, List, Tuple, Type

from ._version import __version__ as VERSION
from .errors import LibraryNotFound


def is_windows() -> bool:
    """Whether libptpmon is ptpmon.dll here."""
    return sys.platform == "win32"


def _file_name() -> str:
    return "ptpmon.dll" if is_windows() else f"libptpmon.so.{VERSION.partition('.')[0]}"


def _package() -> pathlib.Path:
    return pathlib.Path(__file__).resolve().parent


def _tree() -> Iterator[pathlib.Path]:
    """The tree with include/ptpmon.h that this package is part of, if it is: sources, on Windows also the unpacked zip.
    """
    tree = _package().parents[1]
    if tree != tree.parent and (tree / "include" / "ptpmon.h").is_file():
        yield tree


# ---- Windows ----

def full_paths(text: str, separator: str = os.pathsep,
               kind: Type[pathlib.PurePath] = pathlib.Path) -> Iterator[pathlib.PurePath]:
    """The entries of a variable like PATH that say where they are: the others depend on the current directory or
    drive."""
    for entry in text.split(separator):
        path = kind(entry.strip().strip('"'))
        if path.is_absolute():
            yield path


def _programs() -> Iterator[pathlib.Path]:
    """The folder of the ptpmon.exe that a terminal runs."""
    for folder in map(pathlib.Path, full_paths(os.environ.get("PATH", ""))):
        if (folder / "ptpmon.exe").is_file():
            yield folder
            return


def _program_files() -> Iterator[pathlib.Path]:
    # ProgramFiles is another directory for a 32-bit process.
    for folder in full_paths(os.environ.get("ProgramW6432") or os.environ.get("ProgramFiles") or ""):
        yield pathlib.Path(folder) / "ptpmon"


def _on_windows() -> Iterator[pathlib.Path]:
    yield _package()
    for tree in _tree():
        yield tree
        yield tree / "build" / "windows-user"
    yield from _programs()
    yield from _program_files()


# ---- Elsewhere ----

def _on_others() -> Iterator[pathlib.Path]:
    for tree in _tree():
        yield tree / "build"
    multiarch = sysconfig.get_config_var("MULTIARCH")
    for prefix in _package().parents[1:6]:  # PREFIX/lib/python3/dist-packages/ptp_monitor and the like
        if prefix != prefix.parent:
            if multiarch:
                yield prefix / "lib" / multiarch
            yield prefix / "lib"
            yield prefix / "lib64"


# ---- Both ----

def _named() -> str:
    """What PTPMON_LIBRARY names, in full: a loader takes a mere name for one to look for."""
    named = os.environ.get("PTPMON_LIBRARY", "")
    if named and not os.path.isfile(named):
        raise LibraryNotFound(f"{named}: no such file, but PTPMON_LIBRARY names it as libptpmon")
    return os.path.abspath(named) if named else ""


def _look(directories: Iterator[pathlib.Path]) -> Tuple[str, List[str]]:
    """The first that has the file, or "", and where it was looked for."""
    looked: List[str] = []
    for directory in directories:
        file = directory / _file_name()
        if file.is_file():
            return str(file), looked
        if str(directory) not in looked:
            looked.append(str(directory))
    return "", looked


def find_library() -> str:
    """The library's path; elsewhere than on Windows also a name that the system's loader knows. Raises
    LibraryNotFound."""
    named = _named()
    if named:
        return named
    found, looked = _look(_on_windows() if is_windows() else _on_others())
    if not found and not is_windows():
        found = ctypes.util.find_library("ptpmon") or ""
    if found:
        return found
    last = "beside a ptpmon.exe on PATH" if is_windows() else "where the system looks for libraries"
    remedy = "install the wheel of ptpmon's zip" if is_windows() else "install ptpmon (or `make` in its source tree)"
    raise LibraryNotFound(f"{_file_name()}: not found in {', '.join(looked[:8])}, {last}; {remedy}, or name the file "
                          "in the environment variable PTPMON_LIBRARY")
