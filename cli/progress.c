/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include "cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SAMPLE_NS ((uint64_t)NS_PER_S)
#define AFTER_NS  ((uint64_t)NS_PER_S)
#define AGAIN_NS  ((uint64_t)NS_PER_S / 5)

void progress_rate_add(struct progress_rate *rate, uint64_t now, uint64_t value)
{
    unsigned last = (rate->next + PROGRESS_SAMPLES - 1) % PROGRESS_SAMPLES;
    if (rate->count > 0 && now < rate->samples[last].at + SAMPLE_NS)
        return;
    rate->samples[rate->next].at = now;
    rate->samples[rate->next].value = value;
    rate->next = (rate->next + 1) % PROGRESS_SAMPLES;
    rate->count += rate->count < PROGRESS_SAMPLES;
}

double progress_rate_get(const struct progress_rate *rate)
{
    unsigned last = (rate->next + PROGRESS_SAMPLES - 1) % PROGRESS_SAMPLES;
    unsigned first = (rate->next + PROGRESS_SAMPLES - rate->count) % PROGRESS_SAMPLES;
    if (rate->count < 2 || rate->samples[last].value <= rate->samples[first].value)
        return 0;
    double seconds = (double)(rate->samples[last].at - rate->samples[first].at) / NS_PER_S;
    return (double)(rate->samples[last].value - rate->samples[first].value) / seconds;
}

char *progress_bytes(double bytes, char text[static PROGRESS_WORD_SIZE])
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t unit = 0;
    if (bytes < 1024) {
        snprintf(text, PROGRESS_WORD_SIZE, "%.0f B", bytes);
        return text;
    }
    /* 1023.95 and more would be rounded to "1024.0". */
    for (bytes /= 1024; bytes >= 1023.95 && unit + 1 < sizeof units / sizeof *units; unit++)
        bytes /= 1024;
    snprintf(text, PROGRESS_WORD_SIZE, "%.1f %s", bytes, units[unit]);
    return text;
}

char *progress_span(double seconds, char text[static PROGRESS_WORD_SIZE])
{
    const double minute = 60, hour = 3600, day = 86400;
    if (seconds < 2 * minute)
        snprintf(text, PROGRESS_WORD_SIZE, "%.0f s", seconds);
    else if (seconds < 2 * hour)
        snprintf(text, PROGRESS_WORD_SIZE, "%.0f min", seconds / minute);
    else if (seconds < 2 * day)
        snprintf(text, PROGRESS_WORD_SIZE, "%.0f h", seconds / hour);
    else if (seconds < 1000 * day)
        snprintf(text, PROGRESS_WORD_SIZE, "%.0f days", seconds / day);
    else
        snprintf(text, PROGRESS_WORD_SIZE, "years");
    return text;
}

static void put_elapsed(uint64_t ns, char text[static PROGRESS_WORD_SIZE])
{
    uint64_t seconds = ns / NS_PER_S;
    snprintf(text, PROGRESS_WORD_SIZE, "%02" PRIu64 ":%02u:%02u", seconds / 3600, (unsigned)(seconds / 60 % 60),
             (unsigned)(seconds % 60));
}

/* "; 12.3 GiB free: 41 days", in short "; full in 41 days" */
static void put_free(const struct progress_recording *recording, bool is_short,
                     char text[static 3 * PROGRESS_WORD_SIZE])
{
    char free[PROGRESS_WORD_SIZE], span[PROGRESS_WORD_SIZE];
    bool lasts = recording->bytes_per_second > 0 && !recording->is_bounded;
    text[0] = 0;
    if (!recording->free_known)
        return;
    progress_bytes((double)recording->free_bytes, free);
    if (lasts)
        progress_span((double)recording->free_bytes / recording->bytes_per_second, span);
    if (lasts && is_short)
        snprintf(text, 3 * PROGRESS_WORD_SIZE, "; full in %s", span);
    else
        snprintf(text, 3 * PROGRESS_WORD_SIZE, "; %s free%s%s", free, lasts ? ": " : "", lasts ? span : "");
}

static void put_recording(const struct progress_recording *recording, bool is_short,
                          char text[static PROGRESS_LINE_SIZE])
{
    char elapsed[PROGRESS_WORD_SIZE], bytes[PROGRESS_WORD_SIZE], rate[PROGRESS_WORD_SIZE];
    char free[3 * PROGRESS_WORD_SIZE], frames[PROGRESS_WORD_SIZE] = "";
    put_elapsed(recording->elapsed_ns, elapsed);
    put_free(recording, is_short, free);
    if (recording->captures)
        snprintf(frames, sizeof frames, ", %" PRIu64 " captured", recording->frames);
    snprintf(text, PROGRESS_LINE_SIZE, "%s  %" PRIu64 " events%s, %" PRIu64 " dropped; %s, %s/s%s", elapsed,
             recording->events, frames, recording->dropped, progress_bytes((double)recording->bytes, bytes),
             progress_bytes(recording->bytes_per_second, rate), free);
}

char *progress_recording_text(const struct progress_recording *recording, unsigned width,
                              char text[static PROGRESS_LINE_SIZE])
{
    put_recording(recording, false, text);
    if (width != 0 && strlen(text) > width)
        put_recording(recording, true, text);
    return text;
}

void progress_begin(struct progress_pace *pace, uint64_t now)
{
    *pace = (struct progress_pace){.started_at = now};
}

bool progress_is_due(struct progress_pace *pace, uint64_t now)
{
    bool is_due = now >= pace->started_at + AFTER_NS && now >= pace->shown_at + AGAIN_NS;
    if (is_due)
        pace->shown_at = now;
    return is_due;
}

/* 100 % is for what is done. */
char *progress_reading_text(double share, uint64_t messages, char text[static PROGRESS_LINE_SIZE])
{
    unsigned percent = share < 0 ? 0 : share > 0.99 ? 99 : (unsigned)(share * 100);
    snprintf(text, PROGRESS_LINE_SIZE, "%u %%  %" PRIu64 " messages", percent, messages);
    return text;
}
