/* SPDX-License-Identifier: MIT */
/*
 * The inside of captures. capture.c is the same for all; each way to get frames (live, classic pcap
 * files, pcapng files, given by the caller) is a table of functions in a file of its own.
 */
#ifndef PTPMON_LIB_CAPTURE_H
#define PTPMON_LIB_CAPTURE_H

#include <ptpmon.h>
#include <stdio.h>

enum ptpmon_capture_kind {
    PTPMON_CAPTURE_LIVE,
    PTPMON_CAPTURE_FILE,
    PTPMON_CAPTURE_GIVEN,
};

enum ptpmon_capture_kind ptpmon_capture_kind_of(const ptpmon_capture *capture);

/* Of the interface or file, or as given; lives as long as the capture. */
const char *ptpmon_capture_name(const ptpmon_capture *capture);

/* Files: starts over, as if opened anew; a selection stays. Errors: IO (what cannot be read twice, such as a pipe),
 * INVALID (no file), BAD_FILE. */
ptpmon_status ptpmon_capture_rewind(ptpmon_capture *capture);

/* True once END was reached in a file that ends inside a frame or block: its writer was killed, or still writes. */
bool ptpmon_capture_is_cut(const ptpmon_capture *capture);

/* ---- For those who implement a kind of capture ---- */

/* What the functions must do is said at their namesakes in ptpmon.h. The frames are counted by the caller. `next` has
 * the caller's own *frame: to be written where all is well, and not before. */
struct ptpmon_capture_operations {
    enum ptpmon_capture_kind kind;
    ptpmon_status (*next)(ptpmon_capture *capture, ptpmon_frame *frame);
    /* Fills all but `frames`, which is there already. */
    ptpmon_status (*statistics)(ptpmon_capture *capture, ptpmon_capture_statistics *statistics);
    /* Frees what init and open got, but not the struct itself. */
    void (*close)(ptpmon_capture *capture);

    /* May be NULL: there is no loss, nothing to stop, one interface of which nothing is known. */
    ptpmon_status (*next_loss)(ptpmon_capture *capture, ptpmon_capture_loss *loss);
    void (*stop)(ptpmon_capture *capture);
    size_t (*interface_count)(const ptpmon_capture *capture);
    void (*interface_get)(const ptpmon_capture *capture, size_t interface, ptpmon_capture_interface *about);
    /* After capture->selected was set; only those with several interfaces need it. */
    void (*select)(ptpmon_capture *capture);
    /* Files only. */
    ptpmon_status (*rewind)(ptpmon_capture *capture);
};

#define PTPMON_CAPTURE_ALL SIZE_MAX /* no interface was selected */

/* The first member of each kind's own struct. */
struct ptpmon_capture {
    const struct ptpmon_capture_operations *operations;
    char *name;
    size_t selected; /* interface, or PTPMON_CAPTURE_ALL */
    uint64_t frames; /* delivered */
    bool cut;
    ptpmon_status ended; /* what every further call of ptpmon_capture_next() returns; OK = not yet */
    char failure[512];
};

/* Zeroed memory of this size, which begins with a struct ptpmon_capture, filled. NULL: NO_MEMORY, reported. */
void *ptpmon_capture_new(const struct ptpmon_capture_operations *operations, size_t size, const char *name);

/* Both take the file over, at its start, also when they fail. */
ptpmon_status ptpmon_capture_open_pcap(const char *path, FILE *file, ptpmon_capture **capture);
ptpmon_status ptpmon_capture_open_pcapng(const char *path, FILE *file, ptpmon_capture **capture);

/* Times of the first and last frame, of which a capture without notes knows nothing better than that it ran between
 * them. Zeroed to begin with. */
struct ptpmon_capture_span {
    bool any;
    int64_t first, last;
};

static inline void ptpmon_capture_span_add(struct ptpmon_capture_span *span, int64_t time_ns)
{
    if (!span->any) {
        span->any = true;
        span->first = time_ns;
    }
    span->last = time_ns;
}

/* The sentence for frames that cannot be used. `linktype` is a LINKTYPE_ number, as in files. */
ptpmon_status ptpmon_capture_fail_linktype(const char *path, unsigned linktype);

#define PTPMON_LINKTYPE_ETHERNET 1u
#define PTPMON_LINKTYPE_RAW      101u

#endif
