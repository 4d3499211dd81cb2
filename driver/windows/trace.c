/* SPDX-License-Identifier: MIT */
#include "trace.h"

#define PROVIDER \
    { \
        0xD684C6A5, 0x0773, 0x4734, \
        { \
            0xAF, 0x00, 0xC0, 0xEC, 0x54, 0xF2, 0x7A, 0xC0 \
        } \
    }

/* Of the manifest: what is written here must be there too, and the other way round. */
#define KEYWORD_ADAPTER    0x01u
#define KEYWORD_MONITORING 0x02u
#define KEYWORD_LOSS       0x04u
#define KEYWORD_STAMPS     0x08u
#define KEYWORD_DATAPATH   0x10u

#define LEVEL_WARNING     3u
#define LEVEL_INFORMATION 4u
#define LEVEL_VERBOSE     5u

#define TASK_DATAPATH 1u

#define OPCODE_START 1u
#define OPCODE_STOP  2u

/* EVENT_CONTROL_CODE_DISABLE_PROVIDER: no session wants anything any more; _ENABLE_PROVIDER: one at least does. */
#define CONTROL_DISABLE 0u
#define CONTROL_ENABLE  1u

static const EVENT_DESCRIPTOR attach_event = {.Id = 1, .Level = LEVEL_INFORMATION, .Keyword = KEYWORD_ADAPTER};
static const EVENT_DESCRIPTOR detach_event = {.Id = 2, .Level = LEVEL_INFORMATION, .Keyword = KEYWORD_ADAPTER};
static const EVENT_DESCRIPTOR enable_event = {.Id = 3, .Level = LEVEL_INFORMATION, .Keyword = KEYWORD_MONITORING};
static const EVENT_DESCRIPTOR disable_event = {.Id = 4, .Level = LEVEL_INFORMATION, .Keyword = KEYWORD_MONITORING};
static const EVENT_DESCRIPTOR loss_event = {.Id = 5, .Level = LEVEL_WARNING, .Keyword = KEYWORD_LOSS};
static const EVENT_DESCRIPTOR refused_event = {.Id = 6, .Level = LEVEL_INFORMATION, .Keyword = KEYWORD_STAMPS};
static const EVENT_DESCRIPTOR start_event = {
    .Id = 7, .Level = LEVEL_VERBOSE, .Opcode = OPCODE_START, .Task = TASK_DATAPATH, .Keyword = KEYWORD_DATAPATH};
static const EVENT_DESCRIPTOR stop_event = {
    .Id = 8, .Level = LEVEL_VERBOSE, .Opcode = OPCODE_STOP, .Task = TASK_DATAPATH, .Keyword = KEYWORD_DATAPATH};

UINT64 avb_trace_datapath;

static REGHANDLE provider; /* 0: not registered */

/* 0 stands for any level, and for any keyword. */
static int WantsDatapath(UINT8 level, UINT64 any, UINT64 all)
{
    return (level == 0 || level >= LEVEL_VERBOSE) && (any == 0 || (any & KEYWORD_DATAPATH)) &&
           (all & ~(UINT64)KEYWORD_DATAPATH) == 0;
}

/* Level and keywords are those of all sessions together: ETW itself gives each session what it asked for. */
static VOID NTAPI OnControl(LPCGUID source, ULONG code, UCHAR level, ULONGLONG any, ULONGLONG all,
                            PEVENT_FILTER_DESCRIPTOR filter, PVOID context)
{
    UNREFERENCED_PARAMETER(source);
    UNREFERENCED_PARAMETER(filter);
    UNREFERENCED_PARAMETER(context);
    if (code == CONTROL_DISABLE)
        avb_store_relaxed(&avb_trace_datapath, 0);
    else if (code == CONTROL_ENABLE)
        avb_store_relaxed(&avb_trace_datapath, WantsDatapath(level, any, all) ? 1 : 0);
}

NTSTATUS AvbTraceInit(void)
{
    static const GUID id = PROVIDER;
    NTSTATUS status = EtwRegister(&id, OnControl, NULL, &provider);
    if (!NT_SUCCESS(status))
        provider = 0;
    return status;
}

void AvbTraceCleanup(void)
{
    if (provider != 0)
        EtwUnregister(provider);
    provider = 0;
    avb_store_relaxed(&avb_trace_datapath, 0);
}

/* An event that nobody gets is no error of this driver. */
static void Write(const EVENT_DESCRIPTOR *event, EVENT_DATA_DESCRIPTOR *fields, UINT32 count)
{
    if (provider != 0)
        (void)EtwWrite(provider, event, NULL, count, fields);
}

#define FIELD(variable) \
    { \
        .Ptr = (ULONG_PTR) & (variable), .Size = sizeof(variable) \
    }
#define WRITE(event, ...) \
    do { \
        EVENT_DATA_DESCRIPTOR fields[] = {__VA_ARGS__}; \
        Write(event, fields, RTL_NUMBER_OF(fields)); \
    } while (0)

void AvbTraceAttach(UINT64 net_luid, UINT32 if_index, UINT32 generation, NTSTATUS status)
{
    WRITE(&attach_event, FIELD(net_luid), FIELD(if_index), FIELD(generation), FIELD(status));
}

void AvbTraceDetach(UINT64 net_luid, UINT32 generation)
{
    WRITE(&detach_event, FIELD(net_luid), FIELD(generation));
}

void AvbTraceEnable(UINT64 net_luid, UINT32 process, UINT32 capacity, NTSTATUS status)
{
    WRITE(&enable_event, FIELD(net_luid), FIELD(process), FIELD(capacity), FIELD(status));
}

void AvbTraceDisable(UINT64 net_luid, UINT32 cause)
{
    WRITE(&disable_event, FIELD(net_luid), FIELD(cause));
}

void AvbTraceLoss(UINT64 net_luid, UINT64 frames_dropped, UINT64 stamps_dropped)
{
    WRITE(&loss_event, FIELD(net_luid), FIELD(frames_dropped), FIELD(stamps_dropped));
}

void AvbTraceStampRefused(UINT64 net_luid, UINT32 reason, UINT64 count)
{
    WRITE(&refused_event, FIELD(net_luid), FIELD(reason), FIELD(count));
}

void AvbTraceDatapath(int start, UINT64 net_luid, UINT32 direction, UINT32 count)
{
    WRITE(start ? &start_event : &stop_event, FIELD(net_luid), FIELD(direction), FIELD(count));
}
