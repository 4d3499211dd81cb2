# SPDX-License-Identifier: MIT
"""Records in place, as arrays."""
from typing import TYPE_CHECKING, Any, Dict

from . import _structures as c
from ._handle import MonitorHandle
from ._optional import require
from .arrays import EVENT_DTYPE

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
else:
    np = require("numpy", "read_batch()")


class _Window:
    """Memory of the library. NumPy keeps this as the array's base, and this keeps the monitor."""

    def __init__(self, handle: MonitorHandle, batch: c.ptpmon_batch) -> None:
        self._handle = handle
        self._batch = batch

    @property
    def __array_interface__(self) -> Dict[str, Any]:
        return {
            "version": 3,
            "shape": (self._batch.count,),
            "strides": (self._batch.stride,),
            "typestr": f"|V{c.RECORD_BYTES}",
            "data": (self._batch.first, True),  # read-only
        }


def array_of(handle: MonitorHandle, batch: c.ptpmon_batch) -> "npt.NDArray[np.void]":
    """The batch as a read-only array of EVENT_DTYPE."""
    if batch.count == 0:
        empty = np.empty(0, EVENT_DTYPE)
        empty.flags.writeable = False
        return empty
    in_place: Any = np.asarray(_Window(handle, batch))
    records: "npt.NDArray[np.void]" = in_place.view(EVENT_DTYPE)
    return records
