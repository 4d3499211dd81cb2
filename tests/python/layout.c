/* SPDX-License-Identifier: MIT */
/* Prints the layout of every structure and the value of every constant that ptp_monitor/_structures.py mirrors. */
#include <frame_read.h>
#include <ptpmon.h>

#include <stdio.h>

#define STRUCTURE(type) printf("structure %s %zu %zu\n", #type, sizeof(type), _Alignof(type))
#define FIELD(type, field) \
    printf("field %s %s %zu %zu\n", #type, #field, offsetof(type, field), sizeof(((type *)NULL)->field))
/* Names without their prefix, as Python has them. */
#define CONSTANT(prefix, name) printf("constant %s %lld\n", #name, (long long)prefix##name)
/* A word at its place in a Python tuple; `name` is what the library calls it, or what the header names it. */
#define WORD(tuple, value, name) printf("word %s %d %s\n", #tuple, (int)(value), name)

static void print_events(void)
{
    STRUCTURE(PTP_TIMESTAMP_EVENT);
    FIELD(PTP_TIMESTAMP_EVENT, hw_timestamp_ns);
    FIELD(PTP_TIMESTAMP_EVENT, system_timestamp);
    FIELD(PTP_TIMESTAMP_EVENT, direction);
    FIELD(PTP_TIMESTAMP_EVENT, messageType);
    FIELD(PTP_TIMESTAMP_EVENT, sequenceId);
    FIELD(PTP_TIMESTAMP_EVENT, domainNumber);
    FIELD(PTP_TIMESTAMP_EVENT, sourceMac);
    FIELD(PTP_TIMESTAMP_EVENT, stamp);
    FIELD(PTP_TIMESTAMP_EVENT, vlanId);
    FIELD(PTP_TIMESTAMP_EVENT, pcp);
    FIELD(PTP_TIMESTAMP_EVENT, queueId);
    FIELD(PTP_TIMESTAMP_EVENT, clockIdentity);
    FIELD(PTP_TIMESTAMP_EVENT, portNumber);
    FIELD(PTP_TIMESTAMP_EVENT, sdoId);
    FIELD(PTP_TIMESTAMP_EVENT, flags);
    FIELD(PTP_TIMESTAMP_EVENT, transport);
    FIELD(PTP_TIMESTAMP_EVENT, version);
    FIELD(PTP_TIMESTAMP_EVENT, software_timestamp);
    FIELD(PTP_TIMESTAMP_EVENT, sequence);

    STRUCTURE(PTP_CLOCKS_RECORD);
    FIELD(PTP_CLOCKS_RECORD, hw_timestamp_ns);
    FIELD(PTP_CLOCKS_RECORD, system_timestamp);
    FIELD(PTP_CLOCKS_RECORD, direction);
    FIELD(PTP_CLOCKS_RECORD, reserved0);
    FIELD(PTP_CLOCKS_RECORD, hw_uncertainty_ns);
    FIELD(PTP_CLOCKS_RECORD, realtime_uncertainty_ns);
    FIELD(PTP_CLOCKS_RECORD, reserved1);
    FIELD(PTP_CLOCKS_RECORD, realtime_ns);
    FIELD(PTP_CLOCKS_RECORD, sequence);

    STRUCTURE(PTP_LOSS_RECORD);
    FIELD(PTP_LOSS_RECORD, hw_timestamp_ns);
    FIELD(PTP_LOSS_RECORD, system_timestamp);
    FIELD(PTP_LOSS_RECORD, direction);
    FIELD(PTP_LOSS_RECORD, reserved0);
    FIELD(PTP_LOSS_RECORD, frames_dropped);
    FIELD(PTP_LOSS_RECORD, stamps_dropped);
    FIELD(PTP_LOSS_RECORD, since);
    FIELD(PTP_LOSS_RECORD, reserved1);
    FIELD(PTP_LOSS_RECORD, sequence);

    CONSTANT(AVB_, DIRECTION_RX);
    CONSTANT(AVB_, DIRECTION_TX);
    CONSTANT(AVB_, DIRECTION_CLOCKS);
    CONSTANT(AVB_, DIRECTION_LOSS);
    CONSTANT(AVB_, DIRECTION_UNKNOWN);
    CONSTANT(AVB_, STAMP_KIND_MASK);
    CONSTANT(AVB_, STAMP_NONE);
    CONSTANT(AVB_, STAMP_REGISTERS);
    CONSTANT(AVB_, STAMP_METADATA);
    CONSTANT(AVB_, STAMP_LATE);
    CONSTANT(AVB_, STAMP_EXPECTED);
    CONSTANT(AVB_, STAMP_MISSING);
    CONSTANT(AVB_, STAMP_VLAN);
    CONSTANT(AVB_, STAMP_MORE_TAGS);
    CONSTANT(AVB_, QUEUE_UNKNOWN);
    CONSTANT(AVB_, TRANSPORT_ETHERNET);
    CONSTANT(AVB_, TRANSPORT_UDP_IPV4);
    CONSTANT(AVB_, TRANSPORT_UDP_IPV6);
}

static void print_recordings(void)
{
    STRUCTURE(PTP_RECORDING_HEADER);
    FIELD(PTP_RECORDING_HEADER, magic);
    FIELD(PTP_RECORDING_HEADER, byte_order);
    FIELD(PTP_RECORDING_HEADER, format_version);
    FIELD(PTP_RECORDING_HEADER, abi_version);
    FIELD(PTP_RECORDING_HEADER, header_bytes);
    FIELD(PTP_RECORDING_HEADER, record_bytes);
    FIELD(PTP_RECORDING_HEADER, stamping);
    FIELD(PTP_RECORDING_HEADER, system_clock_hz);
    FIELD(PTP_RECORDING_HEADER, hw_clock);
    FIELD(PTP_RECORDING_HEADER, system_clock);
    FIELD(PTP_RECORDING_HEADER, software_clock);
    FIELD(PTP_RECORDING_HEADER, phc_index);
    FIELD(PTP_RECORDING_HEADER, mac);
    FIELD(PTP_RECORDING_HEADER, reserved0);
    FIELD(PTP_RECORDING_HEADER, tool_version);
    FIELD(PTP_RECORDING_HEADER, host);
    FIELD(PTP_RECORDING_HEADER, boot_id);
    FIELD(PTP_RECORDING_HEADER, interface_name);
    FIELD(PTP_RECORDING_HEADER, interface_guid);
    FIELD(PTP_RECORDING_HEADER, reserved1);

    CONSTANT(AVB_, RECORDING_HEADER_BYTES);
    CONSTANT(AVB_, CLOCK_NONE);
    CONSTANT(AVB_, CLOCK_MONOTONIC);
    CONSTANT(AVB_, CLOCK_QPC);
    CONSTANT(AVB_, CLOCK_REALTIME);
    CONSTANT(AVB_, CLOCK_PHC);
}

static void print_statuses(void)
{
    CONSTANT(PTPMON_, OK);
    CONSTANT(PTPMON_, END);
    CONSTANT(PTPMON_, NOTHING);
    CONSTANT(PTPMON_, NO_INTERFACE);
    CONSTANT(PTPMON_, NO_PERMISSION);
    CONSTANT(PTPMON_, NOT_SUPPORTED);
    CONSTANT(PTPMON_, NO_MEMORY);
    CONSTANT(PTPMON_, BUSY);
    CONSTANT(PTPMON_, INVALID);
    CONSTANT(PTPMON_, BAD_FILE);
    CONSTANT(PTPMON_, IO);
}

static void print_interfaces(void)
{
    STRUCTURE(ptpmon_interface);
    FIELD(ptpmon_interface, name);
    FIELD(ptpmon_interface, description);
    FIELD(ptpmon_interface, guid);
    FIELD(ptpmon_interface, driver);
    FIELD(ptpmon_interface, lower);
    FIELD(ptpmon_interface, index);
    FIELD(ptpmon_interface, mac);
    FIELD(ptpmon_interface, up);
    FIELD(ptpmon_interface, kind);
    FIELD(ptpmon_interface, stamping);
    FIELD(ptpmon_interface, phc_index);
    FIELD(ptpmon_interface, rx_queues);
    FIELD(ptpmon_interface, tx_queues);
    FIELD(ptpmon_interface, prefer_lower);

    CONSTANT(PTPMON_, NAME_MAX);
    CONSTANT(PTPMON_, CAN_RX_SOFTWARE);
    CONSTANT(PTPMON_, CAN_TX_SOFTWARE);
    CONSTANT(PTPMON_, CAN_RX_HARDWARE);
    CONSTANT(PTPMON_, CAN_TX_HARDWARE);
    CONSTANT(PTPMON_, CAN_RX_HW_ALL);
    CONSTANT(PTPMON_, CAN_RX_HW_PTP_L2);
    CONSTANT(PTPMON_, CAN_RX_HW_PTP_UDP);
    CONSTANT(PTPMON_, ON_RX_HARDWARE);
    CONSTANT(PTPMON_, ON_TX_HARDWARE);

    WORD(INTERFACE_KINDS, PTPMON_KIND_ETHERNET, "ethernet");
    WORD(INTERFACE_KINDS, PTPMON_KIND_VETH, "veth");
    WORD(INTERFACE_KINDS, PTPMON_KIND_BRIDGE, "bridge");
    WORD(INTERFACE_KINDS, PTPMON_KIND_BOND, "bond");
    WORD(INTERFACE_KINDS, PTPMON_KIND_VLAN, "vlan");
    WORD(INTERFACE_KINDS, PTPMON_KIND_LOOPBACK, "loopback");
    WORD(INTERFACE_KINDS, PTPMON_KIND_OTHER, "other");
}

static void print_monitors(void)
{
    STRUCTURE(ptpmon_monitor_options);
    FIELD(ptpmon_monitor_options, ring_bytes);
    FIELD(ptpmon_monitor_options, flags);
    CONSTANT(PTPMON_, NO_TRACING);
    CONSTANT(PTPMON_, NO_TCX);
    CONSTANT(PTPMON_, HW_STAMPS);

    STRUCTURE(ptpmon_monitor_info);
    FIELD(ptpmon_monitor_info, rx_frames);
    FIELD(ptpmon_monitor_info, tx_frames);
    FIELD(ptpmon_monitor_info, tx_stamps);
    FIELD(ptpmon_monitor_info, tx_queue_known);
    FIELD(ptpmon_monitor_info, rx_software);
    FIELD(ptpmon_monitor_info, enabled_at);
    FIELD(ptpmon_monitor_info, disabled_at);
    FIELD(ptpmon_monitor_info, delivered_until);
    FIELD(ptpmon_monitor_info, system_clock_hz);
    FIELD(ptpmon_monitor_info, software_is_system_clock);

    STRUCTURE(ptpmon_statistics);
    FIELD(ptpmon_statistics, events_emitted);
    FIELD(ptpmon_statistics, events_dropped);
    FIELD(ptpmon_statistics, buffer_size);
    FIELD(ptpmon_statistics, frames_seen);
    FIELD(ptpmon_statistics, frames_emitted);
    FIELD(ptpmon_statistics, frames_dropped);
    FIELD(ptpmon_statistics, stamps_seen);
    FIELD(ptpmon_statistics, stamps_emitted);
    FIELD(ptpmon_statistics, stamps_dropped);
    FIELD(ptpmon_statistics, ptp_v1);
    FIELD(ptpmon_statistics, other_version);
    FIELD(ptpmon_statistics, truncated);
    FIELD(ptpmon_statistics, bad_length);
    FIELD(ptpmon_statistics, tx_unreadable);
    FIELD(ptpmon_statistics, hw_stamp_not_a_time);
    FIELD(ptpmon_statistics, hw_stamp_of_other_device);
    FIELD(ptpmon_statistics, stamps_joined);
    FIELD(ptpmon_statistics, stamps_missing);
    FIELD(ptpmon_statistics, stamps_orphaned);
    FIELD(ptpmon_statistics, stamps_ambiguous);

    STRUCTURE(ptpmon_batch);
    FIELD(ptpmon_batch, first);
    FIELD(ptpmon_batch, stride);
    FIELD(ptpmon_batch, count);
}

static void print_captures(void)
{
    STRUCTURE(ptpmon_frame);
    FIELD(ptpmon_frame, time_ns);
    FIELD(ptpmon_frame, bytes);
    FIELD(ptpmon_frame, captured_length);
    FIELD(ptpmon_frame, length);
    FIELD(ptpmon_frame, resolution_ns);
    FIELD(ptpmon_frame, interface);
    FIELD(ptpmon_frame, direction);
    FIELD(ptpmon_frame, number);
}

static void print_messages(void)
{
    STRUCTURE(ptpmon_time);
    FIELD(ptpmon_time, ns);
    FIELD(ptpmon_time, fraction);

    STRUCTURE(ptpmon_message);
    FIELD(ptpmon_message, correctionField);
    FIELD(ptpmon_message, seconds);
    FIELD(ptpmon_message, nanoseconds);
    FIELD(ptpmon_message, has);
    FIELD(ptpmon_message, logMessageInterval);
    FIELD(ptpmon_message, requestingPortNumber);
    FIELD(ptpmon_message, requestingClockIdentity);
    FIELD(ptpmon_message, cumulativeScaledRateOffset);
    FIELD(ptpmon_message, scaledLastGmFreqChange);
    FIELD(ptpmon_message, lastGmPhaseChange);
    FIELD(ptpmon_message, gmTimeBaseIndicator);
    FIELD(ptpmon_message, currentUtcOffset);
    FIELD(ptpmon_message, stepsRemoved);
    FIELD(ptpmon_message, offsetScaledLogVariance);
    FIELD(ptpmon_message, clockClass);
    FIELD(ptpmon_message, clockAccuracy);
    FIELD(ptpmon_message, grandmasterPriority1);
    FIELD(ptpmon_message, grandmasterPriority2);
    FIELD(ptpmon_message, grandmasterIdentity);
    FIELD(ptpmon_message, timeSource);
}

static void print_results(void)
{
    STRUCTURE(ptpmon_result);
    FIELD(ptpmon_result, outcome);
    FIELD(ptpmon_result, reason);
    FIELD(ptpmon_result, has_event);
    FIELD(ptpmon_result, has_frame);
    FIELD(ptpmon_result, decided_early);
    FIELD(ptpmon_result, cross_check);
    FIELD(ptpmon_result, event);
    FIELD(ptpmon_result, frame);
    FIELD(ptpmon_result, frame_time_ns);
    FIELD(ptpmon_result, frame_number);
    FIELD(ptpmon_result, has_message);
    FIELD(ptpmon_result, message);

    STRUCTURE(ptpmon_correlation);
    FIELD(ptpmon_correlation, events);
    FIELD(ptpmon_correlation, frames);
    FIELD(ptpmon_correlation, matched);
    FIELD(ptpmon_correlation, unmatched_events);
    FIELD(ptpmon_correlation, unmatched_frames);
    FIELD(ptpmon_correlation, duplicate_events);
    FIELD(ptpmon_correlation, duplicate_frames);
    FIELD(ptpmon_correlation, ambiguous_events);
    FIELD(ptpmon_correlation, ambiguous_frames);
    FIELD(ptpmon_correlation, outside_events);
    FIELD(ptpmon_correlation, outside_frames);
    FIELD(ptpmon_correlation, by_reason);
    FIELD(ptpmon_correlation, source_mac_differs);
    FIELD(ptpmon_correlation, vlan_differs);
    FIELD(ptpmon_correlation, pcp_differs);
    FIELD(ptpmon_correlation, decided_early);
    FIELD(ptpmon_correlation, frames_by_kind);

    CONSTANT(PTPMON_, SOURCE_MAC_DIFFERS);
    CONSTANT(PTPMON_, VLAN_DIFFERS);
    CONSTANT(PTPMON_, PCP_DIFFERS);

    WORD(FRAME_KINDS, AVB_FRAME_PTP, "ptp");
    WORD(FRAME_KINDS, AVB_FRAME_FOREIGN, "foreign");
    WORD(FRAME_KINDS, AVB_FRAME_PTP_V1, "ptp_v1");
    WORD(FRAME_KINDS, AVB_FRAME_OTHER_VERSION, "other_version");
    WORD(FRAME_KINDS, AVB_FRAME_TRUNCATED, "truncated");
    WORD(FRAME_KINDS, AVB_FRAME_BAD_LENGTH, "bad_length");
    for (int i = 0; i < PTPMON_OUTCOMES; i++)
        WORD(OUTCOMES, i, ptpmon_outcome_name((ptpmon_outcome)i));
    for (int i = 0; i < PTPMON_REASONS; i++)
        WORD(REASONS, i, ptpmon_reason_name((ptpmon_reason)i));
}

static void print_observers(void)
{
    STRUCTURE(ptpmon_observer_options);
    FIELD(ptpmon_observer_options, window_ns);
    FIELD(ptpmon_observer_options, max_offset_ns);
    FIELD(ptpmon_observer_options, other_clock);
    FIELD(ptpmon_observer_options, messages);

    STRUCTURE(ptpmon_latency);
    FIELD(ptpmon_latency, known);
    FIELD(ptpmon_latency, ns);
    FIELD(ptpmon_latency, bound);

    STRUCTURE(ptpmon_observation);
    FIELD(ptpmon_observation, kind);
    FIELD(ptpmon_observation, interface);
    FIELD(ptpmon_observation, compared);
    FIELD(ptpmon_observation, has_realtime);
    FIELD(ptpmon_observation, realtime_ns);
    FIELD(ptpmon_observation, software_realtime_ns);
    FIELD(ptpmon_observation, result);
    FIELD(ptpmon_observation, latencies);
    FIELD(ptpmon_observation, clocks);
    FIELD(ptpmon_observation, loss);

    STRUCTURE(ptpmon_alignment);
    FIELD(ptpmon_alignment, clock);
    FIELD(ptpmon_alignment, equal_stamps);
    FIELD(ptpmon_alignment, compared_stamps);
    FIELD(ptpmon_alignment, pairs);
    FIELD(ptpmon_alignment, at_ns);
    FIELD(ptpmon_alignment, offset_ns);
    FIELD(ptpmon_alignment, drift_ppm);
    FIELD(ptpmon_alignment, residual_ns);

    CONSTANT(PTPMON_, OBSERVED_MESSAGE);
    CONSTANT(PTPMON_, OBSERVED_CLOCKS);
    CONSTANT(PTPMON_, OBSERVED_LOSS);
    CONSTANT(PTPMON_, OBSERVED_CAPTURE_LOSS);

    for (int i = 0; i < PTPMON_LATENCIES; i++)
        WORD(LATENCIES, i, ptpmon_latency_name((ptpmon_latency_kind)i));
    WORD(CAPTURE_CLOCKS, PTPMON_CLOCK_ASSUMED, "assumed");
    WORD(CAPTURE_CLOCKS, PTPMON_CLOCK_SYSTEM, "system");
    WORD(CAPTURE_CLOCKS, PTPMON_CLOCK_OTHER, "other");
}

static void print_message_types(void)
{
    for (uint8_t i = 0; i < 16; i++)
        WORD(MESSAGE_TYPE_NAMES, i, ptpmon_message_type_name(i));
}

int main(void)
{
    print_events();
    print_recordings();
    print_statuses();
    print_interfaces();
    print_monitors();
    print_captures();
    print_messages();
    print_results();
    print_observers();
    print_message_types();
    return 0;
}
