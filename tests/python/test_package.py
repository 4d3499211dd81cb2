# SPDX-License-Identifier: MIT
"""The package as a whole: its API, what it imports, how it finds the library, and that old Pythons can read it."""
import ast
import collections.abc
import ctypes.util
import importlib.util
import inspect
import os
import pathlib
import re
import shutil
import subprocess
import sys
import typing

import pytest

import ptp_monitor
from ptp_monitor import PtpMonitor, Recording, _library

OLDEST_PYTHON = (3, 8)


def sources(source_tree):
    found = sorted((source_tree / "python").rglob("*.py"))
    assert len(found) > 10
    return found


def python(code, **environment):
    """Runs code in a fresh interpreter that finds the package; None takes a variable away."""
    package = pathlib.Path(ptp_monitor.__file__).parents[1]
    variables = {**os.environ, "PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    return subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60, env={name: value for name, value in variables.items() if value is not None})


# ---- The API ----

@pytest.mark.parametrize("name, parameters, yields", [
    ("__init__", ["interface_name"], None),
    ("enable", [], None),
    ("read_events", [], ptp_monitor.PtpTimestampEvent),
    ("correlate_with_npcap", ["npcap_capture"], ptp_monitor.CorrelatedEvent),
    ("get_statistics", [], None),
])
def test_class_of_the_specification(name, parameters, yields):
    """What must be given is what the specification names; all else can be left out."""
    signature = inspect.signature(getattr(PtpMonitor, name))
    required = [parameter.name for parameter in list(signature.parameters.values())[1:]
                if parameter.default is inspect.Parameter.empty]
    assert required == parameters
    if yields is not None:
        result = typing.get_type_hints(getattr(PtpMonitor, name))["return"]
        elements = [result] + [base for base in getattr(result, "__orig_bases__", ())]
        assert any(typing.get_origin(one) is collections.abc.Iterator and typing.get_args(one) == (yields,)
                   for one in elements)


def test_event_has_the_fields_of_the_specification():
    assert {"hw_timestamp_ns", "system_timestamp", "direction", "messageType", "sequenceId", "domainNumber",
            "sourceMac", "vlanId", "pcp", "queueId"} <= set(ptp_monitor.PtpTimestampEvent._fields)


def public_things():
    for name in ptp_monitor.__all__:
        yield name, getattr(ptp_monitor, name)


def test_everything_public_is_there_and_documented():
    for name, value in public_things():
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__doc__, name
        if inspect.isclass(value) and value.__module__.startswith("ptp_monitor"):
            for member, function in vars(value).items():
                if not member.startswith("_") and (inspect.isfunction(function) or isinstance(function, property)):
                    assert inspect.getdoc(getattr(value, member)) , f"{name}.{member}"


def test_recordings_and_monitors_are_alike():
    for name in ("read_events", "read_records", "correlate_with_npcap", "get_statistics"):
        assert inspect.signature(getattr(PtpMonitor, name)) == inspect.signature(getattr(Recording, name)), name


def test_unknown_attribute():
    with pytest.raises(AttributeError, match="ptp_monitor.*'frobnicate'"):
        ptp_monitor.frobnicate


# ---- The sources ----

def test_oldest_python_can_read_it(source_tree):
    for path in sources(source_tree):
        ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=OLDEST_PYTHON)


def test_types(source_tree):
    assert importlib.util.find_spec("mypy"), "mypy is not installed; `make setup` installs what is needed"
    result = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--python-version", "3.8", "--no-incremental",
                             "--cache-dir", os.devnull, "ptp_monitor"],
                            cwd=source_tree / "python", stdout=subprocess.PIPE, text=True)
    assert result.returncode == 0, result.stdout


def test_version_is_that_of_the_project(source_tree):
    project = re.search(r"project\(ptpmon VERSION (\S+)", (source_tree / "CMakeLists.txt").read_text())[1]
    assert ptp_monitor.__version__ == project == _library.library().version


# ---- What it imports ----

def test_nothing_else_is_imported():
    result = python("import sys, ptp_monitor; ptp_monitor.interfaces()\n"
                    "print([name for name in ('numpy', 'scapy', 'pyshark', 'matplotlib') if name in sys.modules])")
    assert result.stdout.strip() == "[]", result.stderr


@pytest.mark.parametrize("code", [
    "import ptp_monitor.arrays",
    "from ptp_monitor import EVENT_DTYPE",
    "from ptp_monitor import analyze",
    "import ptp_monitor.time_error",
    "import ptp_monitor; ptp_monitor.Recording({events!r}).records",
])
def test_numpy_is_missing(source_tree, code):
    events = str(source_tree / "share/demo/gptp.events")
    result = python("import sys; sys.modules['numpy'] = None\n" + code.format(events=events))
    last = result.stderr.splitlines()[-1]
    assert last.startswith("ImportError: ") and "python3-numpy (Debian)" in last and "numpy (pip)" in last, result.stderr


def test_recording_works_without_numpy(source_tree):
    result = python("import sys; sys.modules['numpy'] = None\nimport ptp_monitor\n"
                    f"recording = ptp_monitor.Recording({str(source_tree / 'share/demo/gptp.events')!r})\n"
                    f"pairs = recording.correlate_with_npcap({str(source_tree / 'share/demo/gptp.pcapng')!r})\n"
                    "print(len(recording), len(list(recording.read_events())), sum(pair.matched for pair in pairs))")
    recording = Recording(source_tree / "share/demo/gptp.events")
    events = sum(1 for _ in recording.read_events())
    assert result.stdout.split() == [str(len(recording)), str(events), str(events)], result.stderr


# ---- Finding the library ----

def copy_package(directory):
    source = pathlib.Path(ptp_monitor.__file__).parent
    shutil.copytree(source, directory / "ptp_monitor", ignore=shutil.ignore_patterns("__pycache__"))


def found_library(directory):
    return python("from ptp_monitor import _library; print(_library.library().path)",
                  PYTHONPATH=str(directory), PTPMON_LIBRARY=None)


@pytest.fixture
def built_library():
    return os.environ["PTPMON_LIBRARY"]


@pytest.mark.parametrize("package, library", [
    ("lib/python3/dist-packages", "lib/x86_64-linux-gnu"),
    ("lib/python3/dist-packages", "lib"),
    ("lib/python3.11/site-packages", "lib64"),
    ("local/lib/python3.11/dist-packages", "lib"),
    ("python", "build"),
], ids=lambda path: path.replace("/", "-"))
def test_found_where_it_was_installed(tmp_path, built_library, package, library):
    if library == "build":
        (tmp_path / "include").mkdir()
        (tmp_path / "include" / "ptpmon.h").touch()
    (tmp_path / library).mkdir(parents=True)
    (tmp_path / library / "libptpmon.so.0").symlink_to(pathlib.Path(built_library).resolve())
    copy_package(tmp_path / package)
    result = found_library(tmp_path / package)
    assert result.stdout.strip() == str(tmp_path / library / "libptpmon.so.0"), result.stderr


def test_not_found(tmp_path):
    if ctypes.util.find_library("ptpmon"):
        pytest.skip("ptpmon is installed on this system, so that it is always found")
    copy_package(tmp_path / "lib/python3/dist-packages")
    result = found_library(tmp_path / "lib/python3/dist-packages")
    last = result.stderr.splitlines()[-1]
    assert "LibraryNotFound" in last and str(tmp_path / "lib") in last and "PTPMON_LIBRARY" in last, result.stderr


@pytest.mark.parametrize("content, words", [
    (None, "no such file"),
    (b"no library at all", "cannot be loaded"),
], ids=["missing", "damaged"])
def test_named_library_is_wrong(tmp_path, content, words):
    path = tmp_path / "libptpmon.so"
    if content is not None:
        path.write_bytes(content)
    result = python("import ptp_monitor; ptp_monitor.interfaces()", PTPMON_LIBRARY=str(path))
    last = result.stderr.splitlines()[-1]
    assert "LibraryNotFound" in last and str(path) in last and words in last, result.stderr


def test_another_library_is_refused():
    other = ctypes.util.find_library("c")
    with pytest.raises(ptp_monitor.LibraryNotFound, match="ptpmon_version"):
        _library.Library(other)


def test_library_of_another_version(tmp_path):
    source = tmp_path / "old.c"
    source.write_text('const char *ptpmon_version(void) { return "9.8.7"; }\n')
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "libptpmon.so", source], check=True)
    with pytest.raises(ptp_monitor.LibraryNotFound, match=r"9\.8\.7.*" + re.escape(ptp_monitor.__version__)):
        _library.Library(str(tmp_path / "libptpmon.so"))


def test_all_declared_functions_are_public(source_tree):
    headers = ("ptpmon.h", "ptpmon_analysis.h", "ptpmon_simulator.h")
    header = "".join((source_tree / "include" / name).read_text() for name in headers)
    for name in [*_library._CHECKED, *_library._OTHERS]:
        declaration = re.search(rf"PTPMON_API ([\w ]+?[ *]){name}\(([^;]*)\);", header)
        assert declaration, name
        taken = re.sub(r"\([^()]*\)", "", declaration[2])  # a function's own parameters are not among them
        parameters = [] if taken == "void" else taken.split(",")
        expected = _library._CHECKED.get(name) or _library._OTHERS.get(name, (None, ()))[1]
        assert len(parameters) == len(expected), name
        assert (declaration[1].strip() == "ptpmon_status") == (name in _library._CHECKED), name
