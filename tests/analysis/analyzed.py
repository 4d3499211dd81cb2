# SPDX-License-Identifier: MIT
"""Runs `ptpmon analyze` and reads what it wrote: numbers exactly, as integers and Fractions."""
import json
import subprocess
from fractions import Fraction


class Analysis:
    """What one run said."""

    def __init__(self, objects):
        self.objects = objects
        self.exchanges = [value for value in objects if value["type"] == "exchange"]

    def of_type(self, name):
        return [value for value in self.objects if value["type"] == name]


def run(ptpmon, *words, code=0):
    """The JSON lines of one run."""
    command = [str(word) for word in (ptpmon, *words)]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, timeout=120)
    assert result.returncode == code, f"{command}: exit code {result.returncode}\n{result.stderr}"
    return [json.loads(line, parse_float=Fraction) for line in result.stdout.splitlines()]


def analyze(ptpmon, *files, options=()):
    return Analysis(run(ptpmon, "analyze", "--exchanges", *options, *files))
