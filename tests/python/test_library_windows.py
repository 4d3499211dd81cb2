# SPDX-License-Identifier: MIT
"""
Where the package looks for ptpmon.dll, and how it loads it: the rules of Windows, followed here by telling the package
that this is Windows. The DLL itself is held against the package in tests/windows/user/test_python.py.
"""
import ctypes
import os
import pathlib
import sys

import pytest

from ptp_monitor import LibraryNotFound, _library, _search

DLL = "ptpmon.dll"


@pytest.fixture
def windows(monkeypatch, tmp_path):
    """A tree below tmp_path that the package believes to be its system's. The current directory has a DLL to fall for.
    """
    monkeypatch.setattr(sys, "platform", "win32")
    for name in ("PTPMON_LIBRARY", "PATH", "ProgramFiles", "ProgramW6432"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(_search, "_package", lambda: tmp_path / "Lib" / "site-packages" / "ptp_monitor")
    trap = tmp_path / "trap"
    put(trap / DLL)
    put(trap / "ptpmon.exe")
    monkeypatch.chdir(trap)
    return tmp_path


def put(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return str(path)


def test_order(windows, monkeypatch):
    """Each place is taken when those before it have nothing: from the last to the first."""
    put(windows / "first" / "ptpmon.exe")  # the one that a terminal runs has no DLL: another's is not taken
    monkeypatch.setenv("ProgramFiles", str(windows / "Program Files (x86)"))
    monkeypatch.setenv("ProgramW6432", str(windows / "Program Files"))
    put(windows / "Program Files (x86)" / "ptpmon" / DLL)
    put(windows / "include" / "ptpmon.h")
    monkeypatch.setattr(_search, "_package", lambda: windows / "python" / "ptp_monitor")
    with pytest.raises(LibraryNotFound):
        _search.find_library()

    last = put(windows / "Program Files" / "ptpmon" / DLL)
    assert _search.find_library() == last

    on_path = put(windows / "tools" / DLL)
    monkeypatch.setenv("PATH", os.pathsep.join([str(windows / "nothing"), str(windows / "tools")]))
    assert _search.find_library() == last, "a DLL without ptpmon.exe is somebody else's"
    put(windows / "tools" / "ptpmon.exe")
    assert _search.find_library() == on_path

    built = put(windows / "build" / "windows-user" / DLL)
    assert _search.find_library() == built
    unpacked = put(windows / DLL)
    assert _search.find_library() == unpacked
    beside = put(windows / "python" / "ptp_monitor" / DLL)
    assert _search.find_library() == beside

    monkeypatch.setenv("PTPMON_LIBRARY", last)
    assert _search.find_library() == last


def test_first_program_on_path_decides(windows, monkeypatch):
    put(windows / "first" / "ptpmon.exe")
    put(windows / "second" / "ptpmon.exe")
    put(windows / "second" / DLL)
    monkeypatch.setenv("PATH", os.pathsep.join([str(windows / "first"), str(windows / "second")]))
    with pytest.raises(LibraryNotFound):
        _search.find_library()


@pytest.mark.parametrize("path", ["", ".", os.pathsep, ".:", "trap", "../trap", '"."', " "])
def test_current_directory_is_never_looked_at(windows, monkeypatch, path):
    monkeypatch.setenv("PATH", path)
    monkeypatch.setenv("ProgramFiles", path)
    with pytest.raises(LibraryNotFound):
        _search.find_library()


@pytest.mark.parametrize("above", [".", "bin", "Lib", "lib", "Scripts", "build", "build/windows-user"])
def test_directories_above_an_installed_package_are_not_looked_at(windows, above):
    """Of a Python in C:\\ they are such as anybody may write to."""
    put(windows / above / DLL)
    with pytest.raises(LibraryNotFound):
        _search.find_library()


def test_root_of_a_drive_is_no_tree(windows, monkeypatch):
    monkeypatch.setattr(_search, "_package", lambda: pathlib.Path("/python/ptp_monitor"))
    monkeypatch.setattr(pathlib.Path, "is_file", lambda path: True)
    assert list(_search._tree()) == []
    monkeypatch.setattr(_search, "_package", lambda: pathlib.Path("/tree/python/ptp_monitor"))
    assert list(_search._tree()) == [pathlib.Path("/tree")]


def test_entries_of_path_as_windows_has_them():
    text = r'C:\a;;.;b\c;"C:\Program Files\x;y";\rooted;C:relative;\\server\share\d; D:\e ;..\f;"C:\g"'
    paths = [str(path) for path in _search.full_paths(text, ";", pathlib.PureWindowsPath)]
    assert paths == ["C:\\a", r"C:\Program Files\x", r"\\server\share\d", "D:\\e", "C:\\g"]


def test_named_file_is_made_a_full_path(windows, monkeypatch):
    """A loader takes a mere name for one to look for."""
    monkeypatch.setenv("PTPMON_LIBRARY", DLL)
    assert _search.find_library() == str(windows / "trap" / DLL)
    monkeypatch.setattr(sys, "platform", "linux")
    assert _search.find_library() == str(windows / "trap" / DLL)


def test_named_file_that_is_not_there_is_said(windows, monkeypatch):
    put(windows / "Lib" / "site-packages" / "ptp_monitor" / DLL)
    monkeypatch.setenv("PTPMON_LIBRARY", r"C:\nowhere\ptpmon.dll")
    with pytest.raises(LibraryNotFound, match=r"C:\\nowhere\\ptpmon\.dll: no such file, but PTPMON_LIBRARY names it"):
        _search.find_library()


def test_message_says_where_it_looked_and_what_to_do(windows, monkeypatch):
    monkeypatch.setenv("ProgramFiles", str(windows / "Program Files"))
    with pytest.raises(LibraryNotFound) as failure:
        _search.find_library()
    message = str(failure.value)
    for part in (DLL, str(windows / "Lib/site-packages/ptp_monitor"), str(windows / "Program Files/ptpmon"),
                 "beside a ptpmon.exe on PATH", "wheel", "PTPMON_LIBRARY"):
        assert part in message
    assert "libptpmon.so" not in message and "make" not in message


# ---- Loading ----


class WindowsError(OSError):
    winerror = 0


def loaded(monkeypatch, path, error=None):
    """What ctypes.CDLL was called with."""
    calls = []

    def load(name, **options):
        calls.append((name, options))
        if error is not None:
            raise error
        return object()

    monkeypatch.setattr(ctypes, "CDLL", load)
    _library._load(path)
    return calls


def test_what_the_dll_needs_comes_from_the_system(windows, monkeypatch):
    assert loaded(monkeypatch, r"C:\x\ptpmon.dll") == [(r"C:\x\ptpmon.dll", {"winmode": 0x800})]
    monkeypatch.setattr(sys, "platform", "linux")
    assert loaded(monkeypatch, "/x/libptpmon.so.0") == [("/x/libptpmon.so.0", {})]


@pytest.mark.parametrize("number, words", [
    (193, "64 bits"), (126, "cannot be loaded as libptpmon: what the system said")])
def test_failure_to_load_names_the_file(windows, monkeypatch, number, words):
    error = WindowsError("what the system said")
    error.winerror = number
    with pytest.raises(LibraryNotFound, match=rf"ptpmon\.dll: .*{words}"):
        loaded(monkeypatch, r"C:\x\ptpmon.dll", error)


def test_paths_are_utf8_on_windows(windows):
    assert _library.bytes_of("Messung-é-測定.events") == "Messung-é-測定.events".encode()
