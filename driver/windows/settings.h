/* SPDX-License-Identifier: MIT */
/* What the administrator sets for an adapter, in the registry. Read when the filter is attached. */
#ifndef AVB_SETTINGS_H
#define AVB_SETTINGS_H

#include "nt.h"

#include "registers.h"

typedef struct _AVB_SETTINGS {
    UINT32 ring_capacity;   /* AvbRingCapacity: records; what is no valid capacity becomes the default */
    UINT32 register_access; /* AvbRegisterAccess: 1 = stamps of received frames from the NIC's registers */
    UINT32 sdp_pin;         /* AvbSdpPin: with register access, the pin to toggle; AVB_NO_PIN = none */
} AVB_SETTINGS;

/* Defaults for what is not there or cannot be read. */
_IRQL_requires_(PASSIVE_LEVEL) void AvbReadSettings(_In_ NDIS_HANDLE filter, _Out_ AVB_SETTINGS *settings);

#endif
