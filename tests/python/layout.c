/* SPDX-License-Identifier: MIT */
/* Prints the layout of every structure and the value of every constant that ptp_monitor/_structures.py and
 * _analysis_structures.py mirror. */
#include <frame_read.h>
#include <ptpmon_analysis.h>
#include <ptpmon_simulator.h>

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

    STRUCTURE(ptpmon_capture_interface);
    FIELD(ptpmon_capture_interface, name);
    FIELD(ptpmon_capture_interface, host);
    FIELD(ptpmon_capture_interface, boot_id);
    FIELD(ptpmon_capture_interface, mac);
    FIELD(ptpmon_capture_interface, has_mac);
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
    CONSTANT(PTPMON_, TIME_ORDER_DIFFERS);

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

static void print_exchanges(void)
{
    STRUCTURE(ptpmon_port_identity);
    FIELD(ptpmon_port_identity, clockIdentity);
    FIELD(ptpmon_port_identity, portNumber);

    STRUCTURE(ptpmon_stamp);
    FIELD(ptpmon_stamp, ns);
    FIELD(ptpmon_stamp, kind);

    STRUCTURE(ptpmon_exchange);
    FIELD(ptpmon_exchange, kind);
    FIELD(ptpmon_exchange, reason);
    FIELD(ptpmon_exchange, end);
    FIELD(ptpmon_exchange, point);
    FIELD(ptpmon_exchange, segment);
    FIELD(ptpmon_exchange, two_step);
    FIELD(ptpmon_exchange, domainNumber);
    FIELD(ptpmon_exchange, messageType);
    FIELD(ptpmon_exchange, sdoId);
    FIELD(ptpmon_exchange, sequenceId);
    FIELD(ptpmon_exchange, syncSequenceId);
    FIELD(ptpmon_exchange, source);
    FIELD(ptpmon_exchange, requesting);
    FIELD(ptpmon_exchange, event_time);
    FIELD(ptpmon_exchange, realtime_ns);
    FIELD(ptpmon_exchange, frame_number);
    FIELD(ptpmon_exchange, t);
    FIELD(ptpmon_exchange, own);
    FIELD(ptpmon_exchange, correction_sync);
    FIELD(ptpmon_exchange, correction_follow_up);
    FIELD(ptpmon_exchange, correction_response);
    FIELD(ptpmon_exchange, correction_response_follow_up);
    FIELD(ptpmon_exchange, logMessageInterval);
    FIELD(ptpmon_exchange, known);
    FIELD(ptpmon_exchange, masterToSlave);
    FIELD(ptpmon_exchange, slaveToMaster);
    FIELD(ptpmon_exchange, delay);
    FIELD(ptpmon_exchange, delay_filtered);
    FIELD(ptpmon_exchange, offsetFromMaster);
    FIELD(ptpmon_exchange, offset_filtered);
    FIELD(ptpmon_exchange, delay_age_ns);
    FIELD(ptpmon_exchange, turnaround);
    FIELD(ptpmon_exchange, neighborRateRatio);
    FIELD(ptpmon_exchange, rateRatio);
    FIELD(ptpmon_exchange, transmitter_error);
    FIELD(ptpmon_exchange, receiver_error);
    FIELD(ptpmon_exchange, residence);
    FIELD(ptpmon_exchange, correction_error);
    FIELD(ptpmon_exchange, correction_request);
}

static void print_analysis(void)
{
    STRUCTURE(ptpmon_finding);
    FIELD(ptpmon_finding, kind);
    FIELD(ptpmon_finding, point);
    FIELD(ptpmon_finding, domainNumber);
    FIELD(ptpmon_finding, sdoId);
    FIELD(ptpmon_finding, source);
    FIELD(ptpmon_finding, event_time);
    FIELD(ptpmon_finding, realtime_ns);
    FIELD(ptpmon_finding, size);
    FIELD(ptpmon_finding, bound);

    STRUCTURE(ptpmon_analyzer_options);
    FIELD(ptpmon_analyzer_options, window_ns);
    FIELD(ptpmon_analyzer_options, max_pending);
    FIELD(ptpmon_analyzer_options, stamps);
    FIELD(ptpmon_analyzer_options, delay_filter);
    FIELD(ptpmon_analyzer_options, points_share_clock);
    FIELD(ptpmon_analyzer_options, has_true_offset);
    FIELD(ptpmon_analyzer_options, true_offset);

    STRUCTURE(ptpmon_analysis_counts);
    FIELD(ptpmon_analysis_counts, messages);
    FIELD(ptpmon_analysis_counts, exchanges);
    FIELD(ptpmon_analysis_counts, computed);
    FIELD(ptpmon_analysis_counts, by_reason);
    FIELD(ptpmon_analysis_counts, counts);

    STRUCTURE(ptpmon_series);
    FIELD(ptpmon_series, quantity);
    FIELD(ptpmon_series, point);
    FIELD(ptpmon_series, segment);
    FIELD(ptpmon_series, stamps);
    FIELD(ptpmon_series, domainNumber);
    FIELD(ptpmon_series, messageType);
    FIELD(ptpmon_series, sdoId);
    FIELD(ptpmon_series, source);
    FIELD(ptpmon_series, requesting);
    FIELD(ptpmon_series, count);
    FIELD(ptpmon_series, base_ns);
    FIELD(ptpmon_series, minimum);
    FIELD(ptpmon_series, maximum);
    FIELD(ptpmon_series, mean);
    FIELD(ptpmon_series, standard_deviation);
    FIELD(ptpmon_series, p50);
    FIELD(ptpmon_series, p95);
    FIELD(ptpmon_series, p99);
    FIELD(ptpmon_series, p999);
    FIELD(ptpmon_series, last);
    FIELD(ptpmon_series, rate_1s);
    FIELD(ptpmon_series, rate_60s);

    STRUCTURE(ptpmon_asymmetry);
    FIELD(ptpmon_asymmetry, method);
    FIELD(ptpmon_asymmetry, point);
    FIELD(ptpmon_asymmetry, stamps);
    FIELD(ptpmon_asymmetry, domainNumber);
    FIELD(ptpmon_asymmetry, sdoId);
    FIELD(ptpmon_asymmetry, source);
    FIELD(ptpmon_asymmetry, requesting);
    FIELD(ptpmon_asymmetry, base_ns);
    FIELD(ptpmon_asymmetry, forward_floor);
    FIELD(ptpmon_asymmetry, reverse_floor);
    FIELD(ptpmon_asymmetry, floor_window_s);
    FIELD(ptpmon_asymmetry, delayAsymmetry);
    FIELD(ptpmon_asymmetry, bound);
    FIELD(ptpmon_asymmetry, kind);

    STRUCTURE(ptpmon_te_summary);
    FIELD(ptpmon_te_summary, max_te);
    FIELD(ptpmon_te_summary, max_te_low);
    FIELD(ptpmon_te_summary, cte);
    FIELD(ptpmon_te_summary, cte_seconds);
    FIELD(ptpmon_te_summary, dte_low_pp);
    FIELD(ptpmon_te_summary, dte_high_pp);
    FIELD(ptpmon_te_summary, seconds);
}

static void print_analysis_words(void)
{
    CONSTANT(PTPMON_, KNOWS_MASTER_TO_SLAVE);
    CONSTANT(PTPMON_, KNOWS_SLAVE_TO_MASTER);
    CONSTANT(PTPMON_, KNOWS_DELAY);
    CONSTANT(PTPMON_, KNOWS_OFFSET);
    CONSTANT(PTPMON_, KNOWS_DELAY_FILTERED);
    CONSTANT(PTPMON_, KNOWS_OFFSET_FILTERED);
    CONSTANT(PTPMON_, KNOWS_TURNAROUND);
    CONSTANT(PTPMON_, KNOWS_NEIGHBOR_RATE_RATIO);
    CONSTANT(PTPMON_, KNOWS_TRANSMITTER_ERROR);
    CONSTANT(PTPMON_, KNOWS_RECEIVER_ERROR);
    CONSTANT(PTPMON_, KNOWS_RATE_RATIO);
    CONSTANT(PTPMON_, KNOWS_RESIDENCE);
    CONSTANT(PTPMON_, KNOWS_CORRECTION_ERROR);

    for (int i = 0; i < PTPMON_EXCHANGE_KINDS; i++)
        WORD(EXCHANGE_KINDS, i, ptpmon_exchange_kind_name((ptpmon_exchange_kind)i));
    for (int i = 0; i < PTPMON_STAMP_KINDS; i++)
        WORD(EXCHANGE_STAMPS, i, ptpmon_stamp_kind_name((ptpmon_stamp_kind)i));
    for (int i = 0; i < PTPMON_ENDS; i++)
        WORD(ENDS, i, ptpmon_end_name((ptpmon_end)i));
    for (int i = 0; i < PTPMON_EXCHANGE_REASONS; i++)
        WORD(EXCHANGE_REASONS, i, ptpmon_exchange_reason_name((ptpmon_exchange_reason)i));
    for (int i = 0; i < PTPMON_FINDING_KINDS; i++)
        WORD(FINDING_KINDS, i, ptpmon_finding_kind_name((ptpmon_finding_kind)i));
    for (int i = 0; i < PTPMON_COUNTS; i++)
        WORD(COUNTS, i, ptpmon_count_name((ptpmon_count)i));
    for (int i = 0; i < PTPMON_QUANTITIES; i++)
        WORD(QUANTITIES, i, ptpmon_quantity_name((ptpmon_quantity)i));
    for (int i = 0; i < PTPMON_QUANTITIES; i++)
        WORD(QUANTITY_UNITS, i, ptpmon_quantity_unit((ptpmon_quantity)i));
    for (int i = 0; i < PTPMON_ASYMMETRY_BY_COMPARISON + 1; i++)
        WORD(ASYMMETRY_METHODS, i, ptpmon_asymmetry_method_name((ptpmon_asymmetry_method)i));
    for (int i = 0; ptpmon_te_mask_name((size_t)i); i++)
        WORD(MASKS, i, ptpmon_te_mask_name((size_t)i));
    WORD(LIMITS, PTPMON_LIMIT_MAX_TE, "max_te");
    WORD(LIMITS, PTPMON_LIMIT_MAX_TE_LOW, "max_te_low");
    WORD(LIMITS, PTPMON_LIMIT_CTE, "cte");
    WORD(LIMITS, PTPMON_LIMIT_DTE_LOW_MTIE, "dte_low_mtie");
    WORD(LIMITS, PTPMON_LIMIT_DTE_LOW_TDEV, "dte_low_tdev");
    WORD(LIMITS, PTPMON_LIMIT_DTE_HIGH_PP, "dte_high_pp");
    WORD(LIMITS, PTPMON_LIMIT_MTIE, "mtie");
    WORD(LIMITS, PTPMON_LIMIT_TDEV, "tdev");
}

static void print_simulations(void)
{
    STRUCTURE(ptpmon_simulation_setting);
    FIELD(ptpmon_simulation_setting, name);
    FIELD(ptpmon_simulation_setting, value);
    FIELD(ptpmon_simulation_setting, default_value);
    FIELD(ptpmon_simulation_setting, meaning);
    FIELD(ptpmon_simulation_setting, repeatable);

    STRUCTURE(ptpmon_simulation_result);
    FIELD(ptpmon_simulation_result, frames);
    FIELD(ptpmon_simulation_result, events);
    FIELD(ptpmon_simulation_result, exchanges);
    FIELD(ptpmon_simulation_result, ports);
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
    print_exchanges();
    print_analysis();
    print_analysis_words();
    print_simulations();
    print_message_types();
    return 0;
}
