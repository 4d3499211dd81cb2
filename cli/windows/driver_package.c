/* SPDX-License-Identifier: MIT */
#include "driver_package.h"

#include "cli.h"
#include "refusal.h"
#include "windows/failure.h"
#include "windows/wide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include <setupapi.h>

#define NAME L"avbptpmon"

static const wchar_t inf_name[] = NAME L".inf";
static const wchar_t catalog_name[] = NAME L".cat";
static const wchar_t driver_name[] = NAME L".sys";
static const wchar_t in_package[] = L"driver\\" NAME L".inf";

/* What is used of a path: more than Setup takes. */
#define PATH_CHARACTERS 1024

/* ---- The files ---- */

static void replace_name(wchar_t *path, const wchar_t *name)
{
    wchar_t *slash = wcsrchr(path, L'\\');
    wcscpy(slash != NULL ? slash + 1 : path, name);
}

static bool is_file(const wchar_t *path)
{
    DWORD attributes = GetFileAttributesW(path);
    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) == 0;
}

/* Beside this program, or where the package has it below it. */
static wchar_t *near_this_program(void)
{
    wchar_t *path = cli_allocate(PATH_CHARACTERS, sizeof *path);
    DWORD length = GetModuleFileNameW(NULL, path, PATH_CHARACTERS - MAX_PATH);
    if (length == 0 || length >= PATH_CHARACTERS - MAX_PATH)
        wcscpy(path, L".\\"); /* it lies too deep for Setup, too */
    replace_name(path, inf_name);
    if (!is_file(path))
        replace_name(path, in_package);
    return path;
}

/* In full, as Setup wants it. NULL: it is no path that Windows can have. */
static wchar_t *in_full(const char *path)
{
    wchar_t *wide = ptpmon_wide(path), *full = cli_allocate(PATH_CHARACTERS, sizeof *full);
    DWORD length = wide != NULL ? GetFullPathNameW(wide, PATH_CHARACTERS - MAX_PATH, full, NULL) : 0;
    free(wide);
    if (length > 0 && length < PATH_CHARACTERS - MAX_PATH)
        return full;
    free(full);
    return NULL;
}

static int refuse_file(const wchar_t *path, int code, const char *why)
{
    char *name = ptpmon_utf8(path);
    cli_message("%s: %s", name != NULL ? name : "avbptpmon.inf", why);
    free(name);
    return code;
}

/* Its catalog is what the signature is of: its name is this driver's alone. */
static bool is_ours(const wchar_t *inf)
{
    wchar_t catalog[MAX_PATH] = L"";
    HINF opened = SetupOpenInfFileW(inf, NULL, INF_STYLE_WIN4, NULL);
    if (opened == INVALID_HANDLE_VALUE)
        return false;
    bool has = SetupGetLineTextW(NULL, opened, L"Version", L"CatalogFile", catalog, MAX_PATH, NULL) && *catalog != 0;
    SetupCloseInfFile(opened);
    return has && _wcsicmp(catalog, catalog_name) == 0;
}

/* A file that belongs to the INF lies beside it. */
static bool has_beside(const wchar_t *inf, const wchar_t *name, wchar_t path[static PATH_CHARACTERS])
{
    wcscpy(path, inf);
    replace_name(path, name);
    return is_file(path);
}

static int check_files(const wchar_t *inf)
{
    wchar_t path[PATH_CHARACTERS];
    if (!is_file(inf))
        return refuse_file(inf, CLI_FAILED,
                           "no such file; unpack the whole package, or name its INF: `ptpmon install PATH-OF-INF`");
    if (!is_ours(inf))
        return refuse_file(inf, CLI_FILE, "is not the INF of this driver; name the avbptpmon.inf of the package");
    if (!has_beside(inf, driver_name, path))
        return refuse_file(path, CLI_FAILED, "no such file; unpack the whole package: its files belong together");
    if (!has_beside(inf, catalog_name, path)) /* whether it is refused for that is Windows's to say */
        refuse_file(path, CLI_OK,
                    "no such file, so the package is not signed; Windows refuses such, unless it is set not to");
    return CLI_OK;
}

int driver_package_find(const char *path, wchar_t **inf)
{
    wchar_t *found = path != NULL ? in_full(path) : near_this_program();
    if (found == NULL) {
        cli_message("%s: is no path of a file; name the avbptpmon.inf of the unpacked package", path);
        return CLI_FAILED;
    }
    int code = check_files(found);
    if (code == CLI_OK)
        *inf = found;
    else
        free(found);
    return code;
}

/* ---- The store ---- */

int driver_package_store(const wchar_t *inf)
{
    wchar_t *directory = _wcsdup(inf);
    if (directory != NULL)
        replace_name(directory, L"");
    bool stored = SetupCopyOEMInfW(inf, directory, SPOST_PATH, 0, NULL, 0, NULL, NULL);
    DWORD error = GetLastError();
    free(directory);
    if (stored)
        return CLI_OK;
    return refusal_of_windows("the driver's package", "put it into Windows's store of drivers", error);
}

/* In the store an INF has a name of Windows's choice, "oem12.inf". */
#define STORED_AT_MOST 16

static size_t find_stored(wchar_t names[STORED_AT_MOST][MAX_PATH])
{
    wchar_t path[MAX_PATH + MAX_PATH];
    WIN32_FIND_DATAW found;
    size_t count = 0;
    UINT length = GetSystemWindowsDirectoryW(path, MAX_PATH);
    if (length == 0 || length >= MAX_PATH)
        return 0;
    wcscat(path, L"\\INF\\oem*.inf");
    HANDLE search = FindFirstFileW(path, &found);
    if (search == INVALID_HANDLE_VALUE)
        return 0;
    do {
        replace_name(path, found.cFileName);
        if (is_ours(path))
            wcscpy(names[count++], found.cFileName);
    } while (count < STORED_AT_MOST && FindNextFileW(search, &found));
    FindClose(search);
    return count;
}

int driver_package_forget(void)
{
    wchar_t names[STORED_AT_MOST][MAX_PATH];
    size_t count = find_stored(names);
    int code = CLI_OK;
    for (size_t i = 0; i < count; i++) {
        if (!SetupUninstallOEMInfW(names[i], SUOI_FORCEDELETE, NULL))
            code =
                refusal_of_windows("the driver's package", "take it out of Windows's store of drivers", GetLastError());
    }
    return code;
}
