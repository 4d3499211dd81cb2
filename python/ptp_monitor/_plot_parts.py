# SPDX-License-Identifier: MIT
"""What pictures have in common: figures, axes of time, legends, colours."""
from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from ._optional import require
from ._plot_numbers import grouped

require("matplotlib", "ptp_monitor.plot")

import matplotlib.ticker
import numpy as np
from matplotlib import dates
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ._plot_numbers import Array

# Colours of Okabe and Ito, which those who see few colours can tell apart. Lines differ in style, too, for print.
BLACK, ORANGE, SKY, BLUE, VERMILLION = "#000000", "#E69F00", "#56B4E9", "#0072B2", "#D55E00"


def new_canvas(width: float, height: float) -> Figure:
    """Inches; with a canvas of its own."""
    figure = Figure(figsize=(width, height), dpi=150, constrained_layout=True)
    FigureCanvasAgg(figure)
    return figure


def new_page(height: float, title: str) -> Figure:
    """A figure for several pictures, with a title above them."""
    figure = new_canvas(11.0, height + 0.4)
    figure.suptitle(title, fontsize="x-large", x=0.01, ha="left")
    return figure


def finish(axes: "Axes", title: str, xlabel: str, ylabel: str, legend_rows: int = 0) -> None:
    """legend_rows: of a legend between picture and title, see legend_above()."""
    axes.set_title(title, loc="left", fontsize="medium", pad=6 + 14 * legend_rows)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(True, color="0.88", linewidth=0.6)
    axes.set_axisbelow(True)


def legend(axes: "Axes") -> None:
    axes.legend(loc="upper right", fontsize="small", framealpha=0.9, edgecolor="0.8")


def legend_above(axes: "Axes", columns: int) -> int:
    """Where nothing is hidden by it. Returns its rows."""
    entries = len(axes.get_legend_handles_labels()[1])
    if entries == 0:
        return 0
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncol=columns, fontsize="small", frameon=False,
                borderaxespad=0.1, borderpad=0, columnspacing=1.5)
    return -(-entries // columns)


def nothing(axes: "Axes", title: str, sentence: str) -> None:
    finish(axes, title, "", "")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.text(0.5, 0.5, sentence, transform=axes.transAxes, ha="center", va="center", wrap=True, color="0.3")


def plural(count: int, noun: str) -> str:
    return f"{grouped(count)} {noun}{'' if count == 1 else 's'}"


def days_of(utc_ns: Array) -> Array:
    """UTC as matplotlib's dates, days since 1970."""
    return np.asarray(utc_ns, dtype=np.int64) / 86400e9


def columns_of(axes: "Axes") -> int:
    """Pixels from left to right."""
    return max(100, int(axes.get_window_extent().width))


def time_axis(axes: "Axes", utc_ns: Array) -> str:
    """Makes x a time of day in UTC; returns the axis's label, which names the date."""
    def text(value: float, _: Any = None) -> str:
        low, high = axes.get_xlim()
        moment, seconds = dates.num2date(value, datetime.timezone.utc), (high - low) * 86400
        if seconds > 2 * 86400:
            return str(moment.strftime("%m-%d\n%H:%M"))
        if seconds > 5:
            return str(moment.strftime("%H:%M:%S" if seconds < 3600 else "%H:%M"))
        return str(moment.strftime("%H:%M:%S.%f")[:-3 if seconds > 0.005 else None])

    axes.xaxis.set_major_locator(dates.AutoDateLocator(tz=datetime.timezone.utc, minticks=3, maxticks=7))
    axes.xaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(text))
    ends = [dates.num2date(value, datetime.timezone.utc) for value in days_of(np.array([utc_ns.min(), utc_ns.max()]))]
    return f"time of day, UTC, {' to '.join(dict.fromkeys(end.strftime('%Y-%m-%d') for end in ends))}"
