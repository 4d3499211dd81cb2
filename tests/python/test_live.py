# SPDX-License-Identifier: MIT
"""Live monitors in network namespaces: real frames, a real ptp4l, the kernel's own account of what is attached."""
import gc
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
import types

import pytest
from scapy.arch.linux import L2ListenSocket
from scapy.layers.l2 import Ether  # noqa: F401: makes scapy know Ethernet

import frames
import ptp4l
import ptp_monitor
from lab import Lab, as_nobody
from monitor import kernel_objects_of, wait_until_gone
from ptp_monitor import Analyzer, ClocksReading, Loss, PtpMonitor, PtpTimestampEvent, Recording
from truth import Truth, settle

SKIPPED = 77  # CTest's SKIP_RETURN_CODE
FRAMES = 50
EDGE_NS = 11_000_000  # so near to its beginning or end, 10 ms, a frame may be taken for one from outside


@pytest.fixture(scope="module")
def lab():
    if os.geteuid() != 0:
        pytest.exit("these tests need root; run `make check-e2e`", SKIPPED)
    made = Lab()
    yield made
    made.close()
    shutil.rmtree(made.directory)


@pytest.fixture(scope="module")
def link(lab):
    return lab.link()


@pytest.fixture
def monitor(link):
    """Enabled, on the receiving end of the link."""
    made = link[1].call(lambda: enabled(PtpMonitor(link[1].interface)))
    yield made
    made.close()


@pytest.fixture(scope="module")
def sender(lab, link):
    return lab.packet_socket(link[0])


def enabled(monitor):
    monitor.enable()
    return monitor


def send(sender, count=FRAMES, first=0):
    """Frames to the other end; returns their sequenceIds."""
    for sequence_id in range(first, first + count):
        sender.send(frames.ethernet(frames.ptp(sequence_id)))
    settle()
    return list(range(first, first + count))


def attached():
    """What this process holds in the kernel."""
    return kernel_objects_of(types.SimpleNamespace(pid=os.getpid()))


def ring_mappings():
    return pathlib.Path("/proc/self/maps").read_text().count("bpf-map")


def python(code, *, end=None, prefix=(), **options):
    """Starts a fresh interpreter in an end's namespace; it has the package on its path. input() waits for finish()."""
    package = pathlib.Path(ptp_monitor.__file__).parents[1]
    namespace = ["ip", "netns", "exec", end.namespace] if end else []
    return subprocess.Popen([*namespace, *prefix, sys.executable, "-u", "-c", code], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={"PYTHONPATH": str(package), **os.environ, **options})


def finish(process):
    stdout, stderr = process.communicate("\n", timeout=30)
    return process.returncode, stdout, stderr


# ---- ptp4l ----

@pytest.mark.parametrize("profile", ["udp_ipv4", "gptp"])
def test_correlates_with_live_capture(lab, profile):
    """Every message of a real ptp4l is matched; monitor and capture start in the order that loses none."""
    ends = lab.link()
    grandmaster = ptp4l.grandmaster(lab, ends[0], profile)
    client = ptp4l.client(lab, ends[1], profile)
    ptp4l.wait_synchronizing(client)

    monitor = ends[1].call(lambda: PtpMonitor(ends[1].interface))
    pairs = ends[1].call(lambda: monitor.correlate_with_npcap(ends[1].interface, timeout=2.5))
    assert monitor.enabled
    found = list(pairs)
    assert not monitor.enabled
    statistics, info = monitor.get_statistics(), monitor.info
    monitor.close()
    client.stop()
    grandmaster.stop()

    inside = [pair for pair in found if pair.outcome != "outside"]
    assert len(inside) > 20 and all(pair.matched for pair in inside), [pair for pair in inside if not pair.matched]
    begin = info.enabled_at + inside[0].realtime_ns - inside[0].event.system_timestamp
    end = max(pair.realtime_ns for pair in inside)
    assert all(pair.realtime_ns < begin + EDGE_NS or pair.realtime_ns > end - EDGE_NS
               for pair in found if pair.outcome == "outside")
    assert {pair.event.direction_name for pair in inside} == {"RX", "TX"}
    assert all(pair.frame.direction == pair.event.direction for pair in inside)
    first, last = pairs.clocks[0].system_timestamp, pairs.clocks[-1].system_timestamp
    for pair in inside:
        if pair.event.direction_name == "RX":
            assert pair.reason == "by_software_time"
            # The readings at either end frame what is seen for certain; a few messages may lie beyond.
            if first <= pair.event.system_timestamp <= last:
                assert 0 < pair.latencies.rx_driver.ns < 10**9
    if monitor_sees_stamps(statistics):
        assert any(pair.latencies.tx_software for pair in inside)
    assert pairs.counts["matched"] == len(inside) and pairs.losses == [] and len(pairs.clocks) >= 3
    assert pairs.alignment.clock == "system"
    assert statistics["frames_seen"] == statistics["frames_emitted"] == pairs.counts["events"]


def monitor_sees_stamps(statistics):
    """Whether this kernel's tracing was to be had."""
    return statistics["stamps_seen"] > 0


@pytest.mark.parametrize("profile, kind", [("udp_ipv4", "e2e"), ("gptp", "p2p-as")])
def test_analyzes_ptp4l_while_it_runs(lab, profile, kind):
    """Exchanges come on the way, with stamps of one kind, and their delays are those of a veth pair."""
    ends = lab.link()
    grandmaster = ptp4l.grandmaster(lab, ends[0], profile)
    client = ptp4l.client(lab, ends[1], profile)
    ptp4l.wait_synchronizing(client)
    analyzer = Analyzer()
    on_the_way = []
    monitor = ends[1].call(lambda: PtpMonitor(ends[1].interface))
    pairs = ends[1].call(lambda: monitor.correlate_with_npcap(ends[1].interface, timeout=5))
    for _ in analyzer.observe(pairs):
        on_the_way += analyzer.take()["kind"].tolist()
    monitor.close()
    client.stop()
    grandmaster.stop()
    found = analyzer.finish()

    assert kind in on_the_way and "sync" in on_the_way and found.points == [ends[1].interface]
    assert found.counts[0].computed[kind] > 1 and found.counts[0].computed["sync"] > 5
    delays = [series for series in found.series if series.quantity in ("meanPathDelay", "meanLinkDelay")]
    assert delays and all(series.stamps == "software" and 0 < series.median < 10e6 for series in delays)
    assert found.counts[0].counts["not_fetched"] == found.counts[0].counts["ambiguous"] == 0


def test_events_of_ptp4l(lab):
    ends = lab.link()
    grandmaster = ptp4l.grandmaster(lab, ends[0], "udp_ipv4")
    grandmaster.wait_for("to MASTER on")
    with ends[0].call(lambda: enabled(PtpMonitor(ends[0].interface))) as monitor:
        events = list(monitor.read_events(timeout=2))
        info, statistics = monitor.info, monitor.get_statistics()
        monitor.disable()
        events += monitor.read_events()
    grandmaster.stop()
    syncs = [event for event in events if event.messageType_name == "Sync"]
    assert len(syncs) > 5
    assert all(event.direction_name == "TX" and event.transport_name == "UDP/IPv4" for event in syncs)
    assert [event.sequenceId for event in syncs] == list(range(syncs[0].sequenceId, syncs[0].sequenceId + len(syncs)))
    assert info.enabled_at > 0 and info.disabled_at == 0 and info.delivered_until > info.enabled_at
    if info.tx_stamps != "none":
        assert all(event.has_software_timestamp for event in syncs) and statistics["stamps_joined"] > 0


# ---- The events door ----

def test_every_frame_has_an_event(monitor, sender):
    sent = send(sender)
    events = list(monitor.read_events(timeout=0))
    assert [event.sequenceId for event in events] == sent
    assert all(event.direction_name == "RX" and event.sourceMac == frames.SOURCE for event in events)
    assert all(event.has_software_timestamp or not monitor.info.rx_software for event in events)


def test_timeout(monitor, sender):
    send(sender, 3)
    started = time.monotonic()
    assert len(list(monitor.read_events(timeout=0.5))) == 3
    assert time.monotonic() - started >= 0.5
    assert list(monitor.read_events(timeout=0)) == []


def test_what_is_not_taken_comes_later(monitor, sender):
    sent = send(sender)
    events = monitor.read_events()
    first = [next(events).sequenceId for _ in range(5)]
    del events
    assert first + [event.sequenceId for event in monitor.read_events(timeout=0)] == sent


def test_all_records(monitor, sender):
    send(sender)
    monitor.disable()
    records = list(monitor.read_records())
    assert sum(isinstance(record, PtpTimestampEvent) for record in records) == FRAMES
    assert isinstance(records[0], ClocksReading) and isinstance(records[-1], ClocksReading)
    assert abs(records[0].realtime_ns - time.time_ns()) < 60 * 10**9


def test_starts_afresh(monitor, link, sender):
    """What was read and not taken is gone, too."""
    send(sender)
    next(monitor.read_events())
    monitor.disable()
    link[1].call(monitor.enable)
    sent = send(sender, 5, first=1000)
    assert [event.sequenceId for event in monitor.read_events(timeout=0)] == sent
    assert monitor.get_statistics()["frames_seen"] == 5


def test_losses(link, sender):
    """A small ring overflows; what was lost is counted and located."""
    with link[1].call(lambda: enabled(PtpMonitor(link[1].interface, ring_bytes=4096))) as monitor:
        send(sender, 500)
        assert monitor.get_statistics()["buffer_size"] < 100
        monitor.disable()
        records = list(monitor.read_records())
    lost = [record for record in records if isinstance(record, Loss)]
    events = [record for record in records if isinstance(record, PtpTimestampEvent)]
    assert len(events) + sum(loss.frames_dropped for loss in lost) == 500
    assert lost and all(loss.since < loss.system_timestamp and not loss.by_capture for loss in lost)


def test_recording_holds_what_was_read(link, sender, tmp_path):
    monitor = link[1].call(lambda: PtpMonitor(link[1].interface))
    monitor.record(tmp_path / "live.events")
    link[1].call(monitor.enable)
    send(sender)
    monitor.disable()
    live = list(monitor.read_records())
    monitor.close()
    recording = Recording(tmp_path / "live.events")
    assert list(recording.read_records()) == live and len(recording) == len(live)
    assert recording.header.interface_name == link[1].interface


# ---- Records in place ----

def test_batch_is_in_place(monitor, sender):
    sent = send(sender)
    batch = monitor.read_batch()
    assert batch.dtype == ptp_monitor.EVENT_DTYPE and batch["sequenceId"].tolist() == sent
    assert not batch.flags.owndata and not batch.flags.writeable and batch.strides == (72,)
    again = monitor.read_batch()
    assert len(again) == 0, "the first batch was released"
    sent = send(sender, 7, first=500)
    assert monitor.read_batch()["sequenceId"].tolist() == sent


def test_batch_cannot_be_written(monitor, sender):
    send(sender)
    batch = monitor.read_batch()
    for write in (lambda: batch.__setitem__(0, 0), lambda: batch["sequenceId"].fill(0),
                  lambda: setattr(batch.flags, "writeable", True),
                  lambda: setattr(batch["sequenceId"].flags, "writeable", True)):
        with pytest.raises(ValueError):
            write()


def test_release_gives_room(link, sender):
    with link[1].call(lambda: enabled(PtpMonitor(link[1].interface, ring_bytes=4096))) as monitor:
        size = monitor.get_statistics()["buffer_size"]
        for first in range(0, 4 * size, size // 2):
            sent = send(sender, size // 2, first)
            assert monitor.read_batch()["sequenceId"].tolist() == sent
            monitor.release()
            monitor.release()
        assert monitor.get_statistics()["events_dropped"] == 0


def test_arrays_keep_the_ring(link, sender):
    """The memory is there for as long as anything refers to it, whatever happens to the monitor."""
    monitor = link[1].call(lambda: enabled(PtpMonitor(link[1].interface)))
    send(sender)
    batch = monitor.read_batch()
    part, field = batch[10:20], batch["sequenceId"]
    monitor.release()
    held = attached()
    gc.collect()  # what a test before this one left
    before = ring_mappings()
    monitor.close()
    assert field.tolist() == list(range(FRAMES)) and part["sequenceId"].tolist() == list(range(10, 20))
    del batch, part, monitor
    gc.collect()
    assert field.tolist() == list(range(FRAMES)) and ring_mappings() == before
    del field
    gc.collect()
    assert ring_mappings() < before
    wait_until_gone(held)


def test_arrays_survive_a_dropped_monitor(link, sender):
    monitor = link[1].call(lambda: enabled(PtpMonitor(link[1].interface)))
    send(sender)
    batch = monitor.read_batch()
    links = {one for one in attached() if one[0] == "link"}
    del monitor
    gc.collect()
    wait_until_gone(links)
    assert batch["sequenceId"].tolist() == list(range(FRAMES))


def test_released_memory_may_be_overwritten(link, sender):
    """It shows other records then, but stays readable."""
    with link[1].call(lambda: enabled(PtpMonitor(link[1].interface, ring_bytes=4096))) as monitor:
        send(sender, 20)
        batch = monitor.read_batch()
        copy = batch.copy()
        for first in range(1000, 1200, 20):
            send(sender, 20, first)
            monitor.read_batch()
        assert len(batch.tobytes()) == 20 * 64 and batch.tobytes() != copy.tobytes()
        assert copy["sequenceId"].tolist() == list(range(20))


def test_batch_after_starting_afresh(monitor, link, sender):
    """What was lent before must not be released once more."""
    send(sender)
    monitor.read_batch()
    monitor.disable()
    link[1].call(monitor.enable)
    monitor.release()
    sent = send(sender, 5, first=700)
    assert monitor.read_batch()["sequenceId"].tolist() == sent


def test_both_doors(monitor, sender):
    """A batch that was not released is, before events are read: nothing comes twice, nothing breaks."""
    send(sender)
    monitor.read_batch()
    sent = send(sender, 5, first=800)
    assert [event.sequenceId for event in monitor.read_events(timeout=0)] == sent
    monitor.release()
    sent = send(sender, 5, first=900)
    assert monitor.read_batch()["sequenceId"].tolist() == sent


# ---- Life ----

def test_dropped_monitor_is_closed(link):
    monitor = link[1].call(lambda: enabled(PtpMonitor(link[1].interface)))
    held = attached()
    assert any(kind == "link" for kind, _ in held)
    del monitor
    gc.collect()
    wait_until_gone(held)


def test_iteration_keeps_the_monitor(link, sender):
    events = link[1].call(lambda: enabled(PtpMonitor(link[1].interface)).read_events(timeout=1))
    gc.collect()
    sent = send(sender, 5)
    held = attached()
    assert [event.sequenceId for event in events] == sent
    del events
    gc.collect()
    wait_until_gone(held)


def test_context_manager(link, sender):
    monitor = link[1].call(lambda: PtpMonitor(link[1].interface))
    assert "disabled" in repr(monitor)
    link[1].call(monitor.__enter__)
    assert monitor.enabled and "enabled" in repr(monitor)
    monitor.__exit__(None, None, None)
    assert not monitor.enabled and "closed" in repr(monitor)
    for use in (monitor.enable, monitor.disable, monitor.read_events, monitor.read_batch, monitor.get_statistics,
                monitor.release, lambda: monitor.wait(0), lambda: monitor.info,
                lambda: monitor.correlate_with_npcap([])):
        with pytest.raises(ptp_monitor.InvalidUse, match=f"{link[1].interface}: the monitor is closed"):
            use()
    monitor.close()


def test_wrong_order(link, monitor):
    fresh = link[1].call(lambda: PtpMonitor(link[1].interface))
    with pytest.raises(ptp_monitor.InvalidUse, match="never enabled"):
        fresh.read_events()
    fresh.disable()
    with pytest.raises(ptp_monitor.InvalidUse, match="enabled already"):
        link[1].call(monitor.enable)


def test_wait(monitor, sender):
    assert monitor.wait(0) is False
    send(sender, 1)
    assert monitor.wait(1) is True
    list(monitor.read_events(timeout=0))
    monitor.disable()
    assert monitor.wait(5) is False


def test_disable_by_another_thread(monitor, sender):
    """An endless iteration ends, with all that had come."""
    sent = send(sender)
    threading.Timer(0.5, monitor.disable).start()
    assert [event.sequenceId for event in monitor.read_events()] == sent


def test_close_during_an_iteration(monitor, sender):
    send(sender)
    events = monitor.read_events()
    next(events)
    threading.Timer(0.3, monitor.close).start()
    assert sum(1 for _ in events) == FRAMES - 1


def test_threads_take_turns(monitor, sender):
    """While one reads without end, others get their turn."""
    reader = threading.Thread(target=lambda: list(monitor.read_events()))
    reader.start()
    started = time.monotonic()
    for _ in range(20):
        assert monitor.get_statistics()["events_dropped"] == 0
    elapsed = time.monotonic() - started
    monitor.disable()
    reader.join(10)
    assert not reader.is_alive() and elapsed < 10


def test_keyboard_interrupt(link):
    """Ctrl-C ends a waiting iteration, which else has no end, and Python takes what was attached along."""
    process = python(f"import ptp_monitor\nm = ptp_monitor.PtpMonitor({link[1].interface!r})\nm.enable()\n"
                     "print('ready')\nfor event in m.read_events(): pass", end=link[1])
    assert process.stdout.readline() == "ready\n"
    held = kernel_objects_of(process)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    code, _, stderr = finish(process)
    assert stderr.splitlines()[-1] == "KeyboardInterrupt" and code == -signal.SIGINT, stderr
    wait_until_gone(held)


def test_correlation_goes_on_after_keyboard_interrupt(link, sender):
    process = python(f"import ptp_monitor\nm = ptp_monitor.PtpMonitor({link[1].interface!r})\n"
                     f"pairs = m.correlate_with_npcap({link[1].interface!r})\nfound = []\n"
                     "try:\n    print('ready')\n    for pair in pairs: found.append(pair)\n"
                     "except KeyboardInterrupt:\n    pairs.stop()\n    found += pairs\n"
                     "print(len(found), pairs.counts['matched'])", end=link[1])
    assert process.stdout.readline() == "ready\n"
    send(sender)
    process.send_signal(signal.SIGINT)
    code, stdout, stderr = finish(process)
    assert (code, stdout) == (0, f"{FRAMES} {FRAMES}\n"), stderr


@pytest.mark.parametrize("last", ["", "batch = m.read_batch()", "events = m.read_events(); next(events)",
                                  "pairs = m.correlate_with_npcap(NAME, timeout=60)", "import os; os._exit(0)"])
def test_exit_with_everything_open(link, sender, last):
    """Nothing crashes, and nothing stays attached."""
    process = python(f"import ptp_monitor\nNAME = {link[1].interface!r}\nm = ptp_monitor.PtpMonitor(NAME)\n"
                     f"m.enable()\nprint('ready')\ninput()\n{last}", end=link[1])
    assert process.stdout.readline() == "ready\n"
    held = kernel_objects_of(process)
    send(sender, 5)
    assert finish(process) == (0, "", "")
    wait_until_gone(held)


# ---- Captures of others ----

def test_live_generator_of_scapy(link, sender):
    """Frames as scapy's socket gives them, while the monitor runs."""
    monitor = link[1].call(lambda: enabled(PtpMonitor(link[1].interface)))
    listening = link[1].call(lambda: L2ListenSocket(iface=link[1].interface))
    sent = send(sender)
    pairs = monitor.correlate_with_npcap(packets_until(listening, sent[-1]))
    found = list(pairs)
    listening.close()
    assert [pair.event.sequenceId for pair in found if pair.matched] == sent
    assert not monitor.enabled


def packets_until(listening, last):
    while True:
        packet = listening.recv()
        yield packet
        if packet.original[44:46] == last.to_bytes(2, "big"):
            return


@pytest.mark.parametrize("disabled", [False, True])
def test_file_of_tcpdump(lab, link, sender, disabled):
    """The events that the monitor holds meet the frames of a file; it is disabled then."""
    truth = Truth(lab, link[1])
    truth.wait_ready()
    monitor = link[1].call(lambda: enabled(PtpMonitor(link[1].interface)))
    sent = send(sender)
    truth.stop()
    if disabled:
        monitor.disable()
    pairs = monitor.correlate_with_npcap(str(truth.dumps["rx"].path))
    assert [pair.event.sequenceId for pair in pairs if pair.matched] == sent
    assert pairs.counts["matched"] == pairs.counts["events"] == FRAMES and not monitor.enabled
    monitor.close()


def test_stop_by_disabling(link, sender):
    monitor = link[1].call(lambda: PtpMonitor(link[1].interface))
    pairs = link[1].call(lambda: monitor.correlate_with_npcap(link[1].interface))
    send(sender)
    threading.Timer(0.3, monitor.disable).start()
    assert sum(pair.matched for pair in pairs) == FRAMES


def test_interface_is_its_own(link):
    """The correlation holds what it needs, and lets go of it."""
    pairs = link[1].call(lambda: PtpMonitor(link[1].interface).correlate_with_npcap(link[1].interface))
    held = attached()
    gc.collect()
    assert any(kind == "link" for kind, _ in attached() & held)
    del pairs
    gc.collect()
    wait_until_gone(held)


# ---- Interfaces and errors ----

def test_interfaces(link):
    found = {one.name: one for one in link[1].call(ptp_monitor.interfaces)}
    assert set(found) == {"lo", link[1].interface}
    veth = found[link[1].interface]
    assert (veth.kind, veth.up, veth.phc_index, veth.lower, veth.prefer_lower) == ("veth", True, None, (), False)
    assert veth.mac.hex(":") in link[1].ip("link", "show", veth.name) and veth.index > 1 and veth.rx_queues >= 1
    assert not (veth.can_stamp_rx_hardware or veth.stamps_tx_hardware)


def test_no_such_interface(link):
    with pytest.raises(ptp_monitor.InterfaceNotFound, match="eth7.*no such interface") as caught:
        link[1].call(lambda: PtpMonitor("eth7"))
    assert caught.value.status == "no_interface" and caught.value.message == str(caught.value)


def test_neither_interface_nor_file(link, monitor):
    with pytest.raises(ptp_monitor.InvalidUse, match="eth7: neither an interface nor a file"):
        link[1].call(lambda: monitor.correlate_with_npcap("eth7"))


@pytest.mark.parametrize("options", [{"ring_bytes": 3000}, {"ring_bytes": -1}, {"ring_bytes": 1 << 40}], ids=repr)
def test_wrong_options(link, options):
    with pytest.raises(ptp_monitor.InvalidUse):
        link[1].call(lambda: PtpMonitor(link[1].interface, **options))


def test_interface_vanishes(lab, sender):
    ends = lab.link()
    monitor = ends[1].call(lambda: enabled(PtpMonitor(ends[1].interface)))
    ends[1].ip("link", "del", ends[1].interface)
    with pytest.raises(ptp_monitor.InterfaceNotFound, match=ends[1].interface):
        list(monitor.read_events(timeout=5))
    monitor.close()


@pytest.mark.parametrize("capabilities, code, words", [
    ([], "m = ptp_monitor.PtpMonitor(NAME); m.enable()", "PermissionDenied"),
    (["bpf", "net_admin", "perfmon"], "m = ptp_monitor.PtpMonitor(NAME); m.correlate_with_npcap(NAME)",
     "PermissionDenied"),
    (["bpf", "net_admin", "perfmon"], "m = ptp_monitor.PtpMonitor(NAME); m.enable(); print(len(m.read_batch()))", None),
    ([], "print(len(ptp_monitor.interfaces()))", None),
], ids=["nothing", "no capture", "just enough", "interfaces"])
def test_rights(lab, link, capabilities, code, words):
    """What is missing is said; what needs no rights works without."""
    lab.directory.chmod(0o755)
    package, library = lab.directory / "package", lab.directory / "libptpmon.so"
    if not package.exists():
        shutil.copytree(pathlib.Path(ptp_monitor.__file__).parent, package / "ptp_monitor")
        shutil.copy(os.environ["PTPMON_LIBRARY"], library)
        library.chmod(0o755)
    command, *prefix = as_nobody("env", capabilities, f"PYTHONPATH={package}", f"PTPMON_LIBRARY={library}")
    process = python(f"import ptp_monitor\nNAME = {link[1].interface!r}\n{code}", end=link[1],
                     prefix=[command, *prefix])
    code, stdout, stderr = finish(process)
    if words is None:
        assert code == 0 and stdout.strip().isdigit(), stderr
    else:
        assert code == 1 and words in stderr.splitlines()[-1] and link[1].interface in stderr.splitlines()[-1], stderr
