# SPDX-License-Identifier: MIT
"""The example of README.md: its commands are run as they stand there, and write what stands there."""
import os
import pathlib
import re
import shlex
import subprocess

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
MORE = "..."  # a line of the page: the output goes on


def examples():
    """Of each block with commands: (command, what it writes)."""
    blocks = re.findall(r"^```text\n(\$ ptpmon .*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [[step.split("\n", 1) for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]] for block in blocks]


def run(command, directory):
    words = shlex.split(command)
    assert words[0] == "ptpmon"
    result = subprocess.run([os.environ["PTPMON"], *words[1:]], cwd=directory, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100, check=False)
    assert result.returncode == 0, result.stdout
    return result.stdout.strip("\n").splitlines()


def test_the_example_shows_what_is_written(tmp_path):
    (steps,) = examples()
    assert [command.split()[1] for command, _ in steps] == ["simulate", "analyze"]
    for command, shown in steps:
        expected, written = shown.strip("\n").splitlines(), run(command, tmp_path)
        if expected and expected[-1] == MORE:
            expected.pop()
            assert len(written) > len(expected) > 10
            del written[len(expected):]
        assert expected == written, "README.md is to show:\n" + "\n".join(written)
