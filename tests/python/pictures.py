# SPDX-License-Identifier: MIT
"""What the tests of pictures share: an empty one, and the words that stand in one."""
import numpy as np
import pytest

from ptp_monitor import plot


@pytest.fixture
def axes():
    return plot.new_figure()[1]


@pytest.fixture
def random():
    return np.random.default_rng(7)


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def texts(axes):
    """All words of a picture."""
    return " ".join([axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel(),
                     *(text.get_text() for text in axes.texts)])
