# SPDX-License-Identifier: MIT
"""One Wine session with the driver, its NDIS double and its verifier in it, from nothing to nothing."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

LAB = "ndislab"  # services and files of the same name
DRIVER = "avbptpmon_t"

# StartService in a session that has just come up: no answer yet, or the database still busy.
NOT_YET = {1053, 1055}
ATTEMPTS = 10

# How long a session without a program stays, and with it the drivers; it also ends one whose runner was killed.
STAYS_S = 60


def at_fixed_addresses():
    """
    What to put before a program so that its addresses are the same each time; nothing where that is not allowed.

    Wine needs certain addresses, and one process in some thousands does not start because the system has put
    something else there.
    """
    command = ["setarch", "-R"]
    try:
        allowed = subprocess.run([*command, "true"], capture_output=True, timeout=60, check=False).returncode == 0
    except FileNotFoundError:
        allowed = False
    return command if allowed else []


def missing():
    """Why Wine cannot be used here; None: it can."""
    for program in ("wine", "wineserver", "wineboot"):
        if not shutil.which(program):
            return f"the driver's objects are not run in Wine: {program} is not installed"
    version = subprocess.run(["wine", "--version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                             check=False)
    if version.returncode != 0:
        return "the driver's objects are not run in Wine: it does not start here"
    return None


class Session:
    """The files in `build` in a prefix of their own below `directory`."""

    def __init__(self, build, directory):
        self.build = pathlib.Path(build).resolve()
        self.directory = pathlib.Path(directory).resolve()
        self.prefix = self.directory / "prefix"
        self.calls = 0
        self.before = at_fixed_addresses()
        self.environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
        self.environment.update(
            WINEPREFIX=str(self.prefix),
            WINEARCH="win64",
            WINEDEBUG="-all",
            WINEDLLOVERRIDES="mscoree=;mshtml=;winemenubuilder.exe=;winex11.drv=",
        )

    # Output goes to files: what Wine leaves behind in the background keeps a pipe open for ever.
    def run(self, *command, timeout):
        """(exit status, output); 124: it did not end in `timeout` seconds and was killed."""
        self.calls += 1
        log = self.directory / f"{self.calls:03d}-{pathlib.Path(command[0]).name}.log"
        process = self.spawn(*command, log=log)
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill(process)
            status = 124
        except BaseException:
            self.kill(process)
            raise
        return status, log.read_text(errors="replace")

    def spawn(self, *command, log):
        with open(log, "w", encoding="utf-8") as output:
            return subprocess.Popen([*self.before, *command], env=self.environment, cwd=self.build,
                                    stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                    start_new_session=True)

    @staticmethod
    def kill(process):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def server(self, *arguments, timeout=60):
        return subprocess.run(["wineserver", *arguments], env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=timeout, check=False)

    def wine(self, *arguments, timeout=30):
        return self.run("wine", *arguments, timeout=timeout)

    def client(self, *arguments, timeout=60):
        return self.wine("wine_client.exe", *arguments, timeout=timeout)

    # ---- Life ----

    def create(self):
        """The prefix. The server that made it must be gone before the next one comes: it holds the services' list."""
        self.end()  # of a run that was killed
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        status, output = self.run("wineboot", "-i", timeout=120)
        if status != 0:
            raise RuntimeError(f"wineboot ended with {status}:\n{output}")
        self.end()

    def start(self):
        self.server(f"-p{STAYS_S}")
        status, output = self.wine("reg", "add", r"HKCU\Software\Wine", "/v", "Version", "/d", "win10", "/f")
        if status != 0:
            raise RuntimeError(f"reg add ended with {status}:\n{output}")
        self.start_service(LAB)
        self.start_service(DRIVER)

    def end(self):
        """Also of a session that there is not."""
        if self.prefix.exists():
            self.server("-k")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.server("-w")

    def restart(self):
        self.end()
        self.start()

    @contextlib.contextmanager
    def living(self):
        """From nothing to nothing, whatever happens in between."""
        try:
            self.create()
            self.start()
            yield self
        finally:
            self.end()
            shutil.rmtree(self.prefix, ignore_errors=True)

    # ---- Services ----

    def try_start(self, name):
        """Win32 error of StartService; 0: it runs."""
        path = "Z:" + str(self.build / f"{name}.sys").replace("/", "\\")
        status, output = self.client("start", name, path)
        said = re.search(r"^start: (\d+)$", output, re.MULTILINE)
        if not said:
            raise RuntimeError(f"start {name} ended with {status}:\n{output}")
        return int(said[1])

    def start_service(self, name):
        for _ in range(ATTEMPTS):
            error = self.try_start(name)
            if error not in NOT_YET:
                break
            time.sleep(0.5)
        if error:
            raise RuntimeError(f"{name}.sys was not started: error {error}")

    def stop_service(self, name):
        status, output = self.client("stop", name)
        if status != 0:
            raise RuntimeError(f"{name}.sys was not stopped: {output}")

    # ---- Cases ----

    def is_alive(self):
        status, _ = self.client("alive", timeout=20)
        return status == 0

    def case(self, name, timeout=60):
        """None, or why it failed. Afterwards there is a session again."""
        status, output = self.client("case", name, timeout=timeout)
        if status == 0 and output.strip().endswith(f"ok {name}"):
            return None
        why = output.strip() or f"ended with {status} without a word"
        if status == 124:
            why = f"did not end in {timeout} s. {output.strip()}"
        if self.is_alive():
            self.client("forget")
            self.try_start(DRIVER)  # where the case ended while it was stopped
        else:
            why = f"the process that runs the drivers died or hangs: {why}"
            self.restart()
        return why
