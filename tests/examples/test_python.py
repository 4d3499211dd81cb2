# SPDX-License-Identifier: MIT
"""correlate.py on recordings: the same as the C example finds, and pictures of it."""
import ast
import os
import pathlib
import re
import subprocess
import xml.etree.ElementTree

import pytest

import files


def run(command, *arguments, **options):
    done = subprocess.run([*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=120, **options)
    return done.returncode, done.stdout, done.stderr


def output_of(command, *arguments):
    code, output, errors = run(command, *arguments)
    assert code == 0 and errors == "", errors
    return output


def of_demo(demo, *options):
    return [demo.with_suffix(".pcapng"), "--events", demo.with_suffix(".events"), *options]


def rows_of(output):
    return re.findall(r"^\d\d:\d\d:\d\d\.\d{9} .+$", output, re.MULTILINE)


def test_every_frame_is_paired(correlate_py, demo):
    output = output_of(correlate_py, *of_demo(demo))
    events = files.frames_in(files.records(demo.with_suffix(".events")))
    frames = files.captured(demo.with_suffix(".pcapng"))
    assert f"\n{events} pairs of {events} events and {frames} captured PTP messages\n" in output
    rows = rows_of(output)
    assert len(rows) == events and all(re.search(r" matched +by (software time|key|order)$", row) for row in rows)
    reasons = re.search(r"reasons: +(.+)", output)[1]
    assert sum(int(count) for count in re.findall(r"\d+", reasons)) == events
    assert re.search(r"capture clock: the system clock: (\d+) of \1 stamps are equal", output)


def test_it_says_what_the_c_example_says(correlate_py, example, demo):
    c = subprocess.run([example("correlate"), demo.with_suffix(".pcapng"), demo.with_suffix(".events")],
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
    in_c = re.findall(r"^\d{10}(\d{9}) ([RT]X) (\w+) +(\d+) +(?:(\d+) ns|-) +(\w+) \((\w+)\)$", c, re.MULTILINE)
    in_python = [re.fullmatch(r"\S{8}\.(\d{9}) ([RT]X) +(\w+) +(\d+) +\d+  \S+ +(\S+)  (\w+) +(.+)", row).groups()
                 for row in rows_of(output_of(correlate_py, *of_demo(demo)))]
    assert [(*row[:4], row[4].replace(".", "").lstrip("0").replace("-", ""), row[5], row[6].replace(" ", "_"))
            for row in in_python] == in_c and in_c


def test_scapy_finds_the_same(correlate_py, demo):
    plain, scapy = output_of(correlate_py, *of_demo(demo)), output_of(correlate_py, *of_demo(demo, "--scapy"))
    assert rows_of(scapy) == rows_of(plain)


def test_what_has_no_partner(correlate_py, demo, tmp_path):
    cut = tmp_path / "cut.pcap"
    frames = files.without_frames(demo.with_suffix(".pcapng"), range(20, 30), cut)
    output = output_of(correlate_py, cut, "--events", demo.with_suffix(".events"), "--pictures", tmp_path)
    assert f"{frames - 10} pairs of {frames} events and {frames - 10} captured PTP messages" in output
    assert re.search(r"unmatched: +10 events +0 frames", output) and "not captured 10" in output
    assert "event without frame: 10" in words_of(tmp_path / "timeline.svg")


def words_of(path):
    return "".join(xml.etree.ElementTree.parse(path).getroot().itertext())


def test_pictures(correlate_py, demo, tmp_path):
    directory = tmp_path / "new" / "pictures"
    output = output_of(correlate_py, *of_demo(demo, "--pictures", directory, "--rows", "3"))
    events = files.records(demo.with_suffix(".events"))
    total = files.frames_in(events)
    assert len(rows_of(output)) == 3 and f"... and {total - 3} more" in output
    pictures = sorted(path.stem for path in directory.glob("*.png"))
    assert pictures == sorted(path.stem for path in directory.glob("*.svg"))
    assert f"{len(pictures)} pictures, as PNG and SVG, are in {directory}" in output
    assert {"summary", "timeline", "intervals", "clocks", "rx_driver_latency", "rx_driver_jitter"} <= set(pictures)
    for path in directory.glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG")
    assert f"Messages over time, {total} messages" in words_of(directory / "summary.svg")
    assert f"Sync RX ({events['frame', 0, 0]})" in words_of(directory / "timeline.svg")
    assert f"RX driver latency, {files.frames_in(events, 0)} messages" in words_of(directory / "rx_driver_latency.svg")
    assert "no clock of its own" in words_of(directory / "clocks.svg")


@pytest.mark.parametrize("arguments, named", [
    (["no-such-if"], "no-such-if"), (["no.pcap", "--events", "no.events"], "no.events")])
def test_what_fails_is_named(correlate_py, arguments, named):
    code, _, errors = run(correlate_py, *arguments)
    assert code == 1 and errors.startswith("correlate.py: ") and named in errors and errors.count("\n") == 1


@pytest.mark.parametrize("missing, option", [("matplotlib", "--pictures=."), ("scapy", "--scapy")])
def test_what_is_missing_is_named(correlate_py, demo, missing, option, tmp_path):
    (tmp_path / missing).mkdir()
    (tmp_path / missing / "__init__.py").write_text(f"raise ImportError({missing!r})\n")
    code, _, errors = run(correlate_py, *of_demo(demo, option), env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert code == 1 and missing in errors and errors.startswith("correlate.py: ") and errors.count("\n") == 1


def test_it_uses_public_names_only_and_is_python_3_8():
    source = pathlib.Path(__file__).resolve().parents[2] / "examples" / "correlate.py"
    text = source.read_text(encoding="utf-8")
    assert not re.search(r"ptp_monitor\._|ctypes|[^_\w]_[a-z]\w*\(", text)
    ast.parse(text, feature_version=(3, 8))
