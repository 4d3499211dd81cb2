/* SPDX-License-Identifier: MIT */
#define COBJMACROS
#include "network_configuration.h"

#include "cli.h"
#include "refusal.h"
#include "windows/wide.h"

#include <stdlib.h>
#include <windows.h>

#include <devguid.h>
#include <netcfgx.h>
#include <objbase.h>

#define OBJECT "the network configuration"

/* What others do with it takes a moment; a window that is open, for ever. */
#define LOCK_PATIENCE_MS 5000

struct network_configuration {
    INetCfg *root;
    INetCfgLock *lock;
    INetCfgClassSetup *setup; /* of network services, which filters are */
    bool has_com, is_locked, is_initialized;
};

/* ---- Opening ---- */

static bool fail(int *code, const char *action, HRESULT result)
{
    *code = refusal_of_windows(OBJECT, action, (unsigned long)result);
    return false;
}

static bool fail_locked(int *code, const wchar_t *holder)
{
    char *name = holder != NULL ? ptpmon_utf8(holder) : NULL;
    cli_message(OBJECT ": %s%s%s changes it just now; close its window or wait for it, then try again",
                name != NULL ? "\"" : "", name != NULL ? name : "another program", name != NULL ? "\"" : "");
    free(name);
    *code = CLI_BUSY;
    return false;
}

static bool create(struct network_configuration *configuration, int *code)
{
    HRESULT result = CoInitializeEx(NULL, COINIT_APARTMENTTHREADED | COINIT_DISABLE_OLE1DDE);
    configuration->has_com = SUCCEEDED(result);
    if (SUCCEEDED(result))
        result =
            CoCreateInstance(&CLSID_CNetCfg, NULL, CLSCTX_INPROC_SERVER, &IID_INetCfg, (void **)&configuration->root);
    if (SUCCEEDED(result))
        result = INetCfg_QueryInterface(configuration->root, &IID_INetCfgLock, (void **)&configuration->lock);
    return SUCCEEDED(result) || fail(code, "open it", result);
}

static bool lock(struct network_configuration *configuration, int *code)
{
    wchar_t *holder = NULL;
    HRESULT result = INetCfgLock_AcquireWriteLock(configuration->lock, LOCK_PATIENCE_MS, L"ptpmon", &holder);
    configuration->is_locked = result == S_OK;
    bool held_by_another = result == S_FALSE || result == NETCFG_E_NO_WRITE_LOCK;
    if (held_by_another)
        fail_locked(code, holder);
    else if (!configuration->is_locked)
        fail(code, "lock it", result);
    CoTaskMemFree(holder);
    return configuration->is_locked;
}

static bool initialize(struct network_configuration *configuration, int *code)
{
    INetCfgClass *services = NULL;
    HRESULT result = INetCfg_Initialize(configuration->root, NULL);
    configuration->is_initialized = SUCCEEDED(result);
    if (SUCCEEDED(result))
        result = INetCfg_QueryNetCfgClass(configuration->root, &GUID_DEVCLASS_NETSERVICE, &IID_INetCfgClass,
                                          (void **)&services);
    if (SUCCEEDED(result) && services == NULL)
        result = E_NOINTERFACE;
    if (SUCCEEDED(result))
        result = INetCfgClass_QueryInterface(services, &IID_INetCfgClassSetup, (void **)&configuration->setup);
    if (services != NULL)
        INetCfgClass_Release(services);
    return SUCCEEDED(result) || fail(code, "read it", result);
}

struct network_configuration *network_configuration_open(int *code)
{
    struct network_configuration *configuration = cli_allocate(1, sizeof *configuration);
    if (create(configuration, code) && lock(configuration, code) && initialize(configuration, code))
        return configuration;
    network_configuration_close(configuration);
    return NULL;
}

void network_configuration_close(struct network_configuration *configuration)
{
    if (configuration->setup != NULL)
        INetCfgClassSetup_Release(configuration->setup);
    if (configuration->is_initialized)
        INetCfg_Uninitialize(configuration->root);
    if (configuration->is_locked)
        INetCfgLock_ReleaseWriteLock(configuration->lock);
    if (configuration->lock != NULL)
        INetCfgLock_Release(configuration->lock);
    if (configuration->root != NULL)
        INetCfg_Release(configuration->root);
    if (configuration->has_com)
        CoUninitialize();
    free(configuration);
}

/* ---- Changes ---- */

/* S_FALSE: there is none. */
static HRESULT find(struct network_configuration *configuration, INetCfgComponent **component)
{
    *component = NULL;
    HRESULT result = INetCfg_FindComponent(configuration->root, NETWORK_COMPONENT, component);
    return result == S_OK && *component == NULL ? S_FALSE : result;
}

bool network_configuration_has(struct network_configuration *configuration)
{
    INetCfgComponent *component;
    bool has = find(configuration, &component) == S_OK;
    if (has)
        INetCfgComponent_Release(component);
    return has;
}

/* What was done is undone where it cannot be applied. */
static enum network_change apply(struct network_configuration *configuration, HRESULT done, const char *action,
                                 int *code)
{
    HRESULT result = SUCCEEDED(done) ? INetCfg_Apply(configuration->root) : done;
    if (SUCCEEDED(result))
        return done == NETCFG_S_REBOOT || result == NETCFG_S_REBOOT ? NETWORK_NEEDS_RESTART : NETWORK_CHANGED;
    INetCfg_Cancel(configuration->root);
    fail(code, action, result);
    return NETWORK_NOT_CHANGED;
}

enum network_change network_configuration_add(struct network_configuration *configuration, int *code)
{
    INetCfgComponent *component = NULL;
    OBO_TOKEN for_the_user = {.Type = OBO_USER};
    HRESULT result =
        INetCfgClassSetup_Install(configuration->setup, NETWORK_COMPONENT, &for_the_user, 0, 0, NULL, NULL, &component);
    if (component != NULL)
        INetCfgComponent_Release(component);
    return apply(configuration, result, "add the driver", code);
}

static enum network_change still_referenced(const wchar_t *references, int *code)
{
    char *names = references != NULL ? ptpmon_utf8(references) : NULL; /* the first of several */
    cli_message(OBJECT ": %s needs the driver; uninstall that first",
                names != NULL && *names != 0 ? names : "another component");
    free(names);
    *code = CLI_BUSY;
    return NETWORK_NOT_CHANGED;
}

enum network_change network_configuration_remove(struct network_configuration *configuration, int *code)
{
    INetCfgComponent *component;
    wchar_t *references = NULL;
    OBO_TOKEN for_the_user = {.Type = OBO_USER};
    HRESULT result = find(configuration, &component);
    if (result != S_OK) {
        fail(code, "find the driver", result == S_FALSE ? E_FAIL : result);
        return NETWORK_NOT_CHANGED;
    }
    result = INetCfgClassSetup_DeInstall(configuration->setup, component, &for_the_user, &references);
    INetCfgComponent_Release(component);
    enum network_change change = result == NETCFG_S_STILL_REFERENCED
                                     ? still_referenced(references, code)
                                     : apply(configuration, result, "remove the driver", code);
    CoTaskMemFree(references);
    return change;
}
