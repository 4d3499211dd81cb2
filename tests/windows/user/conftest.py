# SPDX-License-Identifier: MIT
"""The Windows command in a Wine session of its own, beside the Linux command."""
import contextlib
import os
import pathlib
import shutil
import subprocess

import pytest

PROGRAMS = ("wine", "wineserver", "wineboot")


def pytest_addoption(parser):
    parser.addoption("--windows", required=True, help="directory with ptpmon.exe and ptpmon.dll")
    parser.addoption("--linux", required=True, help="the ptpmon of this system")


def pytest_collection_modifyitems(items):
    """Without Wine: one test, skipped, and its reason."""
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        del items[1:]
        for item in items:
            item.add_marker(pytest.mark.skip(reason=f"ptpmon.exe is not run: {missing[0]} is not installed"))


class Wine:
    def __init__(self, program, directory):
        self.program = program
        self.directory = directory
        self.prefix = directory / "prefix"
        self.calls = 0
        self.environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "NO_COLOR")}
        self.environment.update(
            WINEPREFIX=str(self.prefix), WINEARCH="win64", WINEDEBUG="-all", TZ="UTC",
            WINEDLLOVERRIDES="mscoree=;mshtml=;winemenubuilder.exe=;winex11.drv=")

    def server(self, *arguments):
        subprocess.run(["wineserver", *arguments], env=self.environment, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=False)

    @contextlib.contextmanager
    def living(self):
        try:
            with open(self.directory / "boot.log", "wb") as log:
                subprocess.run(["wineboot", "-i"], env=self.environment, stdin=subprocess.DEVNULL, stdout=log,
                               stderr=log, timeout=120, check=True)
            self.server("-k")
            self.server("-w")
            self.server("-p60")
            yield self
        finally:
            self.server("-k")
            self.server("-w")
            shutil.rmtree(self.prefix, ignore_errors=True)

    def start(self, *arguments, cwd=None, **streams):
        return self.start_program(self.program, *arguments, cwd=cwd, **streams)

    def start_program(self, program, *arguments, cwd=None, **streams):
        return subprocess.Popen(["wine", str(program), *map(str, arguments)], env=self.environment, cwd=cwd,
                                stdin=subprocess.DEVNULL, **streams)

    def run(self, *arguments, cwd=None):
        return self.run_program(self.program, *arguments, cwd=cwd)

    def run_program(self, program, *arguments, cwd=None):
        """Exit code, standard output and standard error. They go to files: what Wine leaves behind in the background
        keeps a pipe open for ever."""
        self.calls += 1
        outputs = [self.directory / f"{self.calls:03d}.{kind}" for kind in ("out", "err")]
        with open(outputs[0], "wb") as out, open(outputs[1], "wb") as err:
            process = self.start_program(program, *arguments, cwd=cwd, stdout=out, stderr=err)
            try:
                code = process.wait(30)
            finally:
                if process.returncode is None:
                    process.kill()
                    process.wait()
        return code, outputs[0].read_bytes(), outputs[1].read_bytes()


@pytest.fixture(scope="session")
def windows(request):
    return pathlib.Path(request.config.getoption("--windows")).resolve()


@pytest.fixture(scope="session")
def wine(windows, tmp_path_factory):
    with Wine(windows / "ptpmon.exe", tmp_path_factory.mktemp("wine")).living() as session:
        yield session


@pytest.fixture(scope="session")
def linux(request):
    program = str(pathlib.Path(request.config.getoption("--linux")).resolve())
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TZ": "UTC"}

    def run(*arguments, cwd=None):
        done = subprocess.run([program, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                              env=environment, cwd=cwd, timeout=30, check=False)
        return done.returncode, done.stdout, done.stderr

    return run
