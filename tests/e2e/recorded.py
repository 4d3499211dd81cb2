# SPDX-License-Identifier: MIT
"""Runs `ptpmon record` and `ptpmon correlate`, and reads what they wrote."""
import signal

from lab import run
from monitor import parse_lines


class Recorder:
    """A running `ptpmon record` on an end of a link."""

    def __init__(self, lab, ptpmon, end, *options, interfaces=None, name=None, wrapper=()):
        self.base = lab.directory / (name or f"trace-{len(lab.processes)}")
        self.process = lab.start("record", [*wrapper, ptpmon, "record", "--json", "-o", self.base, *options,
                                            *(interfaces or [end.interface])], end)

    def wait_ready(self):
        """From here on every frame is recorded."""
        self.process.wait_for('"type":"files"', "stdout")

    def ended(self, code=0):
        """After its end: the last line."""
        assert self.process.wait() == code, self.process.stderr
        return self.objects()[-1]

    def stop(self, number=signal.SIGINT):
        self.process.send_signal(number)
        summary = self.ended()
        assert self.process.stderr == "", self.process.stderr
        assert summary["type"] == "recorded"
        return summary

    def objects(self):
        return parse_lines(self.process.stdout)

    @property
    def capture(self):
        return self.base.with_name(self.base.name + ".pcapng")

    @property
    def events(self):
        return self.base.with_name(self.base.name + ".events")

    def events_of(self, interface):
        return self.base.with_name(f"{self.base.name}.{interface}.events")

    def sets(self):
        """The pairs of files that are there, in order."""
        captures = sorted(self.base.parent.glob(f"{self.base.name}-????.pcapng"))
        return [(capture, capture.with_suffix(".events")) for capture in captures]


class Correlated:
    """The lines of one `ptpmon correlate --json`."""

    def __init__(self, objects):
        self.recording, self.alignment, self.summary = objects[0], objects[-2], objects[-1]
        assert [value["type"] for value in (self.recording, self.alignment, self.summary)] == \
            ["recording", "alignment", "summary"]
        self.lines = [value for value in objects if value["type"] == "frame"]

    def assert_all_matched(self):
        summary = self.summary
        assert summary["matched"] == summary["events"] == summary["frames"] > 0, summary

    def assert_nothing_unmatched(self):
        """Whatever lies inside both intervals is matched."""
        for name in ("unmatched_events", "unmatched_frames", "ambiguous", "duplicates", "dropped_events",
                     "dropped_frames"):
            assert self.summary[name] == 0, self.summary
        assert self.summary["matched"] > 0


def correlate(ptpmon, capture, events, *options, code=0):
    result = run(ptpmon, "correlate", "--json", *options, capture, events, check=False)
    assert result.returncode == code, f"exit code {result.returncode}: {result.stderr}"
    assert result.stderr == ""
    return Correlated(parse_lines(result.stdout))
