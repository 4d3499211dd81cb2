/* SPDX-License-Identifier: MIT */
#include "truth.h"

#include "analysis/time.h"
#include "error.h"
#include "file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_BYTES 65536
#define LINE_BYTES   16384 /* of the longest line; the header is the longest */

struct sim_truth {
    struct ptpmon_simulation *simulation;
    int file, error;
    uint64_t exchanges;
    size_t used, whole; /* bytes in the buffer, and of these, those of whole lines */
    bool first;         /* the next member is the first of its object or array */
    char buffer[BUFFER_BYTES];
    char path[];
};

/* ---- JSON ---- */

static void put(struct sim_truth *truth, const char *text, size_t length)
{
    if (length <= sizeof truth->buffer - truth->used) {
        memcpy(truth->buffer + truth->used, text, length);
        truth->used += length;
    }
}

static void put_text(struct sim_truth *truth, const char *text)
{
    put(truth, text, strlen(text));
}

static void put_int(struct sim_truth *truth, int64_t value)
{
    char text[24], *at = text + sizeof text;
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        *--at = (char)('0' + magnitude % 10);
    while ((magnitude /= 10) != 0);
    if (value < 0)
        *--at = '-';
    put(truth, at, (size_t)(text + sizeof text - at));
}

static void put_name(struct sim_truth *truth, const char *name)
{
    if (!truth->first)
        put(truth, ",", 1);
    truth->first = false;
    if (name == NULL)
        return;
    put(truth, "\"", 1);
    put_text(truth, name);
    put(truth, "\":", 2);
}

static void add_string(struct sim_truth *truth, const char *name, const char *value)
{
    put_name(truth, name);
    put(truth, "\"", 1);
    for (; *value != 0; value++) {
        if (*value == '"' || *value == '\\')
            put(truth, "\\", 1);
        put(truth, (unsigned char)*value < 0x20 ? " " : value, 1);
    }
    put(truth, "\"", 1);
}

static void add_int(struct sim_truth *truth, const char *name, int64_t value)
{
    put_name(truth, name);
    put_int(truth, value);
}

static void add_bool(struct sim_truth *truth, const char *name, bool value)
{
    put_name(truth, name);
    put_text(truth, value ? "true" : "false");
}

static void add_null(struct sim_truth *truth, const char *name)
{
    put_name(truth, name);
    put_text(truth, "null");
}

/* [ns, 2^-16 ns] */
static void add_time(struct sim_truth *truth, const char *name, ptpmon_time time)
{
    put_name(truth, name);
    put(truth, "[", 1);
    put_int(truth, time.ns);
    put(truth, ",", 1);
    put_int(truth, time.fraction);
    put(truth, "]", 1);
}

static void add_scaled(struct sim_truth *truth, const char *name, sim_time time)
{
    add_time(truth, name, ptpmon_time_of_scaled(time));
}

static void open_nested(struct sim_truth *truth, const char *name, const char *bracket)
{
    put_name(truth, name);
    put_text(truth, bracket);
    truth->first = true;
}

static void close_nested(struct sim_truth *truth, const char *bracket)
{
    put_text(truth, bracket);
    truth->first = false;
}

static void add_times(struct sim_truth *truth, const char *name, const sim_time *times, uint32_t count)
{
    open_nested(truth, name, "[");
    for (uint32_t i = 0; i < count; i++)
        add_scaled(truth, NULL, times[i]);
    close_nested(truth, "]");
}

static void add_clock_identity(struct sim_truth *truth, const char *name, const uint8_t *id)
{
    char text[24];
    snprintf(text, sizeof text, "%02x%02x%02x.%02x%02x.%02x%02x%02x", id[0], id[1], id[2], id[3], id[4], id[5], id[6],
             id[7]);
    add_string(truth, name, text);
}

/* As everywhere in ptpmon: "a2b3c4.fffe.d5e6f7-1" */
static void add_identity(struct sim_truth *truth, const char *name, const ptpmon_port_identity *identity)
{
    static const char digits[] = "0123456789abcdef";
    char text[24], *at = text;
    for (int i = 0; i < 8; i++) {
        if (i == 3 || i == 5)
            *at++ = '.';
        *at++ = digits[identity->clockIdentity[i] >> 4];
        *at++ = digits[identity->clockIdentity[i] & 15];
    }
    *at++ = '-';
    put_name(truth, name);
    put(truth, "\"", 1);
    put(truth, text, (size_t)(at - text));
    put_int(truth, identity->portNumber);
    put(truth, "\"", 1);
}

/* ---- Lines ---- */

static ptpmon_status status_of(const struct sim_truth *truth)
{
    return truth->error == 0 ? PTPMON_OK : ptpmon_fail_errno(truth->path, "write the truth", truth->error);
}

static void write_lines(struct sim_truth *truth)
{
    for (size_t done = 0; done < truth->whole && truth->error == 0;) {
        int64_t written = ptpmon_file_write(truth->file, truth->buffer + done, truth->whole - done);
        if (written >= 0)
            done += (size_t)written;
        else if (errno != EINTR)
            truth->error = errno;
    }
    memmove(truth->buffer, truth->buffer + truth->whole, truth->used - truth->whole);
    truth->used -= truth->whole;
    truth->whole = 0;
}

static void begin_line(struct sim_truth *truth, const char *type)
{
    if (sizeof truth->buffer - truth->used < LINE_BYTES)
        write_lines(truth);
    put(truth, "{", 1);
    truth->first = true;
    add_string(truth, "type", type);
}

static void end_line(struct sim_truth *truth)
{
    put(truth, "}\n", 2);
    truth->whole = truth->used;
    if (truth->error != 0)
        ptpmon_sim_fail(truth->simulation, status_of(truth));
}

/* NULL: exchanges are not written. */
static struct sim_truth *begin_exchange(const struct sim_port *port, const char *kind, uint8_t domain)
{
    const struct ptpmon_simulation *simulation = port->node->simulation;
    struct sim_truth *truth = simulation->truth;
    if (simulation->settings.truth != SIM_TRUTH_FULL)
        return NULL;
    truth->exchanges++;
    begin_line(truth, "exchange");
    add_string(truth, "kind", kind);
    add_string(truth, "port", port->name);
    add_scaled(truth, "time", simulation->now);
    add_int(truth, "domainNumber", simulation->settings.domains[domain]);
    return truth;
}

static void add_links(struct sim_truth *truth, const struct sim_trail *trail)
{
    add_times(truth, "links", trail->link, trail->links);
    add_times(truth, "residence", trail->residence, trail->bridges);
}

static ptpmon_time sync_error(const struct sim_sync *sync)
{
    return ptpmon_time_of_scaled(sync->stamp - sync->reading - sync->trail.error);
}

static ptpmon_time sync_correction(const struct sim_sync *sync)
{
    return ptpmon_time_add(ptpmon_time_of_scaled(sync->correction_sync),
                           ptpmon_time_of_scaled(sync->correction_follow_up));
}

/* What exact computing gives of the stamps and corrections that there are. */
static ptpmon_time master_to_slave(const struct sim_sync *sync)
{
    ptpmon_time time = ptpmon_time_add(sync->offset_source, ptpmon_time_of_scaled(sync->forward));
    return ptpmon_time_add(ptpmon_time_subtract(time, sync_correction(sync)), sync_error(sync));
}

static ptpmon_time magnitude(ptpmon_time time)
{
    return time.ns < 0 ? ptpmon_time_minus(time) : time;
}

void ptpmon_sim_truth_sync(struct sim_port *port, const struct sim_sync *sync, uint8_t domain, bool usable)
{
    struct sim_truth *truth = begin_exchange(port, "sync", domain);
    if (truth == NULL)
        return;
    add_identity(truth, "source", &sync->source);
    add_int(truth, "sequenceId", sync->sequenceId);
    add_int(truth, "cycle", sync->cycle);
    add_bool(truth, "two_step", sync->two_step);
    add_scaled(truth, "received", sync->at);
    add_time(truth, "t2", sim_clock_time(&port->node->clock, sync->reading));
    add_time(truth, "offset", sync->offset);
    add_time(truth, "offset_source", sync->offset_source);
    add_scaled(truth, "forward", sync->forward);
    add_scaled(truth, "corrected", sync->trail.corrected);
    if (usable) {
        add_time(truth, "correction", sync_correction(sync));
        add_time(truth, "masterToSlave", master_to_slave(sync));
    } else {
        add_null(truth, "correction");
        add_null(truth, "masterToSlave");
    }
    add_time(truth, "stamp_error", sync_error(sync));
    add_time(truth, "bound", magnitude(sync_error(sync)));
    add_int(truth, "rateOffset", sync->ratio);
    add_links(truth, &sync->trail);
    end_line(truth);
}

/* Half the forward and reverse time that no correction takes away, and half their difference. */
static void add_path(struct sim_truth *truth, const struct sim_sync *sync, sim_time reverse, sim_time corrected,
                     ptpmon_time offset_then, ptpmon_time slave_to_master, ptpmon_time error)
{
    sim_time forward = sync->forward - sync->trail.corrected;
    reverse -= corrected;
    ptpmon_time moved = ptpmon_time_subtract(sync->offset_source, offset_then);
    ptpmon_time delay = ptpmon_time_half(ptpmon_time_add(master_to_slave(sync), slave_to_master));
    add_int(truth, "syncSequenceId", sync->sequenceId);
    add_time(truth, "meanPathDelay", ptpmon_time_half(ptpmon_time_of_scaled(forward + reverse)));
    add_time(truth, "asymmetry", ptpmon_time_half(ptpmon_time_of_scaled(forward - reverse)));
    add_time(truth, "computedDelay", delay);
    add_time(truth, "computedOffset", ptpmon_time_subtract(master_to_slave(sync), delay));
    /* Stamps, how far the offset moved in between, what corrections were off. */
    ptpmon_time bound = ptpmon_time_add(magnitude(sync_error(sync)), magnitude(error));
    bound = ptpmon_time_add(bound, magnitude(moved));
    bound = ptpmon_time_add(
        bound, magnitude(ptpmon_time_subtract(sync_correction(sync), ptpmon_time_of_scaled(sync->trail.corrected))));
    add_time(truth, "bound", bound);
}

void ptpmon_sim_truth_delay(struct sim_port *port, const struct sim_truth_delay *delay)
{
    const struct sim_message *response = delay->response;
    const struct sim_trail *trail = &response->trail;
    struct sim_truth *truth = begin_exchange(port, "e2e", response->domain);
    if (truth == NULL)
        return;
    ptpmon_time correction = ptpmon_time_of_scaled(response->correction);
    ptpmon_time error = ptpmon_time_of_scaled(trail->error);
    ptpmon_time reverse = ptpmon_time_subtract(ptpmon_time_of_scaled(delay->reverse), delay->offset);
    ptpmon_time slave_to_master = ptpmon_time_add(ptpmon_time_subtract(reverse, correction), error);
    add_identity(truth, "source", &response->source);
    add_identity(truth, "requesting", &response->requesting);
    add_int(truth, "sequenceId", response->sequenceId);
    add_int(truth, "cycle", response->cycle);
    add_time(truth, "t3", sim_clock_time(&port->node->clock, trail->requester));
    add_time(truth, "offset_request", delay->offset);
    add_scaled(truth, "reverse", delay->reverse);
    add_scaled(truth, "corrected", trail->corrected);
    add_time(truth, "correction", correction);
    add_time(truth, "slaveToMaster", slave_to_master);
    add_time(truth, "stamp_error", error);
    if (delay->newest != NULL)
        add_path(truth, delay->newest, delay->reverse, trail->corrected, delay->offset, slave_to_master,
                 ptpmon_time_add(magnitude(error),
                                 magnitude(ptpmon_time_subtract(correction, ptpmon_time_of_scaled(trail->corrected)))));
    add_links(truth, trail);
    end_line(truth);
}

void ptpmon_sim_truth_pdelay(struct sim_port *port, const struct sim_peer *peer, uint8_t domain, bool two_step,
                             int64_t correction, int64_t correction_follow_up)
{
    bool gptp = port->node->simulation->settings.profile == SIM_GPTP;
    struct sim_truth *truth = begin_exchange(port, gptp ? "p2p-as" : "p2p", domain);
    if (truth == NULL)
        return;
    const struct sim_peer_trail *trail = &peer->trail;
    const ptpmon_port_identity requesting = ptpmon_sim_port_identity(port);
    const sim_time *ours = trail->on_requester, *theirs = trail->on_responder, *error = trail->error;
    sim_time forward = ours[1] - ours[0], reverse = ours[3] - ours[2];
    sim_time turnaround = theirs[2] - theirs[1], turnaround_ours = ours[2] - ours[1];
    sim_time round = error[3] - error[0], there = error[2] - error[1];
    sim_time bound = (round < 0 ? -round : round) + (there < 0 ? -there : there) + 1;
    add_identity(truth, "source", &peer->responder);
    add_identity(truth, "requesting", &requesting);
    add_int(truth, "sequenceId", peer->sequenceId);
    add_int(truth, "cycle", peer->cycle);
    add_bool(truth, "two_step", two_step);
    add_time(truth, "t1", sim_clock_time(trail->requester, ours[0]));
    add_time(truth, "t2", sim_clock_time(trail->responder, theirs[1]));
    add_time(truth, "t3", sim_clock_time(trail->responder, theirs[2]));
    add_time(truth, "t4", sim_clock_time(trail->requester, ours[3]));
    add_scaled(truth, "forward", forward);
    add_scaled(truth, "reverse", reverse);
    add_scaled(truth, "turnaround", turnaround);
    add_scaled(truth, "turnaround_requester", turnaround_ours);
    add_scaled(truth, "correction_response", correction);
    add_scaled(truth, "correction_response_follow_up", correction_follow_up);
    add_time(truth, "meanLinkDelay", ptpmon_time_half(ptpmon_time_of_scaled(forward + reverse)));
    add_time(truth, "asymmetry", ptpmon_time_half(ptpmon_time_of_scaled(reverse - forward)));
    add_int(truth, "neighborRateOffset", sim_ratio_offset(trail->responder->rate, trail->requester->rate));
    add_times(truth, "stamp_errors", error, 4);
    add_time(truth, "bound", ptpmon_time_of_scaled(bound));
    end_line(truth);
}

static sim_time whole_ns(sim_time time)
{
    return sim_floor_divide(time, SIM_NS) * SIM_NS;
}

void ptpmon_sim_truth_transit(struct sim_port *out, const struct sim_message *message, sim_time added)
{
    sim_time residence = message->reading - message->in_reading;
    struct sim_truth *truth = begin_exchange(out, "transit", message->domain);
    if (truth == NULL)
        return;
    add_int(truth, "messageType", message->type);
    add_identity(truth, "source", &message->source);
    add_int(truth, "sequenceId", message->sequenceId);
    add_int(truth, "cycle", message->cycle);
    add_string(truth, "from", message->in->name);
    add_scaled(truth, "residence", residence);
    add_scaled(truth, "stamp_error", whole_ns(message->stamp) - whole_ns(message->entered) - residence);
    add_scaled(truth, "added", added);
    end_line(truth);
}

void ptpmon_sim_truth_fault(struct ptpmon_simulation *simulation, const struct sim_fault *fault,
                            const struct sim_port *port, const struct sim_message *message)
{
    struct sim_truth *truth = simulation->truth;
    if (simulation->settings.truth == SIM_TRUTH_NONE)
        return;
    begin_line(truth, "fault");
    add_string(truth, "fault", ptpmon_sim_fault_name(fault->kind));
    add_scaled(truth, "time", simulation->now);
    if (port != NULL)
        add_string(truth, "port", port->name);
    else if (fault->where[0] != 0)
        add_string(truth, "where", fault->where);
    if (fault->size != 0)
        add_scaled(truth, "size", fault->size);
    if (message != NULL) {
        add_int(truth, "messageType", message->type);
        add_int(truth, "domainNumber", simulation->settings.domains[message->domain]);
        add_identity(truth, "source", &message->source);
        add_int(truth, "sequenceId", message->sequenceId);
        add_int(truth, "cycle", message->cycle);
    }
    end_line(truth);
}

static struct sim_truth *begin_clock_line(struct sim_node *node, const char *type, const char *by)
{
    struct ptpmon_simulation *simulation = node->simulation;
    if (simulation->settings.truth == SIM_TRUTH_NONE)
        return NULL;
    begin_line(simulation->truth, type);
    add_string(simulation->truth, "node", node->name);
    add_string(simulation->truth, "by", by);
    add_scaled(simulation->truth, "time", simulation->now);
    add_int(simulation->truth, "event_time", (int64_t)ptpmon_sim_event_time(node, simulation->now));
    return simulation->truth;
}

void ptpmon_sim_truth_step(struct sim_node *node, const char *which, sim_time size, const char *by)
{
    struct sim_truth *truth = begin_clock_line(node, "clock_step", by);
    if (truth == NULL)
        return;
    add_string(truth, "clock", which);
    add_scaled(truth, "size", size);
    end_line(truth);
}

void ptpmon_sim_truth_rate(struct sim_node *node, int64_t change, const char *by)
{
    struct sim_truth *truth = begin_clock_line(node, "rate_change", by);
    if (truth == NULL)
        return;
    add_int(truth, "rateOffset", change >> 7);
    end_line(truth);
}

/* ---- The file ---- */

static void add_settings(struct sim_truth *truth)
{
    open_nested(truth, "settings", "{");
    for (size_t i = 0; i < ptpmon_simulation_setting_count(); i++)
        add_string(truth, ptpmon_simulation_setting_at(i)->name,
                   ptpmon_sim_settings_text(&truth->simulation->settings, i));
    close_nested(truth, "}");
}

static void add_node(struct sim_truth *truth, const struct sim_node *node)
{
    static const char *const roles[] = {"grandmaster", "bridge", "client", "responder"};
    open_nested(truth, NULL, "{");
    add_string(truth, "name", node->name);
    add_string(truth, "role", roles[node->role]);
    add_clock_identity(truth, "clockIdentity", node->identity);
    open_nested(truth, "ports", "[");
    for (uint32_t i = 0; i < node->port_count; i++) {
        const ptpmon_port_identity identity = ptpmon_sim_port_identity(&node->ports[i]);
        open_nested(truth, NULL, "{");
        add_string(truth, "name", node->ports[i].name);
        add_identity(truth, "portIdentity", &identity);
        add_bool(truth, "observed", node->ports[i].tap != NULL);
        close_nested(truth, "}");
    }
    close_nested(truth, "]");
    close_nested(truth, "}");
}

static void write_header(struct sim_truth *truth)
{
    const struct ptpmon_simulation *simulation = truth->simulation;
    begin_line(truth, "header");
    add_int(truth, "schema", 1);
    add_string(truth, "version", PTPMON_VERSION);
    add_int(truth, "start_tai_ns", simulation->start_tai_ns);
    add_settings(truth);
    open_nested(truth, "nodes", "[");
    for (uint32_t i = 0; i < simulation->node_count; i++)
        add_node(truth, &simulation->nodes[i]);
    close_nested(truth, "]");
    end_line(truth);
}

ptpmon_status ptpmon_sim_truth_open(struct ptpmon_simulation *simulation, const char *path)
{
    size_t size = strlen(path) + sizeof ".truth.jsonl";
    struct sim_truth *truth = calloc(1, sizeof *truth + size);
    if (truth == NULL)
        return ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory to simulate; close other programs", path);
    truth->simulation = simulation;
    snprintf(truth->path, size, "%s.truth.jsonl", path);
    truth->file = ptpmon_file_create(truth->path, true);
    if (truth->file < 0) {
        ptpmon_status status = ptpmon_fail_errno(truth->path, "write the truth", errno);
        free(truth);
        return status;
    }
    simulation->truth = truth;
    write_header(truth);
    return PTPMON_OK;
}

uint64_t ptpmon_sim_truth_exchanges(const struct sim_truth *truth)
{
    return truth->exchanges;
}

ptpmon_status ptpmon_sim_truth_close(struct sim_truth *truth, bool is_whole)
{
    if (truth == NULL)
        return PTPMON_OK;
    begin_line(truth, "end");
    add_bool(truth, "whole", is_whole);
    add_scaled(truth, "time", truth->simulation->now);
    add_int(truth, "frames", (int64_t)truth->simulation->frames);
    add_int(truth, "events", (int64_t)truth->simulation->events);
    add_int(truth, "exchanges", (int64_t)truth->exchanges);
    end_line(truth);
    write_lines(truth);
    if (close(truth->file) != 0 && truth->error == 0)
        truth->error = errno;
    ptpmon_status status = status_of(truth);
    free(truth);
    return status;
}
