# SPDX-License-Identifier: MIT
"""What crosses the boundary to libptpmon's analyzer and simulator, as ctypes sees it: mirrors of ptpmon_analysis.h and
ptpmon_simulator.h. Nothing is loaded."""
import ctypes
from ctypes import c_bool, c_char_p, c_double, c_int, c_int8, c_int64, c_ubyte, c_uint8, c_uint16, c_uint32, c_uint64

from ._structures import ptpmon_time

# In the order of the C enumerations: the position is the value.
EXCHANGE_KINDS = ("sync", "e2e", "p2p", "p2p-as", "transit")
EXCHANGE_STAMPS = ("none", "message", "hardware", "software", "capture")
ENDS = ("unknown", "requester", "responder", "bystander")
EXCHANGE_REASONS = (
    "computed", "without_follow_up", "without_sync", "without_request", "without_response",
    "without_response_follow_up", "several_responders", "without_frame", "without_stamp", "without_delay",
    "correction_out_of_range", "timestamp_out_of_range", "timestamp_not_given", "clock_stepped", "times_contradict",
    "at_responder", "of_another_port", "rule_unknown", "several_alike")
FINDING_KINDS = ("clock_step", "rate_change", "system_clock_step", "forward_delay_change", "reverse_delay_change",
                 "gm_time_base_change", "source_change")
COUNTS = (
    "missing_messages", "duplicates", "reordered", "restarts", "wraps", "follow_up_first", "sync_without_follow_up",
    "follow_up_without_sync", "delay_req_without_response", "delay_resp_without_request", "pdelay_req_without_response",
    "pdelay_resp_without_request", "pdelay_resp_without_follow_up", "pdelay_follow_up_without_response",
    "several_responders", "late_turnaround", "negative_turnaround", "negative_delay", "correction_out_of_range",
    "correction_decreased", "timestamp_out_of_range", "timestamp_not_given", "clock_backwards", "stamp_repeated",
    "without_frame", "without_event", "stamp_missing", "ambiguous", "cut_short", "no_ptp", "decided_early",
    "series_left_out", "not_fetched", "ports_forgotten", "seen_at_one_point")
QUANTITIES = (
    "offsetFromMaster", "offsetFromMaster_filtered", "meanPathDelay", "meanPathDelay_filtered", "meanLinkDelay",
    "meanLinkDelay_filtered", "neighborRateRatio", "masterToSlave", "slaveToMaster", "turnaround", "ipdv", "pdv",
    "jitter", "intervalError", "transmitterError", "receiverError", "residenceTime", "correctionError", "phcOffset",
    "phcRate")
QUANTITY_UNITS = tuple("ppm" if name in ("neighborRateRatio", "phcRate") else "ns" for name in QUANTITIES)
ASYMMETRY_METHODS = ("not_observable", "by_reference", "by_change", "by_comparison")
LIMITS = ("max_te", "max_te_low", "cte", "dte_low_mtie", "dte_low_tdev", "dte_high_pp", "mtie", "tdev")
MASKS = ("G.8273.2-A", "G.8273.2-B", "G.8273.2-C", "G.8273.2-D", "PRTC-A", "PRTC-B", "ePRTC")

KNOWS_MASTER_TO_SLAVE = 0x0001
KNOWS_SLAVE_TO_MASTER = 0x0002
KNOWS_DELAY = 0x0004
KNOWS_OFFSET = 0x0008
KNOWS_DELAY_FILTERED = 0x0010
KNOWS_OFFSET_FILTERED = 0x0020
KNOWS_TURNAROUND = 0x0040
KNOWS_NEIGHBOR_RATE_RATIO = 0x0080
KNOWS_TRANSMITTER_ERROR = 0x0100
KNOWS_RECEIVER_ERROR = 0x0200
KNOWS_RATE_RATIO = 0x0400
KNOWS_RESIDENCE = 0x0800
KNOWS_CORRECTION_ERROR = 0x1000


class ptpmon_port_identity(ctypes.Structure):
    _fields_ = [("clockIdentity", c_ubyte * 8), ("portNumber", c_uint16)]


class ptpmon_stamp(ctypes.Structure):
    _fields_ = [("ns", c_int64), ("kind", c_int)]


class ptpmon_exchange(ctypes.Structure):
    _fields_ = [
        ("kind", c_int),
        ("reason", c_int),
        ("end", c_int),
        ("point", c_uint32),
        ("segment", c_uint32),
        ("two_step", c_bool),
        ("domainNumber", c_uint8),
        ("messageType", c_uint8),
        ("sdoId", c_uint16),
        ("sequenceId", c_uint16),
        ("syncSequenceId", c_uint16),
        ("source", ptpmon_port_identity),
        ("requesting", ptpmon_port_identity),
        ("event_time", c_uint64),
        ("realtime_ns", c_int64),
        ("frame_number", c_uint64),
        ("t", ptpmon_stamp * 4),
        ("own", ptpmon_stamp * 4),
        ("correction_sync", c_int64),
        ("correction_follow_up", c_int64),
        ("correction_response", c_int64),
        ("correction_response_follow_up", c_int64),
        ("logMessageInterval", c_int8),
        ("known", c_uint32),
        ("masterToSlave", ptpmon_time),
        ("slaveToMaster", ptpmon_time),
        ("delay", ptpmon_time),
        ("delay_filtered", ptpmon_time),
        ("offsetFromMaster", ptpmon_time),
        ("offset_filtered", ptpmon_time),
        ("delay_age_ns", c_uint64),
        ("turnaround", ptpmon_time),
        ("neighborRateRatio", c_double),
        ("rateRatio", c_double),
        ("transmitter_error", ptpmon_time),
        ("receiver_error", ptpmon_time),
        ("residence", ptpmon_time),
        ("correction_error", ptpmon_time),
        ("correction_request", c_int64),
    ]


class ptpmon_finding(ctypes.Structure):
    _fields_ = [
        ("kind", c_int),
        ("point", c_uint32),
        ("domainNumber", c_uint8),
        ("sdoId", c_uint16),
        ("source", ptpmon_port_identity),
        ("event_time", c_uint64),
        ("realtime_ns", c_int64),
        ("size", c_double),
        ("bound", c_double),
    ]


class ptpmon_analyzer_options(ctypes.Structure):
    _fields_ = [
        ("window_ns", c_uint64),
        ("max_pending", c_uint32),
        ("stamps", c_int),
        ("delay_filter", c_uint32),
        ("points_share_clock", c_bool),
        ("has_true_offset", c_bool),
        ("true_offset", ptpmon_time),
    ]


class ptpmon_analysis_counts(ctypes.Structure):
    _fields_ = [
        ("messages", c_uint64 * 16),
        ("exchanges", c_uint64 * len(EXCHANGE_KINDS)),
        ("computed", c_uint64 * len(EXCHANGE_KINDS)),
        ("by_reason", c_uint64 * len(EXCHANGE_REASONS)),
        ("counts", c_uint64 * len(COUNTS)),
    ]


class ptpmon_series(ctypes.Structure):
    _fields_ = [
        ("quantity", c_int),
        ("point", c_uint32),
        ("segment", c_uint32),
        ("stamps", c_int),
        ("domainNumber", c_uint8),
        ("messageType", c_uint8),
        ("sdoId", c_uint16),
        ("source", ptpmon_port_identity),
        ("requesting", ptpmon_port_identity),
        ("count", c_uint64),
        ("base_ns", c_int64),
        ("minimum", c_double),
        ("maximum", c_double),
        ("mean", c_double),
        ("standard_deviation", c_double),
        ("p50", c_double),
        ("p95", c_double),
        ("p99", c_double),
        ("p999", c_double),
        ("last", c_double),
        ("rate_1s", c_double),
        ("rate_60s", c_double),
    ]


class ptpmon_asymmetry(ctypes.Structure):
    _fields_ = [
        ("method", c_int),
        ("point", c_uint32),
        ("stamps", c_int),
        ("domainNumber", c_uint8),
        ("sdoId", c_uint16),
        ("source", ptpmon_port_identity),
        ("requesting", ptpmon_port_identity),
        ("base_ns", c_int64),
        ("forward_floor", c_double),
        ("reverse_floor", c_double),
        ("floor_window_s", c_double),
        ("delayAsymmetry", c_double),
        ("bound", c_double),
        ("kind", c_int),
    ]


class ptpmon_te_summary(ctypes.Structure):
    _fields_ = [(name, c_double) for name in (
        "max_te", "max_te_low", "cte", "cte_seconds", "dte_low_pp", "dte_high_pp", "seconds")]


# ---- ptpmon_simulator.h ----


class ptpmon_simulation_setting(ctypes.Structure):
    _fields_ = [(name, c_char_p) for name in ("name", "value", "default_value", "meaning")] + [("repeatable", c_bool)]


class ptpmon_simulation_result(ctypes.Structure):
    _fields_ = [("frames", c_uint64), ("events", c_uint64), ("exchanges", c_uint64), ("ports", c_uint32)]
