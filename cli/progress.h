/* SPDX-License-Identifier: MIT */
/* How far something is, in words for one line of a terminal. */
#ifndef PTPMON_CLI_PROGRESS_H
#define PTPMON_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The growth of a number over about the last ten seconds. Zeroed to begin with. */
#define PROGRESS_SAMPLES 11
struct progress_rate {
    struct {
        uint64_t at, value;
    } samples[PROGRESS_SAMPLES]; /* a second apart, a ring */
    unsigned count, next;
};

/* Event time, ns. */
void progress_rate_add(struct progress_rate *rate, uint64_t now, uint64_t value);
/* Per second; 0 where too little is known. */
double progress_rate_get(const struct progress_rate *rate);

/* How a recording stands. */
struct progress_recording {
    uint64_t elapsed_ns, events, frames, dropped, bytes;
    bool captures;           /* else `frames` means nothing */
    double bytes_per_second; /* 0 = not known */
    bool free_known;
    uint64_t free_bytes; /* of the file system */
    bool is_bounded;     /* old files make room: it may go on for ever */
};

#define PROGRESS_LINE_SIZE 256
/* Shorter where it would be longer than `width`; 0 = no limit. */
char *progress_recording_text(const struct progress_recording *recording, unsigned width,
                              char text[static PROGRESS_LINE_SIZE]);

/* When a line is due: not in short runs, which end before anybody has read it, and then some times a second. */
struct progress_pace {
    uint64_t started_at, shown_at; /* event time */
};
void progress_begin(struct progress_pace *pace, uint64_t now);
/* True: it is due, and counts as shown. */
bool progress_is_due(struct progress_pace *pace, uint64_t now);

/* How far the reading of files has come: "42 %  1234567 messages". */
char *progress_reading_text(double share, uint64_t messages, char text[static PROGRESS_LINE_SIZE]);

#define PROGRESS_WORD_SIZE 32
/* "512 B", "12.3 KiB", "4.0 GiB" */
char *progress_bytes(double bytes, char text[static PROGRESS_WORD_SIZE]);
/* "45 s", "12 min", "3.4 h", "41 days", "years" */
char *progress_span(double seconds, char text[static PROGRESS_WORD_SIZE]);

#endif
