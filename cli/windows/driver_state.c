/* SPDX-License-Identifier: MIT */
#include "driver_state.h"

#include "windows/npcap_file.h"
#include "windows/wide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#define FILTER_GUID L"{7C1C7A4E-5D0B-4E6A-9B1E-3B5E6E1C9A41}" /* the INF's NetCfgInstanceId */

const char *const driver_service_names[] = {"absent", "stopped", "running", "changing", "not_seen"};

static void copy_text(const wchar_t *from, char *to, size_t size)
{
    char *text = ptpmon_utf8(from);
    snprintf(to, size, "%s", text != NULL ? text : "");
    free(text);
}

/* ---- Files ---- */

static void read_version(const wchar_t *path, char version[static DRIVER_VERSION_SIZE])
{
    DWORD ignored, size = GetFileVersionInfoSizeW(path, &ignored);
    void *resource = size > 0 ? malloc(size) : NULL;
    VS_FIXEDFILEINFO *fixed = NULL;
    UINT length = 0;
    if (resource != NULL && GetFileVersionInfoW(path, 0, size, resource) &&
        VerQueryValueW(resource, L"\\", (void **)&fixed, &length) && length >= sizeof *fixed)
        snprintf(version, DRIVER_VERSION_SIZE, "%u.%u.%u.%u", HIWORD(fixed->dwFileVersionMS),
                 LOWORD(fixed->dwFileVersionMS), HIWORD(fixed->dwFileVersionLS), LOWORD(fixed->dwFileVersionLS));
    free(resource);
}

static void describe_file(const wchar_t *path, struct driver_file *file)
{
    copy_text(path, file->path, sizeof file->path);
    read_version(path, file->version);
}

/* ---- Services ---- */

/* As a service's path is written: "\SystemRoot\...", "System32\...", "\??\C:\...", or a path. */
static void describe_binary(const wchar_t *binary, struct driver_file *file)
{
    static const wchar_t root[] = L"\\SystemRoot\\", device[] = L"\\??\\", below[] = L"System32\\";
    wchar_t path[DRIVER_PATH_SIZE], windows[MAX_PATH];
    UINT length = GetSystemWindowsDirectoryW(windows, MAX_PATH);
    if (length == 0 || length >= MAX_PATH)
        return;
    if (_wcsnicmp(binary, root, wcslen(root)) == 0)
        swprintf(path, DRIVER_PATH_SIZE, L"%ls\\%ls", windows, binary + wcslen(root));
    else if (_wcsnicmp(binary, below, wcslen(below)) == 0)
        swprintf(path, DRIVER_PATH_SIZE, L"%ls\\%ls", windows, binary);
    else
        swprintf(path, DRIVER_PATH_SIZE, L"%ls", binary + (wcsncmp(binary, device, wcslen(device)) == 0 ? 4 : 0));
    describe_file(path, file);
}

static void read_binary(SC_HANDLE service, struct driver_file *file)
{
    DWORD size = 0;
    QueryServiceConfigW(service, NULL, 0, &size);
    QUERY_SERVICE_CONFIGW *config = size > 0 ? malloc(size) : NULL;
    if (config != NULL && QueryServiceConfigW(service, config, size, &size))
        describe_binary(config->lpBinaryPathName, file);
    free(config);
}

static enum driver_service state_of(const SERVICE_STATUS *status)
{
    if (status->dwCurrentState == SERVICE_RUNNING)
        return DRIVER_RUNNING;
    return status->dwCurrentState == SERVICE_STOPPED ? DRIVER_STOPPED : DRIVER_CHANGING;
}

/* NULL: *state says why. */
static SC_HANDLE open_service(const wchar_t *name, DWORD access, enum driver_service *state)
{
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    SC_HANDLE service = manager != NULL ? OpenServiceW(manager, name, access) : NULL;
    *state = service == NULL && GetLastError() == ERROR_SERVICE_DOES_NOT_EXIST ? DRIVER_ABSENT : DRIVER_NOT_SEEN;
    if (manager != NULL)
        CloseServiceHandle(manager);
    return service;
}

/* error, file: may be NULL. */
static enum driver_service read_service(const wchar_t *name, unsigned long *error, struct driver_file *file)
{
    enum driver_service state;
    SERVICE_STATUS status;
    SC_HANDLE service = open_service(name, SERVICE_QUERY_STATUS | SERVICE_QUERY_CONFIG, &state);
    if (service == NULL)
        return state;
    if (QueryServiceStatus(service, &status)) {
        state = state_of(&status);
        if (error != NULL && state == DRIVER_STOPPED && status.dwWin32ExitCode != ERROR_SERVICE_NEVER_STARTED)
            *error = status.dwWin32ExitCode;
    }
    if (file != NULL)
        read_binary(service, file);
    CloseServiceHandle(service);
    return state;
}

enum driver_service driver_service_state(void)
{
    return read_service(DRIVER_SERVICE, NULL, NULL);
}

unsigned long driver_service_start(void)
{
    enum driver_service state;
    SC_HANDLE service = open_service(DRIVER_SERVICE, SERVICE_START, &state);
    if (service == NULL)
        return GetLastError();
    DWORD error = StartServiceW(service, 0, NULL) ? 0 : GetLastError();
    CloseServiceHandle(service);
    return error == ERROR_SERVICE_ALREADY_RUNNING ? 0 : error;
}

/* ---- What Windows lets load ---- */

/* NtQuerySystemInformation(SystemCodeIntegrityInformation), as its documentation has it. */
#define CODE_INTEGRITY_CLASS            103
#define CODE_INTEGRITY_ENABLED          0x1u
#define CODE_INTEGRITY_TEST_MODE        0x2u
#define CODE_INTEGRITY_MEMORY_INTEGRITY 0x400u /* HVCI for the kernel */

struct code_integrity {
    ULONG length, options;
};

typedef LONG(WINAPI *query_system)(ULONG class, void *information, ULONG length, ULONG *written);

static void read_integrity(struct driver_state *state)
{
    query_system query = NULL;
    struct code_integrity integrity = {.length = sizeof integrity};
    FARPROC found = GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "NtQuerySystemInformation");
    memcpy(&query, &found, sizeof query);
    if (query == NULL || query(CODE_INTEGRITY_CLASS, &integrity, sizeof integrity, NULL) < 0)
        return;
    state->integrity_known = true;
    state->enforces_signatures = (integrity.options & CODE_INTEGRITY_ENABLED) != 0;
    state->test_mode = (integrity.options & CODE_INTEGRITY_TEST_MODE) != 0;
    state->memory_integrity = (integrity.options & CODE_INTEGRITY_MEMORY_INTEGRITY) != 0;
}

static void read_secure_boot(struct driver_state *state)
{
    DWORD on = 0, size = sizeof on;
    state->secure_boot_known =
        RegGetValueW(HKEY_LOCAL_MACHINE, L"SYSTEM\\CurrentControlSet\\Control\\SecureBoot\\State",
                     L"UEFISecureBootEnabled", RRF_RT_REG_DWORD, NULL, &on, &size) == ERROR_SUCCESS;
    state->secure_boot = on != 0;
}

/* Of this process as it runs: an administrator's that was not elevated is none. */
bool driver_is_administrator(void)
{
    SID_IDENTIFIER_AUTHORITY authority = SECURITY_NT_AUTHORITY;
    PSID administrators = NULL;
    BOOL is_member = FALSE;
    if (!AllocateAndInitializeSid(&authority, 2, SECURITY_BUILTIN_DOMAIN_RID, DOMAIN_ALIAS_RID_ADMINS, 0, 0, 0, 0, 0, 0,
                                  &administrators))
        return false;
    if (!CheckTokenMembership(NULL, administrators, &is_member))
        is_member = FALSE;
    FreeSid(administrators);
    return is_member != FALSE;
}

static void read_npcap(struct driver_state *state)
{
    wchar_t path[MAX_PATH];
    state->has_npcap = ptpmon_npcap_file(path, MAX_PATH);
    if (state->has_npcap)
        describe_file(path, &state->npcap);
    state->npcap_service = read_service(L"npcap", NULL, NULL);
}

void driver_state_read(struct driver_state *state)
{
    *state = (struct driver_state){.administrator = driver_is_administrator()};
    state->service = read_service(DRIVER_SERVICE, &state->start_error, &state->file);
    read_integrity(state);
    read_secure_boot(state);
    read_npcap(state);
}

/* ---- The device ---- */

static enum driver_contact contact_of(DWORD error)
{
    switch (error) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_DEV_NOT_EXIST:
        return CONTACT_NOT_THERE;
    case ERROR_ACCESS_DENIED:
        return CONTACT_DENIED;
    case ERROR_INVALID_PARAMETER:
    case ERROR_INVALID_FUNCTION:
        return CONTACT_OTHER_VERSION;
    default:
        return CONTACT_FAILED;
    }
}

enum driver_contact driver_ask(const ptpmon_interface *adapter, AVB_PTP_MONITOR_STATS *statistics, unsigned long *error)
{
    wchar_t path[64];
    DWORD written = 0;
    swprintf(path, sizeof path / sizeof *path, L"\\\\.\\AvbPtp\\%hs", adapter->guid);
    HANDLE device = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    if (device == INVALID_HANDLE_VALUE)
        return contact_of(*error = GetLastError());
    BOOL answered = DeviceIoControl(device, IOCTL_AVB_GET_PTP_MONITOR_STATS, NULL, 0, statistics, sizeof *statistics,
                                    &written, NULL);
    *error = answered ? 0 : GetLastError();
    CloseHandle(device);
    if (!answered)
        return contact_of(*error);
    bool agreed = written == sizeof *statistics && statistics->size == sizeof *statistics &&
                  statistics->version == AVB_PTP_IOCTL_VERSION;
    return agreed ? CONTACT_ANSWERS : CONTACT_OTHER_VERSION;
}

/* ---- Bindings ---- */

#define ADAPTERS L"SYSTEM\\CurrentControlSet\\Control\\Class\\{4D36E972-E325-11CE-BFC1-08002BE10318}"

/* "{adapter}-{filter}-0000", one for each filter, one after the other. */
static enum driver_binding find_filter(HKEY key)
{
    wchar_t filters[4096];
    DWORD size = sizeof filters - 2 * sizeof *filters;
    LSTATUS status = RegGetValueW(key, L"Linkage", L"FilterList", RRF_RT_REG_MULTI_SZ, NULL, filters, &size);
    if (status != ERROR_SUCCESS)
        return BINDING_NOT_KNOWN;
    for (const wchar_t *at = filters; *at != 0; at += wcslen(at) + 1) {
        const wchar_t *filter = wcschr(at, L'}');
        if (filter != NULL && filter[1] == L'-' && _wcsnicmp(filter + 2, FILTER_GUID, wcslen(FILTER_GUID)) == 0)
            return BINDING_PRESENT;
    }
    return BINDING_ABSENT;
}

static bool is_adapter(HKEY key, const wchar_t *guid)
{
    wchar_t its_guid[64];
    DWORD size = sizeof its_guid;
    return RegGetValueW(key, NULL, L"NetCfgInstanceId", RRF_RT_REG_SZ, NULL, its_guid, &size) == ERROR_SUCCESS &&
           _wcsicmp(its_guid, guid) == 0;
}

enum driver_binding driver_binding(const ptpmon_interface *adapter)
{
    HKEY adapters, key;
    wchar_t name[64], guid[40];
    DWORD length = sizeof name / sizeof *name;
    enum driver_binding binding = BINDING_NOT_KNOWN;
    swprintf(guid, sizeof guid / sizeof *guid, L"%hs", adapter->guid);
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, ADAPTERS, 0, KEY_READ, &adapters) != ERROR_SUCCESS)
        return BINDING_NOT_KNOWN;
    for (DWORD i = 0; binding == BINDING_NOT_KNOWN &&
                      RegEnumKeyExW(adapters, i, name, &length, NULL, NULL, NULL, NULL) == ERROR_SUCCESS;
         i++, length = sizeof name / sizeof *name) {
        if (RegOpenKeyExW(adapters, name, 0, KEY_READ, &key) != ERROR_SUCCESS)
            continue;
        if (is_adapter(key, guid))
            binding = find_filter(key);
        RegCloseKey(key);
    }
    RegCloseKey(adapters);
    return binding;
}

/* ---- Processes ---- */

char *driver_process_name(unsigned long process, char *name, size_t size)
{
    wchar_t path[DRIVER_PATH_SIZE];
    DWORD length = DRIVER_PATH_SIZE;
    *name = 0;
    HANDLE opened = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, process);
    if (opened == NULL)
        return name;
    if (QueryFullProcessImageNameW(opened, 0, path, &length)) {
        const wchar_t *slash = wcsrchr(path, L'\\');
        copy_text(slash != NULL ? slash + 1 : path, name, size);
    }
    CloseHandle(opened);
    return name;
}
