# SPDX-License-Identifier: MIT
"""A link that is observed at both ends, by ptpmon and by tcpdump."""
from monitor import Monitor
from truth import Truth, read_all, settle


class Observed:
    """What was observed at one end."""

    def __init__(self, end, recording, truth):
        self.end = end
        self.recording = recording
        self.truth = truth


class Watched:
    """Starts observing; stop() ends it. In between is the time for traffic."""

    def __init__(self, lab, ptpmon, ends, *options, buffer_kib=4096):
        self.ends = ends
        self.truths = [Truth(lab, end, buffer_kib) for end in ends]
        self.monitors = [Monitor(lab, ptpmon, end, *options) for end in ends]

    def wait_ready(self):
        for observer in [*self.truths, *self.monitors]:
            observer.wait_ready()

    def stop(self):
        recordings = [monitor.stop() for monitor in self.monitors]
        for truth in self.truths:
            truth.stop()
        return [Observed(*parts) for parts in zip(self.ends, recordings, self.truths)]


def stop_all(lab, many):
    """Stops several at once, and has their captures read together; returns a list of results each."""
    settle()
    results = [watched.stop() for watched in many]
    read_all(lab, [truth for watched in many for truth in watched.truths])
    return results
