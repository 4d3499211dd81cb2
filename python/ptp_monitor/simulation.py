# SPDX-License-Identifier: MIT
"""
A simulated PTP network whose truth is known: recordings as ptpmon would have made them at every port.

    result = simulation.simulate("trace", duration="60s", asymmetry="100ns")
    found = analysis.analyze("trace.client.pcapng", "trace.client.events")
    for exchange in simulation.read_truth("trace").exchanges("sync", port="client"):
        print(exchange["sequenceId"], exchange["offset"])

docs/simulator.md describes the model, and the file of the truth, PATH.truth.jsonl.
"""
import ctypes
import json
import math
import os
from decimal import Decimal
from fractions import Fraction
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple, Union

from . import _analysis_structures as a
from ._library import bytes_of, library, text_of
from .errors import BadFile

_SUFFIX = ".truth.jsonl"
_GO_ON = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_double)


class SimulationResult(NamedTuple):
    """What a run wrote."""

    frames: int  #: of all ports together
    events: int
    exchanges: int  #: lines of the truth about exchanges
    ports: int  #: observed: sets of files


class Setting(NamedTuple):
    """Something that can be set."""

    name: str
    value: str  #: what it takes: "TIME", "PPM", "N", or the words with | between
    default_value: str  #: "" = none
    meaning: str
    repeatable: bool


def settings() -> List[Setting]:
    """What can be set."""
    found: List[Setting] = []
    for index in range(library().call("ptpmon_simulation_setting_count")):
        one = library().call("ptpmon_simulation_setting_at", index).contents
        found.append(Setting(text_of(one.name), text_of(one.value), text_of(one.default_value), text_of(one.meaning),
                             one.repeatable))
    return found


class _Asking:
    """The library asks now and then whether to go on. What is raised then ends the run, and is raised after it."""

    def __init__(self, go_on: Optional[Callable[[float], bool]]) -> None:
        self.raised: Optional[BaseException] = None
        self._go_on = go_on
        self.function = _GO_ON(self._ask)

    def _ask(self, _: Any, done: float) -> bool:
        try:
            return self._go_on is None or bool(self._go_on(done))
        except BaseException as error:  # also Ctrl-C: it must not be lost in the library
            self.raised = error
            return False


def _text_of(value: Any) -> str:
    """As the library reads it: it has yes and no, and no exponents."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and math.isfinite(value):
        return format(Decimal(repr(float(value))), "f")
    return str(value)


def _texts_of(values: Dict[str, Any]) -> Iterator[Tuple[str, str]]:
    """Settings, as the library takes them."""
    repeatable = {setting.name for setting in settings() if setting.repeatable}
    for name, value in values.items():
        setting = name.replace("_", "-")
        texts = [_text_of(each) for each in value] if isinstance(value, (list, tuple)) else [_text_of(value)]
        for text in texts if setting in repeatable else [",".join(texts)]:
            yield setting, text


def simulate(path: "Union[str, os.PathLike[str]]", *, go_on: Optional[Callable[[float], bool]] = None,
             **values: Any) -> SimulationResult:
    """Simulates, and writes PATH.PORT.pcapng and PATH.PORT.events for each port, and PATH.truth.jsonl.

    values: settings by name, '-' in a name as '_'; True and False are yes and no. A list sets a repeatable one, which
    `fault` is, several times, and of others is the values with commas between: domains=[0, 20]. Equal settings give
    equal files. Raises InvalidUse for what is no setting or no value of it.

    go_on: called now and then with the part that is done, 0 to 1; False ends the run early. The files are whole up to
    there, also after Ctrl-C.
    """
    loaded = library()
    asking = _Asking(go_on)
    simulation = loaded.open("ptpmon_simulation_open")
    try:
        for setting, text in _texts_of(values):
            loaded.status("ptpmon_simulation_set", simulation, setting.encode(), text.encode())
        result = a.ptpmon_simulation_result()
        loaded.status("ptpmon_simulation_run", simulation, bytes_of(path),
                      ctypes.cast(asking.function, ctypes.c_void_p), None, ctypes.byref(result))
    finally:
        loaded.call("ptpmon_simulation_close", simulation)
    if asking.raised is not None:
        raise asking.raised
    return SimulationResult(*(getattr(result, name) for name in SimulationResult._fields))


# ---- The truth ----

# Members that are lists of whole numbers or texts, not times.
_NO_TIMES = {"nodes", "ports"}


def _is_time(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(part) is int for part in value)


def _with_times(line: Dict[str, Any]) -> Dict[str, Any]:
    for name, value in line.items():
        if _is_time(value):
            line[name] = value[0] + Fraction(value[1], 65536)
        elif isinstance(value, list) and name not in _NO_TIMES:
            line[name] = [part[0] + Fraction(part[1], 65536) for part in value]
    return line


class Truth:
    """What is true of a simulation: the lines of PATH.truth.jsonl as dicts, with their members as docs/simulator.md has
    them. Times are ns, exact (Fraction)."""

    def __init__(self, path: str) -> None:
        self.path = path
        first: Dict[str, Any] = next(self.lines(), {})
        if first.get("type") != "header" or first.get("schema") != 1:
            raise BadFile(f"{path}: not the truth of a simulation; give the file that `ptpmon simulate` wrote")
        self.header = first  #: settings, nodes and ports

    def __repr__(self) -> str:
        return f"<Truth {self.path}>"

    @property
    def settings(self) -> Dict[str, str]:
        """All settings, as text."""
        found: Dict[str, str] = self.header["settings"]
        return found

    @property
    def ports(self) -> List[str]:
        """The ports that files were written of."""
        return [port["name"] for node in self.header["nodes"] for port in node["ports"] if port["observed"]]

    def lines(self, kind: Optional[str] = None) -> Iterator[Dict[str, Any]]:
        """All lines, or those of one type: "exchange", "fault", "clock_step", "rate_change"..."""
        with open(self.path, encoding="utf-8") as file:
            for number, text in enumerate(file, 1):
                try:
                    line = _with_times(json.loads(text))
                except (ValueError, TypeError, AttributeError) as error:
                    raise BadFile(f"{self.path}: line {number} is damaged: {error}") from error
                if kind is None or line.get("type") == kind:
                    yield line

    def exchanges(self, kind: Optional[str] = None, port: Optional[str] = None) -> Iterator[Dict[str, Any]]:
        """Exchanges, of one kind ("sync", "e2e", "p2p", "p2p-as", "transit") or port where these are given."""
        for line in self.lines("exchange"):
            if (kind is None or line["kind"] == kind) and (port is None or line["port"] == port):
                yield line

    def faults(self, name: Optional[str] = None) -> Iterator[Dict[str, Any]]:
        """What went wrong, of one name where it is given."""
        return (line for line in self.lines("fault") if name is None or line["fault"] == name)

    def clock_steps(self) -> Iterator[Dict[str, Any]]:
        """The steps of clocks, by faults and by servos."""
        return self.lines("clock_step")


def read_truth(path: "Union[str, os.PathLike[str]]") -> Truth:
    """The truth of simulate(path), or of the file itself. Raises BadFile where it is none."""
    name = os.fspath(path)
    return Truth(name if name.endswith(_SUFFIX) else name + _SUFFIX)
