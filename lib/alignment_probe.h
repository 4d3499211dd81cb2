/* SPDX-License-Identifier: MIT */
/*
 * The messages of a capture file and of a recording that might be the same: a stretch of both, and
 * for each frame the events with its key.
 *
 * The stretch lies where the events lie, give or take what the capture's clock may be off. It takes in
 * `length` ns of what both must have if they belong together, more where there are fewer than
 * PTPMON_PROBE_ENOUGH messages. Both files are read up to its end, the recording only if the capture
 * has messages there, and to their ends if it has none. Of more than PTPMON_PROBE_FRAMES messages
 * those with certain keys are kept, chosen by a hash, so that no message loses its counterpart. Memory
 * is bounded by the constants here, about 30 MB at most; a usual capture needs some 100 kB.
 */
#ifndef PTPMON_LIB_ALIGNMENT_PROBE_H
#define PTPMON_LIB_ALIGNMENT_PROBE_H

#include "frame_key.h"

#include <ptpmon.h>

#define PTPMON_PROBE_NS       INT64_C(60000000000) /* length, usually */
#define PTPMON_PROBE_ENOUGH   200
#define PTPMON_PROBE_FRAMES   20000
#define PTPMON_PROBE_EVENTS   200000 /* with the keys of the frames; more are passed over */
#define PTPMON_PROBE_STREAMS  64     /* kinds and senders that are told apart; more are not */
#define PTPMON_PROBE_READINGS 65536  /* of the clocks; more are passed over */
/* A key that either side has more often names no message; what has it is passed over. */
#define PTPMON_PROBE_SAME_KEY 32

/* By which of the clocks in the CLOCKS records the files are laid side by side. */
enum ptpmon_probe_axis {
    PTPMON_PROBE_REALTIME,
    PTPMON_PROBE_HARDWARE, /* the NIC's own */
};

struct ptpmon_probe_frame {
    struct ptpmon_frame_key key;
    int64_t time; /* capture time */
    uint32_t resolution_ns;
    uint8_t direction;
    uint8_t stream;     /* index; PTPMON_PROBE_STREAMS: of none of them */
    bool names_nothing; /* its key is too common */
};

/* Messages of one kind and sender. */
struct ptpmon_probe_stream {
    struct ptpmon_frame_key key; /* with sequenceId 0 */
    size_t events;               /* of the recording, near the stretch, also those whose key no frame has */
};

struct ptpmon_probe_event {
    struct ptpmon_frame_key key;
    int64_t system;          /* event time */
    int64_t time, realtime;  /* on the axis, and as UTC */
    uint64_t software_stamp; /* of CLOCK_REALTIME, of received messages only; 0 = none */
    uint64_t hardware_stamp; /* likewise of the NIC's clock */
    uint8_t direction;
};

/* A frame and an event of one key, at most max_offset apart on the axis, whose directions do not contradict. */
struct ptpmon_candidate {
    uint32_t frame, event; /* indices */
};

struct ptpmon_probe_span {
    bool any;
    int64_t from, to;
};

struct ptpmon_probe {
    /* Options. */
    int64_t max_offset, length;
    enum ptpmon_probe_axis axis;
    /* What was found. */
    struct ptpmon_probe_span events_span;  /* the recording, on the axis */
    struct ptpmon_probe_span capture_span; /* PTP messages of the capture, as far as it was read */
    uint64_t capture_messages;             /* likewise */
    uint64_t stretch_messages;             /* those of the stretch, also what the hash left out */
    struct ptpmon_probe_span stretch;      /* in capture time */
    struct ptpmon_probe_frame *frames;     /* in order of key and time */
    size_t frame_count, frame_capacity;
    uint64_t mask;                                            /* frames whose hash has none of these bits are kept */
    struct ptpmon_probe_stream streams[PTPMON_PROBE_STREAMS]; /* of the frames */
    size_t stream_count;
    struct ptpmon_probe_event *events;
    size_t event_count, event_capacity;
    struct ptpmon_candidate *candidates; /* in order of frame */
    size_t candidate_count, candidate_capacity;
    size_t reversed; /* frames of known direction whose key only events of the other direction have */
};

/* The recording is at its start, the capture too. No frame in the stretch is no error; then nothing but spans and
 * capture_messages is filled. Errors: NO_MEMORY, IO, BAD_FILE (the recording). */
ptpmon_status ptpmon_probe_read(struct ptpmon_probe *probe, ptpmon_monitor *recording, ptpmon_capture *file,
                                enum ptpmon_probe_axis axis, int64_t max_offset, int64_t length);
void ptpmon_probe_free(struct ptpmon_probe *probe);

#endif
