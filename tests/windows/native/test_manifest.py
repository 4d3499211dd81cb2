# SPDX-License-Identifier: MIT
"""driver/windows/avbptpmon.man against what driver/windows/trace.c writes: the same events, the same payloads, the same
values of maps; and against the rules of the EventManifest schema that Windows' own tools would enforce."""
import json
import os
import pathlib
import re
import struct
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
MANIFEST = ROOT / "driver" / "windows" / "avbptpmon.man"
EVENTS = "{http://schemas.microsoft.com/win/2004/08/events}"

# winmeta.xml of the Windows SDK: what needs no definition.
LEVELS = {"win:Critical": 1, "win:Error": 2, "win:Warning": 3, "win:Informational": 4, "win:Verbose": 5}
OPCODES = {None: 0, "win:Info": 0, "win:Start": 1, "win:Stop": 2}
IN_TYPES = {"win:UInt32": ("<I", {None, "win:HexInt32", "win:PID", "win:NTSTATUS"}),
            "win:UInt64": ("<Q", {None, "win:HexInt64"})}


@pytest.fixture(scope="module")
def manifest():
    return ElementTree.parse(MANIFEST).getroot()


@pytest.fixture(scope="module")
def provider(manifest):
    found = manifest.findall(f"{EVENTS}instrumentation/{EVENTS}events/{EVENTS}provider")
    assert len(found) == 1
    return found[0]


@pytest.fixture(scope="module")
def strings(manifest):
    found = manifest.findall(f"{EVENTS}localization/{EVENTS}resources/{EVENTS}stringTable/{EVENTS}string")
    table = {string.get("id"): string.get("value") for string in found}
    assert len(table) == len(found)
    return table


@pytest.fixture(scope="module")
def written():
    """What trace.c writes: the lines of test_trace --events."""
    output = subprocess.run([os.environ["TEST_TRACE"], "--events"], check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def section(provider, section_name, element_name):
    return provider.findall(f"{EVENTS}{section_name}/{EVENTS}{element_name}")


def messages(provider):
    """Each element with a message, the provider among them."""
    return [element for element in provider.iter() if element.get("message") is not None]


def string_id(element):
    return re.fullmatch(r"\$\(string\.([\w.]+)\)", element.get("message")).group(1)


def templates(provider):
    return {template.get("tid"): [(data.get("name"), data.get("inType"), data.get("outType"), data.get("map"))
                                  for data in template.findall(f"{EVENTS}data")]
            for template in section(provider, "templates", "template")}


def decode(fields, data):
    values, at = {}, 0
    for name, in_type, _, _ in fields:
        form = IN_TYPES[in_type][0]
        values[name] = struct.unpack_from(form, data, at)[0]
        at += struct.calcsize(form)
    assert at == len(data)
    return values


def test_the_provider_is_the_drivers(provider, written):
    assert provider.get("name") == "AvbPtp"
    assert provider.get("guid") == next(line["provider"] for line in written if "provider" in line)
    for name in "resourceFileName", "messageFileName":
        assert provider.get(name) == r"%SystemRoot%\System32\drivers\avbptpmon.sys"


def test_each_event_is_in_both_and_is_the_same(provider, written):
    keywords = {keyword.get("name"): int(keyword.get("mask"), 0) for keyword in section(provider, "keywords", "keyword")}
    tasks = {task.get("name"): int(task.get("value")) for task in section(provider, "tasks", "task")}
    in_manifest = [(int(event.get("value")), int(event.get("version")), 0, LEVELS[event.get("level")],
                    OPCODES[event.get("opcode")], tasks[event.get("task")] if event.get("task") else 0,
                    sum(keywords[name] for name in event.get("keywords").split()))
                   for event in section(provider, "events", "event")]
    in_driver = [tuple(line[name] for name in ("id", "version", "channel", "level", "opcode", "task", "keywords"))
                 for line in written if "id" in line]
    assert sorted(in_manifest) == sorted(in_driver)
    assert len({event[:2] for event in in_driver}) == len(in_driver)


def test_each_payload_reads_as_it_was_written(provider, written):
    of_id = {int(event.get("value")): event.get("template") for event in section(provider, "events", "event")}
    fields_of = templates(provider)
    for line in written:
        if "id" in line:
            values = decode(fields_of[of_id[line["id"]]], bytes.fromhex(line["data"]))
            assert list(values.items()) == list(line["fields"].items()), line["call"]


def test_the_maps_name_each_value(provider, strings, written):
    in_manifest = {}
    for value_map in section(provider, "maps", "valueMap"):
        values = [(int(entry.get("value"), 0), string_id(entry)) for entry in value_map.findall(f"{EVENTS}map")]
        assert values == sorted(values)
        in_manifest[value_map.get("name")] = {value: string.partition(".")[2] for value, string in values}
        assert all(strings[string] for _, string in values)
        assert len({strings[string] for _, string in values}) == len(values)
    in_driver = {}
    for line in written:
        if "map" in line:
            in_driver.setdefault(line["map"], {})[line["value"]] = line["name"]
    assert in_manifest == in_driver


def test_types_are_those_of_the_schema(provider):
    maps = {value_map.get("name") for value_map in section(provider, "maps", "valueMap")}
    used = set()
    for fields in templates(provider).values():
        assert len({name for name, *_ in fields}) == len(fields)
        for _, in_type, out_type, value_map in fields:
            assert out_type in IN_TYPES[in_type][1]
            assert value_map is None or value_map in maps
            used.add(value_map)
    assert used - {None} == maps


def test_keywords_are_single_bits_that_a_provider_may_define(provider):
    masks = [int(keyword.get("mask"), 0) for keyword in section(provider, "keywords", "keyword")]
    assert len(set(masks)) == len(masks)
    for mask in masks:
        assert mask & (mask - 1) == 0 and 0 < mask < 1 << 48


def test_names_and_symbols_are_distinct(provider):
    for attribute in "symbol", "tid":
        values = [element.get(attribute) for element in provider.iter() if element.get(attribute)]
        assert len(set(values)) == len(values)
    for name in (element.get("symbol") for element in provider.iter() if element.get("symbol")):
        assert re.fullmatch(r"AVB_[A-Z_]+", name)


def test_each_string_is_there_and_used(provider, strings):
    used = {string_id(element) for element in messages(provider)}
    assert used == set(strings)
    assert all(strings.values())


def test_messages_insert_fields_that_there_are(provider, strings):
    fields_of = templates(provider)
    for event in section(provider, "events", "event"):
        text = strings[string_id(event)]
        inserted = {int(number) for number in re.findall(r"%(\d+)", text)}
        assert inserted == set(range(1, len(fields_of[event.get("template")]) + 1)), text
        assert "%" not in re.sub(r"%\d+", "", text)


def test_the_text_is_plain():
    data = MANIFEST.read_bytes()
    assert data.startswith(b'<?xml version="1.0" encoding="UTF-8"')
    assert data.isascii() and b"\r" not in data and b"\t" not in data
