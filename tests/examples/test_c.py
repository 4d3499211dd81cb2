# SPDX-License-Identifier: MIT
"""The C examples on recordings: what they count is what is there."""
import re
import subprocess

import pytest

import files

MESSAGE_TYPES = {0: "Sync", 1: "Delay_Req", 2: "Pdelay_Req", 3: "Pdelay_Resp", 8: "Follow_Up", 9: "Delay_Resp",
                 10: "Pdelay_Resp_Follow_Up", 11: "Announce"}


def run(program, *arguments):
    done = subprocess.run([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def output_of(program, *arguments):
    code, output, errors = run(program, *arguments)
    assert code == 0, errors
    return output


def test_records_in_place_counts_every_record(example, demo):
    output = output_of(example("records_in_place"), demo.with_suffix(".events"))
    truth = files.records(demo.with_suffix(".events"))
    counted = {name: int(count) for count, name in re.findall(r"^ *(\d+)  (.+)$", output, re.MULTILINE)}
    assert counted == {"frames received": files.frames_in(truth, 0), "frames sent": files.frames_in(truth, 1),
                       "late stamps of sent frames": truth["late stamp"], "readings of the clocks": truth["clocks"],
                       "losses": truth["loss"]}
    by_type = {name: (int(received), int(sent))
               for name, received, sent in re.findall(r"^([A-Z]\w+) +(\d+) RX +(\d+) TX$", output, re.MULTILINE)}
    assert by_type == {MESSAGE_TYPES[each]: (truth["frame", 0, each], truth["frame", 1, each])
                       for each in {kind[2] for kind in truth if kind[0] == "frame"}}


def test_correlate_pairs_every_frame(example, demo):
    output = output_of(example("correlate"), demo.with_suffix(".pcapng"), demo.with_suffix(".events"))
    events = files.frames_in(files.records(demo.with_suffix(".events")))
    frames = files.captured(demo.with_suffix(".pcapng"))
    assert events == frames > 0
    assert f"{events} pairs of {events} events and {frames} frames" in output
    assert len(re.findall(r"^\d{19} [RT]X .* matched \(\w+\)$", output, re.MULTILINE)) == events
    assert "\nlost: 0\n" in output


def test_correlate_names_what_has_no_partner(example, demo, tmp_path):
    cut = tmp_path / "cut.pcap"
    frames = files.without_frames(demo.with_suffix(".pcapng"), range(20, 30), cut)
    output = output_of(example("correlate"), cut, demo.with_suffix(".events"))
    assert f"{frames - 10} pairs of {frames} events and {frames - 10} frames" in output
    assert "unmatched: 10 events, 0 frames" in output and "not_captured: 10" in output
    assert output.count("event_without_frame (not_captured)") == 10


@pytest.mark.parametrize("name, arguments", [
    ("watch", ["no-such-if"]), ("record_events", ["no-such-if", "no-such-dir/out.events"]),
    ("records_in_place", ["no-such-if"]), ("records_in_place", ["no-such-file.events"]), ("correlate", ["no-such-if"]),
    ("correlate", ["no-such-file.pcap", "no-such-file.events"])])
def test_what_fails_is_named(example, name, arguments):
    code, output, errors = run(example(name), *arguments)
    assert code == 1 and output == "" and arguments[0] in errors


@pytest.mark.parametrize("name", ["watch", "record_events", "records_in_place", "correlate"])
def test_usage(example, name):
    code, _, errors = run(example(name))
    assert code in (1, 2) and errors.startswith(f"usage: {name} ")


def test_a_file_that_is_no_recording(example, demo):
    code, _, errors = run(example("correlate"), demo.with_suffix(".pcapng"), demo.with_suffix(".pcapng"))
    assert code == 1 and f"{demo.name}.pcapng" in errors
