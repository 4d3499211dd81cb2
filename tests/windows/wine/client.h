/* SPDX-License-Identifier: MIT */
/*
 * The client: an ordinary program that uses the driver's device as any other would, and ndislab.sys to say
 * what adapters there are and what frames pass.
 */
#ifndef PTPMON_CLIENT_H
#define PTPMON_CLIENT_H

#include <winsock2.h> /* before windows.h */

#include <windows.h>

#include <avb/avb_ptp_ioctl.h>
#include <avb/avb_ring_buffer.h>

#include "lab_ioctl.h"

#define GUID_1 "{11111111-2222-3333-4444-555555555555}"
#define GUID_2 "{AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE}"

/* Prints "FAIL <case>: <why>" and ends the program. */
void fail(const char *format, ...) __attribute__((format(gnu_printf, 1, 2), noreturn));

#define STRING_OF_(line) #line
#define STRING_OF(line)  STRING_OF_(line)

#define CHECK(condition) \
    do { \
        if (!(condition)) \
            fail("%s:%d: %s", __FILE__, __LINE__, #condition); \
    } while (0)

/* Two numbers that are to be the same. */
#define CHECK_SAME(is, wanted) \
    do { \
        INT64 is_ = (INT64)(is), wanted_ = (INT64)(wanted); \
        if (is_ != wanted_) \
            fail("%s:%d: %s is %lld, not %lld", __FILE__, __LINE__, #is, (long long)is_, (long long)wanted_); \
    } while (0)

/* A call that returns a BOOL is to fail with this error. */
#define CHECK_REFUSED(call, error) \
    do { \
        SetLastError(0); \
        if (call) \
            fail("%s:%d: %s worked", __FILE__, __LINE__, #call); \
        CHECK_SAME(GetLastError(), error); \
    } while (0)

/* ---- client_lab.c: the NDIS double ---- */

/* A call with its argument; ends the program where it is malformed or the double is gone. */
struct lab_out lab_call(enum lab_request request, const struct lab_in *in);
struct lab_out lab_value(enum lab_request request, UINT32 adapter, UINT32 value); /* for calls with just that */
int lab_is_there(void);

/* Ethernet, no stamps; attached only, or running. */
struct lab_adapter_config plain_adapter(const char *guid);
INT32 adapter_attach(const struct lab_adapter_config *config, UINT32 *adapter); /* NDIS_STATUS */
UINT32 adapter_start(const struct lab_adapter_config *config);
struct nt_lab_held held(void);
void check_held(const struct nt_lab_held *before);
INT64 given_handles(void);
/* A breach since the program began. */
void check_breaches(void);

/* Registers a name below \\.\AvbPtp\ for as long as the session lasts. */
void lab_name(const char *text);

/* ---- client_device.c: the driver's device ---- */

HANDLE device_try(const char *suffix, DWORD access); /* INVALID_HANDLE_VALUE: GetLastError() */
HANDLE device_open(const char *guid);
BOOL device_call(HANDLE device, UINT32 code, void *out, DWORD out_bytes);
AVB_PTP_MONITOR_STATS statistics(HANDLE device);

/* Waits until nobody has it enabled: handles of a process that was killed are closed a moment later. */
void wait_for_owner_to_go(HANDLE device);

struct monitor {
    HANDLE device;
    AVB_PTP_MONITORING shared;
    const UINT8 *records; /* section 1 */
    void *consumer;       /* section 2 */
    HANDLE wake;
    AVB_RING_READER reader;
    UINT64 latest; /* system_timestamp must be above it */
};

/* Enables and maps; ends the program where that fails. */
void monitor_start(struct monitor *monitor, HANDLE device);
/* Unmaps and closes the three handles; disables before where `disable`. */
void monitor_end(struct monitor *monitor, int disable);
HANDLE handle_of(UINT64 handle);
/* Takes up to `most` records; how many there were. */
UINT32 monitor_read(struct monitor *monitor, PTP_TIMESTAMP_EVENT *records, UINT32 most);

/* The next record is this one, but for system_timestamp and sequence, which are as they must be. */
void expect_record(struct monitor *monitor, const PTP_TIMESTAMP_EVENT *wanted);
void expect_nothing(struct monitor *monitor);

/* ---- client_frames.c: frames, what their records must be, and traffic ---- */

#define FRAME_BYTES 160 /* at most */

struct frame {
    UINT8 bytes[FRAME_BYTES];
    UINT32 length;
    UINT32 ptp;                /* where the PTP header begins */
    PTP_TIMESTAMP_EVENT event; /* but for times, direction, queue and sequence */
};

/* `tags` tags of 4 bytes before the EtherType: TPID << 16 | TCI, outermost first. */
struct frame make_frame(UINT32 transport, UINT8 messageType, UINT16 sequenceId, const UINT32 *tags, UINT32 tag_count);
struct frame foreign_frame(void);

/* Of this frame, without stamps. */
PTP_TIMESTAMP_EVENT record_of(const struct frame *frame, UINT8 direction);

struct traffic {
    struct lab_traffic head;
    struct lab_list lists[LAB_MAX_FRAMES];
    struct lab_frame frames[LAB_MAX_FRAMES];
    UINT8 payload[LAB_MAX_FRAMES * FRAME_BYTES];
};
void traffic_begin(struct traffic *traffic, UINT32 adapter, UINT32 directions);
/* A new list, and a frame in the last one: which may be changed. */
struct lab_list *traffic_list(struct traffic *traffic);
struct lab_frame *traffic_frame(struct traffic *traffic, const struct frame *frame);
/* What lab_receive() or lab_send() returned. */
INT64 traffic_run(struct traffic *traffic);
void traffic_start(struct traffic *traffic);
struct lab_out traffic_end(int stop);

/* A single frame in a list of its own. */
INT64 pass_frame(UINT32 adapter, UINT32 direction, const struct frame *frame);

/* ---- client_process.c: other processes ---- */

struct process {
    PROCESS_INFORMATION information;
    HANDLE ready; /* set by helper_ready() */
};
/* Runs "<this program> helper <arguments>"; returns when it says that it is ready, or has ended. */
struct process process_start(const char *arguments, BOOL inherit);
DWORD process_join(struct process *process); /* exit code */
void process_kill(struct process *process);
void helper_ready(void);
int run_helper(int argc, char **argv);

/* ---- client_service.c ---- */

/* Win32 error. */
DWORD service_start(const char *name, const char *path);
DWORD service_stop(const char *name);
DWORD service_state(const char *name);

/* ---- Cases ---- */

typedef void case_body(void);
#define CASE(name) case_body case_##name;
#include "client_cases.def"
#undef CASE

#endif
