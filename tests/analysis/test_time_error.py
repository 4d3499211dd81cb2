# SPDX-License-Identifier: MIT
"""The time error that is told of a simulated client, beside one computed from its offsets one by one."""
import math

import pytest

from simulated import analyze, simulate

TAU0 = 0.125


def tdev_of_neighbours(offsets):
    """TDEV at tau0: ITU-T G.810 with n = 1."""
    differences = [a - 2 * b + c for a, b, c in zip(offsets, offsets[1:], offsets[2:])]
    return math.sqrt(sum(each * each for each in differences) / (6 * len(differences)))


@pytest.mark.parametrize("stamps", ["hardware", "software"])
def test_each_sync_is_one_sample(ptpmon, tmp_path, stamps):
    """However the times of Syncs are off by chance, none is taken twice, and none left out."""
    simulation = simulate(ptpmon, tmp_path / "te", {
        "duration": "300s", "seed": 5, "stamp-error": "8ns", "stamps": stamps, "sync-interval": -3,
        "jitter": "20ms", "host-latency": "50us", "observe": "client", "profile": "gptp"})
    analysis = analyze(ptpmon, *simulation.files("client"), options=("--json", "--te"))
    syncs = sorted((one for one in analysis.exchanges if one["kind"] == "sync"), key=lambda one: one["t2"])
    offsets = [float(one["offsetFromMaster_ns"]) for one in syncs if one["offsetFromMaster_ns"] is not None]
    told, = analysis.of_type("time_error")
    assert len(offsets) > 2000 and told["offsets"] == told["samples"] == len(offsets)
    window = told["windows"][0]
    assert window["tau"] == TAU0
    assert float(window["tdev"]) == pytest.approx(tdev_of_neighbours(offsets), rel=1e-4)
    assert float(window["mtie"]) == pytest.approx(max(abs(a - b) for a, b in zip(offsets, offsets[1:])), abs=1e-3)
