#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Pairs the driver side's events with the frames that Npcap or libpcap captured, prints the pairs and draws pictures.

    correlate.py eth0 --seconds 10                          live
    correlate.py eth0.pcapng --events eth0.events           files, as `ptpmon record` writes them
    correlate.py capture.pcap --events eth0.events          a capture of tcpdump or Wireshark

With --scapy the frames come through scapy. Ctrl-C ends a live run; what was seen by then is told and drawn.
"""
import argparse
import datetime
import pathlib
import queue
import signal
import sys
import threading
import time

try:
    import ptp_monitor
except ImportError:  # not installed: the package of the source tree that this file lies in
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "python"))
    import ptp_monitor


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("capture", help="interface, or with --events a capture file (pcap or pcapng)")
    parser.add_argument("--events", metavar="FILE", help="recorded events; without, the interface is monitored")
    parser.add_argument("--seconds", type=float, help="end a live run after so many seconds")
    parser.add_argument("--scapy", action="store_true", help="capture with scapy")
    parser.add_argument("--pictures", metavar="DIR", type=pathlib.Path, help="save pictures there, as PNG and SVG")
    parser.add_argument("--rows", type=int, default=sys.maxsize, help="print only so many messages")
    return parser.parse_args()


def scapy_packets(options):
    """The packets of a file or an interface, as scapy dissects them."""
    from scapy.all import AsyncSniffer, PcapReader
    if options.events:
        return PcapReader(options.capture)
    sniffed, started = queue.Queue(), threading.Event()
    sniffer = AsyncSniffer(iface=options.capture, store=False, prn=sniffed.put, started_callback=started.set)
    sniffer.start()
    started.wait()  # no event comes before the frames do
    return until(time.monotonic() + (options.seconds or float("inf")), sniffer, sniffed)


def until(end, sniffer, sniffed):
    """The packets that are sniffed until then."""
    while time.monotonic() < end:
        try:
            yield sniffed.get(timeout=0.1)
        except queue.Empty:
            pass
    sniffer.stop()


def print_row(pair):
    """A line of the table: the message, the latency by the best stamps there are, and whether it was captured, too."""
    message = pair.message
    latency = next((f"{each.ns / 1000:.3f}" for each in reversed(pair.latencies) if each), "-")
    seconds, ns = divmod(pair.realtime_ns or 0, 10**9)
    clock = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%H:%M:%S")
    print(f"{clock}.{ns:09} {message.direction_name:7} {message.messageType_name:21} {message.sequenceId:5} "
          f"{message.domainNumber:3}  {message.sourcePortIdentity:24} {latency:>9}  "
          f"{pair.outcome.replace('_', ' '):19} {pair.reason.replace('_', ' ')}")


def print_counts(correlation):
    counts, alignment = correlation.counts, correlation.alignment
    print(f"\n{counts['matched']} pairs of {counts['events']} events and {counts['frames']} captured PTP messages")
    for outcome in ("unmatched", "duplicate", "ambiguous", "outside"):
        print(f"  {outcome + ':':11}{counts[outcome + '_events']:7} events {counts[outcome + '_frames']:7} frames")
    reasons = [f"{name.replace('_', ' ')} {count}" for name, count in counts["by_reason"].items() if count]
    print(f"  reasons:   {', '.join(reasons) or 'none'}")
    lost = [sum(loss.frames_dropped for loss in correlation.losses if loss.by_capture == side) for side in (0, 1)]
    print(f"  {'lost:':11}{lost[0]:7} events {lost[1]:7} frames")
    equal = f": {alignment.equal_stamps} of {alignment.compared_stamps} stamps are equal"
    clock = {"system": "the system clock" + equal * bool(alignment.compared_stamps),
             "other": f"{alignment.offset_ns / 1000:.3f} us ahead of the system clock, {alignment.drift_ppm:+.3f} ppm",
             "assumed": "taken for the system clock: there was nothing to tell it by"}
    print(f"  capture clock: {clock[alignment.clock]}")


def save_pictures(plot, pairs, correlation, name, directory):
    """A page with everything, and each picture alone."""
    messages = ptp_monitor.collect(pairs)
    clocks, losses = correlation.clocks, correlation.losses
    figures = {"summary": plot.summary_figure(messages, name, clocks=clocks, losses=losses)}
    for latency, values in plot.known_latencies(messages).items():
        figures[f"{latency}_latency"], axes = plot.new_figure()
        plot.latency_histogram(axes, values, name=latency)
        figures[f"{latency}_jitter"], axes = plot.new_figure()
        plot.jitter(axes, messages["time_ns"], values, name=latency)
    figures["timeline"], axes = plot.new_figure()
    plot.timeline(axes, messages, clocks=clocks, losses=losses)
    figures["intervals"], axes = plot.new_figure()
    plot.message_intervals(axes, messages)
    figures["clocks"], axes = plot.new_figure()
    plot.phc_against_system(axes, clocks)
    directory.mkdir(parents=True, exist_ok=True)
    for picture, figure in figures.items():
        for kind in ("png", "svg"):
            plot.save(figure, directory / f"{picture}.{kind}")
    print(f"\n{len(figures)} pictures, as PNG and SVG, are in {directory.resolve()}; begin with summary.png.")


def main():
    options = arguments()
    if options.pictures:
        from ptp_monitor import plot  # what it lacks is said now, not after the run
    monitor = ptp_monitor.Recording(options.events) if options.events else ptp_monitor.PtpMonitor(options.capture)
    capture = scapy_packets(options) if options.scapy else options.capture
    correlation = monitor.correlate_with_npcap(capture, timeout=None if options.events else options.seconds)
    signal.signal(signal.SIGINT, lambda *_: correlation.stop())
    print(f"{'TIME (UTC)':18} {'':7} {'MESSAGE':21} {'SEQ':>5} {'DOM':>3}  {'PORT IDENTITY':24} {'LAT. us':>9}  "
          f"{'OUTCOME':19} REASON", flush=True)
    pairs = []
    for pair in correlation:
        pairs.append(pair)
        if len(pairs) <= options.rows:
            print_row(pair)
    if len(pairs) > options.rows:
        print(f"... and {len(pairs) - options.rows} more")
    print_counts(correlation)
    if options.pictures:
        save_pictures(plot, pairs, correlation, options.events or options.capture, options.pictures)


if __name__ == "__main__":
    try:
        main()
    except (ptp_monitor.PtpMonitorError, ImportError, OSError) as error:
        sys.exit(f"correlate.py: {error}")
