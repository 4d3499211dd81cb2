# SPDX-License-Identifier: MIT
"""docs/recordings.md against the headers and the library: every field of header and records is on the page, where the
compiler puts it; the page's reader prints what the library reads; a capture holds the page's blocks and options."""
import ast
import os
import pathlib
import re
import struct
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "recordings.md"
SIZES = {"char": 1, "UCHAR": 1, "UINT8": 1, "UINT16": 2, "UINT32": 4, "INT32": 4, "UINT64": 8, "INT64": 8}
STRUCTS = {"Header": "PTP_RECORDING_HEADER", "Event": "PTP_TIMESTAMP_EVENT", "CLOCKS": "PTP_CLOCKS_RECORD",
           "LOSS": "PTP_LOSS_RECORD"}


def sources():
    return "".join((ROOT / "include" / "avb" / name).read_text(encoding="utf-8")
                   for name in ("avb_ptp_events.h", "avb_ptp_recording.h"))


def constants():
    """Name -> value of the #defines that are numbers."""
    numbers = re.findall(r"^#define (AVB_\w+) +(0x[0-9A-Fa-f]+|\d+)u\b", sources(), re.M)
    return {name: int(value, 0) for name, value in numbers}


def fields_of(struct_name):
    """(offset, bytes, type, name) of each member, laid out as C does: each number at a multiple of its size."""
    text = sources()
    body = re.search(r"typedef struct _%s \{(.*?)\n\} %s;" % (struct_name, struct_name), text, re.S).group(1)
    asserted = {name: int(offset) for name, offset in
                re.findall(r"AVB_ASSERT_OFFSET\(%s, (\w+), (\d+)\)" % struct_name, text)}
    fields, at = [], 0
    for kind, name, count in re.findall(r"^    (\w+) (\w+)(?:\[([^\]]+)\])?;", body, re.M):
        count = eval(count, {}, constants()) if count else 1  # "8", "AVB_RECORDING_HEADER_BYTES - 688"
        at += -at % SIZES[kind]
        assert asserted.get(name, at) == at, (struct_name, name)
        fields.append((at, count * SIZES[kind], kind, name))
        at += count * SIZES[kind]
    assert len(fields) > 5 and asserted.keys() <= {name for _, _, _, name in fields}
    return fields


def tables():
    """(heading, first column's name) -> rows, each a list of cells without back quotes."""
    found, heading, key = {}, None, None
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        if not line.startswith("|"):
            key = None
            continue
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        if key is None:
            key = (heading, tuple(cells))
            assert key not in found
            found[key] = []
        elif not line.startswith("|--"):
            found[key].append(cells)
    return found


def rows_of(heading, *columns):
    return tables()[(heading, columns)]


@pytest.mark.parametrize("heading", STRUCTS)
def test_fields(heading):
    rows = rows_of(heading, "offset", "bytes", "type", "field", "meaning")
    assert [(int(row[0]), int(row[1]), row[2], row[3]) for row in rows] == fields_of(STRUCTS[heading])


@pytest.mark.parametrize("heading, column, prefix, base", [
    ("Header", "clock", "AVB_CLOCK_", 10), ("Records", "direction", "AVB_DIRECTION_", 10),
    ("Event", "stamp", "AVB_STAMP_", 16)])
def test_constants(heading, column, prefix, base):
    defined = {name: value for name, value in constants().items() if name.startswith(prefix)}
    # The kinds of a stamp are in words; UNKNOWN never comes in a file.
    for name in ("AVB_DIRECTION_UNKNOWN", "AVB_STAMP_NONE", "AVB_STAMP_REGISTERS", "AVB_STAMP_METADATA"):
        defined.pop(name, None)
    table = next(rows for (where, columns), rows in tables().items() if where == heading and columns[0] == column)
    assert {row[0]: int(row[1], base) for row in table} == defined


def test_values():
    """Numbers of the header that the page gives in its text."""
    meanings = {row[3]: row[4] for row in rows_of("Header", "offset", "bytes", "type", "field", "meaning")}
    known = constants()
    assert int(meanings["byte_order"], 16) == known["AVB_RECORDING_BYTE_ORDER"]
    assert int(meanings["header_bytes"].split(":")[0]) == known["AVB_RECORDING_HEADER_BYTES"]
    assert int(meanings["format_version"].split(":")[0]) == known["AVB_RECORDING_FORMAT_VERSION"]
    assert int(meanings["abi_version"].split(":")[0]) == known["AVB_PTP_EVENT_ABI_VERSION"]
    magic = re.search(r'#define AVB_RECORDING_MAGIC +"(\w+)"', sources()).group(1)
    assert meanings["magic"].split("`")[0] == magic


# ---- The reader ----

@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.S | re.M)
    assert len(blocks) == 1 and len(blocks[0].splitlines()) <= 30
    path = tmp_path_factory.mktemp("reader") / "reader.py"
    path.write_text(blocks[0], encoding="utf-8")
    ast.parse(blocks[0], feature_version=(3, 8))
    return path


def run(*command):
    result = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def library(action, path):
    return run(os.environ["RECORDING_LINES"], action, path)


def read(reader, path):
    return run(sys.executable, "-I", reader, path)


def other_order(path, to):
    """The same recording as a host of the other byte order would have written it."""
    def turn(piece, fields):
        turned = bytearray(piece)
        for at, length, kind, _ in fields:
            for each in range(at, at + length, SIZES[kind]):
                turned[each:each + SIZES[kind]] = turned[each:each + SIZES[kind]][::-1]
        return turned

    data = path.read_bytes()
    layouts = {0: "Event", 1: "Event", 2: "CLOCKS", 3: "LOSS"}
    turned = turn(data[:4096], fields_of(STRUCTS["Header"]))
    for at in range(4096, len(data), 64):
        record = data[at:at + 64]
        layout = layouts.get(record[16]) if len(record) == 64 else None
        turned += turn(record, fields_of(STRUCTS[layout])) if layout else record
    to.write_bytes(turned)


@pytest.mark.parametrize("name", ["gptp", "default"])
def test_reader_on_the_demo(reader, name):
    path = ROOT / "share" / "demo" / f"{name}.events"
    lines = read(reader, path)
    assert lines == library("print", path)
    assert {"RX", "TX", "CLOCKS"} <= {line.split()[0] for line in lines}


def test_reader_on_a_fresh_file(reader, tmp_path):
    path = tmp_path / "fresh.events"
    library("write", path)
    lines = read(reader, path)
    assert {line.split()[0] for line in lines} == {"RX", "TX", "CLOCKS", "LOSS"}
    assert 3500 < len(lines) < 4999  # one in five is of a kind that nobody knows, and the last is cut
    assert lines == library("print", path)


def test_reader_on_the_other_byte_order(reader, tmp_path):
    path, turned = tmp_path / "fresh.events", tmp_path / "turned.events"
    library("write", path)
    other_order(path, turned)
    assert path.read_bytes() != turned.read_bytes()
    assert read(reader, turned) == library("print", path)


@pytest.mark.parametrize("damage", [lambda data: data[:4095], lambda data: b"X" + data[1:],
                                    lambda data: data[:12] + b"\2" + data[13:]])
def test_reader_refuses(reader, tmp_path, damage):
    path = tmp_path / "damaged.events"
    path.write_bytes(damage((ROOT / "share" / "demo" / "gptp.events").read_bytes()))
    result = subprocess.run([sys.executable, "-I", str(reader), str(path)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, timeout=60)
    assert result.returncode == 1 and "recording" in result.stderr and result.stdout == ""


# ---- The capture ----

FIXED = {0x0A0D0D0A: 16, 1: 8, 6: 20, 5: 12}


def blocks_of(data):
    """(type, fixed part, options) of each block."""
    order = "<" if data[8:12] == b"\x4d\x3c\x2b\x1a" else ">"
    at = 0
    while at < len(data):
        kind, total = struct.unpack_from(order + "II", data, at)
        assert total % 4 == 0 and struct.unpack_from(order + "I", data, at + total - 4)[0] == total
        body = data[at + 8:at + total - 4]
        fixed = FIXED[kind]
        if kind == 6:
            captured = struct.unpack_from(order + "I", body, 12)[0]
            fixed += captured + -captured % 4
        options, left = {}, body[fixed:]
        while left:
            code, length = struct.unpack_from(order + "HH", left)
            if code == 0:
                break
            options[code] = left[4:4 + length]
            left = left[4 + length + -length % 4:]
        yield kind, body[:fixed], options
        at += total


def test_capture(tmp_path):
    path = tmp_path / "fresh.pcapng"
    library("capture", path)
    blocks = list(blocks_of(path.read_bytes()))
    types = {row[0]: int(row[1], 0) for row in rows_of("NAME.pcapng", "block", "type", "there is", "holds")}
    assert [kind for kind, _, _ in blocks] == [types[name] for name in (
        ["Section Header", "Interface Description", "Interface Statistics"] + 3 * ["Enhanced Packet"] +
        ["Interface Statistics"])]
    documented = {name: set() for name in types}
    for block, _, code, _ in rows_of("NAME.pcapng", "block", "option", "code", "value"):
        documented[block].add(int(code))
    for name, kind in types.items():
        assert {code for k, _, options in blocks if k == kind for code in options} == documented[name], name
    order = sys.byteorder
    assert blocks[0][2][4].decode().startswith("ptpmon ")
    interface = blocks[1][2]
    assert int.from_bytes(blocks[1][1][:2], order) == 1 and interface[2] == b"nic0" and interface[9] == b"\x09"
    assert interface[1] == b"ptpmon host=bench-7 boot_id=01234567-89ab-cdef-0123-456789abcdef\n"
    flags = [int.from_bytes(options.get(2, b""), order) for kind, _, options in blocks if kind == 6]
    assert flags == [1, 2, 0]
    first, last = blocks[2][2], blocks[-1][2]
    assert [int.from_bytes(last[code], order) for code in (4, 5, 8)] == [5, 2, 3]
    assert 2 in first and 3 not in first and 3 in last
