/* SPDX-License-Identifier: MIT */
/* What can be seen of the driver from outside: its service and file, what Windows lets load, its device, Npcap. */
#ifndef PTPMON_CLI_WINDOWS_DRIVER_STATE_H
#define PTPMON_CLI_WINDOWS_DRIVER_STATE_H

#include <avb/avb_ptp_ioctl.h>
#include <ptpmon.h>
#include <stdbool.h>

/* The name of the service, and what the adapter's properties call the filter. */
#define DRIVER_SERVICE      L"avbptpmon"
#define DRIVER_DISPLAY_NAME "PTP Timestamp Event Monitor"

#define DRIVER_PATH_SIZE    1024
#define DRIVER_VERSION_SIZE 32

enum driver_service {
    DRIVER_ABSENT,
    DRIVER_STOPPED,
    DRIVER_RUNNING,
    DRIVER_CHANGING, /* starting, or stopping: a program has the driver open */
    DRIVER_NOT_SEEN, /* Windows did not tell */
};
extern const char *const driver_service_names[]; /* by enum driver_service, "absent", "stopped"... */

/* A file of the system: "" = not known, or there is none. */
struct driver_file {
    char path[DRIVER_PATH_SIZE];
    char version[DRIVER_VERSION_SIZE]; /* "0.1.0.0" */
};

struct driver_state {
    bool administrator; /* this process may do what one may */
    enum driver_service service;
    unsigned long start_error; /* why it is not running, as Windows noted it; 0 = not known */
    struct driver_file file;
    /* What Windows lets load. */
    bool integrity_known;
    bool enforces_signatures, test_mode, memory_integrity;
    bool secure_boot_known, secure_boot;
    /* Npcap. */
    bool has_npcap;
    struct driver_file npcap;
    enum driver_service npcap_service;
};
void driver_state_read(struct driver_state *state);

bool driver_is_administrator(void);
enum driver_service driver_service_state(void);
/* Starts the service: 0, or the error of Windows. */
unsigned long driver_service_start(void);

enum driver_contact {
    CONTACT_ANSWERS,
    CONTACT_NOT_THERE,     /* no device: the driver does not run, or is not bound to this adapter */
    CONTACT_DENIED,        /* an administrator may */
    CONTACT_OTHER_VERSION, /* it answers, but not as this program asks */
    CONTACT_FAILED,        /* *error says why */
};
/* Asks the driver about an adapter. */
enum driver_contact driver_ask(const ptpmon_interface *adapter, AVB_PTP_MONITOR_STATS *statistics,
                               unsigned long *error);

/* Whether Windows has the filter bound to the adapter, running or not. */
enum driver_binding { BINDING_NOT_KNOWN, BINDING_ABSENT, BINDING_PRESENT };
enum driver_binding driver_binding(const ptpmon_interface *adapter);

/* The file name of a process' program, "" = not to be had; returns `name`. */
char *driver_process_name(unsigned long process, char *name, size_t size);

#endif
