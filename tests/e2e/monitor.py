# SPDX-License-Identifier: MIT
"""Runs `ptpmon watch --json` and reads what it wrote."""
import json
import pathlib
import re
import signal

from contract import assert_documented
from lab import run, wait_until
from truth import Identity

SUMMARY_KEYS = {"events", "frames", "matched", "unmatched_events", "unmatched_frames", "duplicates", "ambiguous",
                "outside", "dropped_events"}


def parse_lines(text):
    """Every line is one JSON object, as documented."""
    assert text == "" or text.endswith("\n"), "the last line was not finished"
    objects = [json.loads(line) for line in text.splitlines()]
    for value in objects:
        assert_documented(value)
    return objects


class Recording:
    """The lines of one run on one interface."""

    def __init__(self, objects):
        self.objects = objects
        self.start = self.of_type("start")[0]
        self.lines = self.of_type("frame")
        self.losses = self.of_type("loss")
        self.warnings = self.of_type("warning")
        self.summary = objects[-1]
        assert self.summary["type"] == "summary" and SUMMARY_KEYS <= self.summary.keys(), self.summary
        assert len(self.summary["interfaces"]) == 1, self.summary
        self.statistics = self.summary["interfaces"][0]["monitor"]
        self.capture = self.summary["interfaces"][0]["capture"]

    def of_type(self, name):
        return [value for value in self.objects if value["type"] == name]

    def events(self, direction=None):
        """The lines that have an event."""
        return [line for line in self.lines
                if line["system_timestamp_ns"] is not None and direction in (None, line["direction"])]

    @property
    def traced(self):
        """Whether this kernel's tracing was to be had."""
        return self.start["tx_stamps"] != "none"


class Monitor:
    """A running `ptpmon watch` on one end of a link."""

    def __init__(self, lab, ptpmon, end, *options):
        self.process = lab.start("ptpmon", [ptpmon, "watch", "--json", *options, end.interface], end)

    def wait_ready(self):
        """From here on every frame is seen."""
        self.process.wait_for('"type":"start"', "stdout")

    def wait_for_lines(self, text, count=1):
        wait_until(lambda: self.process.stdout.count(text) >= count, f"{self.process.name}: {count} lines with {text}")

    def send_signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """Ends it as Ctrl-C does."""
        code = self.process.stop(signal.SIGINT)
        assert code == 0, f"exit code {code}: {self.process.stderr}"
        assert self.process.stderr == "", self.process.stderr
        return Recording(parse_lines(self.process.stdout))


def identity_of(line):
    return Identity(**{field: line[field] for field in Identity._fields})


def _shown_by_bpftool(kind):
    """bpftool gives up where an object comes or goes, of whomever, while it lists: then asked again."""
    def shown():
        result = run("bpftool", "-j", kind, "show", check=False)
        return [json.loads(result.stdout)] if result.returncode == 0 else None
    return wait_until(shown, f"bpftool {kind} show succeeds")[0]


def kernel_objects():
    """The ids of the eBPF programs, links and maps in the kernel: {("prog", 17), ...}."""
    return {(kind, value["id"]) for kind in ("prog", "link", "map") for value in _shown_by_bpftool(kind)}


def _file_information(path):
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""  # closed since it was listed


def kernel_objects_of(process):
    """Those that a running monitor holds: what it has attached, among others."""
    found = set()
    for path in pathlib.Path(f"/proc/{process.pid}/fdinfo").iterdir():
        for kind, number in re.findall(r"^(prog|link|map)_id:\t(\d+)$", _file_information(path), re.MULTILINE):
            found.add((kind, int(number)))
    assert {"prog", "map"} <= {kind for kind, _ in found} and found <= kernel_objects(), found
    return found


def wait_until_gone(objects):
    """The kernel frees what nobody holds a little later."""
    wait_until(lambda: not objects & kernel_objects(), f"eBPF objects {sorted(objects)} are still in the kernel")
