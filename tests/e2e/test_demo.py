# SPDX-License-Identifier: MIT
"""`ptpmon demo` shows both profiles with everything matched, does no harm, and leaves nothing behind."""
import os
import pathlib
import signal

import pytest

from lab import as_nobody, is_alive, run, wait_until, without_btf
from monitor import SUMMARY_KEYS, kernel_objects_of, parse_lines, wait_until_gone
from ptp4l import assert_harmless

PROFILES = ["default", "gptp"]


def children_of(pid):
    try:
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []  # it has ended


def command_line(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
    except (FileNotFoundError, ProcessLookupError):
        return []  # it has ended


def ptp4l_children(pid):
    return [child for child in children_of(pid) if command_line(child)[:1] and "ptp4l" in command_line(child)[0]]


def wait_for_ptp4l(process):
    """Waits until grandmaster and client of a demo run; returns their process ids."""
    wait_until(lambda: len(ptp4l_children(process.pid)) == 2, "the demo's two ptp4l")
    return ptp4l_children(process.pid)


def network_namespace(pid):
    try:
        return os.readlink(f"/proc/{pid}/ns/net")
    except OSError:
        return None  # it has ended, or is none of ours


def namespaces_in_use():
    return {network_namespace(pid) for pid in os.listdir("/proc") if pid.isdigit()}


def host_state():
    """What a demo must not change: the host's links, named namespaces, and what lies in /run."""
    links = [line.split(":")[1].strip() for line in run("ip", "-o", "link").stdout.splitlines()]
    return {name for name in links if name.partition("@")[0] in ("client", "grandmaster")}, \
        pathlib.Path("/run/ptpmon-demo").exists(), \
        {name for name in run("ip", "netns", "list").stdout.split() if "demo" in name}


@pytest.fixture(scope="module")
def demo(lab, ptpmon):
    """A whole `ptpmon demo --json`. Each ptp4l that it runs is looked at while it runs."""
    before = host_state()
    process = lab.start("demo", [ptpmon, "demo", "--json", "--duration=4s"])
    seen = set()

    def ended():
        for pid in [] if process.popen.poll() is not None else ptp4l_children(process.pid):
            if pid not in seen:
                assert_harmless(command_line(pid), root=f"/proc/{pid}/root")
                seen.add(pid)
        return process.popen.poll() is not None

    wait_until(ended, "the demo ends", patience=60)
    assert len(seen) == 2 * len(PROFILES)
    assert host_state() == before
    assert process.popen.returncode == 0, process.stderr
    return process


def test_last_line_is_the_summary(demo):
    objects = parse_lines(demo.stdout)
    summary = objects[-1]
    assert [one["type"] for one in objects].count("summary") == 1
    assert summary["type"] == "summary" and SUMMARY_KEYS <= summary.keys()
    assert summary["matched"] == summary["events"] == summary["frames"] > 0
    for name in SUMMARY_KEYS - {"matched", "events", "frames"}:
        assert summary[name] == 0, f"{name}: {summary}"
    assert demo.stderr == ""


@pytest.mark.parametrize("profile, types", [
    ("default", {"Sync": "rx", "Follow_Up": "rx", "Announce": "rx", "Delay_Req": "tx", "Delay_Resp": "rx"}),
    ("gptp", {"Sync": "rx", "Follow_Up": "rx", "Announce": "rx", "Pdelay_Req": "both", "Pdelay_Resp": "both",
              "Pdelay_Resp_Follow_Up": "both"}),
], ids=PROFILES)
def test_profiles(demo, profile, types):
    """Seen from the client."""
    objects = parse_lines(demo.stdout)
    part, = [part for part in objects[-1]["profiles"] if part["profile"] == profile]
    assert part["matched"] == part["events"] == part["frames"] > 0
    counted = {one["messageTypeName"]: one for one in part["messageTypes"]}
    for name, direction in types.items():
        for one in ("rx", "tx") if direction == "both" else (direction,):
            assert counted[name][one] > 0, f"{name} {one}: {part['messageTypes']}"
    lines = [one for one in objects if one["type"] == "frame" and one["profile"] == profile]
    assert len(lines) == part["matched"]
    assert {line["outcome"] for line in lines} == {"matched"}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_nothing_is_left_behind(lab, ptpmon, number):
    """Neither ptp4l nor namespaces nor eBPF programs nor files, whatever ends it."""
    before = host_state()
    process = lab.start("demo", [ptpmon, "demo", "--json"])
    ptp4l = wait_for_ptp4l(process)
    namespaces = {network_namespace(pid) for pid in [*ptp4l, process.pid]}
    assert len(namespaces) == 2 and network_namespace(os.getpid()) not in namespaces
    process.wait_for('"type":"frame"', "stdout")
    objects = kernel_objects_of(process)
    code = process.stop(number)
    wait_until(lambda: not any(is_alive(pid) for pid in ptp4l), f"ptp4l {ptp4l} end with the demo")
    wait_until(lambda: not namespaces & namespaces_in_use(), "the demo's namespaces are gone")
    wait_until_gone(objects)
    assert host_state() == before
    if number == signal.SIGKILL:
        assert code == -signal.SIGKILL
    else:
        summary = parse_lines(process.stdout)[-1]
        assert code == 0 and summary["type"] == "summary"
        assert summary["matched"] == summary["events"] == summary["frames"] > 0, summary


LACKING = {
    "rights": (lambda ptpmon: as_nobody(ptpmon, [], "demo", "--json"), "root"),
    "BTF": (lambda ptpmon: without_btf(ptpmon, "demo", "--json"), "BTF"),
}


@pytest.mark.parametrize("missing", LACKING)
def test_recording_is_shown_where_something_is_missing(reachable_ptpmon, missing):
    """The sentence says what the live demo lacks; the recording shows what it would look like."""
    command, named = LACKING[missing]
    result = run(*command(reachable_ptpmon), check=False)
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("\n") == 1 and named in result.stderr and "recording" in result.stderr
    objects = parse_lines(result.stdout)
    warning, = [one for one in objects if one["type"] == "warning"]
    assert warning["message"] in result.stderr
    summary = objects[-1]
    assert summary["type"] == "summary"
    assert summary["matched"] == summary["events"] == summary["frames"] > 0, summary
    assert {one["profile"] for one in objects if one["type"] == "frame"} == set(PROFILES)
