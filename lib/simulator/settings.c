/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include "error.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum value_kind { TIME, TIMES, PPM, CHANCE, NUMBER, INTERVAL, WORD, DOMAINS, TEXT, FAULT };

struct entry {
    ptpmon_simulation_setting shown;
    enum value_kind kind;
    size_t at; /* in struct sim_settings; WORD: an int64_t that is the word's place */
    int64_t minimum, maximum;
};

#define AT(member) offsetof(struct sim_settings, member)
#define WORDS(name, member, words, first, meaning) \
    { \
        {name, words, first, meaning, false}, WORD, AT(member), 0, 0 \
    }
#define SPAN(name, member, first, minimum, maximum, meaning) \
    { \
        {name, "TIME", first, meaning, false}, TIME, AT(member), minimum, maximum \
    }
/* All of them together, with a day of duration and with steps, stay within sim_time. */
#define OFFSET_MAX       (6 * 3600 * SIM_S)
#define SMALL_OFFSET_MAX (600 * SIM_S)
#define DURATION_MAX     (24 * 3600 * SIM_S)
#define PARTS(name, member, meaning) \
    { \
        {name, "PPM", "0", meaning, false}, PPM, AT(member), -SIM_PPM_MAX, SIM_PPM_MAX \
    }
#define LOG(name, member, meaning) \
    { \
        {name, "LOG", "auto", meaning, false}, INTERVAL, AT(member), -7, 5 \
    }

static const struct entry table[] = {
    WORDS("profile", profile, "e2e|p2p|gptp", "gptp",
          "IEEE 1588 with Delay_Req or with Pdelay_Req, or IEEE 802.1AS; sets what is auto"),
    {{"duration", "TIME", "10s", "how long messages are sent", false}, TIME, AT(duration), SIM_MS, DURATION_MAX},
    {{"seed", "N", "1", "of all that is random", false}, NUMBER, AT(seed), 0, INT64_MAX},
    {{"start", "N", "1767225600", "UTC at the start, seconds since 1970", false},
     NUMBER,
     AT(start),
     INT64_C(100000000),
     INT64_C(4000000000)},
    {{"bridges", "N", "0", "between grandmaster and client, 0 to 8", false}, NUMBER, AT(bridges), 0, SIM_BRIDGES_MAX},
    WORDS("bridge", bridge, "auto|e2e-tc|p2p-tc|boundary|gptp|switch", "auto",
          "what they are: transparent, boundary clock, time-aware system, or one that corrects nothing"),
    WORDS("step", one_step, "two|one", "two", "Sync with Follow_Up, or with its time inside; Pdelay_Resp likewise"),
    WORDS("bridge-step", bridge_one_step, "two|one", "two",
          "transparent clocks correct the message that follows, or the event message itself"),
    WORDS("transport", transport, "auto|ethernet|udp4|udp6", "auto", "of all messages; auto: ethernet, e2e udp4"),
    WORDS("unicast", unicast, "no|yes", "no", "messages are sent to the other port's own address"),
    {{"vlan", "N", "0", "VLAN tag of all frames; 0 = none", false}, NUMBER, AT(vlan), 0, 4094},
    {{"pcp", "N", "0", "priority in that tag, 0 to 7", false}, NUMBER, AT(pcp), 0, 7},
    {{"domains", "N[,N...]", "0", "domainNumbers, up to 8, each from the same grandmaster", false},
     DOMAINS,
     AT(domains),
     0,
     255},
    SPAN("domain-offset", domain_offset, "0s", -SMALL_OFFSET_MAX, SMALL_OFFSET_MAX,
         "each domain's time is ahead of the one before by this"),
    LOG("sync-interval", sync_interval, "log2 of seconds, -7 to 5; auto: 0, gptp -3"),
    LOG("announce-interval", announce_interval, "likewise; auto: 1, gptp 0"),
    LOG("delay-interval", delay_interval, "likewise, of Delay_Req; auto: 0"),
    LOG("pdelay-interval", pdelay_interval, "likewise, of Pdelay_Req; auto: 0"),
    SPAN("jitter", jitter, "0s", 0, SIM_S, "how far messages are off these intervals, at most"),
    SPAN("offset", offset, "0s", -OFFSET_MAX, OFFSET_MAX, "client's clock ahead of the grandmaster's at the start"),
    PARTS("drift", drift, "client's clock: how much too fast"),
    PARTS("wander", wander, "client's clock: sigma of the change of its frequency in a second"),
    PARTS("gm-drift", gm_drift, "grandmaster's clock: how much too fast"),
    PARTS("gm-wander", gm_wander, "grandmaster's clock: likewise"),
    SPAN("bridge-offset", bridge_offset, "0s", -SMALL_OFFSET_MAX, SMALL_OFFSET_MAX,
         "bridge N's clock is ahead by N times this"),
    PARTS("bridge-drift", bridge_drift, "bridges 1, 3, 5, 7 are too fast by this, the others too slow"),
    PARTS("bridge-wander", bridge_wander, "bridges' clocks: likewise"),
    WORDS("client", client, "free|servo", "free", "whether the client's clock runs free or follows the master"),
    WORDS("client-epoch", client_epoch, "tai|utc|zero", "tai",
          "client's NIC counts from 1970, TAI or UTC, or from its start"),
    {{"link-delay", "TIME[,TIME...]", "500ns",
      "mean of both directions; one for each link from the grandmaster on, the last for the rest", false},
     TIMES,
     AT(link_delay),
     0,
     SIM_S},
    {{"asymmetry", "TIME[,TIME...]", "0ns", "delayAsymmetry: master to slave takes mean + this, slave to master - this",
      false},
     TIMES,
     AT(asymmetry),
     -SIM_S,
     SIM_S},
    SPAN("residence", residence, "10us", SIM_US, SIM_S, "in a bridge, without waiting"),
    WORDS("queue", queue, "none|uniform|exponential|gaussian", "none", "how long frames wait for other traffic"),
    SPAN("queue-time", queue_time, "1us", 0, SIM_S, "mean of that"),
    {{"load", "P", "1", "how many frames wait, 0 to 1", false}, CHANCE, AT(load), 0, 1},
    WORDS("queue-at", queue_at, "both|links|bridges", "both", "where they wait"),
    SPAN("granularity", granularity, "1ns", 1, SIM_S,
         "of the NICs' stamps, rounded down; below 1 ns messages carry the rest"),
    SPAN("stamp-error", stamp_error, "0ns", 0, SIM_S, "of these stamps: sigma, of stamp-noise=uniform the bound"),
    WORDS("stamp-noise", stamp_noise, "gaussian|uniform", "gaussian", "how that is distributed"),
    WORDS("stamps", stamps, "hardware|software|both", "hardware",
          "what sent frames are stamped by; software: no frame has a hardware stamp"),
    SPAN("host-latency", host_latency, "10us", 0, 100 * SIM_MS, "from NIC to network stack, and back, about"),
    SPAN("driver-latency", driver_latency, "1us", 0, 100 * SIM_MS, "from network stack to driver side, about"),
    SPAN("reading-error", reading_error, "100ns", 0, SIM_S, "clocks are read together with this uncertainty"),
    SPAN("host-offset", host_offset, "0s", -OFFSET_MAX, OFFSET_MAX, "hosts' UTC ahead of true UTC"),
    PARTS("host-drift", host_drift, "hosts' clocks: how much too fast"),
    SPAN("response-delay", response_delay, "0s", 0, SIM_S, "a Pdelay_Resp waits for this, too"),
    WORDS("turnaround-in", turnaround_in_correction, "timestamps|correction", "timestamps",
          "how a two-step IEEE 1588 responder tells its turnaround"),
    {{"observe", "all|PORT[,PORT...]", "all", "ports whose files are written: gm, bridge1-up, bridge1-down... client",
      false},
     TEXT,
     AT(observe),
     0,
     sizeof((struct sim_settings *)0)->observe},
    WORDS("truth", truth, "full|faults|none", "full",
          "what is written of the truth: all, no exchanges, the header only"),
    {{"fault", "NAME[:KEY=VALUE,...]", "", "something that goes wrong", true}, FAULT, 0, 0, 0},
};
#define SETTINGS (sizeof table / sizeof *table)
_Static_assert(SETTINGS <= sizeof((struct sim_settings *)0)->texts / sizeof(char *), "each has room for its text");

size_t ptpmon_simulation_setting_count(void)
{
    return SETTINGS;
}

const ptpmon_simulation_setting *ptpmon_simulation_setting_at(size_t index)
{
    return index < SETTINGS ? &table[index].shown : NULL;
}

/* ---- Reading ---- */

static void *place(struct sim_settings *settings, const struct entry *entry)
{
    return (char *)settings + entry->at;
}

static bool in_range(const struct entry *entry, int64_t value)
{
    return value >= entry->minimum && value <= entry->maximum;
}

static bool read_number(const char *text, size_t length, int64_t *value)
{
    char copy[24], *end;
    if (length == 0 || length >= sizeof copy)
        return false;
    memcpy(copy, text, length);
    copy[length] = 0;
    errno = 0;
    *value = strtoll(copy, &end, 10);
    return errno == 0 && *end == 0 && copy[0] != ' ';
}

/* The place of the word between the | of the table. */
static bool read_word(const char *words, const char *value, int64_t *index)
{
    *index = 0;
    for (const char *word = words;; word++) {
        size_t length = strcspn(word, "|");
        if (strlen(value) == length && memcmp(word, value, length) == 0)
            return true;
        word += length;
        if (*word == 0)
            return false;
        ++*index;
    }
}

static bool read_times(const struct entry *entry, const char *value, sim_time times[SIM_LINKS_MAX])
{
    size_t count = 0;
    sim_time read[SIM_LINKS_MAX];
    for (;; value++) {
        size_t length = strcspn(value, ",");
        if (count == SIM_LINKS_MAX || !ptpmon_sim_parse_time(value, length, &read[count]) ||
            !in_range(entry, read[count]))
            return false;
        count++;
        value += length;
        if (*value == 0)
            break;
    }
    for (size_t i = 0; i < SIM_LINKS_MAX; i++)
        times[i] = read[i < count ? i : count - 1];
    return true;
}

static bool read_domains(struct sim_settings *settings, const struct entry *entry, const char *value)
{
    uint8_t domains[SIM_DOMAINS_MAX] = {0};
    size_t count = 0;
    for (;; value++) {
        size_t length = strcspn(value, ",");
        int64_t number;
        if (count == SIM_DOMAINS_MAX || !read_number(value, length, &number) || !in_range(entry, number) ||
            memchr(domains, (int)number, count) != NULL)
            return false;
        domains[count++] = (uint8_t)number;
        value += length;
        if (*value == 0)
            break;
    }
    memcpy(settings->domains, domains, count);
    settings->domain_count = count;
    return true;
}

static bool read_value(struct sim_settings *settings, const struct entry *entry, const char *value)
{
    int64_t number = 0, *at = place(settings, entry);
    uint64_t chance;
    bool fits = false;
    switch (entry->kind) {
    case TIMES:
        return read_times(entry, value, place(settings, entry));
    case DOMAINS:
        return read_domains(settings, entry, value);
    case TEXT:
        if (strlen(value) >= (size_t)entry->maximum)
            return false;
        strcpy(place(settings, entry), value);
        return true;
    case TIME:
        fits = ptpmon_sim_parse_time(value, strlen(value), &number) && in_range(entry, number);
        break;
    case PPM:
        fits = ptpmon_sim_parse_ppm(value, strlen(value), &number);
        break;
    case CHANCE:
        fits = ptpmon_sim_parse_chance(value, strlen(value), &chance);
        number = fits ? (int64_t)chance : 0;
        break;
    case NUMBER:
        fits = read_number(value, strlen(value), &number) && in_range(entry, number);
        break;
    case INTERVAL:
        if (strcmp(value, "auto") == 0) {
            number = SIM_AUTO;
            fits = true;
        } else {
            fits = read_number(value, strlen(value), &number) && in_range(entry, number);
        }
        break;
    case WORD:
        fits = read_word(entry->shown.value, value, &number);
        break;
    case FAULT:
        break;
    }
    if (fits)
        *at = number;
    return fits;
}

/* ---- What is said of a value that does not fit ---- */

/* "1s", "100ms", "6h"; "more than 0" of the least time that there is. */
static int write_time(char *text, size_t size, sim_time time)
{
    static const struct unit {
        const char *name;
        sim_time length;
    } units[] = {{"h", 3600 * SIM_S}, {"s", SIM_S}, {"ms", SIM_MS}, {"us", SIM_US}};
    size_t i = 0;
    if (time == 1)
        return snprintf(text, size, "more than 0");
    while (i < sizeof units / sizeof *units && time % units[i].length != 0)
        i++;
    return i < sizeof units / sizeof *units && time != 0
               ? snprintf(text, size, "%" PRId64 "%s", time / units[i].length, units[i].name)
               : snprintf(text, size, "%" PRId64, time / SIM_NS);
}

/* ", 0 to 1s": from where to where; nothing of what is no number. */
static const char *write_range(const struct entry *entry, char *text, size_t size)
{
    int length = 0;
    text[0] = 0;
    switch (entry->kind) {
    case TIME:
    case TIMES:
        length = snprintf(text, size, ", ");
        length += write_time(text + length, size - (size_t)length, entry->minimum);
        length += snprintf(text + length, size - (size_t)length, " to ");
        (void)write_time(text + length, size - (size_t)length, entry->maximum);
        break;
    case PPM:
    case CHANCE:
    case NUMBER:
    case DOMAINS:
        snprintf(text, size, ", %" PRId64 " to %" PRId64, entry->minimum, entry->maximum);
        break;
    case INTERVAL:
        snprintf(text, size, ", %" PRId64 " to %" PRId64 ", or auto", entry->minimum, entry->maximum);
        break;
    case WORD:
    case TEXT:
    case FAULT:
        break;
    }
    return text;
}

static ptpmon_status refuse_value(const struct entry *entry, const char *value)
{
    char range[80];
    const ptpmon_simulation_setting *shown = &entry->shown;
    if ((entry->kind == TIME || entry->kind == TIMES) && ptpmon_sim_lacks_unit(value))
        return ptpmon_fail(PTPMON_INVALID, "%s: `%s` has no unit; give a number and " SIM_UNITS ", such as %s",
                           shown->name, value, shown->default_value);
    return ptpmon_fail(PTPMON_INVALID, "%s: `%s` does not fit; give %s%s (%s)", shown->name, value, shown->value,
                       write_range(entry, range, sizeof range), shown->meaning);
}

static ptpmon_status add_fault(struct sim_settings *settings, const char *value)
{
    char problem[192];
    if (settings->fault_count == SIM_FAULTS_MAX)
        return ptpmon_fail(PTPMON_INVALID, "fault %s: more than %d faults; leave some out", value, SIM_FAULTS_MAX);
    if (!ptpmon_sim_parse_fault(value, &settings->faults[settings->fault_count], problem, sizeof problem))
        return ptpmon_fail(PTPMON_INVALID, "fault %s: %s; docs/simulator.md lists the faults and what each takes",
                           value, problem);
    settings->fault_count++;
    return PTPMON_OK;
}

/* Keeps the text for the header of the truth. */
static ptpmon_status keep_text(struct sim_settings *settings, size_t index, const char *value)
{
    const char *before = table[index].shown.repeatable && settings->texts[index] != NULL ? settings->texts[index] : "";
    size_t size = strlen(before) + strlen(value) + 2;
    char *text = malloc(size);
    if (text == NULL)
        return ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory for a setting; close other programs",
                           table[index].shown.name);
    snprintf(text, size, "%s%s%s", before, before[0] != 0 ? " " : "", value);
    free(settings->texts[index]);
    settings->texts[index] = text;
    return PTPMON_OK;
}

ptpmon_status ptpmon_sim_settings_set(struct sim_settings *settings, const char *name, const char *value)
{
    size_t index = 0;
    while (index < SETTINGS && strcmp(table[index].shown.name, name) != 0)
        index++;
    if (index == SETTINGS)
        return ptpmon_fail(PTPMON_INVALID, "%s: no such setting; docs/simulator.md lists them", name);
    const struct entry *entry = &table[index];
    if (entry->kind == FAULT) {
        ptpmon_status status = add_fault(settings, value);
        if (status != PTPMON_OK)
            return status;
    } else if (!read_value(settings, entry, value)) {
        return refuse_value(entry, value);
    }
    return keep_text(settings, index, value);
}

void ptpmon_sim_settings_init(struct sim_settings *settings)
{
    *settings = (struct sim_settings){0};
    for (size_t i = 0; i < SETTINGS; i++) {
        if (table[i].kind != FAULT)
            (void)read_value(settings, &table[i], table[i].shown.default_value);
    }
}

void ptpmon_sim_settings_free(struct sim_settings *settings)
{
    for (size_t i = 0; i < SETTINGS; i++)
        free(settings->texts[i]);
}

const char *ptpmon_sim_settings_text(const struct sim_settings *settings, size_t index)
{
    return settings->texts[index] != NULL ? settings->texts[index] : table[index].shown.default_value;
}

/* ---- What goes together ---- */

static void choose(int64_t *value, int64_t automatic, int64_t chosen)
{
    if (*value == automatic)
        *value = chosen;
}

static ptpmon_status check_bridges(const struct sim_settings *settings)
{
    static const bool goes[][SIM_SWITCH + 1] = {
        [SIM_E2E] = {[SIM_E2E_TC] = true, [SIM_BOUNDARY] = true, [SIM_SWITCH] = true},
        [SIM_P2P] = {[SIM_P2P_TC] = true, [SIM_BOUNDARY] = true, [SIM_SWITCH] = true},
        [SIM_GPTP] = {[SIM_TIME_AWARE] = true, [SIM_SWITCH] = true},
    };
    bool transparent = settings->bridge == SIM_E2E_TC || settings->bridge == SIM_P2P_TC;
    if (!goes[settings->profile][settings->bridge])
        return ptpmon_fail(PTPMON_INVALID,
                           "bridge: this kind does not go with the profile; e2e has e2e-tc, boundary, switch; p2p has "
                           "p2p-tc, boundary, switch; gptp has gptp, switch");
    if (settings->bridges > 0 && transparent && settings->one_step && !settings->bridge_one_step)
        return ptpmon_fail(PTPMON_INVALID,
                           "bridge-step: two-step transparent clocks need two-step messages; set bridge-step=one");
    return PTPMON_OK;
}

/* Those for links that there are not would do nothing. */
static ptpmon_status check_counts(const struct sim_settings *settings)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        const char *text = ptpmon_sim_settings_text(settings, i);
        int64_t count = 1;
        for (const char *at = text; table[i].kind == TIMES && (at = strchr(at, ',')) != NULL; at++)
            count++;
        if (count > settings->bridges + 1)
            return ptpmon_fail(PTPMON_INVALID,
                               "%s: `%s` is for %d links, and there are %d; give fewer, or more bridges",
                               table[i].shown.name, text, (int)count, (int)settings->bridges + 1);
    }
    return PTPMON_OK;
}

static ptpmon_status check_links(const struct sim_settings *settings)
{
    for (int64_t i = 0; i <= settings->bridges; i++) {
        sim_time asymmetry = settings->asymmetry[i];
        if ((asymmetry < 0 ? -asymmetry : asymmetry) > settings->link_delay[i])
            return ptpmon_fail(PTPMON_INVALID,
                               "asymmetry: link %d would be passed before the frame is sent; give less than link-delay",
                               (int)i + 1);
    }
    return PTPMON_OK;
}

static ptpmon_status check_profile(const struct sim_settings *settings)
{
    if (settings->profile == SIM_GPTP && settings->transport != SIM_ETHERNET)
        return ptpmon_fail(PTPMON_INVALID, "transport: gptp is over ethernet; choose that, or profile=p2p");
    if (settings->profile == SIM_GPTP && settings->unicast)
        return ptpmon_fail(PTPMON_INVALID, "unicast: not with gptp; leave it out, or choose profile=e2e");
    if (settings->profile != SIM_P2P && settings->turnaround_in_correction)
        return ptpmon_fail(PTPMON_INVALID, "turnaround-in: for profile=p2p only; leave it out");
    if (settings->pcp != 0 && settings->vlan == 0)
        return ptpmon_fail(PTPMON_INVALID, "pcp: frames have no tag that it could be in; set vlan, too");
    return PTPMON_OK;
}

ptpmon_status ptpmon_sim_settings_resolve(struct sim_settings *settings)
{
    static const enum sim_bridge bridges[] = {SIM_E2E_TC, SIM_P2P_TC, SIM_TIME_AWARE};
    bool gptp = settings->profile == SIM_GPTP;
    choose(&settings->bridge, SIM_BRIDGE_AUTO, bridges[settings->profile]);
    choose(&settings->transport, SIM_TRANSPORT_AUTO, settings->profile == SIM_E2E ? SIM_UDP4 : SIM_ETHERNET);
    choose(&settings->sync_interval, SIM_AUTO, gptp ? -3 : 0);
    choose(&settings->announce_interval, SIM_AUTO, gptp ? 0 : 1);
    choose(&settings->delay_interval, SIM_AUTO, 0);
    choose(&settings->pdelay_interval, SIM_AUTO, 0);
    ptpmon_status status = check_profile(settings);
    if (status == PTPMON_OK)
        status = check_bridges(settings);
    if (status == PTPMON_OK)
        status = check_counts(settings);
    return status == PTPMON_OK ? check_links(settings) : status;
}
