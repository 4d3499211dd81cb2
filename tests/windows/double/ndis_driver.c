/* SPDX-License-Identifier: MIT */
#include "ndis_double.h"

struct lab_driver lab_driver;

static UINT64 registered;        /* atomic */
static UINT32 version;           /* lab_set_ndis_version(); 0 = the newest */
static const char driver_handle; /* its address is the driver's NDIS handle */

/* ---- NDIS's version ---- */

void lab_set_ndis_version(UINT32 wanted)
{
    version = wanted;
}

UINT32 lab_ndis_version(void)
{
    return version != 0 ? version : NDIS_RUNTIME_VERSION_687;
}

UINT32 NTAPI NdisGetVersion(VOID)
{
    return lab_ndis_version();
}

/* ---- Characteristics ---- */

struct revision {
    UCHAR revision;
    USHORT size;
    UINT32 since; /* NDIS's version */
};

static const struct revision revisions[] = {
    {NDIS_FILTER_CHARACTERISTICS_REVISION_1, NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_1,
     NDIS_RUNTIME_VERSION(0u)},
    {NDIS_FILTER_CHARACTERISTICS_REVISION_2, NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_2,
     NDIS_RUNTIME_VERSION(1u)},
    {NDIS_FILTER_CHARACTERISTICS_REVISION_3, NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_3,
     NDIS_RUNTIME_VERSION_680},
};

/* The revision that the header names, if the driver's version of NDIS has it. */
static const struct revision *revision_of(const NDIS_FILTER_DRIVER_CHARACTERISTICS *handlers, UINT32 of_driver)
{
    for (UINT32 i = 0; i < RTL_NUMBER_OF(revisions); i++) {
        const struct revision *each = &revisions[i];
        if (handlers->Header.Revision == each->revision)
            return handlers->Header.Size >= each->size && of_driver >= each->since ? each : NULL;
    }
    return NULL;
}

static int is_string(const NDIS_STRING *string)
{
    return string->Buffer && string->Length > 0 && string->Length % sizeof(WCHAR) == 0 &&
           string->Length <= string->MaximumLength;
}

/* "{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}" */
static int is_guid(const NDIS_STRING *string)
{
    static const char form[] = "{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}";
    if (!is_string(string) || string->Length != (sizeof form - 1) * sizeof(WCHAR))
        return 0;
    for (UINT32 i = 0; i < sizeof form - 1; i++) {
        WCHAR c = string->Buffer[i];
        int is_digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (form[i] == 'x' ? !is_digit : c != (WCHAR)form[i])
            return 0;
    }
    return 1;
}

/* What comes back to a filter that passes something on needs the second handler of the pair. */
static int pairs_are_whole(const NDIS_FILTER_DRIVER_CHARACTERISTICS *handlers)
{
    return (!handlers->SendNetBufferListsHandler || handlers->SendNetBufferListsCompleteHandler) &&
           (!handlers->ReceiveNetBufferListsHandler || handlers->ReturnNetBufferListsHandler) &&
           (!handlers->OidRequestHandler || handlers->OidRequestCompleteHandler);
}

static NDIS_STATUS check(const NDIS_FILTER_DRIVER_CHARACTERISTICS *handlers, const struct revision **revision)
{
    UINT32 of_driver = (UINT32)handlers->MajorNdisVersion << 16 | handlers->MinorNdisVersion;
    if (handlers->MajorNdisVersion != 6 || of_driver > lab_ndis_version())
        return NDIS_STATUS_BAD_VERSION;
    *revision = revision_of(handlers, of_driver);
    if (handlers->Header.Type != NDIS_OBJECT_TYPE_FILTER_DRIVER_CHARACTERISTICS || !*revision)
        return NDIS_STATUS_BAD_CHARACTERISTICS;
    if (!handlers->AttachHandler || !handlers->DetachHandler || !handlers->RestartHandler || !handlers->PauseHandler)
        return NDIS_STATUS_BAD_CHARACTERISTICS;
    if (!is_string(&handlers->FriendlyName) || !is_guid(&handlers->UniqueName) || !is_string(&handlers->ServiceName))
        return NDIS_STATUS_BAD_CHARACTERISTICS;
    if (handlers->Flags != 0 || !pairs_are_whole(handlers))
        return NDIS_STATUS_BAD_CHARACTERISTICS;
    return NDIS_STATUS_SUCCESS;
}

/* ---- Registration ---- */

static NDIS_STATUS set_options(void)
{
    if (!lab_driver.handlers.SetOptionsHandler)
        return NDIS_STATUS_SUCCESS;
    return lab_driver.handlers.SetOptionsHandler((NDIS_HANDLE)(ULONG_PTR)&driver_handle, lab_driver.context);
}

NDIS_STATUS NTAPI NdisFRegisterFilterDriver(DRIVER_OBJECT *DriverObject, NDIS_HANDLE FilterDriverContext,
                                            NDIS_FILTER_DRIVER_CHARACTERISTICS *FilterDriverCharacteristics,
                                            NDIS_HANDLE *NdisFilterDriverHandle)
{
    const struct revision *revision;
    if (!lab_irql_at_most(NULL, "NdisFRegisterFilterDriver", PASSIVE_LEVEL) || !DriverObject || !NdisFilterDriverHandle)
        return NDIS_STATUS_INVALID_PARAMETER;
    *NdisFilterDriverHandle = NULL;
    NDIS_STATUS status = check(FilterDriverCharacteristics, &revision);
    if (status != NDIS_STATUS_SUCCESS)
        return status;
    if (nt_lab_is_to_fail())
        return NDIS_STATUS_RESOURCES;
    if (lab_get(&registered)) {
        lab_breach(NULL, "NdisFRegisterFilterDriver: a filter driver is registered already");
        return NDIS_STATUS_FAILURE;
    }
    RtlZeroMemory(&lab_driver, sizeof lab_driver);
    RtlCopyMemory(&lab_driver.handlers, FilterDriverCharacteristics, revision->size);
    lab_driver.context = FilterDriverContext;
    status = set_options();
    if (status != NDIS_STATUS_SUCCESS)
        return status;
    *NdisFilterDriverHandle = (NDIS_HANDLE)(ULONG_PTR)&driver_handle;
    lab_put(&registered, 1);
    return NDIS_STATUS_SUCCESS;
}

int lab_driver_is_registered(void)
{
    return lab_get(&registered) != 0;
}

VOID NTAPI NdisFDeregisterFilterDriver(NDIS_HANDLE NdisFilterDriverHandle)
{
    lab_irql_at_most(NULL, "NdisFDeregisterFilterDriver", PASSIVE_LEVEL);
    if (NdisFilterDriverHandle != (NDIS_HANDLE)(ULONG_PTR)&driver_handle || !lab_turn(&registered, 1, 0)) {
        lab_breach(NULL, "NdisFDeregisterFilterDriver: no such filter driver");
        return;
    }
    lab_detach_all();
    lab_forget_detached();
}
