/* SPDX-License-Identifier: MIT */
/* Values of settings, from text to integers. */
#include "settings.h"

#include <stdio.h>
#include <string.h>

#define FRACTION_DIGITS 9
#define FRACTION_ONE    INT64_C(1000000000) /* 10^FRACTION_DIGITS */

static bool is_word(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

/* A decimal number with up to nine digits behind the point, in 10^-9; *used: characters. */
static bool parse_decimal(const char *text, size_t length, int64_t maximum, int64_t *value, size_t *used)
{
    size_t at = 0, digits = 0, behind = 0;
    bool negative = length > 0 && text[0] == '-', point = false;
    int64_t whole = 0, fraction = 0;
    for (at += negative || (length > 0 && text[0] == '+'); at < length; at++) {
        if (text[at] == '.' && !point) {
            point = true;
        } else if (text[at] >= '0' && text[at] <= '9') {
            digits++;
            if (!point)
                whole = whole * 10 + (text[at] - '0');
            else if (++behind <= FRACTION_DIGITS)
                fraction = fraction * 10 + (text[at] - '0');
            if (whole > maximum || behind > FRACTION_DIGITS)
                return false;
        } else {
            break;
        }
    }
    for (; behind < FRACTION_DIGITS; behind++)
        fraction *= 10;
    *value = whole * FRACTION_ONE + fraction;
    if (negative)
        *value = -*value;
    *used = at;
    return digits > 0;
}

bool ptpmon_sim_parse_time(const char *text, size_t length, sim_time *time)
{
    static const struct unit {
        const char *name;
        int64_t ns;
    } units[] = {{"ns", 1},
                 {"us", 1000},
                 {"ms", 1000000},
                 {"s", NS_PER_SECOND},
                 {"m", 60 * NS_PER_SECOND},
                 {"min", 60 * NS_PER_SECOND},
                 {"h", 3600 * NS_PER_SECOND},
                 {"d", 86400 * NS_PER_SECOND}};
    int64_t value = 0;
    size_t used = 0;
    if (!parse_decimal(text, length, INT64_C(9000000000), &value, &used))
        return false;
    if (used == length) {
        *time = 0;
        return value == 0;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (!is_word(text + used, length - used, units[i].name))
            continue;
        int64_t whole = value / FRACTION_ONE, part = value % FRACTION_ONE; /* of one sign */
        if (whole > SIM_TIME_MAX / SIM_NS / units[i].ns || whole < -(SIM_TIME_MAX / SIM_NS / units[i].ns))
            return false;
        int64_t ns = units[i].ns, fraction;
        if (ns > NS_PER_SECOND)
            fraction = part * (ns / NS_PER_SECOND) * SIM_NS;
        else
            fraction = sim_floor_divide(part * SIM_NS + NS_PER_SECOND / ns / 2, NS_PER_SECOND / ns);
        *time = whole * ns * SIM_NS + fraction;
        return true;
    }
    return false;
}

bool ptpmon_sim_lacks_unit(const char *text)
{
    for (;; text++) {
        int64_t value;
        size_t used, length = strcspn(text, ",");
        if (parse_decimal(text, length, INT64_C(9000000000), &value, &used) && used == length && value != 0)
            return true;
        text += length;
        if (*text == 0)
            return false;
    }
}

bool ptpmon_sim_parse_ppm(const char *text, size_t length, int64_t *rate)
{
    int64_t value = 0; /* 10^-9 ppm: 10^-15 */
    size_t used = 0;
    if (!parse_decimal(text, length, SIM_PPM_MAX, &value, &used) || value > SIM_PPM_MAX * FRACTION_ONE ||
        value < -SIM_PPM_MAX * FRACTION_ONE || (used != length && !is_word(text + used, length - used, "ppm")))
        return false;
    const int64_t one = INT64_C(1000000000000000);
    int64_t magnitude = sim_shift_divide(value < 0 ? -value : value, 49, one);
    magnitude = (magnitude + 1) >> 1;
    *rate = value < 0 ? -magnitude : magnitude;
    return true;
}

bool ptpmon_sim_parse_chance(const char *text, size_t length, uint64_t *chance)
{
    int64_t value = 0;
    size_t used = 0;
    if (!parse_decimal(text, length, 1, &value, &used) || used != length || value < 0 || value > FRACTION_ONE)
        return false;
    *chance = (uint64_t)sim_shift_divide(value, 32, FRACTION_ONE);
    return true;
}

/* ---- Faults ---- */

#define TYPE(type) (1u << (type))
#define TYPES_EVENT \
    (TYPE(AVB_PTP_SYNC) | TYPE(AVB_PTP_DELAY_REQ) | TYPE(AVB_PTP_PDELAY_REQ) | TYPE(AVB_PTP_PDELAY_RESP))

/* What a transparent clock corrects. */
#define TYPES_CORRECTED (TYPE(AVB_PTP_SYNC) | TYPE(AVB_PTP_DELAY_REQ))

enum need { NOTHING, A_SIZE, A_RATE };

enum {
    KEY_AT,
    KEY_UNTIL,
    KEY_P,
    KEY_TYPE,
    KEY_WHERE,
    KEY_SIZE,
    KEY_PPM,
    KEY_LINK,
    KEY_DIRECTION,
    KEY_TAKES_OVER,
    KEYS
};
#define KEY(name)  (1u << KEY_##name)
#define ONCE       KEY(AT)
#define FOR_A_TIME (KEY(AT) | KEY(UNTIL) | KEY(P) | KEY(WHERE))
#define MESSAGES   (FOR_A_TIME | KEY(TYPE))
#define LATER      (MESSAGES | KEY(SIZE))

static const struct fault_form {
    const char *name;
    const char *where; /* this and the next two: default */
    sim_time size;
    uint32_t types; /* 0: it is not about messages of a type */
    uint32_t keys;
    enum need needs;
} forms[SIM_FAULT_KINDS] = {
    [SIM_LOSS] = {"loss", "client", 0, 0xFFFF, MESSAGES, NOTHING},
    [SIM_DUPLICATE] = {"duplicate", "client", SIM_MS, 0xFFFF, LATER, NOTHING},
    [SIM_REORDER] = {"reorder", "client", 150 * SIM_MS, 0xFFFF, LATER, NOTHING},
    [SIM_FOLLOW_UP_FIRST] = {"follow_up_first", "client", 2 * SIM_MS, TYPE(AVB_PTP_SYNC) | TYPE(AVB_PTP_PDELAY_RESP),
                             LATER, NOTHING},
    [SIM_STUCK_LATCH] = {"stuck_latch", "client", 0, TYPES_EVENT, MESSAGES, NOTHING},
    [SIM_MISSING_TX_STAMP] = {"missing_tx_stamp", "client", 0, TYPES_EVENT, MESSAGES, NOTHING},
    [SIM_WRONG_SIGN] = {"wrong_sign", "bridge1", 0, TYPES_CORRECTED, MESSAGES, NOTHING},
    [SIM_NO_CORRECTION] = {"no_correction", "bridge1", 0, TYPES_CORRECTED, MESSAGES, NOTHING},
    [SIM_PHC_STEP] = {"phc_step", "client", 0, 0, ONCE | KEY(WHERE) | KEY(SIZE), A_SIZE},
    [SIM_PHC_RATE] = {"phc_rate", "client", 0, 0, ONCE | KEY(WHERE) | KEY(PPM), A_RATE},
    [SIM_LATE_TURNAROUND] = {"late_turnaround", "", 15 * SIM_MS, 0, FOR_A_TIME | KEY(SIZE), NOTHING},
    [SIM_SECOND_GM] = {"second_gm", "", 0, 0, ONCE | KEY(SIZE) | KEY(PPM) | KEY(TAKES_OVER), NOTHING},
    [SIM_UTC_SECONDS] = {"utc_seconds", "gm", 0, TYPE(AVB_PTP_SYNC) | TYPE(AVB_PTP_DELAY_RESP), MESSAGES, NOTHING},
    [SIM_SEVERAL_RESPONDERS] = {"several_responders", "client", 0, 0, ONCE, NOTHING},
    [SIM_BAD_NANOSECONDS] = {"bad_nanoseconds", "client", 0,
                             TYPE(AVB_PTP_FOLLOW_UP) | TYPE(AVB_PTP_DELAY_RESP) | TYPE(AVB_PTP_PDELAY_RESP) |
                                 TYPE(AVB_PTP_PDELAY_RESP_FOLLOW_UP),
                             MESSAGES, NOTHING},
    [SIM_CORRECTION_TOO_BIG] = {"correction_too_big", "client", 0,
                                TYPE(AVB_PTP_SYNC) | TYPE(AVB_PTP_FOLLOW_UP) | TYPE(AVB_PTP_DELAY_RESP) |
                                    TYPE(AVB_PTP_PDELAY_RESP) | TYPE(AVB_PTP_PDELAY_RESP_FOLLOW_UP),
                                MESSAGES, NOTHING},
    [SIM_RESTART] = {"restart", "gm", 0, 0, ONCE | KEY(WHERE), NOTHING},
    [SIM_PATH_CHANGE] = {"path_change", "", 0, 0, ONCE | KEY(LINK) | KEY(DIRECTION) | KEY(SIZE), A_SIZE},
    [SIM_EVENT_LOSS] = {"event_loss", "client", 100 * SIM_MS, 0, ONCE | KEY(WHERE) | KEY(SIZE), NOTHING},
    [SIM_CAPTURE_LOSS] = {"capture_loss", "client", 100 * SIM_MS, 0, ONCE | KEY(WHERE) | KEY(SIZE), NOTHING},
    [SIM_SYSTEM_STEP] = {"system_step", "client", 0, 0, ONCE | KEY(WHERE) | KEY(SIZE), A_SIZE},
};

const char *ptpmon_sim_fault_name(enum sim_fault_kind kind)
{
    return forms[kind].name;
}

static bool parse_type(const char *text, size_t length, uint32_t *types)
{
    static const struct type {
        const char *name;
        uint8_t type;
    } names[] = {
        {"sync", AVB_PTP_SYNC},
        {"delay_req", AVB_PTP_DELAY_REQ},
        {"pdelay_req", AVB_PTP_PDELAY_REQ},
        {"pdelay_resp", AVB_PTP_PDELAY_RESP},
        {"follow_up", AVB_PTP_FOLLOW_UP},
        {"delay_resp", AVB_PTP_DELAY_RESP},
        {"pdelay_resp_follow_up", AVB_PTP_PDELAY_RESP_FOLLOW_UP},
        {"announce", AVB_PTP_ANNOUNCE},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (is_word(text, length, names[i].name)) {
            *types = TYPE(names[i].type);
            return true;
        }
    }
    return false;
}

/* One of two words: *second says which. */
static bool parse_either(const char *text, size_t length, const char *no, const char *yes, bool *second)
{
    *second = is_word(text, length, yes);
    return *second || is_word(text, length, no);
}

static bool parse_where(const char *text, size_t length, struct sim_fault *fault)
{
    if (length >= sizeof fault->where)
        return false;
    memset(fault->where, 0, sizeof fault->where);
    memcpy(fault->where, text, length);
    return true;
}

static bool parse_link(const char *text, size_t length, struct sim_fault *fault)
{
    if (length != 1 || text[0] < '1' || text[0] > '9')
        return false;
    fault->link = (uint32_t)(text[0] - '0');
    return true;
}

static const struct key {
    const char *name, *takes;
} keys[] = {
    [KEY_AT] = {"at", "a TIME, such as 5s"},
    [KEY_UNTIL] = {"until", "a TIME, such as 5s"},
    [KEY_P] = {"p", "0 to 1"},
    [KEY_TYPE] = {"type",
                  "sync, delay_req, pdelay_req, pdelay_resp, follow_up, delay_resp, pdelay_resp_follow_up or "
                  "announce"},
    [KEY_WHERE] = {"where", "a node or port: gm, bridge1, bridge1-up... client"},
    [KEY_SIZE] = {"size", "a TIME, -400s to 400s"},
    [KEY_PPM] = {"ppm", "-1000 to 1000"},
    [KEY_LINK] = {"link", "1 to 9, from the grandmaster on"},
    [KEY_DIRECTION] = {"direction", "forward or reverse"},
    [KEY_TAKES_OVER] = {"takes_over", "no or yes"},
};
_Static_assert(SIM_FAULT_SIZE_MAX / SIM_S == 400 && SIM_PPM_MAX == 1000, "as `keys` says");

static bool parse_value(struct sim_fault *fault, size_t key, const char *value, size_t length)
{
    switch (key) {
    case KEY_AT:
        return ptpmon_sim_parse_time(value, length, &fault->at) && fault->at >= 0;
    case KEY_UNTIL:
        return ptpmon_sim_parse_time(value, length, &fault->until) && fault->until >= 0;
    case KEY_P:
        return ptpmon_sim_parse_chance(value, length, &fault->chance);
    case KEY_TYPE:
        return parse_type(value, length, &fault->types);
    case KEY_WHERE:
        return parse_where(value, length, fault);
    case KEY_SIZE:
        return ptpmon_sim_parse_time(value, length, &fault->size) && fault->size <= SIM_FAULT_SIZE_MAX &&
               fault->size >= -SIM_FAULT_SIZE_MAX;
    case KEY_PPM:
        return ptpmon_sim_parse_ppm(value, length, &fault->rate);
    case KEY_LINK:
        return parse_link(value, length, fault);
    case KEY_DIRECTION:
        return parse_either(value, length, "forward", "reverse", &fault->reverse);
    default:
        return parse_either(value, length, "no", "yes", &fault->takes_over);
    }
}

/* "at=5s"; false after saying what is wrong with it. */
static bool parse_argument(struct sim_fault *fault, const char *text, size_t length, char *problem, size_t size)
{
    const struct fault_form *form = &forms[fault->kind];
    size_t name = strcspn(text, "=,"), key = 0;
    int shown = (int)(length < 40 ? length : 40);
    while (key < KEYS && !is_word(text, name, keys[key].name))
        key++;
    if (key == KEYS)
        snprintf(problem, size, "`%.*s` is none of at, until, p, type, where, size, ppm, link, direction, takes_over",
                 shown, text);
    else if ((form->keys >> key & 1) == 0)
        snprintf(problem, size, "it takes no `%s`", keys[key].name);
    else if (name >= length || !parse_value(fault, key, text + name + 1, length - name - 1))
        snprintf(problem, size, "`%.*s` does not fit: %s is %s", shown, text, keys[key].name, keys[key].takes);
    else
        return true;
    return false;
}

static bool find_form(const char *text, size_t length, struct sim_fault *fault)
{
    for (int kind = 0; kind < SIM_FAULT_KINDS; kind++) {
        const struct fault_form *form = &forms[kind];
        if (is_word(text, length, form->name)) {
            *fault = (struct sim_fault){.kind = (enum sim_fault_kind)kind,
                                        .until = SIM_NEVER,
                                        .chance = SIM_CHANCE_ONE,
                                        .types = form->types != 0 ? form->types : 0xFFFF,
                                        .size = form->size,
                                        .link = 1};
            strcpy(fault->where, form->where);
            return true;
        }
    }
    return false;
}

bool ptpmon_sim_parse_fault(const char *text, struct sim_fault *fault, char *problem, size_t size)
{
    size_t name = strcspn(text, ":");
    if (!find_form(text, name, fault)) {
        snprintf(problem, size, "no fault `%.*s`", (int)(name < 40 ? name : 40), text);
        return false;
    }
    const char *at = text + name;
    while (*at != 0) {
        at++; /* : or , */
        size_t length = strcspn(at, ",");
        if (!parse_argument(fault, at, length, problem, size))
            return false;
        at += length;
    }
    const struct fault_form *form = &forms[fault->kind];
    if (form->types != 0 && (form->types & fault->types) == 0) {
        snprintf(problem, size, "it befalls no message of this type");
        return false;
    }
    if ((form->needs == A_SIZE && fault->size == 0) || (form->needs == A_RATE && fault->rate == 0)) {
        snprintf(problem, size, "%s needs a %s other than 0", form->name, form->needs == A_RATE ? "ppm" : "size");
        return false;
    }
    return true;
}
