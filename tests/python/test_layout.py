# SPDX-License-Identifier: MIT
"""The mirrors of the C structures and constants are what the compiler says of them: all of them, and every field."""
import ctypes
import subprocess

import pytest

from ptp_monitor import _analysis_structures, _structures, _words

MIRRORED = {**vars(_structures), **vars(_analysis_structures)}


@pytest.fixture(scope="module")
def lines(layout_program):
    return [line.split() for line in subprocess.run([layout_program], stdout=subprocess.PIPE, check=True,
                                                    text=True).stdout.splitlines()]


def of_kind(lines, kind):
    found = [words for first, *words in lines if first == kind]
    assert found
    return found


def mirrors():
    return {name: value for name, value in MIRRORED.items()
            if isinstance(value, type) and issubclass(value, ctypes.Structure)}


def test_structures(lines):
    for name, size, alignment in of_kind(lines, "structure"):
        assert (ctypes.sizeof(mirrors()[name]), ctypes.alignment(mirrors()[name])) == (int(size), int(alignment)), name
    assert {name for name, _, _ in of_kind(lines, "structure")} == mirrors().keys()


def test_fields(lines):
    expected = {name: {} for name in mirrors()}
    for name, field, offset, size in of_kind(lines, "field"):
        expected[name][field] = (int(offset), int(size))
    for name, mirror in mirrors().items():
        fields = {field: (getattr(mirror, field).offset, getattr(mirror, field).size) for field, _ in mirror._fields_}
        assert fields == expected[name], name
        covered = sum(size for _, size in fields.values())
        # A field that both this list and the mirror forgot would leave a hole larger than alignment explains.
        assert ctypes.sizeof(mirror) - covered < 8 * len(fields) and holes(mirror, fields) < 8, name


def holes(mirror, fields):
    """The largest gap between two fields, or behind the last one, bytes."""
    ends = sorted((offset, offset + size) for offset, size in fields.values())
    starts = [start for start, _ in ends[1:]] + [ctypes.sizeof(mirror)]
    return max(start - end for start, (_, end) in zip(starts, ends))


def test_constants(lines):
    expected = {name: int(value) for name, value in of_kind(lines, "constant")}
    mirrored = {name: value for name, value in MIRRORED.items() if name.isupper() and isinstance(value, int)}
    assert mirrored.pop("RECORD_BYTES") == ctypes.sizeof(_structures.PTP_TIMESTAMP_EVENT)
    assert mirrored == expected


def test_words(lines):
    expected = {}
    for name, value, word in of_kind(lines, "word"):
        expected.setdefault(name, {})[int(value)] = word
    types = expected.pop("MESSAGE_TYPE_NAMES")
    assert {value: word for value, word in types.items() if word != "reserved"} == _words.MESSAGE_TYPE_NAMES
    mirrored = {name: dict(enumerate(value)) for name, value in MIRRORED.items() if isinstance(value, tuple)}
    assert mirrored == expected
