/* SPDX-License-Identifier: MIT */
/*
 * A double of Windows's network configuration (CLSID_CNetCfg), which Wine does not have: what a program that installs a
 * filter asks of it, in the order in which Windows allows it.
 *
 * Environment: NETCFG_LOG, a file to which each call is appended ("Install ptpmon_avb") and each breach of the rules
 * ("BREACH ..."); NETCFG_HAS=1, the component is installed; NETCFG_HOLDER, who holds the lock; NETCFG_<METHOD>, a
 * number that this method answers in place of success; NETCFG_SERVICE, a file: Apply() makes a service of it, as the
 * INF would, or removes the service.
 */
#define COBJMACROS
#include <windows.h>

#include <devguid.h>
#include <netcfgx.h>
#include <stdio.h>
#include <stdlib.h>

#define COMPONENT L"ptpmon_avb"
#define SERVICE   L"avbptpmon"

enum change { NOTHING, INSTALLED, REMOVED };

static struct {
    LONG references; /* to all interfaces */
    BOOL locked, initialized;
    enum change change;
} state;

static void note(const char *format, ...)
{
    va_list arguments;
    const char *path = getenv("NETCFG_LOG");
    FILE *log = path ? fopen(path, "a") : NULL;
    if (!log)
        return;
    va_start(arguments, format);
    vfprintf(log, format, arguments);
    va_end(arguments);
    fputc('\n', log);
    fclose(log);
}

static void rule(BOOL kept, const char *breach)
{
    if (!kept)
        note("BREACH %s", breach);
}

static HRESULT answer(const char *method, HRESULT usual)
{
    char name[64];
    snprintf(name, sizeof name, "NETCFG_%s", method);
    const char *wanted = getenv(name);
    return wanted ? (HRESULT)strtoul(wanted, NULL, 16) : usual;
}

static BOOL is_set(const char *name)
{
    return getenv(name) != NULL;
}

static wchar_t *given_text(const char *text)
{
    size_t size = strlen(text) + 1;
    wchar_t *given = CoTaskMemAlloc(size * sizeof *given);
    for (size_t i = 0; i < size; i++)
        given[i] = (wchar_t)text[i];
    return given;
}

/* ---- One object with all interfaces ---- */

static INetCfg root;
static INetCfgLock lock;
static INetCfgClass services;
static INetCfgClassSetup setup;
static INetCfgComponent component;

static HRESULT query(REFIID id, void **object)
{
    *object = IsEqualGUID(id, &IID_INetCfg) || IsEqualGUID(id, &IID_IUnknown) ? (void *)&root
              : IsEqualGUID(id, &IID_INetCfgLock)                             ? (void *)&lock
              : IsEqualGUID(id, &IID_INetCfgClassSetup)                       ? (void *)&setup
                                                                              : NULL;
    if (*object)
        InterlockedIncrement(&state.references);
    return *object ? S_OK : E_NOINTERFACE;
}

static ULONG add(void)
{
    return (ULONG)InterlockedIncrement(&state.references);
}

static ULONG release(void)
{
    LONG left = InterlockedDecrement(&state.references);
    rule(left >= 0, "Release: more often than there were references");
    if (left == 0)
        rule(!state.locked && !state.initialized, "the last reference goes while it is locked or initialized");
    return (ULONG)left;
}

#define UNKNOWN(type) \
    static HRESULT STDMETHODCALLTYPE type##_query(type *self, REFIID id, void **object) \
    { \
        (void)self; \
        return query(id, object); \
    } \
    static ULONG STDMETHODCALLTYPE type##_add(type *self) \
    { \
        (void)self; \
        return add(); \
    } \
    static ULONG STDMETHODCALLTYPE type##_release(type *self) \
    { \
        (void)self; \
        return release(); \
    }
UNKNOWN(INetCfg)
UNKNOWN(INetCfgLock)
UNKNOWN(INetCfgClass)
UNKNOWN(INetCfgClassSetup)
UNKNOWN(INetCfgComponent)

/* ---- The service that the INF of the component makes ---- */

static void make_service(const char *file)
{
    wchar_t *path = given_text(file);
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_ALL_ACCESS);
    SC_HANDLE service = CreateServiceW(manager, SERVICE, SERVICE, SERVICE_ALL_ACCESS, SERVICE_KERNEL_DRIVER,
                                       SERVICE_DEMAND_START, SERVICE_ERROR_NORMAL, path, NULL, NULL, NULL, NULL, NULL);
    note("service %lu", service ? 0ul : GetLastError());
    CloseServiceHandle(service);
    CloseServiceHandle(manager);
    CoTaskMemFree(path);
}

static void remove_service(void)
{
    SERVICE_STATUS status;
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_ALL_ACCESS);
    SC_HANDLE service = OpenServiceW(manager, SERVICE, SERVICE_ALL_ACCESS);
    ControlService(service, SERVICE_CONTROL_STOP, &status);
    DeleteService(service);
    CloseServiceHandle(service);
    CloseServiceHandle(manager);
}

/* ---- INetCfg ---- */

static HRESULT STDMETHODCALLTYPE initialize(INetCfg *self, void *reserved)
{
    (void)self;
    rule(state.locked && !state.initialized && !reserved, "Initialize: not locked, or a second time");
    HRESULT result = answer("INITIALIZE", S_OK);
    state.initialized = SUCCEEDED(result);
    note("Initialize");
    return result;
}

static HRESULT STDMETHODCALLTYPE uninitialize(INetCfg *self)
{
    (void)self;
    rule(state.initialized && state.locked, "Uninitialize: not initialized, or no longer locked");
    state.initialized = FALSE;
    note("Uninitialize");
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE apply(INetCfg *self)
{
    (void)self;
    rule(state.initialized && state.change != NOTHING, "Apply: there is no change");
    HRESULT result = answer("APPLY", S_OK);
    note("Apply");
    if (SUCCEEDED(result) && is_set("NETCFG_SERVICE")) {
        if (state.change == INSTALLED)
            make_service(getenv("NETCFG_SERVICE"));
        else
            remove_service();
    }
    return result;
}

static HRESULT STDMETHODCALLTYPE cancel(INetCfg *self)
{
    (void)self;
    note("Cancel");
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE enum_components(INetCfg *self, const GUID *class, IEnumNetCfgComponent **all)
{
    (void)self;
    (void)class;
    *all = NULL;
    return E_NOTIMPL;
}

static HRESULT STDMETHODCALLTYPE find_component(INetCfg *self, LPCWSTR id, INetCfgComponent **found)
{
    (void)self;
    rule(state.initialized, "FindComponent: not initialized");
    BOOL has = is_set("NETCFG_HAS") && wcscmp(id, COMPONENT) == 0;
    *found = has ? &component : NULL;
    state.references += has;
    return has ? S_OK : S_FALSE;
}

static HRESULT STDMETHODCALLTYPE query_class(INetCfg *self, const GUID *class, REFIID id, void **object)
{
    (void)self;
    rule(state.initialized, "QueryNetCfgClass: not initialized");
    *object = NULL;
    if (!IsEqualGUID(class, &GUID_DEVCLASS_NETSERVICE) || !IsEqualGUID(id, &IID_INetCfgClass))
        return E_NOINTERFACE;
    *object = &services;
    add();
    return S_OK;
}

static INetCfgVtbl root_table = {INetCfg_query, INetCfg_add, INetCfg_release, initialize,     uninitialize,
                                 apply,         cancel,      enum_components, find_component, query_class};
static INetCfg root = {&root_table};

/* ---- INetCfgLock ---- */

static HRESULT STDMETHODCALLTYPE acquire(INetCfgLock *self, DWORD patience, LPCWSTR who, LPWSTR *holder)
{
    (void)self;
    const char *other = getenv("NETCFG_HOLDER");
    rule(!state.initialized && !state.locked && patience > 0 && who && *who,
         "AcquireWriteLock: too late, or by nobody");
    note("AcquireWriteLock %ls", who);
    if (holder)
        *holder = given_text(other ? other : "");
    HRESULT result = answer("LOCK", other ? S_FALSE : S_OK);
    state.locked = result == S_OK;
    return result;
}

static HRESULT STDMETHODCALLTYPE unlock(INetCfgLock *self)
{
    (void)self;
    rule(state.locked && !state.initialized, "ReleaseWriteLock: not locked, or still initialized");
    state.locked = FALSE;
    note("ReleaseWriteLock");
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE is_locked(INetCfgLock *self, LPWSTR *holder)
{
    (void)self;
    (void)holder;
    return state.locked ? S_OK : S_FALSE;
}

static INetCfgLockVtbl lock_table = {INetCfgLock_query, INetCfgLock_add, INetCfgLock_release,
                                     acquire,           unlock,          is_locked};
static INetCfgLock lock = {&lock_table};

/* ---- INetCfgClass, INetCfgClassSetup ---- */

static HRESULT STDMETHODCALLTYPE class_find(INetCfgClass *self, LPCWSTR id, INetCfgComponent **found)
{
    (void)self;
    return find_component(&root, id, found);
}

static HRESULT STDMETHODCALLTYPE class_enum(INetCfgClass *self, IEnumNetCfgComponent **all)
{
    (void)self;
    *all = NULL;
    return E_NOTIMPL;
}

static INetCfgClassVtbl class_table = {INetCfgClass_query, INetCfgClass_add, INetCfgClass_release, class_find,
                                       class_enum};
static INetCfgClass services = {&class_table};

static HRESULT STDMETHODCALLTYPE select_and_install(INetCfgClassSetup *self, HWND window, OBO_TOKEN *token,
                                                    INetCfgComponent **made)
{
    (void)self;
    (void)window;
    (void)token;
    *made = NULL;
    return E_NOTIMPL;
}

static HRESULT STDMETHODCALLTYPE install(INetCfgClassSetup *self, LPCWSTR id, OBO_TOKEN *token, DWORD flags,
                                         DWORD upgrade, LPCWSTR file, LPCWSTR sections, INetCfgComponent **made)
{
    (void)self;
    rule(state.initialized && state.locked, "Install: not initialized, or not locked");
    rule(token && token->Type == OBO_USER && !flags && !upgrade && !file && !sections, "Install: for whom?");
    note("Install %ls", id);
    HRESULT result = answer("INSTALL", S_OK);
    if (FAILED(result))
        return result;
    state.change = INSTALLED;
    if (made) {
        *made = &component;
        add();
    }
    return result;
}

static HRESULT STDMETHODCALLTYPE deinstall(INetCfgClassSetup *self, INetCfgComponent *which, OBO_TOKEN *token,
                                           LPWSTR *references)
{
    (void)self;
    rule(state.initialized && state.locked, "DeInstall: not initialized, or not locked");
    rule(which == &component && token && token->Type == OBO_USER, "DeInstall: what, for whom?");
    note("DeInstall");
    HRESULT result = answer("DEINSTALL", S_OK);
    if (references)
        *references = result == NETCFG_S_STILL_REFERENCED ? given_text("Another Filter\0") : NULL;
    if (SUCCEEDED(result))
        state.change = REMOVED;
    return result;
}

static INetCfgClassSetupVtbl setup_table = {
    INetCfgClassSetup_query, INetCfgClassSetup_add, INetCfgClassSetup_release, select_and_install, install, deinstall};
static INetCfgClassSetup setup = {&setup_table};

/* Nobody calls more of it than IUnknown's. */
static INetCfgComponentVtbl component_table = {
    .QueryInterface = INetCfgComponent_query, .AddRef = INetCfgComponent_add, .Release = INetCfgComponent_release};
static INetCfgComponent component = {&component_table};

/* ---- The class factory ---- */

static HRESULT STDMETHODCALLTYPE factory_query(IClassFactory *self, REFIID id, void **object)
{
    BOOL is_ours = IsEqualGUID(id, &IID_IClassFactory) || IsEqualGUID(id, &IID_IUnknown);
    *object = is_ours ? self : NULL;
    return is_ours ? S_OK : E_NOINTERFACE;
}

static ULONG STDMETHODCALLTYPE factory_count(IClassFactory *self)
{
    (void)self;
    return 1; /* static */
}

static HRESULT STDMETHODCALLTYPE factory_create(IClassFactory *self, IUnknown *outer, REFIID id, void **object)
{
    (void)self;
    *object = NULL;
    return outer ? CLASS_E_NOAGGREGATION : query(id, object);
}

static HRESULT STDMETHODCALLTYPE factory_lock(IClassFactory *self, BOOL on)
{
    (void)self;
    (void)on;
    return S_OK;
}

static IClassFactoryVtbl factory_table = {factory_query, factory_count, factory_count, factory_create, factory_lock};
static IClassFactory factory = {&factory_table};

__declspec(dllexport) HRESULT WINAPI DllGetClassObject(REFCLSID class, REFIID id, void **object)
{
    return IsEqualGUID(class, &CLSID_CNetCfg) ? factory_query(&factory, id, object) : CLASS_E_CLASSNOTAVAILABLE;
}

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, void *reserved)
{
    (void)instance;
    (void)reserved;
    if (reason == DLL_PROCESS_DETACH)
        rule(state.references == 0 && !state.locked && !state.initialized, "something is left at the end");
    return TRUE;
}
