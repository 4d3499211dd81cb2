/* SPDX-License-Identifier: MIT */
#include "analysis_files.h"

#include "cli.h"
#include "files.h"
#include "replay.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_ENDING  ".events"
#define CAPTURE_ENDING ".pcapng"

/* ---- Pairs ---- */

/* The length of a name without `ending`; 0 = it has another. */
static size_t base_length(const char *path, const char *ending)
{
    size_t length = strlen(path), end = strlen(ending);
    return length > end && strcmp(path + length - end, ending) == 0 ? length - end : 0;
}

static size_t capture_base_length(const char *path)
{
    size_t length = base_length(path, CAPTURE_ENDING);
    return length != 0 ? length : base_length(path, ".pcap");
}

/* How well the names say that they belong together: the length of what they have in common; 0 = not at all. */
static size_t names_agree(const char *capture, const char *events)
{
    size_t base = capture_base_length(capture), whole = base_length(events, EVENTS_ENDING);
    if (base == 0 || whole < base || strncmp(capture, events, base) != 0)
        return 0;
    return whole == base || events[base] == '.' ? base : 0;
}

#define NONE ((size_t)-1)

/* For each file the other one that it belongs to. A capture may belong to the events of several interfaces; what stands
 * with it then is the first. */
struct pairing {
    const struct analysis_file *files;
    size_t count;
    size_t *other;
};

static void pair_up(struct pairing *pairing, size_t capture, size_t events)
{
    pairing->other[events] = capture;
    if (pairing->other[capture] == NONE)
        pairing->other[capture] = events;
}

static void pair_by_name(struct pairing *pairing, size_t events)
{
    size_t best = NONE, longest = 0;
    for (size_t i = 0; i < pairing->count; i++) {
        if (pairing->files[i].is_events)
            continue;
        size_t agreement = names_agree(pairing->files[i].path, pairing->files[events].path);
        if (agreement > longest) {
            longest = agreement;
            best = i;
        }
    }
    if (best != NONE)
        pair_up(pairing, best, events);
}

/* The next file of this kind that is still alone, from `from` on; NONE = there is no other. */
static size_t next_alone(const struct pairing *pairing, size_t from, bool is_events)
{
    for (size_t i = from; i < pairing->count; i++) {
        if (pairing->files[i].is_events == is_events && pairing->other[i] == NONE)
            return i;
    }
    return NONE;
}

static size_t count_alone(const struct pairing *pairing, bool is_events)
{
    size_t count = 0;
    for (size_t i = 0; (i = next_alone(pairing, i, is_events)) != NONE; i++)
        count++;
    return count;
}

static void pair_by_order(struct pairing *pairing)
{
    size_t capture = 0, events = 0;
    while ((capture = next_alone(pairing, capture, false)) != NONE &&
           (events = next_alone(pairing, events, true)) != NONE)
        pair_up(pairing, capture, events);
}

static bool is_capture_alone(const struct pairing *pairing, size_t i)
{
    return i < pairing->count && !pairing->files[i].is_events && pairing->other[i] == NONE;
}

static void pair_neighbours(struct pairing *pairing)
{
    for (size_t i = 0; (i = next_alone(pairing, i, true)) != NONE; i++) {
        if (i > 0 && is_capture_alone(pairing, i - 1))
            pair_up(pairing, i - 1, i);
        else if (is_capture_alone(pairing, i + 1))
            pair_up(pairing, i + 1, i);
    }
}

static const char *path_of(const struct pairing *pairing, size_t i)
{
    return i != NONE ? pairing->files[i].path : NULL;
}

/* A pair stands where the first of its files is named; the further events of a capture where they are. */
static bool stands_here(const struct pairing *pairing, size_t i, size_t other)
{
    return other == NONE || other > i || (pairing->files[i].is_events && pairing->other[other] != i);
}

/* The same of a recording in the set after this one? */
static bool is_next(const struct analysis_file *file, const struct analysis_file *other)
{
    return file->sets_of != NULL && file->sets_of == other->sets_of && other->set == file->set + 1 &&
           strcmp(file->path + file->rest, other->path + other->rest) == 0;
}

/* firsts: a file of each pair. The pairs of a set come before those of the next one. */
static void link_sets(struct analysis_pair *pairs, const struct analysis_file *const *firsts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count && firsts[i]->sets_of != NULL && firsts[j]->set <= firsts[i]->set + 1; j++) {
            if (!is_next(firsts[i], firsts[j]))
                continue;
            pairs[i].next = &pairs[j];
            pairs[j].continues = true;
            break;
        }
    }
}

static size_t list_pairs(const struct pairing *pairing, struct analysis_pair *pairs)
{
    const struct analysis_file **firsts = cli_allocate(pairing->count + 1, sizeof *firsts);
    size_t count = 0;
    for (size_t i = 0; i < pairing->count; i++) {
        size_t other = pairing->other[i];
        if (!stands_here(pairing, i, other))
            continue;
        bool is_events = pairing->files[i].is_events;
        firsts[count] = &pairing->files[i];
        pairs[count++] = (struct analysis_pair){
            .capture = path_of(pairing, is_events ? other : i),
            .events = path_of(pairing, is_events ? i : other),
        };
    }
    link_sets(pairs, firsts, count);
    free(firsts);
    return count;
}

size_t analysis_pair_files(const struct analysis_file *files, size_t count, struct analysis_pair *pairs)
{
    struct pairing pairing = {files, count, cli_allocate(count, sizeof *pairing.other)};
    for (size_t i = 0; i < count; i++)
        pairing.other[i] = NONE;
    for (size_t i = 0; i < count; i++) {
        if (files[i].is_events)
            pair_by_name(&pairing, i);
    }
    if (count_alone(&pairing, true) == count_alone(&pairing, false))
        pair_by_order(&pairing);
    else
        pair_neighbours(&pairing);
    size_t found = list_pairs(&pairing, pairs);
    free(pairing.other);
    return found;
}

/* ---- Files of a name ---- */

/* A file that cannot be read is what its name says; opening it will say why. */
static bool is_events(const char *path)
{
    return files_is_taken(path) ? replay_is_events_file(path) : base_length(path, EVENTS_ENDING) != 0;
}

static char *joined(const char *first, size_t first_length, const char *second)
{
    size_t second_length = strlen(second);
    char *text = cli_allocate(first_length + second_length + 1, 1);
    memcpy(text, first, first_length);
    memcpy(text + first_length, second, second_length + 1);
    return text;
}

/* `path` is the list's now. */
static void add_file(struct analysis_files *files, char *path)
{
    files->files = cli_grow(files->files, files->count, &files->capacity, sizeof *files->files);
    files->files[files->count++] = (struct analysis_file){.path = path, .is_events = is_events(path)};
}

static bool add_if_there(struct analysis_files *files, const char *name, const char *ending)
{
    char *path = joined(name, strlen(name), ending);
    bool there = files_is_taken(path);
    if (there)
        add_file(files, path);
    else
        free(path);
    return there;
}

/* The files NAME.SOMETHING.events, and where `captures` says so NAME.SOMETHING.pcapng. */
struct beside {
    struct analysis_files *files;
    const char *name;
    bool captures;
};

static bool visit_beside(void *context, const char *file)
{
    const struct beside *beside = context;
    const char *base = files_name_in(beside->name);
    size_t length = strlen(base);
    if (strncmp(file, base, length) != 0 || file[length] != '.')
        return true;
    if (base_length(file + length, EVENTS_ENDING) == 0 &&
        !(beside->captures && base_length(file + length, CAPTURE_ENDING) != 0))
        return true;
    add_file(beside->files, joined(beside->name, (size_t)(base - beside->name), file));
    return true;
}

static int by_path(const void *a, const void *b)
{
    const struct analysis_file *first = a, *second = b;
    return strcmp(first->path, second->path);
}

/* What `record -o NAME` has written, or a simulation: NAME.PORT.pcapng, NAME.PORT.events. */
static bool add_recording(struct analysis_files *files, const char *name)
{
    size_t first = files->count;
    bool captured = add_if_there(files, name, CAPTURE_ENDING);
    bool whole = add_if_there(files, name, EVENTS_ENDING);
    if (!whole) {
        struct beside beside = {files, name, !captured};
        size_t others = files->count;
        files_each_beside(name, visit_beside, &beside);
        if (files->count > others)
            qsort(files->files + others, files->count - others, sizeof *files->files, by_path);
    }
    return files->count > first;
}

/* ---- Sets that follow one another ---- */

/* Their numbers: NAME-0001.events... */
struct numbers {
    const char *base; /* without a directory */
    unsigned long *numbers;
    size_t count, capacity;
};

static bool visit_set(void *context, const char *file)
{
    struct numbers *numbers = context;
    size_t length = strlen(numbers->base);
    char *end;
    if (strncmp(file, numbers->base, length) != 0 || file[length] != '-' || !isdigit((unsigned char)file[length + 1]))
        return true;
    unsigned long number = strtoul(file + length + 1, &end, 10);
    if (*end != '.' ||
        (base_length(end, EVENTS_ENDING) == 0 && strcmp(end, EVENTS_ENDING) != 0 && strcmp(end, CAPTURE_ENDING) != 0))
        return true;
    numbers->numbers = cli_grow(numbers->numbers, numbers->count, &numbers->capacity, sizeof *numbers->numbers);
    numbers->numbers[numbers->count++] = number;
    return true;
}

static int by_number(const void *a, const void *b)
{
    const unsigned long *first = a, *second = b;
    return (*first > *second) - (*first < *second);
}

static void add_set(struct analysis_files *files, const char *name, unsigned long number, size_t set)
{
    char digits[32];
    snprintf(digits, sizeof digits, "-%04lu", number);
    char *set_name = joined(name, strlen(name), digits);
    size_t first = files->count;
    add_recording(files, set_name);
    for (size_t i = first; i < files->count; i++) {
        files->files[i].sets_of = name;
        files->files[i].set = set;
        files->files[i].rest = strlen(set_name);
    }
    free(set_name);
}

/* What `record --rotate` has written, from the first set that is there to the last. */
static bool add_sets(struct analysis_files *files, const char *name)
{
    struct numbers numbers = {.base = files_name_in(name)};
    size_t first = files->count, set = 0;
    files_each_beside(name, visit_set, &numbers);
    if (numbers.count > 0)
        qsort(numbers.numbers, numbers.count, sizeof *numbers.numbers, by_number);
    for (size_t i = 0; i < numbers.count; i++) {
        if (i == 0 || numbers.numbers[i] != numbers.numbers[i - 1])
            add_set(files, name, numbers.numbers[i], ++set);
    }
    free(numbers.numbers);
    return files->count > first;
}

/* ---- All of them ---- */

/* The files of one argument. */
static void find_files(struct analysis_files *files, const char *name)
{
    bool is_name = !files_is_taken(name) && *files_name_in(name) != 0;
    if (!is_name || !(add_recording(files, name) || add_sets(files, name)))
        add_file(files, joined(name, strlen(name), ""));
}

static size_t count_without_later_sets(const struct analysis_files *files)
{
    size_t count = 0;
    for (size_t i = 0; i < files->count; i++)
        count += files->files[i].set <= 1;
    return count;
}

int analysis_files_find(struct analysis_files *files, char **arguments, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *name = strcmp(arguments[i], "-") == 0 ? files_standard_input() : arguments[i];
        if (name == NULL)
            return cli_usage_error("-: standard input has no name here; write the capture to a file and give that");
        find_files(files, name);
    }
    size_t found = count_without_later_sets(files);
    if (found > 2 * (size_t)ANALYSIS_POINTS_MAX)
        return cli_usage_error("%zu files are too many, %d pairs at most", found, ANALYSIS_POINTS_MAX);
    return CLI_OK;
}

void analysis_files_free(struct analysis_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->files[i].path);
    free(files->files);
    *files = (struct analysis_files){0};
}
