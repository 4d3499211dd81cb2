/* SPDX-License-Identifier: MIT */
#include "windows/npcap.h"

#include "capture.h"
#include "error.h"
#include "linktype.h"
#include "windows/npcap_file.h"

#include <string.h>
#include <wchar.h>
#include <windows.h>

/* Only from the system's directory: Npcap's own part of it, where its other DLL lies beside it, then where it lies when
 * it was installed in WinPcap's place. */
static HMODULE load(void)
{
    static const wchar_t below[] = L"\\Npcap\\wpcap.dll";
    wchar_t path[MAX_PATH + sizeof below / sizeof *below];
    UINT length = GetSystemDirectoryW(path, MAX_PATH);
    if (length == 0 || length >= MAX_PATH)
        return NULL;
    wcscpy(path + length, below);
    HMODULE found = LoadLibraryExW(path, NULL, LOAD_WITH_ALTERED_SEARCH_PATH);
    return found != NULL ? found : LoadLibraryExW(L"wpcap.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
}

/* False: the library has no such function; NULL then. */
static bool find(HMODULE module, const char *name, void *function, size_t size)
{
    FARPROC found = GetProcAddress(module, name);
    memcpy(function, &found, size);
    return found != NULL;
}

static bool find_all(HMODULE module, struct ptpmon_npcap *npcap)
{
#define FIND(name) find(module, "pcap_" #name, &npcap->name, sizeof npcap->name)
    return FIND(activate) && FIND(close) && FIND(compile) && FIND(create) && FIND(datalink) &&
           FIND(datalink_val_to_name) && FIND(freecode) && FIND(geterr) && FIND(next_ex) && FIND(set_buffer_size) &&
           FIND(set_promisc) && FIND(set_snaplen) && FIND(set_timeout) && FIND(set_tstamp_precision) &&
           FIND(set_tstamp_type) && FIND(setfilter) && FIND(setnonblock) && FIND(stats) && FIND(statustostr);
#undef FIND
}

static HMODULE library; /* written once, before anybody has ptpmon_npcap()'s answer */

/* It stays loaded: a capture may use it as long as the process runs. */
static BOOL CALLBACK look_for_it(PINIT_ONCE once, void *parameter, void **context)
{
    static struct ptpmon_npcap npcap;
    (void)once;
    (void)parameter;
    library = load();
    bool complete = library != NULL && find_all(library, &npcap);
    if (complete)
        (void)find(library, "pcap_set_immediate_mode", &npcap.set_immediate_mode, sizeof npcap.set_immediate_mode);
    *context = complete ? &npcap : NULL;
    return TRUE;
}

const struct ptpmon_npcap *ptpmon_npcap(void)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    void *found = NULL;
    InitOnceExecuteOnce(&once, look_for_it, NULL, &found);
    return found;
}

bool ptpmon_npcap_file(wchar_t *path, uint32_t size)
{
    DWORD length = ptpmon_npcap() != NULL ? GetModuleFileNameW(library, path, size) : 0;
    return length > 0 && length < size;
}

ptpmon_status ptpmon_npcap_fail(const char *object)
{
    return ptpmon_fail(PTPMON_NOT_SUPPORTED,
                       "%s: capturing frames needs Npcap 1.0 or later; install it from npcap.com, or do without a "
                       "capture (--no-capture)",
                       object);
}

/* Npcap knows the names by its own numbers, which differ from those in files for the oldest types. */
const char *ptpmon_linktype_name(unsigned linktype)
{
    const struct ptpmon_npcap *npcap = ptpmon_npcap();
    if (npcap == NULL)
        return NULL;
    return npcap->datalink_val_to_name(linktype == PTPMON_LINKTYPE_RAW ? DLT_RAW : (int)linktype);
}
