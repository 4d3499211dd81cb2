/* SPDX-License-Identifier: MIT */
#include "alignment_interface.h"

#include "capture.h"
#include "error.h"
#include "monitor.h"

#include <stdio.h>
#include <string.h>

/* The capture's name and the recording's, with which a message begins. */
struct names {
    const char *capture, *events;
};

static bool has_mac(const PTP_RECORDING_HEADER *header)
{
    static const UCHAR none[sizeof header->mac];
    return memcmp(header->mac, none, sizeof none) != 0;
}

static bool same_name(const PTP_RECORDING_HEADER *header, const ptpmon_capture_interface *about)
{
    if (about->name[0] == 0)
        return false;
    if (header->interface_guid[0] != 0 && strstr(about->name, header->interface_guid) != NULL)
        return true;
    return strcmp(about->name, header->interface_name) == 0;
}

static bool same_mac(const PTP_RECORDING_HEADER *header, const ptpmon_capture_interface *about)
{
    return about->has_mac && has_mac(header) && memcmp(about->mac, header->mac, sizeof about->mac) == 0;
}

static bool known_and_different(const char *a, const char *b)
{
    return a[0] != 0 && b[0] != 0 && strcmp(a, b) != 0;
}

static ptpmon_status check_host(const struct names *names, const PTP_RECORDING_HEADER *header,
                                const ptpmon_capture_interface *about)
{
    if (known_and_different(about->host, header->host))
        return ptpmon_fail(PTPMON_BAD_FILE,
                           "%s: captured on host %s, but the events of %s are of host %s: give files of one host",
                           names->capture, about->host, names->events, header->host);
    if (known_and_different(about->boot_id, header->boot_id))
        return ptpmon_fail(PTPMON_BAD_FILE,
                           "%s: captured in another run of the host than the events of %s, it was started anew "
                           "between them: give files of one run",
                           names->capture, names->events);
    return PTPMON_OK;
}

/* A file whose writer noted the host is ptpmon's own, and its interface names are those of the recording. */
static ptpmon_status check_interface(const struct names *names, const PTP_RECORDING_HEADER *header,
                                     const ptpmon_capture_interface *about)
{
    ptpmon_status status = check_host(names, header, about);
    if (status != PTPMON_OK)
        return status;
    if (about->host[0] != 0 && known_and_different(about->name, header->interface_name) && !same_name(header, about))
        return ptpmon_fail(PTPMON_BAD_FILE,
                           "%s: captured on interface %s, but the events of %s are of %s: give files of one interface",
                           names->capture, about->name, names->events, header->interface_name);
    if (same_name(header, about) && about->has_mac && has_mac(header) && !same_mac(header, about))
        return ptpmon_fail(PTPMON_BAD_FILE,
                           "%s: its interface %s has the address %02x:%02x:%02x:%02x:%02x:%02x, that of the events of "
                           "%s %02x:%02x:%02x:%02x:%02x:%02x: give files of one card",
                           names->capture, about->name, about->mac[0], about->mac[1], about->mac[2], about->mac[3],
                           about->mac[4], about->mac[5], names->events, header->mac[0], header->mac[1], header->mac[2],
                           header->mac[3], header->mac[4], header->mac[5]);
    return PTPMON_OK;
}

/* Names them all, as far as there is room. */
static ptpmon_status fail_none_fits(const struct names *names, const PTP_RECORDING_HEADER *header,
                                    const ptpmon_capture *file, size_t count)
{
    char list[160] = "";
    for (size_t i = 0, used = 0; i < count; i++) {
        ptpmon_capture_interface about;
        ptpmon_status status = ptpmon_capture_interface_get(file, i, &about);
        if (status != PTPMON_OK)
            return status;
        if (used + strlen(about.name) + sizeof ", (unnamed), ..." > sizeof list) {
            snprintf(list + used, sizeof list - used, "...");
            break;
        }
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", about.name[0] ? about.name : "(unnamed)",
                                 i + 1 < count ? ", " : "");
    }
    return ptpmon_fail(PTPMON_BAD_FILE,
                       "%s: none of its interfaces (%s) is %s, of which %s is: give the capture of that interface",
                       names->capture, list, header->interface_name, names->events);
}

typedef bool (*interface_test)(const PTP_RECORDING_HEADER *header, const ptpmon_capture_interface *about);

/* How many interfaces pass the test and contradict nothing; the first of them, else the first that passes the test. */
static ptpmon_status find_interfaces(const struct names *names, const PTP_RECORDING_HEADER *header,
                                     const ptpmon_capture *file, interface_test test, size_t *fitting, size_t *first)
{
    size_t count = ptpmon_capture_interface_count(file);
    *fitting = 0;
    *first = count;
    for (size_t i = 0; i < count; i++) {
        ptpmon_capture_interface about;
        ptpmon_status status = ptpmon_capture_interface_get(file, i, &about);
        if (status != PTPMON_OK)
            return status;
        if (!test(header, &about))
            continue;
        bool fits = check_interface(names, header, &about) == PTPMON_OK;
        if (*first == count || (fits && *fitting == 0))
            *first = i;
        *fitting += fits;
    }
    return PTPMON_OK;
}

static ptpmon_status choose_interface(const struct names *names, const PTP_RECORDING_HEADER *header,
                                      const ptpmon_capture *file, size_t *interface)
{
    size_t count = ptpmon_capture_interface_count(file), fitting;
    ptpmon_status status = find_interfaces(names, header, file, same_name, &fitting, interface);
    if (status == PTPMON_OK && *interface == count)
        status = find_interfaces(names, header, file, same_mac, &fitting, interface);
    if (status != PTPMON_OK)
        return status;
    if (*interface == count)
        return fail_none_fits(names, header, file, count);
    if (fitting > 1)
        return ptpmon_fail(PTPMON_BAD_FILE,
                           "%s: %zu of its interfaces are %s, of which %s is: put them together with "
                           "`mergecap -I all`, or give a capture with one",
                           names->capture, fitting, header->interface_name, names->events);
    return PTPMON_OK;
}

ptpmon_status ptpmon_align_interface(const ptpmon_monitor *recording, const ptpmon_capture *file, size_t *interface)
{
    const PTP_RECORDING_HEADER *header = ptpmon_monitor_recording_header(recording);
    const struct names names = {ptpmon_capture_name(file), ptpmon_monitor_name(recording)};
    size_t chosen = 0, count = ptpmon_capture_interface_count(file);
    if (count == 0)
        return ptpmon_fail(PTPMON_BAD_FILE, "%s: no frame is in it; give the capture that belongs to %s", names.capture,
                           names.events);
    if (count > 1) {
        ptpmon_status status = choose_interface(&names, header, file, &chosen);
        if (status != PTPMON_OK)
            return status;
    }
    ptpmon_capture_interface about;
    ptpmon_status status = ptpmon_capture_interface_get(file, chosen, &about);
    if (status == PTPMON_OK)
        status = check_interface(&names, header, &about);
    if (status == PTPMON_OK)
        *interface = chosen;
    return status;
}
