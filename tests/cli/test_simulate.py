# SPDX-License-Identifier: MIT
"""`ptpmon simulate`: its options are the library's settings, `correlate` reads its files, and it ends in order."""
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def ptpmon(*arguments, **options):
    return subprocess.run([os.environ["PTPMON"], *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, **options)


def settings_of_help():
    return set(re.findall(r"^ {6}--([a-z-]+)=", ptpmon("simulate", "--help").stdout, re.M)) - {"output"}


def test_help_lists_every_setting_in_eighty_columns():
    text = ptpmon("simulate", "--help").stdout
    page = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `([a-z-]+)` \|", page.partition("## Settings")[2].partition("## Faults")[0], re.M))
    assert settings_of_help() == named and len(named) > 40
    assert max(map(len, text.splitlines())) < 80


def test_manual_names_every_setting_and_fault():
    manual = (ROOT / "docs" / "man" / "ptpmon-simulate.1").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
    assert settings_of_help() == set(re.findall(r"^\.It Fl Fl ([a-z-]+) Ns = ", manual, re.M))
    faults = re.findall(r"^\| `(\w+)` \|", page.partition("## Faults")[2].partition("## The truth")[0], re.M)
    assert faults == re.findall(r"^\.It Cm (\w+)$", manual, re.M) and len(faults) == 21


def test_files_are_those_of_a_recording(tmp_path):
    made = ptpmon("simulate", "-o", tmp_path / "t", "--profile=e2e", "--bridges=1", "--duration=5s", "--drift=5ppm")
    assert (made.returncode, made.stderr) == (0, "")
    ports = ["gm", "bridge1-up", "bridge1-down", "client"]
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(
        [f"t.{port}.{kind}" for port in ports for kind in ("events", "pcapng")] + ["t.truth.jsonl"])
    for port in ports:
        read = ptpmon("correlate", "--strict", "--json", tmp_path / f"t.{port}.events", tmp_path / f"t.{port}.pcapng")
        assert read.returncode == 0, read.stderr
        assert json.loads(read.stdout.splitlines()[-1])["interfaces"][0]["interface"] == port


def test_json(tmp_path):
    made = ptpmon("simulate", "-o", tmp_path / "t", "--duration=1s", "--json")
    line, = made.stdout.splitlines()
    summary = json.loads(line)
    assert summary.pop("frames") > 0 and summary.pop("events") > 0 and summary.pop("exchanges") > 0
    assert summary == {"schema": 1, "type": "simulation", "path": str(tmp_path / "t"), "ports": 2, "stopped": False}


@pytest.mark.parametrize("arguments, message", [
    ([], "say where the files go: -o PATH"),
    (["-o", "x", "y"], "`y` is too much"),
    (["-o", "x", "--drift=fast"], "drift: `fast` does not fit; give PPM"),
    (["-o", "x", "--fault=nothing"], "fault nothing: no fault `nothing`"),
    (["-o", "x", "--profile=gptp", "--transport=udp4"], "transport: gptp is over ethernet"),
    (["-o", "x", "--fault=phc_step:size=1s,where=bridge1"], "fault phc_step: `where` names no node or port"),
    (["-o", "x", "--observe=bridge1-up"], "observe: `bridge1-up` is no port of this network"),
    (["-o", "x", "--bridges"], "--bridges needs a value"),
    (["-o", "x", "--no-such=1"], "unknown or ambiguous option --no-such=1"),
    (["-o", "x", "--drift=1001"], "drift: `1001` does not fit; give PPM, -1000 to 1000 (client's clock"),
    (["-o", "x", "--duration=10"], "duration: `10` has no unit; give a number and ns, us, ms"),
    (["-o", "x", "--link-delay=1us,2us"], "link-delay: `1us,2us` is for 2 links, and there are 1"),
    (["-o", "x", "--fault=loss:p=2"], "`p=2` does not fit: p is 0 to 1"),
    (["-o", "x", "--fault=loss:at=5s,until=3s"], "fault loss: it ends before it begins"),
    (["-o", "x", "--fault=phc_step:at=100s,size=1ms"], "fault phc_step: `at` is after the end"),
    (["-o", "x", "--fault=loss:type=delay_req"], "fault loss: no message of this type is sent"),
    (["-o", "x", "--pcp=3"], "pcp: frames have no tag"),
    (["-o", "x", "--seed=99999999999999999999"], "seed: `99999999999999999999` does not fit; give N, 0 to 92233720368"),
    *((["-o", name], f"--output: `{name}` is not what the names of files can begin with")
      for name in ("", ".", "..", "./", "none/", "/", "./..")),
])
def test_command_lines_that_are_wrong(tmp_path, arguments, message):
    made = ptpmon("simulate", *arguments, cwd=tmp_path)
    assert made.returncode == 2 and message in made.stderr and made.stdout == "", made.stderr
    assert not list(tmp_path.iterdir())


UNITS = {"5000000000ns": 5, "5000000us": 5, "5000ms": 5, "5s": 5, "0.1m": 6, "0.1min": 6, "0.002h": 7.2,
         "0.0001d": 8.64}


@pytest.mark.parametrize("text", UNITS)
def test_a_time_has_the_same_units_in_every_command(tmp_path, text):
    """simulate takes it for a duration; analyze and correlate for what they take a time for."""
    made = ptpmon("simulate", "-o", tmp_path / "t", f"--duration={text}")
    assert made.returncode == 0, made.stderr
    end = json.loads((tmp_path / "t.truth.jsonl").read_text().splitlines()[-1])["time"][0] / 1e9
    assert UNITS[text] <= end < UNITS[text] + 0.1
    files = [tmp_path / "t.client.events", tmp_path / "t.client.pcapng"]
    for options in (["analyze", f"--window={text}", f"--max-offset={text}", f"--tau0={text}"],
                    ["correlate", f"--window={text}", f"--max-offset={text}"]):
        read = ptpmon(*options, "--json", *files)
        assert "is not a time" not in read.stderr and read.returncode == 0, read.stderr


def test_a_directory_that_is_not_there(tmp_path):
    made = ptpmon("simulate", "-o", tmp_path / "none" / "t")
    assert made.returncode == 1 and f"{tmp_path}/none/t.gm.events: cannot create the recording" in made.stderr


def test_ctrl_c_leaves_whole_files(tmp_path):
    process = subprocess.Popen([os.environ["PTPMON"], "simulate", "-o", tmp_path / "t", "--duration=24h",
                                "--sync-interval=-7", "--truth=faults", "--json"], stdout=subprocess.PIPE, text=True)
    events = tmp_path / "t.client.events"
    while process.poll() is None and not (events.exists() and events.stat().st_size > 100000):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert json.loads(process.communicate(timeout=60)[0])["stopped"] is True and process.returncode == 0
    read = ptpmon("correlate", "--strict", "--summary", events, tmp_path / "t.client.pcapng")
    assert read.returncode == 0, read.stderr
    assert json.loads((tmp_path / "t.truth.jsonl").read_text().splitlines()[-1])["whole"] is False
