/* SPDX-License-Identifier: MIT */
/* Event tracing: a recorder. Writing takes no lock: it may be in the datapath. */
#include "nt_double.h"

#include "nt_native.h"

#include <stdlib.h>

#define PROVIDERS   8
#define KEPT_EVENTS 1024
#define KEPT_BYTES  65536
#define MAX_BYTES   65536 /* of one event */

struct provider {
    UINT32 state; /* atomic */
    int own;
    GUID id;
    PETWENABLECALLBACK callback;
    PVOID context;
};
enum { FREE, TAKEN, REGISTERED };

static struct provider providers[PROVIDERS];

/* What the session asks for, of each provider. */
static struct nt_lock session_lock;
static int session_on;
static UINT8 session_level;
static UINT64 session_keywords;

static UINT64 counts[MAXUSHORT + 1];

struct kept {
    UINT32 ready; /* atomic */
    USHORT id;
    UINT32 first, bytes;
};
static struct kept kept[KEPT_EVENTS];
static UCHAR payloads[KEPT_BYTES];
static UINT64 kept_events, kept_bytes;

static struct provider *by_handle(REGHANDLE handle, const char *function)
{
    if (handle >= 1 && handle <= PROVIDERS &&
        __atomic_load_n(&providers[handle - 1].state, __ATOMIC_ACQUIRE) == REGISTERED)
        return &providers[handle - 1];
    if (handle != 0) /* none: the registration failed */
        nt_breach("%s: %llx is not registered", function, (unsigned long long)handle);
    return NULL;
}

static void tell(const struct provider *provider, int on)
{
    if (!provider->callback)
        return;
    struct nt_bracket before = nt_enter(PASSIVE_LEVEL);
    provider->callback(&provider->id, on ? EVENT_CONTROL_CODE_ENABLE_PROVIDER : EVENT_CONTROL_CODE_DISABLE_PROVIDER,
                       on ? session_level : 0, on ? session_keywords : 0, 0, NULL, provider->context);
    nt_leave(&before, "an ETW enable callback");
}

NTSTATUS EtwRegister(LPCGUID ProviderId, PETWENABLECALLBACK EnableCallback, PVOID CallbackContext, PREGHANDLE RegHandle)
{
    NT_IRQL_AT_MOST(PASSIVE_LEVEL);
    *RegHandle = 0;
    if (nt_fails())
        return STATUS_NO_MEMORY;
    UINT32 index = 0, expected = FREE;
    while (!__atomic_compare_exchange_n(&providers[index].state, &expected, TAKEN, 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED)) {
        expected = FREE;
        if (++index == PROVIDERS)
            return STATUS_NO_MEMORY;
    }
    struct provider *provider = &providers[index];
    provider->own = nt_own;
    provider->id = *ProviderId;
    provider->callback = EnableCallback;
    provider->context = CallbackContext;
    *RegHandle = index + 1;
    nt_lock_take(&session_lock);
    __atomic_store_n(&provider->state, REGISTERED, __ATOMIC_RELEASE);
    if (session_on)
        tell(provider, 1);
    nt_lock_give(&session_lock);
    nt_hold(&nt_held_now.etw_providers, 1, nt_own);
    return STATUS_SUCCESS;
}

NTSTATUS EtwUnregister(REGHANDLE RegHandle)
{
    NT_IRQL_AT_MOST(PASSIVE_LEVEL);
    struct provider *provider = by_handle(RegHandle, __func__);
    if (!provider)
        return STATUS_INVALID_HANDLE;
    nt_lock_take(&session_lock); /* no callback is under way afterwards */
    int own = provider->own;
    __atomic_store_n(&provider->state, FREE, __ATOMIC_RELEASE);
    nt_lock_give(&session_lock);
    nt_hold(&nt_held_now.etw_providers, -1, own);
    return STATUS_SUCCESS;
}

void nt_lab_etw_enable(int on, UINT8 level, UINT64 keywords)
{
    nt_lock_take(&session_lock);
    session_on = on;
    session_level = level;
    session_keywords = keywords;
    for (UINT32 i = 0; i < PROVIDERS; i++) {
        if (__atomic_load_n(&providers[i].state, __ATOMIC_ACQUIRE) == REGISTERED)
            tell(&providers[i], on);
    }
    nt_lock_give(&session_lock);
}

BOOLEAN EtwProviderEnabled(REGHANDLE RegHandle, UCHAR Level, ULONGLONG Keyword)
{
    if (!by_handle(RegHandle, __func__))
        return FALSE;
    nt_lock_take(&session_lock);
    int wanted = session_on && (session_level == 0 || Level <= session_level) &&
                 (Keyword == 0 || session_keywords == 0 || Keyword & session_keywords);
    nt_lock_give(&session_lock);
    return wanted != 0;
}

BOOLEAN EtwEventEnabled(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor)
{
    return EtwProviderEnabled(RegHandle, EventDescriptor->Level, EventDescriptor->Keyword);
}

/* ---- Writing ---- */

static UINT64 size_of(ULONG count, const EVENT_DATA_DESCRIPTOR *data)
{
    UINT64 bytes = 0;
    for (ULONG i = 0; i < count; i++)
        bytes += data[i].Size;
    return bytes;
}

static void keep(USHORT id, ULONG count, const EVENT_DATA_DESCRIPTOR *data, UINT64 bytes)
{
    UINT64 event = __atomic_fetch_add(&kept_events, 1, __ATOMIC_RELAXED);
    UINT64 first = __atomic_fetch_add(&kept_bytes, bytes, __ATOMIC_RELAXED);
    if (event >= KEPT_EVENTS || first + bytes > KEPT_BYTES)
        return;
    UCHAR *to = &payloads[first];
    for (ULONG i = 0; i < count; i++) {
        if (data[i].Size)
            memcpy(to, (const void *)(ULONG_PTR)data[i].Ptr, data[i].Size);
        to += data[i].Size;
    }
    kept[event].id = id;
    kept[event].first = (UINT32)first;
    kept[event].bytes = (UINT32)bytes;
    __atomic_store_n(&kept[event].ready, 1, __ATOMIC_RELEASE);
}

NTSTATUS EtwWrite(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor, LPCGUID ActivityId, ULONG UserDataCount,
                  PEVENT_DATA_DESCRIPTOR UserData)
{
    (void)ActivityId;
    if (!by_handle(RegHandle, __func__))
        return STATUS_INVALID_HANDLE;
    if (UserDataCount > MAX_EVENT_DATA_DESCRIPTORS || (UserDataCount && !UserData))
        return STATUS_INVALID_PARAMETER;
    UINT64 bytes = size_of(UserDataCount, UserData);
    if (bytes > MAX_BYTES)
        return STATUS_BUFFER_OVERFLOW;
    __atomic_fetch_add(&counts[EventDescriptor->Id], 1, __ATOMIC_RELAXED);
    keep(EventDescriptor->Id, UserDataCount, UserData, bytes);
    return STATUS_SUCCESS;
}

UINT64 nt_lab_etw_count(UINT16 event_id)
{
    return __atomic_load_n(&counts[event_id], __ATOMIC_RELAXED);
}

INT64 nt_lab_etw_data(UINT16 event_id, UINT64 index, void *data, UINT32 size)
{
    for (UINT32 i = 0; i < KEPT_EVENTS; i++) {
        if (!__atomic_load_n(&kept[i].ready, __ATOMIC_ACQUIRE) || kept[i].id != event_id || index-- > 0)
            continue;
        if (size)
            memcpy(data, &payloads[kept[i].first], kept[i].bytes < size ? kept[i].bytes : size);
        return kept[i].bytes;
    }
    return -1;
}

void nt_lab_etw_forget(void)
{
    for (UINT32 i = 0; i <= MAXUSHORT; i++)
        __atomic_store_n(&counts[i], 0, __ATOMIC_RELAXED);
    for (UINT32 i = 0; i < KEPT_EVENTS; i++)
        __atomic_store_n(&kept[i].ready, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&kept_events, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&kept_bytes, 0, __ATOMIC_RELAXED);
}
