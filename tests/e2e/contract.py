# SPDX-License-Identifier: MIT
"""What docs/json.md promises of each JSON object: its members, no more and no fewer, and the values with names."""
import functools
import pathlib
import re

_PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "json.md"
_LATENCIES = ("rx_driver", "nic_to_host", "tx_software", "tx_hardware")


def _names(cell):
    return re.findall(r"`([^`]+)`", cell)


@functools.cache
def _tables():
    """By heading: the tables, each a list of rows, each a list of cells; the first row is the header."""
    tables = {}
    heading, previous = None, ""
    for line in _PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            heading = line[3:]
        elif line.startswith("|"):
            row = [cell.strip() for cell in line.strip("|").split("|")]
            if not previous.startswith("|"):
                tables.setdefault(heading, []).append([])
            if not set(row[0]) <= {"-"} or row[0] == "":
                tables[heading][-1].append(row)
        previous = line
    return tables


def _members(table):
    members = {name for row in table[1:] for name in _names(row[0])}
    if "..._latency_uncertainty_ns" in members:
        members.remove("..._latency_uncertainty_ns")
        members |= {f"{name}_latency_uncertainty_ns" for name in _LATENCIES}
    return members


@functools.cache
def _documented(kind):
    return _members(_tables()[kind][0]) - {"profile"}


@functools.cache
def _reasons():
    """The pairs of outcome and reason."""
    pairs, outcomes = set(), []
    for outcome, reason, _ in _tables()["frame"][1][1:]:
        outcomes = _names(outcome) or outcomes
        pairs |= {(outcomes[0], name) for name in _names(reason)}
    return pairs


def _assert_members(value, documented, what):
    assert value.keys() == documented, f"{what}: undocumented {value.keys() - documented}, " \
                                       f"missing {documented - value.keys()}"


def _assert_summary(summary):
    parts_name, part_name = ("profiles", "profile") if "profiles" in summary else ("interfaces", "interface")
    counts = _documented("summary") - {"profiles", "interfaces"}
    session = _members(_tables()["summary"][1])
    _assert_members(summary, counts | {"schema", "type", parts_name}, "summary")
    for part in summary[parts_name]:
        live = part.keys() & session
        _assert_members(part, counts | {part_name} | (session if live else set()), f"summary, {parts_name}")
        for name, _, meaning in _tables()["summary"][1][1:]:
            nested = part.get(name.strip("`"))
            if nested is not None:
                _assert_members(nested, set(_names(meaning)), f"summary, {parts_name}, {name}")


def assert_documented(value):
    """The object is as the page says."""
    assert value["schema"] == 1 and list(value)[:2] == ["schema", "type"], value
    kind = value["type"]
    if kind == "summary":
        _assert_summary(value)
        return
    _assert_members({name: value[name] for name in value if name not in ("schema", "type", "profile")},
                    _documented(kind), kind)
    if kind == "frame":
        pair = (value["outcome"], value["reason"])
        assert pair in _reasons() or pair == (None, None), pair
