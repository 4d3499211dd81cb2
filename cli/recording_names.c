/* SPDX-License-Identifier: MIT */
#include "recording_names.h"

#include "files.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CAPTURE_ENDING ".pcapng"
#define EVENTS_ENDING  ".events"

#define NUMBER_MAX 99999999ul

/* What is put behind a base at most: a number, an interface's name, an ending. */
#define LONGEST_SUFFIX 300

static bool has_ending(const char *name, const char *ending)
{
    size_t length = strlen(name), end = strlen(ending);
    return length > end && strcmp(name + length - end, ending) == 0;
}

bool recording_names_set_base(struct recording_names *names, const char *name)
{
    char made[64];
    if (name == NULL) {
        time_t now = time(NULL);
        struct tm parts;
        strftime(made, sizeof made, "ptpmon-%Y%m%d-%H%M%S", localtime_r(&now, &parts));
        name = made;
    }
    size_t length = strlen(name);
    if (has_ending(name, CAPTURE_ENDING) || has_ending(name, EVENTS_ENDING))
        length -= strlen(EVENTS_ENDING);
    if (length + LONGEST_SUFFIX > sizeof names->base)
        return false;
    memcpy(names->base, name, length);
    names->base[length] = 0;
    return *files_name_in(names->base) != 0;
}

char *recording_names_set(const struct recording_names *names, unsigned number, char text[static RECORDING_PATH_SIZE])
{
    int length = snprintf(text, RECORDING_PATH_SIZE, "%s", names->base);
    if (names->numbered)
        snprintf(text + length, RECORDING_PATH_SIZE - (size_t)length, "-%04u", number);
    return text;
}

/* What follows the number in the name of file `which` of a set: 0 = the capture, then the events. */
static void put_ending(const struct recording_names *names, size_t which, char *text, size_t size)
{
    if (which == 0)
        snprintf(text, size, CAPTURE_ENDING);
    else if (names->interface_count == 1)
        snprintf(text, size, EVENTS_ENDING);
    else
        snprintf(text, size, ".%s" EVENTS_ENDING, names->interfaces[which - 1]);
}

static char *path_of(const struct recording_names *names, unsigned number, size_t which,
                     char path[static RECORDING_PATH_SIZE])
{
    size_t length = strlen(recording_names_set(names, number, path));
    put_ending(names, which, path + length, RECORDING_PATH_SIZE - length);
    return path;
}

char *recording_names_capture(const struct recording_names *names, unsigned number,
                              char path[static RECORDING_PATH_SIZE])
{
    return path_of(names, number, 0, path);
}

char *recording_names_events(const struct recording_names *names, unsigned number, size_t interface,
                             char path[static RECORDING_PATH_SIZE])
{
    return path_of(names, number, interface + 1, path);
}

/* Calls visit() for each file that a set may have, until one says false. */
static bool each_of_set(const struct recording_names *names, unsigned number, bool (*visit)(const char *path),
                        char path[static RECORDING_PATH_SIZE])
{
    for (size_t which = names->captures ? 0 : 1; which <= names->interface_count; which++) {
        if (!visit(path_of(names, number, which, path)))
            return false;
    }
    return true;
}

bool recording_names_remove(const struct recording_names *names, unsigned number, char path[static RECORDING_PATH_SIZE])
{
    return each_of_set(names, number, files_remove, path);
}

static bool is_absent(const char *path)
{
    return !files_is_taken(path);
}

/* The number in "BASE-0001.pcapng" and the like, 0 = another name. `base` has no directory. */
static unsigned number_in(const struct recording_names *names, const char *base, const char *file)
{
    char ending[LONGEST_SUFFIX], *end;
    size_t length = strlen(base);
    if (strncmp(file, base, length) != 0 || file[length] != '-' || !isdigit((unsigned char)file[length + 1]))
        return 0;
    errno = 0;
    unsigned long number = strtoul(file + length + 1, &end, 10);
    if (errno != 0 || number > NUMBER_MAX)
        return 0;
    for (size_t which = names->captures ? 0 : 1; which <= names->interface_count; which++) {
        put_ending(names, which, ending, sizeof ending);
        if (strcmp(end, ending) == 0)
            return (unsigned)number;
    }
    return 0;
}

struct numbered {
    const struct recording_names *names;
    const char *base; /* has no directory */
    bool (*visit)(const char *path);
    char *path;
};

static bool visit_numbered(void *context, const char *file)
{
    const struct numbered *numbered = context;
    unsigned number = number_in(numbered->names, numbered->base, file);
    return number == 0 || each_of_set(numbered->names, number, numbered->visit, numbered->path);
}

/* As each_of_set(), of all the sets of which there is a file. A directory that cannot be read has none: creating a file
 * there will say why. */
static bool each_numbered(const struct recording_names *names, bool (*visit)(const char *path),
                          char path[static RECORDING_PATH_SIZE])
{
    struct numbered numbered = {names, files_name_in(names->base), visit, path};
    return files_each_beside(names->base, visit_numbered, &numbered);
}

bool recording_names_in_use(const struct recording_names *names, char path[static RECORDING_PATH_SIZE])
{
    return !(names->numbered ? each_numbered(names, is_absent, path) : each_of_set(names, 0, is_absent, path));
}

bool recording_names_remove_all(const struct recording_names *names, char path[static RECORDING_PATH_SIZE])
{
    return names->numbered ? each_numbered(names, files_remove, path) : recording_names_remove(names, 0, path);
}
