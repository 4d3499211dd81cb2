/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include <avb/avb_ring_buffer.h>

static UINT32 ReadNumber(NDIS_HANDLE configuration, const WCHAR *name, UINT32 otherwise)
{
    NDIS_STATUS status;
    NDIS_CONFIGURATION_PARAMETER *value = NULL;
    NDIS_STRING keyword;
    RtlInitUnicodeString(&keyword, name);
    NdisReadConfiguration(&status, &value, configuration, &keyword, NdisParameterInteger);
    return status == NDIS_STATUS_SUCCESS && value->ParameterType == NdisParameterInteger
               ? value->ParameterData.IntegerData
               : otherwise;
}

void AvbReadSettings(NDIS_HANDLE filter, AVB_SETTINGS *settings)
{
    *settings = (AVB_SETTINGS){.ring_capacity = AVB_RING_DEFAULT_CAPACITY, .sdp_pin = AVB_NO_PIN};
    NDIS_CONFIGURATION_OBJECT object = {
        .Header = {.Type = NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT,
                   .Revision = NDIS_CONFIGURATION_OBJECT_REVISION_1,
                   .Size = NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1},
        .NdisHandle = filter,
    };
    NDIS_HANDLE configuration;
    if (NdisOpenConfigurationEx(&object, &configuration) != NDIS_STATUS_SUCCESS)
        return;
    UINT32 capacity = ReadNumber(configuration, L"AvbRingCapacity", AVB_RING_DEFAULT_CAPACITY);
    if (AvbRingCapacityIsValid(capacity))
        settings->ring_capacity = capacity;
    settings->register_access = ReadNumber(configuration, L"AvbRegisterAccess", 0) == 1;
    settings->sdp_pin = ReadNumber(configuration, L"AvbSdpPin", AVB_NO_PIN);
    NdisCloseConfiguration(configuration);
}
