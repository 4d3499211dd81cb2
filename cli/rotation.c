/* SPDX-License-Identifier: MIT */
#include "rotation.h"

#include "cli.h"

#include <ctype.h>
#include <string.h>

#define LEAST_BYTES ((uint64_t)64 * 1024)
#define LEAST_TIME  ((uint64_t)NS_PER_S)

/* No frame for so long is a pause: those on either side of it lie clearly apart. */
#define PAUSE_NS ((uint64_t)2 * NS_PER_MS)
/* What is complete was looked at a little ago. */
#define LOOK_NS ((uint64_t)5 * NS_PER_MS)
/* Longer is no pause waited for. */
#define PATIENCE_NS ((uint64_t)NS_PER_S)

bool rotation_parse(const char *text, struct rotation_limits *limits)
{
    size_t length = strlen(text);
    uint64_t value;
    if (length == 0 || !isalpha((unsigned char)text[length - 1]))
        return false; /* a bare number could be either */
    /* "m" is minutes, "M" mebibytes. */
    if (strchr("KkMGg", text[length - 1]) != NULL) {
        if (!cli_parse_size(text, INT64_MAX, &value) || value < LEAST_BYTES)
            return false;
        limits->bytes = value;
        return true;
    }
    if (!cli_parse_duration(text, &value) || value < LEAST_TIME)
        return false;
    limits->time_ns = value;
    return true;
}

void rotation_begin(struct rotation *rotation, uint64_t now)
{
    rotation->began_at = now;
    rotation->due_at = 0;
}

static bool is_due(const struct rotation *rotation, const struct rotation_view *view)
{
    const struct rotation_limits *limits = &rotation->limits;
    return (limits->bytes != 0 && view->bytes >= limits->bytes) ||
           (limits->time_ns != 0 && view->now - rotation->began_at >= limits->time_ns);
}

static bool is_pause(const struct rotation_view *view)
{
    return view->now >= view->last_event + PAUSE_NS && view->now <= view->complete_until + LOOK_NS;
}

bool rotation_cuts(struct rotation *rotation, const struct rotation_view *view)
{
    if (rotation->due_at == 0 && is_due(rotation, view))
        rotation->due_at = view->now;
    if (rotation->due_at == 0)
        return false;
    return is_pause(view) || view->now - rotation->due_at >= PATIENCE_NS;
}
