# SPDX-License-Identifier: MIT
"""The catalog of the package that was signed for tests: what Windows takes a driver's files by."""

import hashlib
import importlib.util
import pathlib
import shutil
import subprocess

import pefile
import pytest

from conftest import ROOT

spec = importlib.util.spec_from_file_location("windows_catalog", ROOT / "scripts" / "windows_catalog.py")
assert spec and spec.loader
windows_catalog = importlib.util.module_from_spec(spec)
spec.loader.exec_module(windows_catalog)

NEEDS_SIGNATURES = pytest.mark.skipif(not shutil.which("osslsigncode") or not shutil.which("openssl"),
                                      reason="signing is not tested: osslsigncode or openssl is not installed")


@pytest.fixture(name="signed")
def signed_fixture(built: pathlib.Path) -> pathlib.Path:
    return built / "test-signed"


def verify(file: pathlib.Path, signed: pathlib.Path, catalog: pathlib.Path) -> subprocess.CompletedProcess[str]:
    """osslsigncode hashes the file itself, and looks the hash up in the catalog."""
    return subprocess.run(["osslsigncode", "verify", "-CAfile", signed / "certificate.pem", "-catalog", catalog, file],
                          capture_output=True, text=True, check=False)


@NEEDS_SIGNATURES
def test_the_catalog_signs_the_driver_also_without_its_own_signature(signed: pathlib.Path, built: pathlib.Path) -> None:
    """What Authenticode hashes is not changed by a signature."""
    catalog = signed / "avbptpmon.cat"
    for driver in (signed / "avbptpmon.sys", built / "avbptpmon.sys"):
        good = verify(driver, signed, catalog)
        assert good.returncode == 0 and "File is signed in catalog" in good.stdout, good.stdout


@NEEDS_SIGNATURES
def test_changed_driver_is_not(signed: pathlib.Path, tmp_path: pathlib.Path) -> None:
    raw = bytearray((signed / "avbptpmon.sys").read_bytes())
    raw[pefile.PE(data=bytes(raw)).sections[0].PointerToRawData] ^= 1
    (tmp_path / "avbptpmon.sys").write_bytes(raw)
    assert verify(tmp_path / "avbptpmon.sys", signed, signed / "avbptpmon.cat").returncode != 0


@NEEDS_SIGNATURES
def test_changed_catalog_is_not_believed(signed: pathlib.Path, tmp_path: pathlib.Path) -> None:
    raw = (signed / "avbptpmon.cat").read_bytes()
    name = "avbptpmon.inf".encode("utf-16-le")
    assert raw.count(name) == 1
    (tmp_path / "avbptpmon.cat").write_bytes(raw.replace(name, "avbptpmon.ini".encode("utf-16-le")))
    assert verify(signed / "avbptpmon.sys", signed, tmp_path / "avbptpmon.cat").returncode != 0


# ---- What is in it ----


def parsed(content: bytes) -> list[tuple[int, object]]:
    """DER as (tag, bytes, or what is within)."""
    found: list[tuple[int, object]] = []
    while content:
        tag, length, start = content[0], content[1], 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(content[2:start], "big")
        inner, content = content[start:start + length], content[start + length:]
        assert len(inner) == length
        found.append((tag, parsed(inner) if tag & 0x20 else inner))
    return found


def strings_in(nodes: object) -> set[str]:
    """Texts: BMP strings, and octet strings in UTF-16 that end with a zero."""
    found: set[str] = set()
    assert isinstance(nodes, list)
    for tag, value in nodes:
        if tag & 0x20:
            found |= strings_in(value)
        elif tag == 0x1E:
            found.add(value.decode("utf-16-be"))
        elif tag == 0x04 and value[:1] == b"\x30" and value[1:2] != b"\0":  # a sequence within, not the digit 0
            found |= strings_in(parsed(value))
        elif tag == 0x04 and value[-2:] == b"\0\0":
            found.add(value[:-2].decode("utf-16-le"))
    return found


@NEEDS_SIGNATURES
def test_it_lists_the_files_of_the_inf(signed: pathlib.Path) -> None:
    words = strings_in(parsed((signed / "avbptpmon.cat").read_bytes()))
    inf = (signed / "avbptpmon.inf").read_bytes()
    assert {"File", "avbptpmon.inf", "avbptpmon.sys", hashlib.sha1(inf).hexdigest().upper()} <= words
    assert b"CatalogFile = avbptpmon.cat" in inf
    assert {"HWID1", "ptpmon_avb"} <= words and b",ptpmon_avb" in inf
    assert {"OS", "OSAttr", "2:6.3,2:10.0"} <= words and b"NTamd64.6.3" in inf and b"NTamd64.10.0" in inf


def test_the_same_files_give_the_same_catalog(built: pathlib.Path) -> None:
    files = [built / "avbptpmon.inf", built / "avbptpmon.sys"]
    first = windows_catalog.catalog("ptpmon_avb", files, 1_700_000_000)
    assert first == windows_catalog.catalog("ptpmon_avb", files[::-1], 1_700_000_000)
    assert first != windows_catalog.catalog("ptpmon_avb", files[:1], 1_700_000_000)
    assert b"231114221320Z" in first


@pytest.mark.parametrize("number, code", [
    (0, "020100"), (1, "020101"), (127, "02017f"), (128, "02020080"), (255, "020200ff"), (256, "02020100"),
    (0x200, "02020200"), (0x7FFF, "02027fff"), (0x8000, "0203008000"), (0x10010001, "020410010001")])
def test_integers(number: int, code: str) -> None:
    assert windows_catalog.integer(number).hex() == code


@pytest.mark.parametrize("length, header", [
    (0, "0400"), (127, "047f"), (128, "048180"), (255, "0481ff"), (256, "04820100"), (65536, "0483010000")])
def test_lengths(length: int, header: str) -> None:
    code = windows_catalog.octets(bytes(length))
    assert code[:len(code) - length].hex() == header


@pytest.mark.parametrize("text, code", [
    ("1.2.840.113549.1.7.2", "06092a864886f70d010702"), ("1.3.14.3.2.26", "06052b0e03021a"),
    ("1.3.6.1.4.1.311.10.1", "06092b060104018237" + "0a01")])
def test_object_identifiers(text: str, code: str) -> None:
    assert windows_catalog.oid(text).hex() == code
