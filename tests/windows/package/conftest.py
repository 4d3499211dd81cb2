# SPDX-License-Identifier: MIT
"""The zip, unpacked where a user may unpack it, and a Wine session with the driver's objects in it."""
import pathlib
import subprocess
import sys
import time
import zipfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "wine")]

import session as sessions  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--package", required=True, help="directory with the zip and lab_feed.exe, again/, signed/")
    parser.addoption("--lab", required=True, help="directory with ndislab.sys and avbptpmon_t.sys")


@pytest.fixture(scope="session")
def directory(request):
    return pathlib.Path(request.config.getoption("--package")).resolve()


@pytest.fixture(scope="session")
def path(directory):
    """The zip's."""
    found = list(directory.glob("*.zip"))
    assert len(found) == 1, found
    return found[0]


@pytest.fixture(scope="session")
def files(path):
    """Name below the one folder of the zip: content."""
    with zipfile.ZipFile(path) as archive:
        return {name.split("/", 1)[1]: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="session")
def unpacked(path, tmp_path_factory):
    """Where its folder was put: below one with spaces and letters of two alphabets."""
    place = tmp_path_factory.mktemp("unpacked") / "Meine Geräte 測定"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(place)
    return place / path.stem


class Wine:
    """Programs in a session with the driver."""

    def __init__(self, session, feed):
        self.session = session
        self.feed_program = feed

    def run(self, program, *arguments, cwd):
        """Exit status, standard output, standard error."""
        process = self.start(program, *arguments, cwd=cwd)
        return self.finish(process)

    def start(self, program, *arguments, cwd):
        self.session.calls += 1
        base = self.session.directory / f"{self.session.calls:03d}-{program.name}"
        with open(f"{base}.out", "wb") as out, open(f"{base}.err", "wb") as err:
            process = subprocess.Popen([*self.session.before, "wine", program, *arguments], cwd=cwd,
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True,
                                       env={**self.session.environment, "TZ": "UTC"})
        process.log = base
        return process

    def finish(self, process, timeout=30):
        try:
            status = process.wait(timeout)
        finally:
            if process.returncode is None:
                self.session.kill(process)
        return status, *(pathlib.Path(f"{process.log}.{kind}").read_bytes().decode() for kind in ("out", "err"))

    def wait_for(self, process, text, timeout=20):
        """Until it has said this on standard error."""
        deadline = time.monotonic() + timeout
        said = pathlib.Path(f"{process.log}.err")
        while text not in said.read_text(errors="replace"):
            assert process.poll() is None and time.monotonic() < deadline, said.read_text(errors="replace")
            time.sleep(0.02)

    def feed(self, *arguments):
        status, output, _ = self.run(self.feed_program, *map(str, arguments), cwd=self.session.directory)
        assert status == 0, output
        return output


@pytest.fixture(scope="session")
def wine(request, directory, tmp_path_factory):
    reason = sessions.missing()
    if reason:
        pytest.skip(reason)
    lab = pathlib.Path(request.config.getoption("--lab"))
    with sessions.Session(lab, tmp_path_factory.mktemp("wine") / "session").living() as session:
        yield Wine(session, directory / "lab_feed.exe")
