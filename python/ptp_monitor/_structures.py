# SPDX-License-Identifier: MIT
"""What crosses the boundary to libptpmon, as ctypes sees it: mirrors of ptpmon.h and include/avb. Nothing is loaded."""
import ctypes
from ctypes import c_bool, c_char, c_char_p, c_double, c_int, c_int8, c_int16, c_int32, c_int64, c_size_t, c_ubyte, c_uint8
from ctypes import c_uint16, c_uint32, c_uint64, c_void_p

# ---- avb_ptp_events.h ----

DIRECTION_RX = 0
DIRECTION_TX = 1
DIRECTION_CLOCKS = 2
DIRECTION_LOSS = 3
DIRECTION_UNKNOWN = 255

STAMP_KIND_MASK = 0x07
STAMP_NONE = 0x00
STAMP_REGISTERS = 0x01
STAMP_METADATA = 0x02
STAMP_LATE = 0x08
STAMP_EXPECTED = 0x10
STAMP_MISSING = 0x20
STAMP_VLAN = 0x40
STAMP_MORE_TAGS = 0x80

QUEUE_UNKNOWN = 255

TRANSPORT_ETHERNET = 0
TRANSPORT_UDP_IPV4 = 1
TRANSPORT_UDP_IPV6 = 2


class PTP_TIMESTAMP_EVENT(ctypes.Structure):
    _fields_ = [
        ("hw_timestamp_ns", c_uint64),
        ("system_timestamp", c_uint64),
        ("direction", c_uint8),
        ("messageType", c_uint8),
        ("sequenceId", c_uint16),
        ("domainNumber", c_uint8),
        ("sourceMac", c_ubyte * 6),
        ("stamp", c_uint8),
        ("vlanId", c_uint16),
        ("pcp", c_uint8),
        ("queueId", c_uint8),
        ("clockIdentity", c_ubyte * 8),
        ("portNumber", c_uint16),
        ("sdoId", c_uint16),
        ("flags", c_uint16),
        ("transport", c_uint8),
        ("version", c_uint8),
        ("software_timestamp", c_uint64),
        ("sequence", c_uint64),
    ]


class PTP_CLOCKS_RECORD(ctypes.Structure):
    _fields_ = [
        ("hw_timestamp_ns", c_uint64),
        ("system_timestamp", c_uint64),
        ("direction", c_uint8),
        ("reserved0", c_uint8 * 7),
        ("hw_uncertainty_ns", c_uint32),
        ("realtime_uncertainty_ns", c_uint32),
        ("reserved1", c_uint8 * 16),
        ("realtime_ns", c_uint64),
        ("sequence", c_uint64),
    ]


class PTP_LOSS_RECORD(ctypes.Structure):
    _fields_ = [
        ("hw_timestamp_ns", c_uint64),
        ("system_timestamp", c_uint64),
        ("direction", c_uint8),
        ("reserved0", c_uint8 * 7),
        ("frames_dropped", c_uint64),
        ("stamps_dropped", c_uint64),
        ("since", c_uint64),
        ("reserved1", c_uint8 * 8),
        ("sequence", c_uint64),
    ]


RECORD_BYTES = ctypes.sizeof(PTP_TIMESTAMP_EVENT)

# ---- avb_ptp_recording.h ----

RECORDING_HEADER_BYTES = 4096

CLOCK_NONE = 0
CLOCK_MONOTONIC = 1
CLOCK_QPC = 2
CLOCK_REALTIME = 3
CLOCK_PHC = 4


class PTP_RECORDING_HEADER(ctypes.Structure):
    _fields_ = [
        ("magic", c_char * 8),
        ("byte_order", c_uint32),
        ("format_version", c_uint32),
        ("abi_version", c_uint32),
        ("header_bytes", c_uint32),
        ("record_bytes", c_uint32),
        ("stamping", c_uint32),
        ("system_clock_hz", c_uint64),
        ("hw_clock", c_uint32),
        ("system_clock", c_uint32),
        ("software_clock", c_uint32),
        ("phc_index", c_int32),
        ("mac", c_ubyte * 6),
        ("reserved0", c_uint8 * 2),
        ("tool_version", c_char * 32),
        ("host", c_char * 256),
        ("boot_id", c_char * 40),
        ("interface_name", c_char * 256),
        ("interface_guid", c_char * 40),
        ("reserved1", c_uint8 * (RECORDING_HEADER_BYTES - 688)),
    ]


# ---- ptpmon.h ----

OK = 0
END = 1
NOTHING = 2
NO_INTERFACE = 3
NO_PERMISSION = 4
NOT_SUPPORTED = 5
NO_MEMORY = 6
BUSY = 7
INVALID = 8
BAD_FILE = 9
IO = 10

NAME_MAX = 256

INTERFACE_KINDS = ("ethernet", "veth", "bridge", "bond", "vlan", "loopback", "other")

CAN_RX_SOFTWARE = 0x0001
CAN_TX_SOFTWARE = 0x0002
CAN_RX_HARDWARE = 0x0004
CAN_TX_HARDWARE = 0x0008
CAN_RX_HW_ALL = 0x0010
CAN_RX_HW_PTP_L2 = 0x0020
CAN_RX_HW_PTP_UDP = 0x0040
ON_RX_HARDWARE = 0x0100
ON_TX_HARDWARE = 0x0200


class ptpmon_interface(ctypes.Structure):
    _fields_ = [
        ("name", c_char * NAME_MAX),
        ("description", c_char * NAME_MAX),
        ("guid", c_char * 40),
        ("driver", c_char * 64),
        ("lower", c_char * NAME_MAX),
        ("index", c_uint32),
        ("mac", c_ubyte * 6),
        ("up", c_bool),
        ("kind", c_int),
        ("stamping", c_uint32),
        ("phc_index", c_int32),
        ("rx_queues", c_uint32),
        ("tx_queues", c_uint32),
        ("prefer_lower", c_bool),
    ]


NO_TRACING = 0x1
NO_TCX = 0x2
HW_STAMPS = 0x4


class ptpmon_monitor_options(ctypes.Structure):
    _fields_ = [("ring_bytes", c_uint32), ("flags", c_uint32)]


class ptpmon_monitor_info(ctypes.Structure):
    _fields_ = [
        ("rx_frames", c_char_p),
        ("tx_frames", c_char_p),
        ("tx_stamps", c_char_p),
        ("tx_queue_known", c_bool),
        ("rx_software", c_bool),
        ("enabled_at", c_uint64),
        ("disabled_at", c_uint64),
        ("delivered_until", c_uint64),
        ("system_clock_hz", c_uint64),
        ("software_is_system_clock", c_bool),
    ]


class ptpmon_statistics(ctypes.Structure):
    _fields_ = [(name, c_uint64) for name in (
        "events_emitted", "events_dropped", "buffer_size",
        "frames_seen", "frames_emitted", "frames_dropped",
        "stamps_seen", "stamps_emitted", "stamps_dropped",
        "ptp_v1", "other_version", "truncated", "bad_length",
        "tx_unreadable",
        "hw_stamp_not_a_time", "hw_stamp_of_other_device",
        "stamps_joined", "stamps_missing", "stamps_orphaned", "stamps_ambiguous")]


class ptpmon_batch(ctypes.Structure):
    _fields_ = [("first", c_void_p), ("stride", c_size_t), ("count", c_size_t)]


class ptpmon_frame(ctypes.Structure):
    _fields_ = [
        ("time_ns", c_int64),
        ("bytes", c_char_p),
        ("captured_length", c_uint32),
        ("length", c_uint32),
        ("resolution_ns", c_uint32),
        ("interface", c_uint32),
        ("direction", c_uint8),
        ("number", c_uint64),
    ]


class ptpmon_capture_interface(ctypes.Structure):
    _fields_ = [
        ("name", c_char * NAME_MAX),
        ("host", c_char * 256),
        ("boot_id", c_char * 40),
        ("mac", c_ubyte * 6),
        ("has_mac", c_bool),
    ]


# In the order of the C enumerations: the position is the value.
OUTCOMES = ("matched", "event_without_frame", "frame_without_event", "duplicate", "ambiguous", "outside")
REASONS = ("by_software_time", "by_key", "by_order", "not_captured", "capture_lost", "no_event", "event_lost",
           "same_key_matched", "counts_differ", "order_unproven", "before_monitor", "after_monitor", "before_capture",
           "after_capture")
FRAME_KINDS = ("ptp", "foreign", "ptp_v1", "other_version", "truncated", "bad_length")
LATENCIES = ("rx_driver", "nic_to_host", "tx_software", "tx_hardware")
CAPTURE_CLOCKS = ("assumed", "system", "other")

SOURCE_MAC_DIFFERS = 0x1
VLAN_DIFFERS = 0x2
PCP_DIFFERS = 0x4
TIME_ORDER_DIFFERS = 0x8


class ptpmon_time(ctypes.Structure):
    _fields_ = [("ns", c_int64), ("fraction", c_uint32)]


class ptpmon_message(ctypes.Structure):
    _fields_ = [
        ("correctionField", c_int64),
        ("seconds", c_uint64),
        ("nanoseconds", c_uint32),
        ("has", c_uint8),
        ("logMessageInterval", c_int8),
        ("requestingPortNumber", c_uint16),
        ("requestingClockIdentity", c_uint8 * 8),
        ("cumulativeScaledRateOffset", c_int32),
        ("scaledLastGmFreqChange", c_int32),
        ("lastGmPhaseChange", ptpmon_time),
        ("gmTimeBaseIndicator", c_uint16),
        ("currentUtcOffset", c_int16),
        ("stepsRemoved", c_uint16),
        ("offsetScaledLogVariance", c_uint16),
        ("clockClass", c_uint8),
        ("clockAccuracy", c_uint8),
        ("grandmasterPriority1", c_uint8),
        ("grandmasterPriority2", c_uint8),
        ("grandmasterIdentity", c_uint8 * 8),
        ("timeSource", c_uint8),
    ]


class ptpmon_result(ctypes.Structure):
    _fields_ = [
        ("outcome", c_int),
        ("reason", c_int),
        ("has_event", c_bool),
        ("has_frame", c_bool),
        ("has_message", c_bool),
        ("decided_early", c_bool),
        ("cross_check", c_uint32),
        ("event", PTP_TIMESTAMP_EVENT),
        ("frame", PTP_TIMESTAMP_EVENT),
        ("frame_time_ns", c_int64),
        ("frame_number", c_uint64),
        ("message", ptpmon_message),
    ]


class ptpmon_correlation(ctypes.Structure):
    _fields_ = [
        ("events", c_uint64),
        ("frames", c_uint64),
        ("matched", c_uint64),
        ("unmatched_events", c_uint64),
        ("unmatched_frames", c_uint64),
        ("duplicate_events", c_uint64),
        ("duplicate_frames", c_uint64),
        ("ambiguous_events", c_uint64),
        ("ambiguous_frames", c_uint64),
        ("outside_events", c_uint64),
        ("outside_frames", c_uint64),
        ("by_reason", c_uint64 * len(REASONS)),
        ("source_mac_differs", c_uint64),
        ("vlan_differs", c_uint64),
        ("pcp_differs", c_uint64),
        ("decided_early", c_uint64),
        ("frames_by_kind", c_uint64 * len(FRAME_KINDS)),
    ]


class ptpmon_observer_options(ctypes.Structure):
    _fields_ = [("window_ns", c_uint64), ("max_offset_ns", c_uint64), ("other_clock", c_bool), ("messages", c_bool)]


class ptpmon_latency(ctypes.Structure):
    _fields_ = [("known", c_bool), ("ns", c_int64), ("bound", c_uint64)]


OBSERVED_MESSAGE = 0
OBSERVED_CLOCKS = 1
OBSERVED_LOSS = 2
OBSERVED_CAPTURE_LOSS = 3


class ptpmon_observation(ctypes.Structure):
    _fields_ = [
        ("kind", c_int),
        ("interface", c_char_p),
        ("compared", c_bool),
        ("has_realtime", c_bool),
        ("realtime_ns", c_int64),
        ("software_realtime_ns", c_int64),
        ("result", ptpmon_result),
        ("latencies", ptpmon_latency * len(LATENCIES)),
        ("clocks", PTP_CLOCKS_RECORD),
        ("loss", PTP_LOSS_RECORD),
    ]


class ptpmon_alignment(ctypes.Structure):
    _fields_ = [
        ("clock", c_int),
        ("equal_stamps", c_uint64),
        ("compared_stamps", c_uint64),
        ("pairs", c_uint64),
        ("at_ns", c_int64),
        ("offset_ns", c_int64),
        ("drift_ppm", c_double),
        ("residual_ns", c_uint64),
    ]
