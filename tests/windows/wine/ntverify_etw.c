/* SPDX-License-Identifier: MIT */
/* ETW, which Wine's kernel lacks, as a counter of events. */
#include "ntverify.h"

#define PROVIDERS 4
#define EVENT_IDS 1024

static struct lock lock;
static struct provider {
    GUID id;
    PETWENABLECALLBACK callback;
    PVOID context;
    int registered;
} providers[PROVIDERS];
static UINT64 counts[EVENT_IDS];

static int enabled_now;
static UINT8 level_now;
static UINT64 keywords_now;

static struct provider *provider_of(const char *function, REGHANDLE handle)
{
    struct provider *provider = handle >= 1 && handle <= PROVIDERS ? &providers[handle - 1] : NULL;
    if (!provider || !provider->registered) {
        breach(function, "no registered provider");
        return NULL;
    }
    return provider;
}

static void tell(const struct provider *provider)
{
    if (provider->registered && provider->callback)
        provider->callback(&provider->id, (ULONG)enabled_now, level_now, keywords_now, 0, NULL, provider->context);
}

NTSTATUS NTAPI verify_EtwRegister(const GUID *id, PETWENABLECALLBACK callback, PVOID context, REGHANDLE *handle)
{
    irql_at_most("EtwRegister", PASSIVE_LEVEL);
    if (nt_lab_is_to_fail())
        return STATUS_NO_MEMORY;
    lock_take(&lock);
    UINT32 at = 0;
    while (at < PROVIDERS && providers[at].registered)
        at++;
    if (at < PROVIDERS)
        providers[at] = (struct provider){*id, callback, context, 1};
    lock_drop(&lock);
    if (at == PROVIDERS)
        return STATUS_NO_MEMORY;
    *handle = at + 1;
    held_add(&held_now.etw_providers, 1);
    if (enabled_now)
        tell(&providers[at]);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI verify_EtwUnregister(REGHANDLE handle)
{
    irql_at_most("EtwUnregister", PASSIVE_LEVEL);
    struct provider *provider = provider_of("EtwUnregister", handle);
    if (!provider)
        return STATUS_INVALID_HANDLE;
    provider->registered = 0;
    held_add(&held_now.etw_providers, -1);
    return STATUS_SUCCESS;
}

BOOLEAN NTAPI verify_EtwEventEnabled(REGHANDLE handle, const EVENT_DESCRIPTOR *event)
{
    if (!provider_of("EtwEventEnabled", handle) || !enabled_now)
        return FALSE;
    return (level_now == 0 || event->Level <= level_now) && (event->Keyword == 0 || (event->Keyword & keywords_now));
}

NTSTATUS NTAPI verify_EtwWrite(REGHANDLE handle, const EVENT_DESCRIPTOR *event, const GUID *activity, ULONG count,
                               EVENT_DATA_DESCRIPTOR *data)
{
    (void)activity;
    if (!provider_of("EtwWrite", handle))
        return STATUS_INVALID_HANDLE;
    for (ULONG i = 0; i < count; i++)
        if (!data[i].Ptr || !data[i].Size)
            breach("EtwWrite", "an empty item");
    if (event->Id < EVENT_IDS)
        __atomic_fetch_add(&counts[event->Id], 1, __ATOMIC_RELAXED);
    return STATUS_SUCCESS;
}

UINT64 nt_lab_etw_count(UINT16 event_id)
{
    return event_id < EVENT_IDS ? __atomic_load_n(&counts[event_id], __ATOMIC_RELAXED) : 0;
}

void nt_lab_etw_enable(int on, UINT8 level, UINT64 keywords)
{
    enabled_now = on != 0;
    level_now = level;
    keywords_now = keywords;
    for (UINT32 i = 0; i < PROVIDERS; i++)
        tell(&providers[i]);
}
