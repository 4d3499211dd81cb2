#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Says what the clocks are doing: offset, delay, asymmetry, rates, and the time error beside a clock's limits.

    analyze.py eth0.pcapng eth0.events                      as `ptpmon record` writes them
    analyze.py capture.pcapng                               a capture alone: capture times only
    analyze.py eth0.pcapng eth0.events --limits G.8273.2-C --pictures DIR
"""
import argparse
import pathlib
import sys

try:
    import ptp_monitor
except ImportError:  # not installed: the package of the source tree that this file lies in
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "python"))
    import ptp_monitor


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("capture", help="capture file (pcap or pcapng); '-' for none")
    parser.add_argument("events", nargs="?", help="recorded events of the same interface")
    parser.add_argument("--limits", metavar="MASK", help="compare the time error with limits: G.8273.2-A, PRTC-B...")
    parser.add_argument("--pictures", metavar="DIR", type=pathlib.Path, help="save pictures there, as PNG and SVG")
    return parser.parse_args()


def print_exchanges(found):
    print(f"{'EXCHANGES':10} {'DECIDED':>9} {'COMPUTED':>9}  NOT COMPUTED")
    for kind in dict.fromkeys(found.exchanges["kind"].tolist()):
        reasons = found.select(kind)["reason"].tolist()
        missing = {reason: reasons.count(reason) for reason in dict.fromkeys(reasons) if reason != "computed"}
        words = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in missing.items())
        print(f"{kind:10} {len(reasons):9} {reasons.count('computed'):9}  {words or '-'}")


def print_counts(found):
    for name, point in zip(found.points, found.counts):
        seen = ", ".join(f"{kind} {count}" for kind, count in point.messages.items())
        print(f"\n{name}: {seen or 'no PTP message'}")
        for what, count in point.counts.items():
            if count:
                print(f"  {what.replace('_', ' '):32} {count:9}")


def print_series(found):
    heads = "".join(f" {head:>14}" for head in ("MINIMUM", "MEDIAN", "P99", "MAXIMUM"))
    print(f"\n{'QUANTITY':26} {'COUNT':>8}{heads}     STAMPS, PORTS")
    for series in found.series:
        values = (series.minimum, series.median, series.p99, series.maximum)
        numbers = "".join(f" {value:14.3f}" if series.count else f" {'-':>14}" for value in values)
        kind = f"{series.quantity} of {series.messageTypeName}" if series.messageTypeName else series.quantity
        ports = (series.sourcePortIdentity, series.requestingPortIdentity)
        notes = [series.stamps, " to ".join(port for port in ports if port),
                 f"segment {series.segment}" if series.segment else "",
                 f"on {series.base_ns} ns" if series.base_ns else "",
                 f"{series.last_rate_60s:.4g} messages/s" if series.last_rate_60s else ""]
        print(f"{kind:26} {series.count:8}{numbers} {series.unit:3} {', '.join(note for note in notes if note)}")


def print_asymmetry(found):
    for each in found.asymmetry:
        known = each.method != "not_observable"
        value = f"{each.delayAsymmetry:.3f} ns +-{each.bound:.3f}, " if known else ""
        print(f"\nAsymmetry {each.sourcePortIdentity} to {each.requestingPortIdentity}: {value}"
              f"{each.method.replace('_', ' ')}; floors {each.forward_floor:.3f} ns forward, "
              f"{each.reverse_floor:.3f} ns reverse")


def print_findings(found):
    for finding in found.findings:
        unit = "ppm" if finding.kind == "rate_change" else "ns"
        print(f"Found: {finding.kind.replace('_', ' ')} {finding.size:.3f} +-{finding.bound:.3f} {unit} "
              f"at {(finding.time_ns or 0) / 1e9:.3f} s UTC {finding.sourcePortIdentity}")


def longest_time_error(found):
    """Of the offsets of one master the longest piece without a gap; None: there is none, or more than one master."""
    try:
        pieces = found.time_error()
    except ptp_monitor.PtpMonitorError as error:
        print(f"\n{error}")
        return None
    return max(pieces, key=lambda piece: len(piece.x), default=None)


def print_time_error(samples, limits):
    summary = samples.summary()
    if samples.base_ns:
        print(f"\nThe clock is {samples.base_ns} ns off, be it by its time scale: TE and cTE mean nothing.")
    print(f"\nTime error of {summary.seconds:g} s, a sample each {samples.tau0:g} s:")
    print(f"  max|TE| {summary.max_te:.3f} ns, max|TE_L| {summary.max_te_low:.3f} ns, cTE {summary.cte:.3f} ns over "
          f"{summary.cte_seconds:g} s, dTE_L {summary.dte_low_pp:.3f} ns, dTE_H {summary.dte_high_pp:.3f} ns")
    for what, (taus, values) in (("MTIE", samples.mtie()), ("TDEV", samples.tdev())):
        print(f"  {what}, ns at s: {', '.join(f'{value:.3f} at {tau:g}' for tau, value in zip(taus, values))}")
    for check in samples.check(limits) if limits else ():
        verdict = {True: "within", False: "BEYOND", None: "not known"}[check.within]
        where = f" at {check.tau:g} s" if check.tau else ""
        print(f"  {limits} {check.kind}{where}: {check.value:.3f} ns, limit {check.limit:.3f} ns: {verdict}")


def save_pictures(found, samples, options):
    """A page with everything, and each picture alone."""
    from ptp_monitor import plot, plot_analysis
    title = options.events or options.capture
    figures = {"analysis": plot_analysis.analysis_figure(found, title, limits=options.limits, samples=samples)}
    for picture in ("offset", "delay", "delay_floors", "neighbor_rate_ratio"):
        figures[picture], axes = plot.new_figure()
        getattr(plot_analysis, picture)(axes, found)
    for picture in ("mtie", "tdev"):
        figures[picture], axes = plot.new_figure()
        getattr(plot_analysis, picture)(axes, samples, options.limits)
    options.pictures.mkdir(parents=True, exist_ok=True)
    for picture, figure in figures.items():
        for kind in ("png", "svg"):
            plot.save(figure, options.pictures / f"{picture}.{kind}")
    print(f"\n{len(figures)} pictures, as PNG and SVG, are in {options.pictures.resolve()}; begin with analysis.png.")


def main():
    options = arguments()
    from ptp_monitor import analysis
    if options.pictures:
        from ptp_monitor import plot_analysis  # noqa: F401  what it lacks is said now, not after the run
    found = analysis.analyze(None if options.capture == "-" else options.capture, options.events)
    print_exchanges(found)
    print_counts(found)
    print_series(found)
    print_asymmetry(found)
    print_findings(found)
    samples = longest_time_error(found)
    if samples is not None:
        print_time_error(samples, options.limits)
    if options.pictures:
        save_pictures(found, samples, options)


if __name__ == "__main__":
    try:
        main()
    except (ptp_monitor.PtpMonitorError, ImportError, OSError) as error:
        sys.exit(f"analyze.py: {error}")
