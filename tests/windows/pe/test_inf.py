# SPDX-License-Identifier: MIT
"""The INF: what makes it the installation of a lightweight filter, and what it must agree on with the driver."""

import pathlib
import re

import pytest

from conftest import ROOT

DRIVER = ROOT / "driver" / "windows"
INSTALLS = ("Install.Drivers", "Install.Store")
INTEGER = "0x00010001"


@pytest.fixture(scope="module", name="inf")
def inf_fixture(built: pathlib.Path) -> dict[str, list[str]]:
    """Sections of the file that is delivered: their lines, without comments."""
    sections: dict[str, list[str]] = {}
    name = ""
    for line in (built / "avbptpmon.inf").read_text(encoding="ascii").splitlines():
        line = line.split(";")[0].strip()
        header = re.fullmatch(r"\[(.+)\]", line)
        if header:
            name = header.group(1)
            assert name not in sections, f"two sections [{name}]"
            sections[name] = []
        elif line:
            sections[name].append(line)
    return sections


def values(lines: list[str]) -> dict[str, str]:
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def registry(lines: list[str]) -> dict[tuple[str, str], tuple[str, str]]:
    """Key and name: type and value, of AddReg lines."""
    found = {}
    for line in lines:
        root, key, name, kind, value = (word.strip() for word in line.split(",", 4))
        assert root == "HKR"
        found[key, name] = (kind, value.strip('"'))
    return found


def test_lines_end_as_windows_wants_them(built: pathlib.Path) -> None:
    raw = (built / "avbptpmon.inf").read_bytes()
    assert raw.count(b"\n") == raw.count(b"\r\n") > 50
    assert b"@" not in raw  # what CMake puts in is in


def test_it_is_of_the_class_of_network_services(inf: dict[str, list[str]]) -> None:
    version = values(inf["Version"])
    assert version["Class"] == "NetService"
    assert version["ClassGuid"].upper() == "{4D36E974-E325-11CE-BFC1-08002BE10318}"
    assert version["PnpLockdown"] == "1"
    assert version["CatalogFile"] == "avbptpmon.cat"
    project = re.search(r"^project\(ptpmon VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE)
    assert project
    assert re.fullmatch(rf"\d\d/\d\d/\d{{4}},{re.escape(project.group(1))}\.0", version["DriverVer"])


def test_it_runs_from_the_driver_store_where_that_works(inf: dict[str, list[str]]) -> None:
    models = list(values(inf["Manufacturer"]).values())[0].split(",")
    assert [model.strip() for model in models] == ["Models", "NTamd64.6.3", "NTamd64.10.0...25286"]
    for model, install, place in (("NTamd64.6.3", INSTALLS[0], "12"), ("NTamd64.10.0...25286", INSTALLS[1], "13")):
        assert inf[f"Models.{model}"][0].split("=")[1].split(",")[0].strip() == install
        files = values(inf[install])["CopyFiles"]
        assert values(inf["DestinationDirs"])[files] == place
        assert inf[files][0].startswith("avbptpmon.sys")
        service = inf[f"{install}.Services"][0].split(",")[2].strip()
        assert values(inf[service])["ServiceBinary"] == f"%{place}%\\avbptpmon.sys"
        assert values(inf[service])["StartType"] == "1"
        assert values(inf[service])["ServiceType"] == "1"
        assert values(inf[service])["LoadOrderGroup"] == "NDIS"
        assert values(inf[service])["AddReg"] == "Parameters"
        assert inf[f"{install}.Remove.Services"][0].split("=")[1].strip() == "avbptpmon,0x200"


def test_it_is_a_modifying_optional_filter_below_npcap(inf: dict[str, list[str]]) -> None:
    ndi = registry(inf["Ndi"])
    assert ndi["Ndi", "FilterType"] == (INTEGER, "2")
    assert ndi["Ndi", "FilterRunType"] == (INTEGER, "2")
    assert ndi["Ndi", "UnbindOnAttach"] == (INTEGER, "0")
    assert ndi["Ndi", "UnbindOnDetach"] == (INTEGER, "0")
    # From the top; Npcap's class is compression.
    classes = ["scheduler", "encryption", "compression", "vpn", "loadbalance", "failover", "diagnostic", "custom"]
    assert classes.index(ndi["Ndi", "FilterClass"][1]) > classes.index("compression")
    assert ndi["Ndi\\Interfaces", "FilterMediaTypes"][1] == "ethernet"
    assert ndi["Ndi\\Interfaces", "UpperRange"][1] == "noupper"
    assert ndi["Ndi\\Interfaces", "LowerRange"][1] == "nolower"
    for install in INSTALLS:
        assert int(values(inf[install])["Characteristics"], 16) == 0x40000


def test_its_names_are_the_drivers(inf: dict[str, list[str]]) -> None:
    source = (DRIVER / "filter.c").read_text()
    unique = re.search(r'UniqueName,\s*L"(\{[^"]+\})"', source)
    service = re.search(r'ServiceName,\s*L"([^"]+)"', source)
    assert unique and service
    for install in INSTALLS:
        assert values(inf[install])["NetCfgInstanceId"].strip('"') == unique.group(1)
        assert inf[f"{install}.Services"][0].split("=")[1].split(",")[0].strip() == service.group(1)
    ndi = registry(inf["Ndi"])
    assert ndi["Ndi", "Service"][1] == service.group(1)
    assert ndi["Ndi", "CoServices"] == ("0x00010000", service.group(1))


def test_its_parameters_are_what_the_driver_reads(inf: dict[str, list[str]]) -> None:
    parameters = registry(inf["Parameters"])
    assert parameters.pop(("Parameters", "NdisImPlatformBindingOptions")) == ("0x00010001", "2")
    read = set(re.findall(r'L"(Avb\w+)"', (DRIVER / "settings.c").read_text()))
    assert {key.split("\\")[1] for key, _ in parameters} == read
    assert {key.split("\\")[0] for key, _ in parameters} == {"FilterAdapterParams"}
    defaults = {key.split("\\")[1]: value for (key, name), (_, value) in parameters.items() if name == "default"}
    capacity = re.search(r"#define AVB_RING_DEFAULT_CAPACITY\s+(\d+)",
                         (ROOT / "include" / "avb" / "avb_ring_buffer.h").read_text())
    assert capacity
    assert defaults == {"AvbRingCapacity": capacity.group(1), "AvbRegisterAccess": "0"}
    for name in read:
        assert parameters[f"FilterAdapterParams\\{name}", "type"][1] == "int"


def test_every_string_is_there(inf: dict[str, list[str]]) -> None:
    strings = values(inf["Strings"])
    used = {name for lines in inf.values() for line in lines for name in re.findall(r"%([A-Za-z]\w*)%", line)}
    assert used == set(strings)
