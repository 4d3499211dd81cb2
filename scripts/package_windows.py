#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Puts together what a Windows user gets, from what was built: scripts/package-windows.sh calls it.

    package_windows.py VERSION DRIVER PROGRAMS MANUAL OUTPUT

DRIVER has avbptpmon.sys, .inf and .pdb, and of a signed one .cat and .cer; PROGRAMS ptpmon.exe and ptpmon.dll,
stripped, their .debug files and the import libraries; MANUAL the manual pages as HTML. OUTPUT is the zip; the same
input, SOURCE_DATE_EPOCH among it, gives the same bytes.
"""
import base64
import hashlib
import io
import os
import pathlib
import sys
import time
import tomllib
import zipfile
from typing import Dict, Tuple

ROOT = pathlib.Path(__file__).resolve().parents[1]

Files = Dict[str, bytes]  # by name, with slashes


def moment() -> Tuple[int, int, int, int, int, int]:
    """Of every file: SOURCE_DATE_EPOCH."""
    return time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))[:6]


def zip_of(files: Files) -> bytes:
    """Sorted, and without a trace of when and by whom it was made."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, moment())
            entry.create_system = 0  # MS-DOS: no rights of Unix
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name], compresslevel=9)
    return buffer.getvalue()


def tree(directory: pathlib.Path, *patterns: str) -> Files:
    """The files below a directory that match one of the patterns."""
    found = {path.relative_to(directory).as_posix(): path.read_bytes()
             for pattern in patterns for path in sorted(directory.glob(pattern))}
    assert found, f"{directory}: nothing that matches {patterns}"
    return found


def below(folder: str, files: Files) -> Files:
    return {f"{folder}/{name}": content for name, content in files.items()}


def windows_text(path: pathlib.Path, version: str) -> bytes:
    """With the lines' ends that every editor there understands."""
    return path.read_text(encoding="ascii").replace("@VERSION@", version).replace("\n", "\r\n").encode("ascii")


# ---- The wheel ----

def metadata(version: str) -> str:
    """Core metadata 2.1, from pyproject.toml."""
    project = tomllib.loads((ROOT / "python/pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = ["Metadata-Version: 2.1", f"Name: {project['name']}", f"Version: {version}",
             f"Summary: {project['description']}", f"License: {project['license']['text']}",
             f"Requires-Python: {project['requires-python']}"]
    lines += [f"Classifier: {classifier}" for classifier in project["classifiers"]]
    for extra, needs in project["optional-dependencies"].items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f'Requires-Dist: {need} ; extra == "{extra}"' for need in needs]
    text = (ROOT / "python" / project["readme"]).read_text(encoding="utf-8")
    return "\n".join([*lines, "Description-Content-Type: text/markdown", "", text])


def digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def wheel(version: str, package: Files, dll: bytes) -> Files:
    """The package with its library, as pip installs it: binary distribution format 1.0."""
    information = f"ptp_monitor-{version}.dist-info"
    tag = "py3-none-win_amd64"
    files = {
        **package,
        "ptp_monitor/ptpmon.dll": dll,
        f"{information}/METADATA": metadata(version).encode(),
        f"{information}/WHEEL": f"Wheel-Version: 1.0\nGenerator: ptpmon\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(),
        f"{information}/LICENSE": (ROOT / "LICENSE").read_bytes(),
    }
    record = [f"{name},sha256={digest(content)},{len(content)}" for name, content in sorted(files.items())]
    files[f"{information}/RECORD"] = "\n".join([*record, f"{information}/RECORD,,", ""]).encode()
    return {f"ptp_monitor-{version}-{tag}.whl": zip_of(files)}


# ---- The whole ----

def contents(version: str, driver: pathlib.Path, programs: pathlib.Path, manual: pathlib.Path) -> Files:
    package = below("ptp_monitor", tree(ROOT / "python/ptp_monitor", "*.py", "py.typed"))
    dll = (programs / "ptpmon.dll").read_bytes()
    return {
        "README.txt": windows_text(ROOT / "share/windows/README.txt", version),
        "LICENSE.txt": windows_text(ROOT / "LICENSE", version),
        "ptpmon.exe": (programs / "ptpmon.exe").read_bytes(),
        "ptpmon.dll": dll,
        **below("driver", tree(driver, "avbptpmon.sys", "avbptpmon.inf", "avbptpmon.cat", "*.cer")),
        **below("driver", tree(ROOT / "driver/windows", "avbptpmon.man")),
        **below("symbols", tree(driver, "avbptpmon.pdb")),
        **below("symbols", tree(programs, "*.debug")),
        **below("lib", tree(programs, "ptpmon.lib", "libptpmon.dll.a")),
        **below("include", tree(ROOT / "include", "*.h", "avb/*.h")),
        **below("core", tree(ROOT / "core", "ring.c", "atomic.h")),
        **below("examples", tree(ROOT / "examples", "*.c", "*.py", "windows/*.c")),
        **below("demo", tree(ROOT / "share/demo", "*.pcapng", "*.events")),
        **below("python", package),
        **below("python", wheel(version, package, dll)),
        **below("docs", tree(ROOT / "docs", "*.md", "images/*.png")),
        **below("docs/man", tree(manual, "*.html")),
    }


def main() -> None:
    version, output = sys.argv[1], pathlib.Path(sys.argv[5])
    files = contents(version, *map(pathlib.Path, sys.argv[2:5]))
    output.write_bytes(zip_of(below(f"ptpmon-{version}-windows-x64", files)))
    print(f"{output}: {len(files)} files, {output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
