/* SPDX-License-Identifier: MIT */
/* The filter's registry values on an adapter. */
#include "ndis_double.h"

#define MAGIC 0x474643424144424CULL

struct configuration {
    UINT64 magic;
    lab_adapter *adapter;
    NDIS_CONFIGURATION_PARAMETER parameter; /* of the last reading: it stays until the next, or until it is closed */
};

struct keyword {
    const char *name;
    UINT32 bit;
    UINT32 value;
};

NDIS_STATUS NTAPI NdisOpenConfigurationEx(NDIS_CONFIGURATION_OBJECT *ConfigObject, NDIS_HANDLE *ConfigurationHandle)
{
    static const char function[] = "NdisOpenConfigurationEx";
    *ConfigurationHandle = NULL;
    if (!lab_irql_at_most(NULL, function, PASSIVE_LEVEL) ||
        ConfigObject->Header.Type != NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT ||
        ConfigObject->Header.Revision != NDIS_CONFIGURATION_OBJECT_REVISION_1 ||
        ConfigObject->Header.Size < NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1 || ConfigObject->Flags != 0)
        return NDIS_STATUS_INVALID_PARAMETER;
    lab_adapter *adapter = lab_adapter_of(ConfigObject->NdisHandle, function);
    if (!adapter)
        return NDIS_STATUS_INVALID_PARAMETER;
    if (nt_lab_is_to_fail())
        return NDIS_STATUS_RESOURCES;
    struct configuration *configuration = lab_take(sizeof *configuration);
    configuration->magic = MAGIC;
    configuration->adapter = adapter;
    lab_count(&adapter->configurations);
    *ConfigurationHandle = configuration;
    return NDIS_STATUS_SUCCESS;
}

static struct configuration *configuration_of(NDIS_HANDLE handle, const char *function)
{
    struct configuration *configuration = handle;
    if (configuration && configuration->magic == MAGIC)
        return configuration;
    lab_breach_nbl(NULL, function, "not the handle of a configuration", 0, 0);
    return NULL;
}

/* Names in the registry do not differ by case. */
static int is_keyword(const NDIS_STRING *name, const char *keyword)
{
    UINT32 length = name->Length / sizeof(WCHAR);
    for (UINT32 i = 0; i < length; i++) {
        WCHAR c = name->Buffer[i];
        if (keyword[i] == 0 || ((c ^ (WCHAR)keyword[i]) & ~0x20) != 0)
            return 0;
    }
    return keyword[length] == 0;
}

static NDIS_STATUS read(struct configuration *configuration, const NDIS_STRING *name)
{
    const struct lab_adapter_config *config = &configuration->adapter->config;
    const struct keyword keywords[] = {
        {"AvbRingCapacity", LAB_KEYWORD_RING_CAPACITY, config->ring_capacity},
        {"AvbRegisterAccess", LAB_KEYWORD_REGISTER_ACCESS, config->register_access},
        {"AvbSdpPin", LAB_KEYWORD_SDP_PIN, config->sdp_pin},
    };
    for (UINT32 i = 0; i < RTL_NUMBER_OF(keywords); i++) {
        if ((config->keywords & keywords[i].bit) && is_keyword(name, keywords[i].name)) {
            configuration->parameter.ParameterType = NdisParameterInteger;
            configuration->parameter.ParameterData.IntegerData = keywords[i].value;
            return NDIS_STATUS_SUCCESS;
        }
    }
    return NDIS_STATUS_FAILURE;
}

VOID NTAPI NdisReadConfiguration(NDIS_STATUS *Status, NDIS_CONFIGURATION_PARAMETER **ParameterValue,
                                 NDIS_HANDLE ConfigurationHandle, NDIS_STRING *Keyword,
                                 NDIS_PARAMETER_TYPE ParameterType)
{
    struct configuration *configuration = configuration_of(ConfigurationHandle, "NdisReadConfiguration");
    *Status = NDIS_STATUS_FAILURE;
    *ParameterValue = NULL;
    if (!configuration || !lab_irql_at_most(configuration->adapter, "NdisReadConfiguration", PASSIVE_LEVEL))
        return;
    if (ParameterType != NdisParameterInteger && ParameterType != NdisParameterHexInteger)
        return;
    *Status = read(configuration, Keyword);
    if (*Status == NDIS_STATUS_SUCCESS)
        *ParameterValue = &configuration->parameter;
}

VOID NTAPI NdisCloseConfiguration(NDIS_HANDLE ConfigurationHandle)
{
    struct configuration *configuration = configuration_of(ConfigurationHandle, "NdisCloseConfiguration");
    if (!configuration || !lab_irql_at_most(configuration->adapter, "NdisCloseConfiguration", PASSIVE_LEVEL))
        return;
    lab_uncount(&configuration->adapter->configurations);
    RtlFillMemory(configuration, sizeof *configuration, 0xD5);
    lab_give(configuration);
}
