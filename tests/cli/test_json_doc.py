# SPDX-License-Identifier: MIT
"""docs/json.md against what the command writes: every member is on the page, with its type, and the page names none
that is not written. Real output of `list`, `watch`, `record`, `correlate`, `analyze`, `simulate` and `demo`, and a line
of each type with all and with few members."""
import itertools
import json
import os
import pathlib
import re
import subprocess

import pytest

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "json.md"
LATENCIES = ("rx_driver", "nic_to_host", "tx_software", "tx_hardware")
NoneType = type(None)
TYPES = {"integer": int, "string": str, "boolean": bool, "number": float, "object": dict, "array": list,
         "null": NoneType, "decimal": (int, float)}


def names_in(cell):
    return re.findall(r"`([^`]+)`", cell)


def read_page():
    """By heading: rows of its tables, each (names, allowed types, meaning). Tables of members only."""
    page, heading, in_table = {}, None, False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            heading = line[3:]
        if line == "| member | type | meaning |":
            in_table = True
        elif not line.startswith("|"):
            in_table = False
        elif in_table and not line.startswith("|--"):
            cells = [cell.strip() for cell in line.strip("|").split("|", 2)]
            page.setdefault(heading, []).append((names_in(cells[0]), set(cells[1].split(" or ")), cells[2]))
    return page


def expand(name):
    """A name on the page may stand for one of each latency."""
    return [latency + name[len("..."):] for latency in LATENCIES] if name.startswith("..._latency") else [name]


def members_of(page, heading):
    """Name -> (allowed types, meaning)."""
    return {each: (types, meaning) for names, types, meaning in page[heading] for name in names
            for each in expand(name)}


@pytest.fixture(scope="module")
def page():
    found = read_page()
    assert set(found) == {"interface", "start", "files", "recording", "frame", "clocks", "loss", "exchange", "finding",
                          "point", "series", "asymmetry", "time_error", "analysis", "alignment", "warning", "summary",
                          "recorded", "simulation"}
    for heading in found:
        for types, _ in members_of(found, heading).values():
            assert types and types <= set(TYPES), (heading, types)
    return found


@pytest.fixture(scope="module")
def reasons():
    rows = re.findall(r"^\| (?:`\w+`)? ?\| ((?:`\w+`(?:, )?)+) \| .* \|$", PAGE.read_text(encoding="utf-8"), re.M)
    return {name for row in rows for name in names_in(row)}


def has_type(value, allowed):
    # bool is an int to Python, but not in JSON.
    return any(type(value) in (TYPES[name] if name == "decimal" else (TYPES[name],)) for name in allowed)


def check_members(value, documented, optional, where):
    unknown = value.keys() - documented.keys()
    assert not unknown, f"{where}: not on the page: {unknown}"
    missing = documented.keys() - value.keys() - optional
    assert not missing, f"{where}: on the page, but not written: {missing}"
    for name, member in value.items():
        types, _ = documented[name]
        assert has_type(member, types), f"{where}: {name} is {member!r}, and the page says {types}"


def check_named(value, names, types, where):
    """An object whose members the page names in the text."""
    check_members(value, {name: (types, "") for name in names}, set(), where)


def check_summary_values(value, documented, reasons, where):
    check_named(value["reasons"], reasons, {"integer"}, where)
    braces = {name: re.findall(r"\{([^}]+)\}", documented[name][1])[0].split(", ")
              for name in ("messageTypes", "latencies")}
    for one in value["messageTypes"]:
        assert list(one) == braces["messageTypes"], where
    assert set(value["latencies"]) == set(LATENCIES) == set(names_in(documented["latencies"][1])) & set(LATENCIES)
    for one in value["latencies"].values():
        if one is not None:
            check_named(one, braces["latencies"], {"integer"}, where)


def check_summary(value, page, reasons):
    documented = members_of(page, "summary")
    session = {"monitor", "capture"}
    parts_name, part_name = [("interfaces", "interface"), ("profiles", "profile")]["profiles" in value]
    counts = {name: rule for name, rule in documented.items() if name not in {"interfaces", "profiles"} | session}
    check_members(value, {**counts, parts_name: ({"array"}, "")}, set(), "summary")
    check_summary_values(value, documented, reasons, "summary")
    for part in value[parts_name]:
        where = f"summary, {parts_name}"
        own = {**counts, part_name: ({"string"}, "")}
        if session & part.keys():
            own.update({name: documented[name] for name in session})
        check_members(part, own, set(), where)
        check_summary_values(part, documented, reasons, where)
        for name in session & part.keys():
            if part[name] is not None:
                check_named(part[name], names_in(documented[name][1]), {"integer"}, f"{where}, {name}")


def check_recorded(value, page):
    documented, session = members_of(page, "recorded"), members_of(page, "summary")
    check_members(value, documented, set(), "recorded")
    counts = [name for name in names_in(documented["interfaces"][1]) if name in documented]
    own = {name: documented[name] for name in counts}
    own.update({"interface": ({"string"}, ""), "monitor": session["monitor"], "capture": session["capture"]})
    for part in value["interfaces"]:
        check_members(part, own, set(), "recorded, interfaces")
        for name in ("monitor", "capture"):
            if part[name] is not None:
                check_named(part[name], names_in(session[name][1]), {"integer"}, f"recorded, interfaces, {name}")


def names_of_values(first):
    """The names in the first column of the page's table with this title."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    at = lines.index(f"| {first} | meaning |") + 2
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines[at:])
    return [name for row in rows for name in names_in(row.split("|")[1])]


def braces_of(documented, name):
    return [list_of.split(", ") for list_of in re.findall(r"\{([^}]+)\}", documented[name][1])][0]


def check_point(value, documented):
    for one in value["messageTypes"]:
        assert list(one) == braces_of(documented, "messageTypes")
    check_named(value["exchanges"], names_in(documented["exchanges"][1])[:-1], {"object"}, "point, exchanges")
    for one in value["exchanges"].values():
        assert list(one) == braces_of(documented, "exchanges")
    check_named(value["reasons"], names_of_values("reason"), {"integer"}, "point, reasons")
    check_named(value["counts"], names_of_values("count"), {"integer"}, "point, counts")


def check_time_error(value, documented):
    for name in ("windows", "limits"):
        for one in value[name]:
            assert list(one) == braces_of(documented, name)


INNER = {"point": check_point, "time_error": check_time_error}


def check_inner(value, documented):
    """Objects inside a line: the page names their members in the text, for one or several at once."""
    for name, member in value.items():
        if type(member) is dict:
            check_named(member, names_in(documented[name][1]), {"boolean"}, name)


def check_line(line, page, reasons):
    kind = line["type"]
    assert list(line)[:2] == ["schema", "type"] and line["schema"] == 1
    value = {name: line[name] for name in line if name not in ("schema", "type")}
    if kind == "summary":
        check_summary(value, page, reasons)
        return
    if kind == "recorded":
        check_recorded(value, page)
        return
    # `profile` is described where it first occurs.
    documented = {**members_of(page, kind), "profile": members_of(page, "start")["profile"]}
    check_members(value, documented, {"profile"}, kind)
    INNER.get(kind, check_inner)(value, documented)
    if kind == "exchange":
        assert value["reason"] in names_of_values("reason")


def output_of(*command):
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            timeout=50)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def check_all(lines, page, reasons):
    for line in lines:
        check_line(line, page, reasons)
    return {line["type"] for line in lines}


def needs_root():
    if os.geteuid() != 0:
        pytest.skip("needs root, for network namespaces and eBPF")


def test_a_line_of_each_type(page, reasons):
    lines = output_of(os.environ["JSON_LINES"], "report")
    assert check_all(lines, page, reasons) == set(page) - {"interface", "simulation"}
    # What the page says may be null has been null, and has been something else; nothing else has been null.
    for kind in set(page) - {"interface", "simulation", "summary", "recorded"}:
        for name, (types, _) in members_of(page, kind).items():
            seen = {type(line[name]) for line in lines if line["type"] == kind and name in line}
            if "decimal" in types:
                assert seen & {int, float} and (NoneType in seen) == ("null" in types), (kind, name)
            else:
                assert seen == {TYPES[one] for one in types}, (kind, name)


def test_list(page, reasons):
    lines = output_of(os.environ["PTPMON"], "list", "--json")
    assert check_all(lines, page, reasons) == {"interface"}


def test_watch(page, reasons):
    """On the loopback of a namespace of its own, where nothing passes."""
    needs_root()
    lines = output_of("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$0" watch --json --duration=100ms lo',
                      os.environ["PTPMON"])
    assert check_all(lines, page, reasons) >= {"start", "clocks", "summary"}


def test_record_and_correlate(page, reasons, tmp_path):
    """On the loopback of a namespace of its own, with some PTP frames."""
    needs_root()
    send = tmp_path / "send.py"
    send.write_text("import os, pathlib, signal, socket, sys, time\n"
                    "raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\n"
                    "raw.bind(('lo', 0))\n"
                    "while '\"type\":\"files\"' not in pathlib.Path(sys.argv[1]).read_text():\n"
                    "    time.sleep(0.01)\n"
                    "for number in range(5):\n"
                    "    raw.send(bytes(12) + bytes.fromhex('88f70002002c0000') + bytes(24) + bytes([0, 1, 0, number])"
                    " + bytes(12))\n"
                    "time.sleep(0.3)\n"
                    "os.kill(os.getppid(), signal.SIGINT)\n")
    said = tmp_path / "said"
    said.touch()
    output_of("unshare", "--net", "sh", "-c", 'ip link set lo up && { python3 "$1" "$3" & '
              'exec "$0" record --json --duration=40s -o "$2" lo >"$3"; }',
              os.environ["PTPMON"], str(send), str(tmp_path / "trace"), str(said))
    lines = [json.loads(line) for line in said.read_text().splitlines()]
    assert check_all(lines, page, reasons) == {"start", "files", "recorded"}
    assert lines[-1]["events"] == 10
    lines = output_of(os.environ["PTPMON"], "correlate", "--json", str(tmp_path / "trace.pcapng"),
                      str(tmp_path / "trace.events"))
    assert check_all(lines, page, reasons) == {"recording", "frame", "clocks", "alignment", "summary"}
    lines = output_of(os.environ["PTPMON"], "analyze", "--json", str(tmp_path / "trace"))
    assert check_all(lines, page, reasons) >= {"point", "analysis"}


def test_simulate(page, reasons, tmp_path):
    line, = output_of(os.environ["PTPMON"], "simulate", "--json", "--duration=2s", "-o", str(tmp_path / "net"))
    assert check_all([line], page, reasons) == {"simulation"}
    assert (line["path"], line["ports"], line["stopped"]) == (str(tmp_path / "net"), 2, False)


def test_demo(page, reasons):
    needs_root()
    lines = output_of(os.environ["PTPMON"], "demo", "--json", "--profile=gptp", "--duration=3s")
    assert check_all(lines, page, reasons) >= {"start", "frame", "clocks", "summary"}
    assert lines[-1]["type"] == "summary"
    assert all(line["profile"] == "gptp" for line in lines[:-1])
    for line in lines:
        if line["type"] == "frame":
            assert line["reason"] in reasons
