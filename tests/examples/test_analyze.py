# SPDX-License-Identifier: MIT
"""analyze.py on recordings: it prints what the package finds, and draws it."""
import ast
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree

import pytest

SOURCE_TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE_TREE / "python"))

from ptp_monitor import analyze  # noqa: E402

SOURCE = SOURCE_TREE / "examples" / "analyze.py"


def run(*arguments):
    return subprocess.run([sys.executable, "-W", "error::UserWarning", SOURCE, *map(str, arguments)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)


def output_of(*arguments):
    done = run(*arguments)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout


def files_of(demo):
    return demo.with_suffix(".pcapng"), demo.with_suffix(".events")


def words_of(path):
    return "".join(xml.etree.ElementTree.parse(path).getroot().itertext())


def test_it_prints_what_is_found(demo):
    found, output = analyze(*files_of(demo)), output_of(*files_of(demo))
    for kind, decided in found.counts[0].exchanges.items():
        line = re.search(rf"^{re.escape(kind)} +(\d+) +(\d+)  ", output, re.MULTILINE)
        assert (line is not None) == (decided > 0)
        assert line is None or (int(line[1]), int(line[2])) == (decided, found.counts[0].computed[kind])
    for series in found.series:
        if series.count and not series.messageTypeName:
            assert re.search(rf"^{series.quantity} +{series.count} +{series.minimum:.3f} +{series.median:.3f} ", output,
                             re.MULTILINE), series
    assert f"{found.points[0]}: Sync {found.counts[0].messages['Sync']}, " in output
    assert "not observable" in output or not found.asymmetry


def test_time_error_and_limits(demo):
    capture, events = files_of(demo)
    found, output = analyze(capture, events), output_of(capture, events, "--limits", "G.8273.2-A")
    piece = max(found.time_error(), key=lambda one: len(one.x))
    assert f"max|TE| {piece.summary().max_te:.3f} ns" in output and f"{piece.mtie()[1][0]:.3f} at" in output
    verdicts = {True: "within", False: "BEYOND", None: "not known"}
    for check in piece.check("G.8273.2-A"):
        assert re.search(rf"{check.kind}.*: {check.value:.3f} ns, limit {check.limit:.3f} ns: {verdicts[check.within]}",
                         output), check


def test_a_capture_alone_and_events_alone(demo):
    capture, events = files_of(demo)
    assert re.search(r" ns  capture, ", output_of(capture))
    assert re.search(r"without frame \d+", output_of("-", events))


def test_pictures(demo, tmp_path):
    directory = tmp_path / "new" / "pictures"
    output = output_of(*files_of(demo), "--pictures", directory, "--limits", "PRTC-A")
    pictures = sorted(path.stem for path in directory.glob("*.png"))
    assert pictures == sorted(path.stem for path in directory.glob("*.svg"))
    assert f"{len(pictures)} pictures, as PNG and SVG, are in {directory}" in output
    assert {"analysis", "offset", "delay", "delay_floors", "neighbor_rate_ratio", "mtie", "tdev"} == set(pictures)
    count = analyze(*files_of(demo)).offset().value.size
    assert f"Offset from master, {count} offsets" in words_of(directory / "offset.svg")
    assert "PRTC-A" in words_of(directory / "mtie.svg")


@pytest.mark.parametrize("arguments, named", [(["no.pcap"], "no.pcap"), (["-"], "nothing is given")])
def test_what_fails_is_named(arguments, named):
    done = run(*arguments)
    assert done.returncode == 1 and done.stderr.startswith("analyze.py: ") and named in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_mask_that_does_not_exist(demo):
    done = run(*files_of(demo), "--limits", "G.8273.2-E")
    assert done.returncode == 1 and "G.8273.2-E: no such mask" in done.stderr


def test_it_uses_public_names_only_and_is_python_3_8():
    text = SOURCE.read_text(encoding="utf-8")
    assert not re.search(r"ptp_monitor\._|ctypes|[^_\w]_[a-z]\w*\(", text)
    ast.parse(text, feature_version=(3, 8))
