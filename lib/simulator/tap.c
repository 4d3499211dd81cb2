/* SPDX-License-Identifier: MIT */
/*
 * Records and frames are handed in as they become known, about in order of time, and leave in order of time: what is
 * still to come is not older than MARGIN.
 */
#include "tap.h"

#include "error.h"
#include "frame.h"
#include "recording.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct record {
    sim_time at;
    PTP_TIMESTAMP_EVENT event;
};

struct captured {
    sim_time at;
    int64_t time_ns;
    uint32_t length;
    uint8_t direction;
    uint8_t bytes[SIM_FRAME_MAX];
};

/* Those that wait, by time. */
struct records {
    struct record *items;
    size_t first, count, capacity;
};

struct captures {
    struct captured **items;
    size_t first, count, capacity;
    struct captured *unused[64];
    size_t unused_count;
};

/* A stretch in which something is lost. */
struct outage {
    bool is_on;
    sim_time from, until;
    uint64_t frames, stamps;
};

struct sim_tap {
    struct sim_port *port;
    struct sim_random random;
    struct ptpmon_recorder *recorder;
    ptpmon_capture_writer *writer;
    struct records records;
    struct captures captures;
    struct outage events_lost, frames_lost;
    ptpmon_capture_statistics statistics;
};

static struct ptpmon_simulation *simulation_of(const struct sim_tap *tap)
{
    return tap->port->node->simulation;
}

static void check(struct sim_tap *tap, ptpmon_status status)
{
    if (status != PTPMON_OK)
        ptpmon_sim_fail(simulation_of(tap), status);
}

static void out_of_memory(struct sim_tap *tap)
{
    check(tap, ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory to simulate; close other programs", tap->port->name));
}

/* ---- Records ---- */

/* Everything of the stretch has gone by: what was lost is known now. */
static void emit_loss(struct sim_tap *tap, const struct record *record)
{
    struct outage *lost = &tap->events_lost;
    PTP_LOSS_RECORD loss = {
        .system_timestamp = record->event.system_timestamp,
        .direction = AVB_DIRECTION_LOSS,
        .frames_dropped = lost->frames,
        .stamps_dropped = lost->stamps,
        .since = ptpmon_sim_event_time(tap->port->node, lost->from),
    };
    lost->is_on = false;
    if (lost->frames + lost->stamps > 0)
        check(tap, ptpmon_recorder_write(tap->recorder, &loss));
}

static void emit_record(struct sim_tap *tap, const struct record *record)
{
    struct outage *lost = &tap->events_lost;
    bool is_frame = record->event.direction <= AVB_DIRECTION_TX;
    if (record->event.direction == AVB_DIRECTION_LOSS) {
        emit_loss(tap, record);
    } else if (is_frame && lost->is_on && record->at >= lost->from) {
        if (record->event.stamp & AVB_STAMP_LATE)
            lost->stamps++;
        else
            lost->frames++;
    } else {
        simulation_of(tap)->events += is_frame;
        check(tap, ptpmon_recorder_write(tap->recorder, &record->event));
    }
}

static bool room_for_record(struct records *records)
{
    if (records->first + records->count < records->capacity)
        return true;
    if (records->first > records->capacity / 2) {
        memmove(records->items, records->items + records->first, records->count * sizeof *records->items);
        records->first = 0;
        return true;
    }
    size_t capacity = records->capacity != 0 ? records->capacity * 2 : 256;
    struct record *items = realloc(records->items, capacity * sizeof *items);
    if (items == NULL)
        return false;
    records->items = items;
    records->capacity = capacity;
    return true;
}

static void add_record(struct sim_tap *tap, sim_time at, const void *event)
{
    struct records *records = &tap->records;
    if (!room_for_record(records)) {
        out_of_memory(tap);
        return;
    }
    struct record *items = records->items + records->first;
    size_t place = records->count++;
    for (; place > 0 && items[place - 1].at > at; place--)
        items[place] = items[place - 1];
    items[place].at = at;
    memcpy(&items[place].event, event, sizeof items[place].event);
}

static void flush_records(struct sim_tap *tap, sim_time until)
{
    struct records *records = &tap->records;
    while (records->count > 0 && records->items[records->first].at <= until) {
        emit_record(tap, &records->items[records->first]);
        records->first++;
        records->count--;
    }
}

/* ---- Frames ---- */

static void release(struct captures *captures, struct captured *frame)
{
    if (captures->unused_count < sizeof captures->unused / sizeof *captures->unused)
        captures->unused[captures->unused_count++] = frame;
    else
        free(frame);
}

static void write_statistics(struct sim_tap *tap, int64_t at_ns)
{
    check(tap, ptpmon_capture_writer_statistics(tap->writer, 0, &tap->statistics, at_ns));
}

static void emit_frame(struct sim_tap *tap, const struct captured *captured)
{
    struct outage *lost = &tap->frames_lost;
    if (captured->length == 0) { /* begin or end of an outage */
        write_statistics(tap, captured->time_ns);
        lost->is_on = captured->at < lost->until;
    } else if (lost->is_on) {
        tap->statistics.dropped++;
    } else {
        const ptpmon_frame frame = {.time_ns = captured->time_ns,
                                    .bytes = captured->bytes,
                                    .captured_length = captured->length,
                                    .length = captured->length,
                                    .direction = captured->direction};
        check(tap, ptpmon_capture_writer_frame(tap->writer, 0, &frame));
        tap->statistics.frames++;
        simulation_of(tap)->frames++;
    }
}

static bool room_for_frame(struct captures *captures)
{
    if (captures->first + captures->count < captures->capacity)
        return true;
    if (captures->first > captures->capacity / 2) {
        memmove(captures->items, captures->items + captures->first, captures->count * sizeof *captures->items);
        captures->first = 0;
        return true;
    }
    size_t capacity = captures->capacity != 0 ? captures->capacity * 2 : 256;
    struct captured **items = realloc(captures->items, capacity * sizeof *items);
    if (items == NULL)
        return false;
    captures->items = items;
    captures->capacity = capacity;
    return true;
}

/* Message NULL: begin or end of an outage. */
static void add_frame(struct sim_tap *tap, sim_time at, uint8_t direction, const struct sim_message *message)
{
    struct captures *captures = &tap->captures;
    struct captured *frame =
        captures->unused_count > 0 ? captures->unused[--captures->unused_count] : malloc(sizeof *frame);
    if (frame == NULL || !room_for_frame(captures)) {
        free(frame);
        out_of_memory(tap);
        return;
    }
    frame->at = at;
    frame->time_ns = ptpmon_sim_utc(tap->port->node, at);
    frame->direction = direction;
    frame->length =
        message != NULL ? ptpmon_sim_frame(tap->port, message, direction == AVB_DIRECTION_RX, frame->bytes) : 0;
    struct captured **items = captures->items + captures->first;
    size_t place = captures->count++;
    for (; place > 0 && items[place - 1]->at > at; place--)
        items[place] = items[place - 1];
    items[place] = frame;
}

static void flush_frames(struct sim_tap *tap, sim_time until)
{
    struct captures *captures = &tap->captures;
    while (captures->count > 0 && captures->items[captures->first]->at <= until) {
        struct captured *frame = captures->items[captures->first];
        captures->first++;
        captures->count--;
        emit_frame(tap, frame);
        release(captures, frame);
    }
}

/* What is handed in from now on is not older: frames are handed in as they leave, after their way through the host. */
static void flush(struct sim_tap *tap)
{
    const struct ptpmon_simulation *simulation = simulation_of(tap);
    sim_time until =
        simulation->now - 4 * simulation->settings.host_latency - 4 * simulation->settings.driver_latency - SIM_MS;
    flush_records(tap, until);
    flush_frames(tap, until);
}

/* ---- What happens ---- */

static uint64_t absolute_ns(const struct sim_tap *tap, sim_time reading)
{
    return (uint64_t)sim_clock_time(&tap->port->node->clock, reading).ns;
}

static bool has_hardware_stamps(const struct sim_tap *tap)
{
    return simulation_of(tap)->settings.stamps != SIM_SOFTWARE;
}

void ptpmon_sim_tap_received(struct sim_tap *tap, const struct sim_message *message, sim_time stack, sim_time driver)
{
    PTP_TIMESTAMP_EVENT event;
    ptpmon_sim_event(simulation_of(tap), message, &event);
    event.direction = AVB_DIRECTION_RX;
    event.system_timestamp = ptpmon_sim_event_time(tap->port->node, driver);
    event.software_timestamp = (uint64_t)ptpmon_sim_utc(tap->port->node, stack);
    if (sim_is_event(message->type) && has_hardware_stamps(tap)) {
        event.hw_timestamp_ns = absolute_ns(tap, message->stamp);
        event.stamp |= AVB_STAMP_METADATA;
    }
    add_record(tap, driver, &event);
    add_frame(tap, stack, AVB_DIRECTION_RX, message);
    flush(tap);
}

void ptpmon_sim_tap_sent(struct sim_tap *tap, const struct sim_message *captured, sim_time hook, bool expects)
{
    PTP_TIMESTAMP_EVENT event;
    ptpmon_sim_event(simulation_of(tap), captured, &event);
    event.direction = AVB_DIRECTION_TX;
    event.queueId = 0;
    event.system_timestamp = ptpmon_sim_event_time(tap->port->node, hook);
    if (expects)
        event.stamp |= AVB_STAMP_EXPECTED;
    add_record(tap, hook, &event);
    /* The capture's tap is just before the driver's hook. */
    add_frame(tap, hook - simulation_of(tap)->settings.driver_latency / 4, AVB_DIRECTION_TX, captured);
    flush(tap);
}

void ptpmon_sim_tap_stamped(struct sim_tap *tap, const struct sim_message *message, sim_time at, sim_time reading,
                            sim_time software, bool expects)
{
    PTP_TIMESTAMP_EVENT event;
    ptpmon_sim_event(simulation_of(tap), message, &event);
    event.direction = AVB_DIRECTION_TX;
    event.queueId = 0;
    event.system_timestamp = ptpmon_sim_event_time(tap->port->node, at);
    event.stamp |= AVB_STAMP_LATE | (expects ? AVB_STAMP_EXPECTED : 0);
    if (reading != SIM_NEVER) {
        event.hw_timestamp_ns = absolute_ns(tap, reading);
        event.stamp |= AVB_STAMP_METADATA;
    }
    if (software != SIM_NEVER)
        event.software_timestamp = (uint64_t)ptpmon_sim_utc(tap->port->node, software);
    add_record(tap, at, &event);
    flush(tap);
}

void ptpmon_sim_tap_clocks(struct sim_tap *tap)
{
    struct sim_node *node = tap->port->node;
    const struct ptpmon_simulation *simulation = simulation_of(tap);
    sim_time error = simulation->settings.reading_error;
    /* Each number is rounded down: up to 1 ns more. */
    UINT32 uncertainty = (UINT32)((error >> 16) + 1);
    sim_time reading = ptpmon_sim_clock_read(&node->clock, simulation->now);
    PTP_CLOCKS_RECORD clocks = {
        .system_timestamp = ptpmon_sim_event_time(node, simulation->now),
        .direction = AVB_DIRECTION_CLOCKS,
        .realtime_uncertainty_ns = uncertainty,
        .realtime_ns =
            (uint64_t)(ptpmon_sim_utc(node, simulation->now) + (sim_random_symmetric(&tap->random, error) >> 16)),
    };
    if (has_hardware_stamps(tap)) {
        /* Against realtime_ns, which has an error of its own already. */
        sim_time utc_error = (int64_t)(clocks.realtime_ns - (uint64_t)ptpmon_sim_utc(node, simulation->now)) * SIM_NS;
        clocks.hw_timestamp_ns = absolute_ns(tap, reading + utc_error + sim_random_symmetric(&tap->random, error));
        clocks.hw_uncertainty_ns = uncertainty + 1;
    }
    add_record(tap, simulation->now, &clocks);
}

void ptpmon_sim_tap_lose_events(struct sim_tap *tap, sim_time until)
{
    const PTP_LOSS_RECORD loss = {.system_timestamp = ptpmon_sim_event_time(tap->port->node, until),
                                  .direction = AVB_DIRECTION_LOSS};
    tap->events_lost = (struct outage){.is_on = true, .from = simulation_of(tap)->now};
    add_record(tap, until, &loss);
}

void ptpmon_sim_tap_lose_frames(struct sim_tap *tap, sim_time until)
{
    tap->frames_lost = (struct outage){.until = until};
    add_frame(tap, simulation_of(tap)->now, AVB_DIRECTION_UNKNOWN, NULL);
    add_frame(tap, until, AVB_DIRECTION_UNKNOWN, NULL);
}

/* ---- Files ---- */

#define HOST_FORM "simulated-%s"

/* Tells the runs of different seeds and nodes apart; a UUID of version 8 (RFC 9562). */
static void set_boot_id(const struct sim_node *node, char *text, size_t size)
{
    struct sim_random random = sim_random_of((uint64_t)node->simulation->settings.seed, node->identity[6]);
    uint64_t high = sim_random_next(&random), low = sim_random_next(&random);
    snprintf(text, size, "%08" PRIx64 "-%04" PRIx64 "-8%03" PRIx64 "-%04" PRIx64 "-%012" PRIx64, high >> 32,
             high >> 16 & 0xFFFF, high & 0xFFF, (low >> 48 & 0x3FFF) | 0x8000, low & UINT64_C(0xFFFFFFFFFFFF));
}

char *ptpmon_sim_path(const char *path, const char *port, const char *suffix)
{
    size_t size = strlen(path) + strlen(port) + strlen(suffix) + 3;
    char *name = malloc(size);
    if (name != NULL)
        snprintf(name, size, "%s.%s.%s", path, port, suffix);
    return name;
}

static void describe(const struct sim_tap *tap, PTP_RECORDING_HEADER *header)
{
    const struct sim_node *node = tap->port->node;
    *header = (PTP_RECORDING_HEADER){
        .stamping = PTPMON_CAN_RX_SOFTWARE | PTPMON_CAN_TX_SOFTWARE,
        .system_clock_hz = (UINT64)NS_PER_SECOND,
        .hw_clock = AVB_CLOCK_NONE,
        .system_clock = AVB_CLOCK_MONOTONIC,
        .software_clock = AVB_CLOCK_REALTIME,
        .phc_index = -1,
        .tool_version = PTPMON_VERSION,
    };
    if (has_hardware_stamps(tap)) {
        header->stamping |= PTPMON_CAN_RX_HARDWARE | PTPMON_CAN_TX_HARDWARE | PTPMON_CAN_RX_HW_PTP_L2 |
                            PTPMON_CAN_RX_HW_PTP_UDP | PTPMON_ON_RX_HARDWARE | PTPMON_ON_TX_HARDWARE;
        header->hw_clock = AVB_CLOCK_PHC;
        header->phc_index = 0;
    }
    memcpy(header->mac, tap->port->mac, sizeof header->mac);
    snprintf(header->host, sizeof header->host, HOST_FORM, node->name);
    set_boot_id(node, header->boot_id, sizeof header->boot_id);
    snprintf(header->interface_name, sizeof header->interface_name, "%s", tap->port->name);
}

static ptpmon_status open_events(struct sim_tap *tap, const char *path)
{
    PTP_RECORDING_HEADER header;
    describe(tap, &header);
    ptpmon_status status = ptpmon_recorder_open(path, NULL, &tap->recorder);
    return status == PTPMON_OK ? ptpmon_recorder_begin(tap->recorder, &header) : status;
}

static ptpmon_status open_capture(struct sim_tap *tap, const char *path)
{
    ptpmon_capture_interface about = {.has_mac = true};
    memcpy(about.mac, tap->port->mac, sizeof about.mac);
    snprintf(about.name, sizeof about.name, "%s", tap->port->name);
    snprintf(about.host, sizeof about.host, HOST_FORM, tap->port->node->name);
    set_boot_id(tap->port->node, about.boot_id, sizeof about.boot_id);
    return ptpmon_capture_writer_open(path, &about, 1, &tap->writer);
}

static ptpmon_status open_files(struct sim_tap *tap, const char *path)
{
    char *events = ptpmon_sim_path(path, tap->port->name, "events"),
         *capture = ptpmon_sim_path(path, tap->port->name, "pcapng");
    ptpmon_status status = PTPMON_OK;
    if (events == NULL || capture == NULL)
        status = ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory to simulate; close other programs", path);
    if (status == PTPMON_OK)
        status = open_events(tap, events);
    if (status == PTPMON_OK)
        status = open_capture(tap, capture);
    free(events);
    free(capture);
    return status;
}

ptpmon_status ptpmon_sim_tap_open(struct sim_port *port, const char *path)
{
    struct sim_tap *tap = calloc(1, sizeof *tap);
    if (tap == NULL)
        return ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory to simulate; close other programs", path);
    port->tap = tap;
    tap->port = port;
    tap->random = sim_random_of((uint64_t)port->node->simulation->settings.seed, port->mac[4] * 256u + port->mac[5]);
    ptpmon_status status = open_files(tap, path);
    if (status != PTPMON_OK)
        return status;
    tap->statistics.started_at = ptpmon_sim_utc(port->node, 0);
    write_statistics(tap, tap->statistics.started_at);
    ptpmon_sim_tap_clocks(tap);
    return PTPMON_OK;
}

static void free_tap(struct sim_tap *tap)
{
    struct captures *captures = &tap->captures;
    for (size_t i = 0; i < captures->count; i++)
        free(captures->items[captures->first + i]);
    for (size_t i = 0; i < captures->unused_count; i++)
        free(captures->unused[i]);
    free(captures->items);
    free(tap->records.items);
    free(tap);
}

ptpmon_status ptpmon_sim_tap_close(struct sim_tap *tap)
{
    if (tap == NULL)
        return PTPMON_OK;
    ptpmon_status status = PTPMON_OK, closed;
    if (tap->writer != NULL) { /* all was opened */
        sim_time now = simulation_of(tap)->now;
        flush_records(tap, SIM_NEVER);
        flush_frames(tap, SIM_NEVER);
        ptpmon_sim_tap_clocks(tap);
        flush_records(tap, SIM_NEVER);
        tap->statistics.stopped_at = ptpmon_sim_utc(tap->port->node, now);
        write_statistics(tap, tap->statistics.stopped_at);
    }
    closed = ptpmon_capture_writer_close(tap->writer);
    status = closed;
    closed = ptpmon_recorder_close(tap->recorder);
    free_tap(tap);
    return status != PTPMON_OK ? status : closed;
}
