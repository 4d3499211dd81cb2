/* SPDX-License-Identifier: MIT */
#include "earlier.h"

#include "error.h"
#include "file.h"
#include "tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The first line of a truth is far shorter, unless its faults were told at length. */
#define HEADER_BYTES ((size_t)1 << 18)

static const char beginning[] = "{\"type\":\"header\",\"schema\":1,";

/* The first line of the truth there is, freed by the caller; NULL: there is none. */
static char *read_header(const char *path)
{
    char *name = ptpmon_sim_path(path, "truth", "jsonl"), *text = malloc(HEADER_BYTES);
    FILE *file = name != NULL && text != NULL ? ptpmon_file_stream(name) : NULL;
    size_t length = file != NULL ? fread(text, 1, HEADER_BYTES - 1, file) : 0;
    if (file != NULL)
        fclose(file);
    free(name);
    char *end = length > 0 ? memchr(text, '\n', length) : NULL;
    if (end != NULL)
        *end = 0;
    if (end != NULL && strncmp(text, beginning, sizeof beginning - 1) == 0)
        return text;
    free(text);
    return NULL;
}

/* Takes the next port of the header whose files were written. Only what can be the name of a port is one: a file that
 * somebody else made must not name others. */
static bool take_port(const char **at, char name[SIM_NAME_SIZE])
{
    static const char begin[] = "{\"name\":\"", then[] = "\",\"portIdentity\":\"", observed[] = "\"observed\":";
    while ((*at = strstr(*at, begin)) != NULL) {
        *at += sizeof begin - 1;
        size_t length = strspn(*at, "abcdefghijklmnopqrstuvwxyz0123456789-");
        if (length == 0 || length >= SIM_NAME_SIZE || strncmp(*at + length, then, sizeof then - 1) != 0)
            continue;
        const char *is_observed = strstr(*at, observed);
        if (is_observed == NULL || strncmp(is_observed + sizeof observed - 1, "true", 4) != 0)
            continue;
        memcpy(name, *at, length);
        name[length] = 0;
        return true;
    }
    return false;
}

static ptpmon_status remove_file(const char *path, const char *port, const char *suffix)
{
    ptpmon_status status = PTPMON_OK;
    char *name = ptpmon_sim_path(path, port, suffix);
    if (name == NULL)
        return ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory to simulate; close other programs", path);
    if (!ptpmon_file_remove(name))
        status = ptpmon_fail_errno(name, "remove what an earlier simulation wrote", errno);
    free(name);
    return status;
}

ptpmon_status ptpmon_sim_remove_earlier(struct ptpmon_simulation *simulation, const char *path)
{
    ptpmon_status status = PTPMON_OK;
    char *header = read_header(path), name[SIM_NAME_SIZE];
    const char *at = header;
    while (at != NULL && status == PTPMON_OK && take_port(&at, name)) {
        const struct sim_port *port = ptpmon_sim_find_port(simulation, name);
        if (port != NULL && port->tap != NULL)
            continue; /* its files were replaced */
        status = remove_file(path, name, "events");
        if (status == PTPMON_OK)
            status = remove_file(path, name, "pcapng");
    }
    free(header);
    return status;
}
