# SPDX-License-Identifier: MIT
"""
`ptpmon watch --analyze` beside a real ptp4l: exchanges as they come, the report at the end; and the same numbers from a
recording of the same time.
"""
import time

import pytest

from lab import run
from monitor import Monitor, parse_lines
from ptp4l import client, grandmaster, wait_synchronizing
from recorded import Recorder
from truth import settle

KINDS = {"udp_ipv4": {"sync", "e2e"}, "gptp": {"sync", "p2p-as"}}


@pytest.fixture(scope="module", params=sorted(KINDS))
def scene(lab, ptpmon, request):
    """The profile, what `watch --analyze` said at the client's end, and a recording of the same end."""
    ends = lab.link()
    monitor = Monitor(lab, ptpmon, ends[1], "--analyze", "--te")
    shown = lab.start("shown", [ptpmon, "watch", "--analyze", "--color=never", ends[1].interface], ends[1])
    recorder = Recorder(lab, ptpmon, ends[1])
    monitor.wait_ready()
    recorder.wait_ready()
    shown.wait_for("Ctrl-C", "stdout")
    daemons = [grandmaster(lab, ends[0], request.param), client(lab, ends[1], request.param)]
    wait_synchronizing(daemons[1])
    time.sleep(4)
    for daemon in daemons:
        daemon.stop()
    settle()
    watched = monitor.stop()
    recorder.stop()
    assert shown.stop() == 0, shown.stderr
    return request.param, watched, recorder, shown.stdout


def exchanges_of(objects):
    return [value for value in objects if value["type"] == "exchange"]


def test_exchanges_are_computed_as_they_come(scene):
    profile, watched, _, _ = scene
    computed = [value for value in exchanges_of(watched.objects) if value["reason"] == "computed"]
    assert {value["kind"] for value in computed} == KINDS[profile]
    for value in computed:
        assert value["end"] == "requester"
        if value["kind"] == "sync":
            assert value["t2_kind"] == "software" and value["offsetFromMaster_ns"] is not None
        else:
            assert value["meanPathDelay_ns" if value["kind"] == "e2e" else "meanLinkDelay_ns"] is not None


def test_report_stands_before_the_summary(scene):
    _, watched, _, _ = scene
    kinds = [value["type"] for value in watched.objects]
    assert kinds[-2:] == ["analysis", "summary"]
    first = kinds.index("point")
    assert set(kinds[first:]) == {"point", "series", "asymmetry", "time_error", "analysis", "summary"} - (
        {"asymmetry"} if "asymmetry" not in kinds else set())
    assert not {"frame", "exchange", "clocks"} & set(kinds[first:])
    assert watched.objects[-2]["computed"] > 0


def test_recording_gives_the_same(scene, ptpmon):
    """Stamps and messages are those of the same frames; only the instant of looking is each monitor's own."""
    _, watched, recorder, _ = scene
    result = run(ptpmon, "analyze", "--exchanges", recorder.capture, recorder.events)
    recorded = exchanges_of(parse_lines(result.stdout))

    def numbers(value):
        return {name: value[name] for name in value if name not in (
            "interface", "point", "system_timestamp_ns", "time_ns", "frame_number", "delay_age_ns")}

    key = ("kind", "sequenceId", "sourcePortIdentity", "requestingPortIdentity", "t1", "t2", "t4")
    live = {tuple(value[name] for name in key): numbers(value) for value in exchanges_of(watched.objects)
            if value["reason"] == "computed"}
    later = {tuple(value[name] for name in key): numbers(value) for value in recorded if value["reason"] == "computed"}
    assert len(live) > 20
    assert live == later


def test_lines_for_people(scene):
    profile, _, _, text = scene
    lines = text.splitlines()
    marked = [line for line in lines if line[18:21] == "  ="]
    assert any(" sync " in line and "offsetFromMaster" in line and "by software stamps" in line for line in marked)
    delay = "meanLinkDelay" if profile == "gptp" else "meanPathDelay"
    assert any(delay in line for line in marked)
    assert lines.index(next(line for line in lines if line.startswith("Analysis: "))) > \
        lines.index(next(line for line in lines if line.startswith("Summary: ")))
    assert any(line.split()[:2] == ["offsetFromMaster", "ns"] and "software" in line for line in lines)


def test_options_of_the_analysis_include_it(scene, ptpmon):
    """Without rights to watch: the command line alone is looked at."""
    result = run(ptpmon, "watch", "--delay-filter=0", "eth9", check=False)
    assert result.returncode == 2 and "--delay-filter: `0`" in result.stderr
