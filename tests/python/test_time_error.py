# SPDX-License-Identifier: MIT
"""MTIE, TDEV, filter and limits through Python: the published values, and what cannot be computed. The library's own
tests (test_time_error.c) go further."""
import math

import numpy as np
import pytest

from ptp_monitor import InvalidUse, time_error
from ptp_monitor.time_error import TimeError


@pytest.fixture(scope="module")
def phase():
    """Stable32's PHASE.DAT: the 1000-point set of NIST SP 1065, without its mean frequency."""
    n, frequency = 1234567890, []
    for _ in range(1000):
        frequency.append(n / 2147483647)
        n = 16807 * n % 2147483647
    return np.concatenate([[0], np.cumsum(np.array(frequency) - np.mean(frequency))])


def test_published_values(phase):
    mtie = time_error.mtie(phase, [1, 10, 100, 1000])
    assert [f"{value:.6e}" for value in mtie] == ["5.059708e-01", "2.698815e+00", "6.750909e+00", "9.064408e+00"]
    tdev = time_error.tdev(phase, np.array([128, 1, 8]))
    assert [f"{value:.6e}" for value in tdev] == ["1.379679e+00", "1.687202e-01", "3.426791e-01"]
    assert time_error.mtie(phase, 2).tolist() == [pytest.approx(0.9334835, abs=5e-8)]


def test_any_row_of_numbers_will_do(phase):
    expected = time_error.mtie(phase, [3])
    assert time_error.mtie(phase.tolist(), [3]) == expected
    assert time_error.mtie(np.repeat(phase, 2)[::2], (3,)) == expected, "not contiguous"
    assert time_error.mtie(np.array([5, 9, 2], dtype=np.int16), [1]).tolist() == [7.0]


@pytest.mark.parametrize("call", [
    lambda: time_error.mtie([1.0, 2.0], [2]), lambda: time_error.mtie([1.0, 2.0], [0]),
    lambda: time_error.mtie([1.0, 2.0], [-1]), lambda: time_error.mtie([1.0, 2.0], [0.5]),
    lambda: time_error.mtie([], [1]), lambda: time_error.mtie([[1.0, 2.0]], [1]),
    lambda: time_error.tdev([1.0, 2.0, math.nan], [1]), lambda: time_error.tdev([1.0, 2.0], [1]),
    lambda: time_error.low_pass([1.0], 0), lambda: time_error.low_pass([1.0], 5.0),
    lambda: time_error.te_summary([1.0], math.inf), lambda: time_error.mask("G.8273.2-E", "cte"),
    lambda: time_error.mask("PRTC-A", "te"), lambda: time_error.resample([0, 1], [1.0], 1, 1),
    lambda: time_error.resample([1, 0], [1.0, 2.0], 1, 1), lambda: time_error.resample([0], [1.0], 0, 1)])
def test_what_cannot_be_computed_is_refused(call):
    with pytest.raises(InvalidUse):
        call()


def test_filter_and_summary():
    tau = 1 / (2 * math.pi * 0.1)
    step = np.where(np.arange(2001) == 0, 0.0, 10.0)
    low = time_error.low_pass(step, tau / 200)
    assert low[200] == pytest.approx(10 * (1 - math.exp(-1))) and low[0] == 0 and step[1] == 10
    seconds = np.arange(0, 1200, 0.125)
    summary = time_error.te_summary(25 + 5 * np.sin(2 * np.pi * seconds / 200), 0.125)
    assert summary.cte == pytest.approx(25) and summary.cte_seconds == 1000 and summary.seconds == 1200
    assert summary.max_te == pytest.approx(30) and summary.dte_low_pp == pytest.approx(10, rel=0.01)
    assert summary.dte_high_pp < 1
    assert math.isnan(time_error.te_summary([1.0, 2.0], 1.0).dte_low_pp), "not settled"


def test_gaps_divide():
    times = np.array([0, 1, 2, 2.9, 10, 11, 30]) * 1e9
    pieces = time_error.resample(times.astype(np.int64), np.arange(7.0), tau0=1, max_gap=2)
    assert [(piece.start_ns, piece.x.tolist()) for piece in pieces] == [
        (0, [0, 1, 2, 3]), (10 * 10**9, [4, 5]), (30 * 10**9, [6])]
    assert [piece.seconds for piece in pieces] == [4, 2, 1]
    assert time_error.resample([], [], 1, 1) == []


@pytest.mark.parametrize("longest, expected", [(0, []), (1, [1]), (2, [1, 2]), (10, [1, 2, 5, 10]),
                                               (37, [1, 2, 5, 10, 20, 37])])
def test_windows(longest, expected):
    assert time_error.windows(longest) == expected


def test_masks():
    assert time_error.mask("PRTC-A", "mtie", [0.1, 100, 273, 1e5]).tolist() == [pytest.approx(25.0275), 52.5, 100, 100]
    assert np.isnan(time_error.mask("G.8273.2-D", "cte")).all()
    assert time_error.mask("G.8273.2-C", "dte_low_mtie", 10_000).tolist() == [10]
    for name in time_error.MASKS:
        assert any(not np.isnan(time_error.mask(name, kind)).all() for kind in time_error.LIMITS)


def samples(value, seconds=1200, tau0=0.125):
    return TimeError(np.full(int(seconds / tau0), float(value)), tau0)


def test_within_the_limits_and_beyond_them():
    good, bad = samples(9).check("G.8273.2-C"), samples(11).check("G.8273.2-C")
    assert {check.kind for check in good} == {"max_te", "cte", "dte_high_pp", "dte_low_mtie", "dte_low_tdev"}
    assert all(check.within for check in good)
    assert [(check.kind, check.value, check.limit) for check in bad if not check.within] == [("cte", 11, 10)]
    noisy = samples(0)
    noisy.x[::2] = 80
    assert {check.kind for check in noisy.check("G.8273.2-A") if not check.within} == {"dte_high_pp"}


def test_what_is_too_short_is_not_called_good():
    checks = samples(0, seconds=2).check("G.8273.2-C")
    assert {check.kind: check.within for check in checks} == {
        "max_te": True, "cte": True, "dte_high_pp": None, "dte_low_mtie": None, "dte_low_tdev": None}
    assert {check.within for check in TimeError(np.zeros(1), 1.0).check("PRTC-B") if check.kind != "max_te"} == {None}


def test_curves_of_samples(phase):
    piece = TimeError(phase, 0.5)
    taus, values = piece.mtie()
    assert taus[[0, -1]].tolist() == [0.5, 500] and values[-1] == np.ptp(phase)
    taus, values = piece.tdev()
    assert taus[-1] == 83 * 0.5 and values[0] == pytest.approx(0.1687202, abs=5e-8)
    assert piece.tdev([333])[0].tolist() == [166.5]
    low = piece.low()
    assert len(low.x) == 1001 - 16 and low.start_ns == 8 * 10**9 and np.ptp(low.x) < np.ptp(phase)
    assert TimeError(phase, 5.0).low() is None and TimeError(phase[:3], 0.5).low() is None


def test_values_that_keep_to_the_spacing_are_taken_once():
    """However early or late each is by chance."""
    times = np.arange(1000) * 125_000_000 + np.random.default_rng(1).integers(0, 30_000_000, 1000)
    piece, = time_error.resample(times, np.arange(1000.0), tau0=0.125, max_gap=0.5)
    assert piece.x.tolist() == list(range(1000))
