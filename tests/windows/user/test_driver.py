# SPDX-License-Identifier: MIT
"""`ptpmon install`, `uninstall`, `status` and `stats` without a driver, in Wine, with a double of Windows's network
configuration. With the driver: tests/windows/chain."""
import json
import pathlib
import re
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
GCC = ("x86_64-w64-mingw32-gcc", "-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-static", "-D_WIN32_WINNT=0x0603",
       "-DUNICODE")
NET_CFG = r"HKLM\Software\Classes\CLSID\{5B035261-40F9-11D1-AAEC-00805FC1270E}\InprocServer32"

ADDED = ["AcquireWriteLock ptpmon", "Initialize", "Install ptpmon_avb", "Apply", "Uninitialize", "ReleaseWriteLock"]
REMOVED = ["AcquireWriteLock ptpmon", "Initialize", "DeInstall", "Apply", "Uninitialize", "ReleaseWriteLock"]
LOOKED = ["AcquireWriteLock ptpmon", "Initialize", "Uninitialize", "ReleaseWriteLock"]

# A driver of Wine's own, which loads, and none.
LOADS = r"C:\windows\system32\drivers\ndis.sys"
IS_MISSING = r"C:\windows\system32\drivers\nothing.sys"


def compile_for_windows(source, program, *options):
    subprocess.run([*GCC, "-o", program, source, *options], check=True, timeout=120)
    return program


def as_windows(path):
    return "Z:" + str(path).replace("/", "\\")


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """What `install` takes: the driver itself is not looked at before Windows loads it."""
    directory = tmp_path_factory.mktemp("package")
    inf = (ROOT / "driver/windows/avbptpmon.inf").read_text(encoding="ascii").replace("@AVB_VERSION@", "0.1.0")
    (directory / "avbptpmon.inf").write_text(inf, encoding="ascii", newline="\r\n")
    for name in ("avbptpmon.sys", "avbptpmon.cat"):
        (directory / name).write_bytes(b"not looked at here")
    return directory


class Network:
    """The double of Windows's network configuration."""

    def __init__(self, wine, directory):
        self.wine = wine
        self.log = directory / "netcfg.log"
        library = compile_for_windows(HERE / "netcfg_double.c", directory / "netcfg_double.dll", "-shared", "-lole32",
                                      "-luuid", "-ladvapi32")
        code, _, err = wine.run_program("reg", "add", NET_CFG, "/ve", "/d", as_windows(library), "/f")
        assert code == 0, err

    def run(self, *arguments, program=None, **answers):
        """Exit code, output, what was said, and the calls. answers: variables of the double, without NETCFG_."""
        self.log.unlink(missing_ok=True)
        names = {f"NETCFG_{name}": value for name, value in answers.items()} | {"NETCFG_LOG": as_windows(self.log)}
        self.wine.environment.update(names)
        try:
            if program is None:
                code, out, err = self.wine.run(*arguments)
            else:
                code, out, err = self.wine.run_program(program, self.wine.program, *arguments)
        finally:
            for name in names:
                del self.wine.environment[name]
        calls = self.log.read_text(encoding="ascii").splitlines() if self.log.exists() else []
        assert not [call for call in calls if call.startswith("BREACH")], calls
        return code, out.decode(), err.decode(), calls


@pytest.fixture(scope="module")
def network(wine, tmp_path_factory):
    return Network(wine, tmp_path_factory.mktemp("netcfg"))


@pytest.fixture(scope="module")
def not_administrator(tmp_path_factory):
    return compile_for_windows(HERE / "not_administrator.c", tmp_path_factory.mktemp("token") / "not_administrator.exe",
                               "-ladvapi32")


def without_service(calls):
    return [call for call in calls if not call.startswith("service")]


# ---- install ----------------------------------------------------------------------------------


@pytest.mark.parametrize("answers, code, said, calls", [
    ({"HOLDER": "Network Connections"}, 6, '"Network Connections" changes it just now', ["AcquireWriteLock ptpmon"]),
    ({"LOCK": "8004A024"}, 6, "changes it just now", ["AcquireWriteLock ptpmon"]),
    ({"LOCK": "80070005"}, 4, "cannot lock it: it needs an administrator", ["AcquireWriteLock ptpmon"]),
    ({"INITIALIZE": "8004A020"}, 1, "the network configuration: cannot read it", None),
    ({"HAS": "1"}, 1, "is installed already", LOOKED),
    ({"INSTALL": "8004A029"}, 1, "as many network filters as Windows takes; uninstall another", None),
    ({"INSTALL": "800B0100"}, 5, "it is not signed, and Windows takes signed drivers only", None),
    ({"INSTALL": "E000022F"}, 5, "it is not signed, and Windows takes signed drivers only", None),
    ({"INSTALL": "800B0109"}, 5, "does not trust who signed it; of a package signed for tests, import", None),
    ({"INSTALL": "800F0242"}, 5, "does not trust who signed it", None),
    ({"INSTALL": "80096010"}, 7, "its files are not those that were signed", None),
    ({"INSTALL": "8004A028"}, 1, "an earlier change waits for a restart; restart Windows", None),
    ({"APPLY": "80070241"}, 5, "refuses its signature; of a driver signed for tests, switch test mode on", None),
    ({"APPLY": "8007054F"}, 1, "the network configuration: cannot add the driver: ", None),  # no words of our own
])
def test_install_is_refused(network, package, answers, code, said, calls):
    """Each refusal is a sentence that names the object and the remedy; what was begun is undone."""
    given, out, err, made = network.run("install", package / "avbptpmon.inf", **answers)
    assert (given, out) == (code, "")
    assert said in err and err.count("\n") == 1
    if calls is not None:
        assert made == calls
    if "Install ptpmon_avb" in made:
        assert "Cancel" in made and made[-2:] == ["Uninitialize", "ReleaseWriteLock"]


def test_restart_is_asked_for(network, package):
    code, out, err, calls = network.run("install", package / "avbptpmon.inf", APPLY="0004A020")
    assert (code, out, err, calls) == (0, "Restart Windows to complete this.\n", "", ADDED)


def test_a_driver_that_does_not_load_is_told(network, package):
    """The signature that matters is looked at when the driver is loaded."""
    code, out, err, calls = network.run("install", package / "avbptpmon.inf", SERVICE=IS_MISSING)
    try:
        assert code == 1 and without_service(calls) == ADDED
        assert "installed, but does not run" in out and "`ptpmon uninstall` takes it out" in out
        assert "the driver: cannot load it: " in err
        code, out, err, _ = network.run("status", "--json")
        lines = [json.loads(line) for line in out.splitlines()]
        assert code == 5 and lines[0]["service"] == "stopped"
        assert lines[0]["file"].lower() == IS_MISSING.lower() and lines[0]["version"] is None
        assert {"driver_refused", "driver_stopped"} & {line["advice"] for line in lines if line["type"] == "advice"}
    finally:
        code, out, _, calls = network.run("uninstall", HAS="1", SERVICE="-")
    assert (code, out, calls) == (0, "The driver is uninstalled.\n", REMOVED)


def test_installed_and_running(network, package, wine):
    """Where no adapter has it that is told, too. The last test with a service: Wine does not unload it."""
    store = wine.prefix / "drive_c/windows/inf"
    inf = (package / "avbptpmon.inf").read_bytes()
    (store / "oem7.inf").write_bytes(inf)
    (store / "oem8.inf").write_bytes(inf.replace(b"avbptpmon.cat", b"another.cat"))
    code, out, err, calls = network.run("install", package / "avbptpmon.inf", SERVICE=LOADS)
    assert (code, err, without_service(calls)) == (0, "", ADDED)
    assert re.fullmatch(r"The driver is installed and runs; it is bound to 0 of \d+ adapters\.\n", out)
    code, out, err, _ = network.run("status", "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 5 and lines[0]["service"] == "running" and lines[0]["file"].lower() == LOADS.lower()
    adapters = [line["interface"] for line in lines if line["type"] == "adapter"]
    assert [line["interface"] for line in lines if line.get("advice") == "not_bound"] == adapters
    code, out, err, calls = network.run("uninstall", HAS="1", SERVICE="-")
    assert (code, err, calls) == (0, "", REMOVED)
    assert "It goes when the last program has closed it" in out
    assert not (store / "oem7.inf").exists() and (store / "oem8.inf").exists()


def without(package, name, directory):
    for path in package.iterdir():
        if path.name != name:
            (directory / path.name).write_bytes(path.read_bytes())
    return directory / "avbptpmon.inf"


@pytest.mark.parametrize("name", ["avbptpmon.inf", "avbptpmon.sys"])
def test_the_package_is_incomplete(network, package, tmp_path, name):
    code, out, err, calls = network.run("install", without(package, name, tmp_path))
    assert (code, out, calls) == (1, "", [])
    assert f"{as_windows(tmp_path / name)}: no such file; unpack the whole package" in err


def test_a_package_without_signature(network, package, tmp_path):
    """Said before, since what Windows says of it may not be understood; whether it takes it is for Windows to say."""
    _, _, err, _ = network.run("install", without(package, "avbptpmon.cat", tmp_path))
    assert f"{as_windows(tmp_path / 'avbptpmon.cat')}: no such file, so the package is not signed" in err


def test_another_inf_is_refused(network, package, tmp_path):
    inf = tmp_path / "avbptpmon.inf"
    inf.write_bytes((package / "avbptpmon.inf").read_bytes().replace(b"avbptpmon.cat", b"another.cat"))
    code, _, err, calls = network.run("install", inf)
    assert code == 7 and "is not the INF of this driver" in err and not calls


def test_the_package_is_looked_for_near_the_program(network, wine):
    code, _, err, calls = network.run("install")
    assert code == 1 and as_windows(wine.program.parent / "driver/avbptpmon.inf") + ": no such file" in err
    assert not calls


# ---- uninstall --------------------------------------------------------------------------------


@pytest.mark.parametrize("answers, code, said", [
    ({}, 5, "the driver: is not installed; `ptpmon install` installs it"),
    ({"HAS": "1", "DEINSTALL": "0004A023"}, 6, "Another Filter needs the driver; uninstall that first"),
    ({"HAS": "1", "DEINSTALL": "8004A022"}, 6, "it is in use; end the programs that use it"),
    ({"HAS": "1", "APPLY": "8004A025"}, 1, "restart Windows"),
])
def test_uninstall_is_refused(network, answers, code, said):
    given, out, err, _ = network.run("uninstall", **answers)
    assert (given, out) == (code, "") and said in err and err.count("\n") == 1


# ---- Rights -----------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_changes_need_an_administrator(network, package, not_administrator, command):
    arguments = (package / "avbptpmon.inf",) if command == "install" else ()
    code, out, err, calls = network.run(command, *arguments, program=not_administrator, HAS="1")
    assert (code, out, calls) == (4, "", [])
    assert "needs an administrator; start the terminal" in err


def test_status_says_what_rights_it_has(network, not_administrator):
    for program, administrator in ((None, True), (not_administrator, False)):
        _, out, _, _ = network.run("status", "--json", program=program)
        assert json.loads(out.splitlines()[0])["administrator"] is administrator


# ---- status and stats -------------------------------------------------------------------------


def test_status_text_and_json_say_the_same(wine):
    code, out, err = wine.run("status", "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    text_code, text, text_err = wine.run("status", "--color=never")
    assert (text_code, text_err, err) == (code, b"", b"")
    text = text.decode()
    driver = lines[0]
    assert driver["type"] == "driver" and isinstance(driver["signatures_enforced"], bool)
    assert f"test mode {'on' if driver['test_mode'] else 'off'}" in text
    assert (driver["npcap_file"] is not None) == driver["npcap"] and (driver["npcap_file"] or "not there") in text
    for line in lines[1:]:
        assert line["type"] in ("adapter", "advice")
        assert (line["message"] if line["type"] == "advice" else line["description"]) in text


def documented(kind):
    """The names in the rows of a table of docs/json.md: (of members, in what is said of them)."""
    page = (ROOT / "docs/json.md").read_text(encoding="utf-8")
    table = re.search(rf"^\| of `{kind}` \|.*\n\|-.*\n((?:\|.*\n)+)", page, re.MULTILINE)[1]
    rows = [line.strip("|\n").split("|", 1) for line in table.splitlines()]
    names = [[re.findall(r"`([^`]+)`", cell) for cell in row] for row in rows]
    return {name for row in names for name in row[0]}, {name for row in names for name in row[1]}


def test_json_is_as_documented(wine):
    _, out, _ = wine.run("status", "--json")
    seen = set()
    for line in map(json.loads, out.splitlines()):
        members, values = documented(line["type"])
        assert line.keys() - {"schema", "type"} == members
        assert line.get("advice") in values | {None}
        seen.add(line["type"])
    assert {"driver", "advice"} <= seen
    source = (ROOT / "cli/windows/status.c").read_text(encoding="ascii")
    assert set(re.findall(r'find\(status, "(\w+)"', source)) == {
        name for name in documented("advice")[1] if "_" in name}


def test_an_adapter_by_name(wine):
    _, out, _ = wine.run("status", "--json")
    adapters = [line for line in map(json.loads, out.splitlines()) if line["type"] == "adapter"]
    if not adapters:
        pytest.skip("there is no adapter here to be named")
    for name in (adapters[0]["interface"], adapters[0]["guid"], str(adapters[0]["index"])):
        _, out, _ = wine.run("status", "--json", name)
        named = [line for line in map(json.loads, out.splitlines()) if line["type"] == "adapter"]
        assert named == adapters[:1]


@pytest.mark.parametrize("command", ["status", "stats"])
def test_no_such_adapter(wine, command):
    code, out, err = wine.run(command, "Ethernet 99")
    assert (code, out) == (3, b"") and b"Ethernet 99: no such interface" in err


def test_counters_need_the_driver(wine):
    code, out, err = wine.run("stats", "--json")
    assert (code, out) == (5, b"") and b"is bound to no adapter; `ptpmon status` says why" in err


# ---- What is of one system is not told of the other --------------------------------------------

LINUX_ONLY = {"--enable-hw-stamps": (), "--no-tracing": (), "--ring": ("64K",)}


def help_of(wine, *command):
    code, out, err = wine.run(*command, "--help")
    assert (code, err) == (0, b"")
    return out.decode()


def test_help_names_nothing_of_linux(wine):
    general = help_of(wine)
    commands = re.findall(r"^  (\w+) +\w", general.partition("Commands:\n")[2].partition("\n\n")[0], re.MULTILINE)
    assert {"list", "watch", "record", "correlate", "install", "uninstall", "status", "stats"} <= set(commands)
    for text in (general, *(help_of(wine, command) for command in commands)):
        assert not re.search(r"\bman ptpmon|\bsudo\b|\broot\b|eBPF|--no-tracing|--ring|--enable-hw-stamps", text), text


@pytest.mark.parametrize("option", LINUX_ONLY)
@pytest.mark.parametrize("command", ["watch", "record"])
def test_options_of_linux_are_refused(wine, command, option):
    code, out, err = wine.run(command, option, *LINUX_ONLY[option], "Ethernet")
    assert (code, out) == (2, b"")
    assert f"{option} is on Linux only".encode() in err


@pytest.mark.parametrize("command", ["install", "uninstall", "status", "stats"])
def test_linux_does_not_offer_the_driver(linux, command):
    code, out, err = linux(command)
    assert (code, out) == (5, b"") and b"on Windows only" in err and err.count(b"\n") == 1
    assert f"  {command} ".encode() not in linux("--help")[1]
    code, out, err = linux(command, "--help")
    assert (code, err) == (0, b"") and b"on Windows only" in out
