# SPDX-License-Identifier: MIT
"""What the command's JSON writer wrote, read by a parser of somebody else's."""
import codecs
import json
import os
import subprocess


def _one_for_each_byte(error):
    return "\ufffd", error.start + 1


codecs.register_error("one-for-each-byte", _one_for_each_byte)


def _written(what):
    output = subprocess.run([os.environ["JSON_LINES"], what], stdout=subprocess.PIPE, check=True, timeout=30).stdout
    assert output.endswith(b"\n")
    return [json.loads(line.decode("utf-8")) for line in output[:-1].split(b"\n")]  # strict UTF-8


def test_strings():
    """Valid UTF-8 comes back; each byte that is none has become U+FFFD."""
    (line,) = _written("strings")
    pairs = line["strings"]
    assert len(pairs) == 255 + 5000
    for pair in pairs:
        assert pair["text"] == bytes.fromhex(pair["hex"]).decode("utf-8", "one-for-each-byte"), pair["hex"]


def test_numbers_are_exact():
    (line,) = _written("numbers")
    nested = line.pop('"name"\n')
    assert line == {"schema": 1, "type": "numbers", "int_least": -2**63, "int_most": 2**63 - 1, "uint_most": 2**64 - 1,
                    "above_double": 2**53 + 1, "nothing": None}
    for _ in range(50):
        (inside,) = nested
        nested = inside["in"]
    assert nested == []


def test_every_report_is_one_object_with_its_version_first():
    lines = _written("report")
    assert len(lines) == 54
    for line in lines:
        assert list(line)[:2] == ["schema", "type"] and line["schema"] == 1
