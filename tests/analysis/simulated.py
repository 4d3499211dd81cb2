# SPDX-License-Identifier: MIT
"""Runs `ptpmon simulate` and reads the truth that it writes; docs/simulator.md describes the file."""
import collections
import json
from fractions import Fraction

from analyzed import Analysis, run

_TIMES = {"time", "received", "t1", "t2", "t3", "t4", "offset", "offset_source", "offset_request", "forward", "reverse",
          "corrected", "correction", "correction_response", "correction_response_follow_up", "masterToSlave",
          "slaveToMaster", "stamp_error", "bound", "meanPathDelay", "meanLinkDelay", "asymmetry", "computedDelay",
          "computedOffset", "turnaround", "turnaround_requester", "residence", "added", "size"}
_LISTS = {"links", "residence", "stamp_errors"}


def _time(value):
    return None if value is None else value[0] + Fraction(value[1], 65536)


def _value(name, value):
    if name in _LISTS and (not value or isinstance(value[0], list)):
        return [_time(one) for one in value]
    return _time(value) if name in _TIMES else value


class Simulation:
    """One run's files and truth; times are Fractions of ns."""

    def __init__(self, base):
        self.base = base
        lines = [json.loads(line) for line in base.with_name(base.name + ".truth.jsonl").read_text().splitlines()]
        self.lines = [{name: _value(name, value) for name, value in line.items()} for line in lines]

    def of_type(self, name):
        return [line for line in self.lines if line["type"] == name]

    def faults(self, kind, message_type=None):
        return [line for line in self.of_type("fault")
                if line["fault"] == kind and message_type in (None, line.get("messageType"))]

    def exchanges(self, port, *kinds):
        return [line for line in self.of_type("exchange") if line["port"] == port and line["kind"] in kinds]

    def files(self, port):
        return [self.base.with_name(f"{self.base.name}.{port}.{suffix}") for suffix in ("pcapng", "events")]


def simulate(ptpmon, base, settings, faults=()):
    """settings: name -> value."""
    words = [f"--{name}={value}" for name, value in settings.items()] + [f"--fault={fault}" for fault in faults]
    run(ptpmon, "simulate", "--json", "-o", base, *words)
    return Simulation(base)


def analyze(ptpmon, *files, options=()):
    """With the report: counts of each point, findings, series."""
    return Analysis(run(ptpmon, "analyze", "--json", "--exchanges", *options, *files))


def numbered(exchanges, key):
    """By (key, how many of this key came before): sequenceIds come again after a restart."""
    found, seen = {}, collections.Counter()
    for one in exchanges:
        found[(*key(one), seen[key(one)])] = one
        seen[key(one)] += 1
    return found
