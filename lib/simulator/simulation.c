/* SPDX-License-Identifier: MIT */
#include "network.h"

#include "earlier.h"
#include "error.h"
#include "tap.h"
#include "truth.h"

#include <stdlib.h>
#include <string.h>

/* Asking whether to go on for each item would take longer than the item. */
#define ASK_EVERY 4096

/* What is under way at the end comes to its end; then it is quiet for this long. */
#define QUIET (20 * SIM_MS)

ptpmon_status ptpmon_simulation_open(ptpmon_simulation **simulation)
{
    ptpmon_simulation *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return ptpmon_fail(PTPMON_NO_MEMORY, "simulation: no memory; close other programs");
    ptpmon_sim_settings_init(&opened->settings);
    *simulation = opened;
    return PTPMON_OK;
}

void ptpmon_simulation_close(ptpmon_simulation *simulation)
{
    if (simulation == NULL)
        return;
    ptpmon_sim_settings_free(&simulation->settings);
    free(simulation);
}

ptpmon_status ptpmon_simulation_set(ptpmon_simulation *simulation, const char *name, const char *value)
{
    if (simulation->ran)
        return ptpmon_fail(PTPMON_INVALID, "%s: the simulation has run; open another one", name);
    return ptpmon_sim_settings_set(&simulation->settings, name, value);
}

/* ---- For those who take part ---- */

void ptpmon_sim_fail(struct ptpmon_simulation *simulation, ptpmon_status status)
{
    if (simulation->status == PTPMON_OK)
        simulation->status = status;
}

static bool put_down(struct ptpmon_simulation *simulation, const struct sim_item *item)
{
    if (ptpmon_sim_agenda_add(&simulation->agenda, item))
        return true;
    ptpmon_sim_fail(simulation, ptpmon_fail(PTPMON_NO_MEMORY, "simulation: no memory; close other programs"));
    return false;
}

bool ptpmon_sim_schedule(struct ptpmon_simulation *simulation, sim_time at, sim_action act, void *object,
                         void *argument)
{
    const struct sim_item item = {.at = at, .act = act, .object = object, .argument = argument};
    return put_down(simulation, &item);
}

void ptpmon_sim_schedule_timer(struct ptpmon_simulation *simulation, sim_time at, sim_action act, void *object)
{
    const struct sim_item item = {.at = at, .act = act, .object = object, .is_timer = true};
    (void)put_down(simulation, &item);
}

struct sim_message *ptpmon_sim_new_message(struct ptpmon_simulation *simulation, const struct sim_message *like)
{
    static const struct sim_message empty;
    struct sim_message *message = simulation->unused;
    if (message != NULL)
        simulation->unused = message->next;
    else if ((message = malloc(sizeof *message)) == NULL)
        ptpmon_sim_fail(simulation, ptpmon_fail(PTPMON_NO_MEMORY, "simulation: no memory; close other programs"));
    if (message != NULL)
        *message = like != NULL ? *like : empty;
    return message;
}

void ptpmon_sim_free_message(struct ptpmon_simulation *simulation, struct sim_message *message)
{
    message->next = simulation->unused;
    simulation->unused = message;
}

/* ---- Timers ---- */

static void read_clocks(void *object, void *argument)
{
    struct ptpmon_simulation *simulation = object;
    (void)argument;
    ptpmon_sim_schedule_timer(simulation, simulation->now + SIM_S, read_clocks, simulation);
    for (uint32_t i = 0; i < simulation->node_count; i++) {
        for (uint32_t j = 0; j < simulation->nodes[i].port_count; j++) {
            if (simulation->nodes[i].ports[j].tap != NULL)
                ptpmon_sim_tap_clocks(simulation->nodes[i].ports[j].tap);
        }
    }
}

static void start_instance(struct sim_instance *instance)
{
    struct sim_node *node = instance->node;
    struct ptpmon_simulation *simulation = node->simulation;
    bool is_boundary = node->role == SIM_BRIDGE && simulation->settings.bridge == SIM_BOUNDARY;
    sim_time later = instance->domain * SIM_MS + (sim_time)(node - simulation->nodes) * 7 * SIM_MS;
    if (node->role == SIM_GRANDMASTER || is_boundary) {
        ptpmon_sim_schedule_timer(simulation, 50 * SIM_MS + later, ptpmon_sim_announce_timer, instance);
        ptpmon_sim_schedule_timer(simulation, 100 * SIM_MS + later, ptpmon_sim_sync_timer, instance);
    }
    if (simulation->settings.profile == SIM_E2E && (node->role == SIM_CLIENT || is_boundary))
        ptpmon_sim_schedule_timer(simulation, 300 * SIM_MS + later, ptpmon_sim_delay_timer, instance);
}

static bool asks_neighbours(const struct sim_node *node)
{
    const struct sim_settings *settings = &node->simulation->settings;
    bool takes_part = node->role == SIM_CLIENT || node == &node->simulation->nodes[0] ||
                      (node->role == SIM_BRIDGE && settings->bridge != SIM_SWITCH);
    return settings->profile != SIM_E2E && takes_part;
}

static void start_timers(struct ptpmon_simulation *simulation)
{
    for (uint32_t i = 0; i < simulation->node_count; i++) {
        struct sim_node *node = &simulation->nodes[i];
        for (size_t j = 0; j < simulation->settings.domain_count; j++)
            start_instance(&node->instances[j]);
        for (uint32_t j = 0; asks_neighbours(node) && j < node->port_count; j++)
            ptpmon_sim_schedule_timer(simulation, (20 + 11 * (sim_time)i + 5 * (sim_time)j) * SIM_MS,
                                      ptpmon_sim_pdelay_timer, &node->ports[j]);
    }
    ptpmon_sim_schedule_timer(simulation, SIM_S, read_clocks, simulation);
}

/* ---- Files ---- */

/* Beside the row there may be guests, which faults bring. */
static bool is_in_row(const struct sim_port *port)
{
    const struct ptpmon_simulation *simulation = port->node->simulation;
    return port->node - simulation->nodes < simulation->settings.bridges + 2;
}

bool ptpmon_sim_is_observed(const struct sim_port *port)
{
    const char *list = port->node->simulation->settings.observe, *name = port->name;
    size_t length = strlen(name);
    if (strcmp(list, "all") == 0)
        return is_in_row(port);
    for (const char *at = list;; at++) {
        size_t word = strcspn(at, ",");
        if (word == length && memcmp(at, name, word) == 0)
            return true;
        at += word;
        if (*at == 0)
            return false;
    }
}

/* Every name of the list is a port. */
static ptpmon_status check_observed(struct ptpmon_simulation *simulation)
{
    const char *list = simulation->settings.observe;
    if (strcmp(list, "all") == 0)
        return PTPMON_OK;
    for (const char *at = list;; at++) {
        char name[SIM_NAME_SIZE] = "";
        size_t word = strcspn(at, ",");
        if (word < sizeof name)
            memcpy(name, at, word);
        const struct sim_port *port = ptpmon_sim_find_port(simulation, name);
        if (port == NULL || !is_in_row(port))
            return ptpmon_fail(PTPMON_INVALID,
                               "observe: `%.*s` is no port of this network; it has gm, client, and bridgeN-up, "
                               "bridgeN-down for each bridge N",
                               (int)(word < 40 ? word : 40), at);
        at += word;
        if (*at == 0)
            return PTPMON_OK;
    }
}

static ptpmon_status open_taps(struct ptpmon_simulation *simulation, uint32_t *count)
{
    ptpmon_status status = PTPMON_OK;
    uint32_t nodes = (uint32_t)simulation->settings.bridges + 2; /* without guests */
    for (uint32_t i = 0; i < nodes && status == PTPMON_OK; i++) {
        for (uint32_t j = 0; j < simulation->nodes[i].port_count && status == PTPMON_OK; j++) {
            struct sim_port *port = &simulation->nodes[i].ports[j];
            if (ptpmon_sim_is_observed(port)) {
                ++*count;
                status = ptpmon_sim_tap_open(port, simulation->path);
            }
        }
    }
    return status;
}

static ptpmon_status close_files(struct ptpmon_simulation *simulation, bool is_whole)
{
    ptpmon_status status = PTPMON_OK;
    for (uint32_t i = 0; i < simulation->node_count; i++) {
        for (uint32_t j = 0; j < simulation->nodes[i].port_count; j++) {
            ptpmon_status closed = ptpmon_sim_tap_close(simulation->nodes[i].ports[j].tap);
            simulation->nodes[i].ports[j].tap = NULL;
            if (status == PTPMON_OK)
                status = closed;
        }
    }
    ptpmon_status closed = ptpmon_sim_truth_close(simulation->truth, is_whole);
    simulation->truth = NULL;
    return status != PTPMON_OK ? status : closed;
}

/* ---- The run ---- */

/* False: it was ended early. */
static bool run(struct ptpmon_simulation *simulation, bool (*go_on)(void *context, double done), void *context)
{
    struct sim_item item;
    bool is_whole = true;
    for (uint64_t count = 1; ptpmon_sim_agenda_take(&simulation->agenda, &item); count++) {
        if (item.is_timer && item.at > simulation->end)
            continue;
        simulation->now = item.at;
        item.act(item.object, item.argument);
        if (simulation->status != PTPMON_OK)
            return false;
        if (go_on != NULL && is_whole && count % ASK_EVERY == 0 &&
            !go_on(context, (double)simulation->now / (double)simulation->settings.duration)) {
            is_whole = false;
            simulation->end = simulation->now;
        }
    }
    return is_whole;
}

static void finish(struct ptpmon_simulation *simulation)
{
    if (simulation->now < simulation->end)
        simulation->now = simulation->end;
    simulation->now += QUIET;
    for (uint32_t i = 0; i < simulation->node_count; i++) {
        for (size_t j = 0; j < simulation->settings.domain_count; j++)
            ptpmon_sim_sync_finish(&simulation->nodes[i].instances[j]);
    }
}

static void free_run(struct ptpmon_simulation *simulation)
{
    struct sim_item item;
    /* Of a run that failed: the arguments of all but timers are messages. */
    while (ptpmon_sim_agenda_take(&simulation->agenda, &item)) {
        if (!item.is_timer)
            free(item.argument);
    }
    ptpmon_sim_agenda_free(&simulation->agenda);
    while (simulation->unused != NULL) {
        struct sim_message *message = simulation->unused;
        simulation->unused = message->next;
        free(message);
    }
}

static ptpmon_status prepare(struct ptpmon_simulation *simulation, const char *path, uint32_t *ports)
{
    simulation->path = path;
    simulation->end = simulation->settings.duration;
    simulation->start_tai_ns = (simulation->settings.start + SIM_UTC_OFFSET) * NS_PER_SECOND;
    ptpmon_sim_build(simulation);
    /* What does not go together touches no file. */
    ptpmon_status status = check_observed(simulation);
    if (status == PTPMON_OK)
        status = ptpmon_sim_faults_check(simulation);
    if (status == PTPMON_OK)
        status = open_taps(simulation, ports);
    if (status == PTPMON_OK)
        status = ptpmon_sim_remove_earlier(simulation, path);
    return status == PTPMON_OK ? ptpmon_sim_truth_open(simulation, path) : status;
}

ptpmon_status ptpmon_simulation_run(ptpmon_simulation *simulation, const char *path,
                                    bool (*go_on)(void *context, double done), void *context,
                                    ptpmon_simulation_result *result)
{
    uint32_t ports = 0;
    if (simulation->ran)
        return ptpmon_fail(PTPMON_INVALID, "%s: the simulation has run; open another one", path);
    simulation->ran = true;
    ptpmon_status status = ptpmon_sim_settings_resolve(&simulation->settings);
    if (status != PTPMON_OK)
        return status;
    status = prepare(simulation, path, &ports);
    bool is_whole = false;
    if (status == PTPMON_OK) {
        start_timers(simulation);
        ptpmon_sim_faults_schedule(simulation);
        is_whole = run(simulation, go_on, context);
        finish(simulation);
        status = simulation->status;
    }
    uint64_t exchanges = simulation->truth != NULL ? ptpmon_sim_truth_exchanges(simulation->truth) : 0;
    ptpmon_status closed = close_files(simulation, is_whole);
    free_run(simulation);
    status = status != PTPMON_OK ? status : closed;
    if (status == PTPMON_OK && result != NULL)
        *result = (ptpmon_simulation_result){simulation->frames, simulation->events, exchanges, ports};
    return status;
}
