/* SPDX-License-Identifier: MIT */
#include "client.h"

#define PATIENCE_MS 20000

static SC_HANDLE open_service(const char *name, const char *path)
{
    SC_HANDLE manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ALL_ACCESS);
    SC_HANDLE service = OpenServiceA(manager, name, SERVICE_ALL_ACCESS);
    /* Drivers of one group share a process in Wine, as they share the kernel in Windows. */
    if (!service && path)
        service = CreateServiceA(manager, name, name, SERVICE_ALL_ACCESS, SERVICE_KERNEL_DRIVER, SERVICE_DEMAND_START,
                                 SERVICE_ERROR_NORMAL, path, "AvbPtpLab", NULL, NULL, NULL, NULL);
    CloseServiceHandle(manager);
    return service;
}

DWORD service_start(const char *name, const char *path)
{
    SC_HANDLE service = open_service(name, path);
    if (!service)
        return GetLastError();
    DWORD error = StartServiceA(service, 0, NULL) ? 0 : GetLastError();
    CloseServiceHandle(service);
    return error;
}

DWORD service_state(const char *name)
{
    SERVICE_STATUS status = {0};
    SC_HANDLE service = open_service(name, NULL);
    if (service)
        QueryServiceStatus(service, &status);
    CloseServiceHandle(service);
    return status.dwCurrentState;
}

DWORD service_stop(const char *name)
{
    SERVICE_STATUS status = {0};
    SC_HANDLE service = open_service(name, NULL);
    if (!service)
        return GetLastError();
    DWORD error = ControlService(service, SERVICE_CONTROL_STOP, &status) ? 0 : GetLastError();
    CloseServiceHandle(service);
    for (DWORD waited = 0; !error && service_state(name) != SERVICE_STOPPED; waited += 10) {
        if (waited > PATIENCE_MS)
            return ERROR_TIMEOUT;
        Sleep(10);
    }
    return error;
}
