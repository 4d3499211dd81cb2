/* SPDX-License-Identifier: MIT */
/* What all captures have in common. */
#include "capture.h"

#include "error.h"
#include "file.h"
#include "linktype.h"

#include <avb/avb_ptp_recording.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void *ptpmon_capture_new(const struct ptpmon_capture_operations *operations, size_t size, const char *name)
{
    ptpmon_capture *capture = calloc(1, size);
    char *copy = strdup(name);
    if (capture == NULL || copy == NULL) {
        free(copy);
        free(capture);
        ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory for a capture; close other programs", name);
        return NULL;
    }
    capture->operations = operations;
    capture->name = copy;
    capture->selected = PTPMON_CAPTURE_ALL;
    return capture;
}

void ptpmon_capture_close(ptpmon_capture *capture)
{
    if (capture == NULL)
        return;
    capture->operations->close(capture);
    free(capture->name);
    free(capture);
}

/* The kind of file shows in its first bytes, which are put back: what follows may come from a pipe. */
ptpmon_status ptpmon_capture_open_file(const char *path, ptpmon_capture **capture)
{
    static const uint8_t pcapng[4] = {0x0A, 0x0D, 0x0D, 0x0A};
    uint8_t magic[4];
    FILE *file = ptpmon_file_stream(path);
    if (file == NULL)
        return ptpmon_fail_errno(path, "open the file", errno);

    size_t length = fread(magic, 1, sizeof magic, file);
    ptpmon_status status = PTPMON_OK;
    if (ferror(file))
        status = ptpmon_fail_errno(path, "read the file", errno);
    else if (length < sizeof magic)
        status = ptpmon_fail(PTPMON_BAD_FILE, "%s: not a pcap or pcapng file: it has only %zu bytes", path, length);
    for (size_t i = 1; status == PTPMON_OK && i <= sizeof magic; i++) {
        if (ungetc(magic[sizeof magic - i], file) == EOF)
            status = ptpmon_fail(PTPMON_IO, "%s: cannot go back to its start; copy it to a regular file", path);
    }
    if (status != PTPMON_OK) {
        fclose(file);
        return status;
    }
    if (memcmp(magic, AVB_RECORDING_MAGIC, sizeof magic) == 0) {
        fclose(file);
        return ptpmon_fail(
            PTPMON_BAD_FILE,
            "%s: recorded events, not a capture; name a pcap or pcapng file (events are not read from a pipe)", path);
    }
    if (memcmp(magic, pcapng, sizeof magic) == 0)
        return ptpmon_capture_open_pcapng(path, file, capture);
    return ptpmon_capture_open_pcap(path, file, capture);
}

enum ptpmon_capture_kind ptpmon_capture_kind_of(const ptpmon_capture *capture)
{
    return capture->operations->kind;
}

const char *ptpmon_capture_name(const ptpmon_capture *capture)
{
    return capture->name;
}

bool ptpmon_capture_is_cut(const ptpmon_capture *capture)
{
    return capture->cut;
}

ptpmon_status ptpmon_capture_rewind(ptpmon_capture *capture)
{
    if (capture->operations->rewind == NULL)
        return ptpmon_fail(PTPMON_INVALID, "%s: only a capture file can be read twice", capture->name);
    ptpmon_status status = capture->operations->rewind(capture);
    if (status != PTPMON_OK)
        return status;
    capture->frames = 0;
    capture->cut = false;
    capture->ended = PTPMON_OK;
    return PTPMON_OK;
}

size_t ptpmon_capture_interface_count(const ptpmon_capture *capture)
{
    return capture->operations->interface_count != NULL ? capture->operations->interface_count(capture) : 1;
}

static ptpmon_status check_interface(const ptpmon_capture *capture, size_t interface)
{
    size_t count = ptpmon_capture_interface_count(capture);
    if (interface < count)
        return PTPMON_OK;
    return ptpmon_fail(PTPMON_INVALID, "%s: there is no interface %zu in this capture; it has %zu, counted from 0",
                       capture->name, interface, count);
}

ptpmon_status ptpmon_capture_interface_get(const ptpmon_capture *capture, size_t interface,
                                           ptpmon_capture_interface *about)
{
    ptpmon_status status = check_interface(capture, interface);
    if (status != PTPMON_OK)
        return status;
    *about = (ptpmon_capture_interface){0};
    if (capture->operations->interface_get != NULL)
        capture->operations->interface_get(capture, interface, about);
    return PTPMON_OK;
}

ptpmon_status ptpmon_capture_select(ptpmon_capture *capture, size_t interface)
{
    ptpmon_status status = check_interface(capture, interface);
    if (status != PTPMON_OK)
        return status;
    capture->selected = interface;
    if (capture->operations->select != NULL)
        capture->operations->select(capture);
    return PTPMON_OK;
}

static ptpmon_status end(ptpmon_capture *capture, ptpmon_status status)
{
    capture->ended = status;
    snprintf(capture->failure, sizeof capture->failure, "%s", ptpmon_error_message());
    return status;
}

ptpmon_status ptpmon_capture_next(ptpmon_capture *capture, ptpmon_frame *frame)
{
    if (capture->ended != PTPMON_OK)
        return capture->ended == PTPMON_END ? PTPMON_END : ptpmon_fail(capture->ended, "%s", capture->failure);
    ptpmon_status status = capture->operations->next(capture, frame);
    if (status == PTPMON_OK)
        capture->frames++;
    else if (status != PTPMON_NOTHING)
        return end(capture, status);
    return status;
}

ptpmon_status ptpmon_capture_next_loss(ptpmon_capture *capture, ptpmon_capture_loss *loss)
{
    return capture->operations->next_loss != NULL ? capture->operations->next_loss(capture, loss) : PTPMON_NOTHING;
}

ptpmon_status ptpmon_capture_stop(ptpmon_capture *capture)
{
    if (capture->operations->stop != NULL)
        capture->operations->stop(capture);
    return PTPMON_OK;
}

ptpmon_status ptpmon_capture_statistics_get(ptpmon_capture *capture, ptpmon_capture_statistics *statistics)
{
    ptpmon_capture_statistics now = {.frames = capture->frames};
    ptpmon_status status = capture->operations->statistics(capture, &now);
    if (status == PTPMON_OK)
        *statistics = now;
    return status;
}

ptpmon_status ptpmon_capture_fail_linktype(const char *path, unsigned linktype)
{
    const char *name = ptpmon_linktype_name(linktype);
    return ptpmon_fail(PTPMON_BAD_FILE,
                       "%s: frames of linktype %s (%u), not Ethernet; capture on an Ethernet interface, not on `any`",
                       path, name != NULL ? name : "unknown", linktype);
}
