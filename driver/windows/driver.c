/* SPDX-License-Identifier: MIT */
/* The life of the driver. */
#include "adapter.h"
#include "device.h"
#include "filter.h"
#include "trace.h"

static NDIS_HANDLE filter_driver;

static VOID NTAPI Unload(DRIVER_OBJECT *driver)
{
    UNREFERENCED_PARAMETER(driver);
    AvbDeviceDelete(); /* first: nobody opens what is about to go */
    AvbFilterDeregister(filter_driver);
    AvbTraceCleanup();
}

DRIVER_INITIALIZE DriverEntry;

AVB_INIT NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registry_path)
{
    UNREFERENCED_PARAMETER(registry_path);
    driver->DriverUnload = Unload;
    AvbAdaptersInit();
    AvbTraceInit(); /* a driver that cannot be traced works all the same */
    NDIS_STATUS status = AvbFilterRegister(driver, &filter_driver);
    if (status != NDIS_STATUS_SUCCESS)
        goto no_filter;
    status = AvbDeviceCreate(filter_driver);
    if (status != NDIS_STATUS_SUCCESS)
        goto no_device;
    return STATUS_SUCCESS;

no_device:
    AvbFilterDeregister(filter_driver);
no_filter:
    AvbTraceCleanup();
    return status;
}
