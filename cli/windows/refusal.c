/* SPDX-License-Identifier: MIT */
#include "refusal.h"

#include "cli.h"
#include "windows/failure.h"

#include <windows.h>

#include <netcfgx.h>

/* What mingw-w64 lacks. */
#ifndef SPAPI_E_NO_CATALOG_FOR_OEM_INF
#define SPAPI_E_NO_CATALOG_FOR_OEM_INF ((HRESULT)0x800F022Fu)
#endif
#ifndef SPAPI_E_FILE_HASH_NOT_IN_CATALOG
#define SPAPI_E_FILE_HASH_NOT_IN_CATALOG ((HRESULT)0x800F024Bu)
#endif
#ifndef ERROR_INVALID_IMAGE_HASH
#define ERROR_INVALID_IMAGE_HASH 577
#endif
#ifndef ERROR_SYSTEM_INTEGRITY_POLICY_VIOLATION
#define ERROR_SYSTEM_INTEGRITY_POLICY_VIOLATION 4551
#endif

#define UNSIGNED \
    "it is not signed, and Windows takes signed drivers only; install the signed package, or for tests one made with " \
    "--test-sign"
#define UNTRUSTED \
    "Windows does not trust who signed it; of a package signed for tests, import avbptpmon-test.cer into the " \
    "computer's \"Trusted Root Certification Authorities\" and \"Trusted Publishers\""
#define NOT_LOADABLE \
    "Windows refuses its signature; of a driver signed for tests, switch test mode on (`bcdedit /set testsigning " \
    "on`, " \
    "which Secure Boot must be off for) and restart Windows"
#define CHANGED "its files are not those that were signed; unpack the package anew"
#define RESTART "an earlier change waits for a restart; restart Windows, then try again"

static const struct {
    unsigned long error;
    int code;
    const char *words;
} known[] = {
    {ERROR_ACCESS_DENIED, CLI_RIGHTS, "it needs an administrator; start the terminal with \"Run as administrator\""},
    {(unsigned long)E_ACCESSDENIED, CLI_RIGHTS,
     "it needs an administrator; start the terminal with \"Run as administrator\""},
    {(unsigned long)REGDB_E_CLASSNOTREG, CLI_UNSUPPORTED,
     "this Windows has no such service; ptpmon needs Windows 8.1 or later with its networking"},
    {(unsigned long)E_NOTIMPL, CLI_UNSUPPORTED,
     "this Windows cannot; ptpmon needs Windows 8.1 or later with its networking"},
    /* Packages: the driver store. */
    {(unsigned long)SPAPI_E_NO_CATALOG_FOR_OEM_INF, CLI_UNSUPPORTED, UNSIGNED},
    {(unsigned long)TRUST_E_NOSIGNATURE, CLI_UNSUPPORTED, UNSIGNED},
    {(unsigned long)SPAPI_E_NON_WINDOWS_DRIVER, CLI_UNSUPPORTED, UNSIGNED},
    {(unsigned long)CERT_E_UNTRUSTEDROOT, CLI_UNSUPPORTED, UNTRUSTED},
    {(unsigned long)CERT_E_CHAINING, CLI_UNSUPPORTED, UNTRUSTED},
    {(unsigned long)TRUST_E_SUBJECT_NOT_TRUSTED, CLI_UNSUPPORTED, UNTRUSTED},
    {(unsigned long)SPAPI_E_AUTHENTICODE_TRUSTED_PUBLISHER, CLI_UNSUPPORTED, UNTRUSTED},
    {(unsigned long)SPAPI_E_AUTHENTICODE_TRUST_NOT_ESTABLISHED, CLI_UNSUPPORTED, UNTRUSTED},
    {(unsigned long)SPAPI_E_AUTHENTICODE_PUBLISHER_NOT_TRUSTED, CLI_UNSUPPORTED, UNTRUSTED},
    {(unsigned long)CERT_E_EXPIRED, CLI_UNSUPPORTED,
     "the certificate that signed it has expired; install a newer package, and look at this computer's date"},
    {(unsigned long)TRUST_E_EXPLICIT_DISTRUST, CLI_UNSUPPORTED,
     "this computer is set to distrust who signed it; ask its administrator"},
    {(unsigned long)TRUST_E_BAD_DIGEST, CLI_FILE, CHANGED},
    {(unsigned long)SPAPI_E_FILE_HASH_NOT_IN_CATALOG, CLI_FILE, CHANGED},
    {(unsigned long)SPAPI_E_SECTION_NOT_FOUND, CLI_UNSUPPORTED, "the driver is for Windows 8.1 or later on x64 only"},
    /* Drivers: loading. */
    {ERROR_INVALID_IMAGE_HASH, CLI_UNSUPPORTED, NOT_LOADABLE},
    {ERROR_DRIVER_BLOCKED, CLI_UNSUPPORTED,
     "Windows blocks this driver; look for a policy of drivers in Windows Security, device security"},
    {ERROR_SYSTEM_INTEGRITY_POLICY_VIOLATION, CLI_UNSUPPORTED,
     "a policy of this computer allows signed drivers of its own choice only; ask its administrator"},
    {ERROR_SERVICE_DISABLED, CLI_FAILED, "its service is disabled; enable it with `sc config avbptpmon start= system`"},
    {ERROR_FILE_NOT_FOUND, CLI_FAILED, "a file of it is missing; unpack the package anew, and install it again"},
    {ERROR_PATH_NOT_FOUND, CLI_FAILED, "a file of it is missing; unpack the package anew, and install it again"},
    {ERROR_SERVICE_MARKED_FOR_DELETE, CLI_FAILED, RESTART},
    /* The network configuration. */
    {(unsigned long)NETCFG_E_NEED_REBOOT, CLI_FAILED, RESTART},
    {(unsigned long)NETCFG_E_COMPONENT_REMOVED_PENDING_REBOOT, CLI_FAILED, RESTART},
    {(unsigned long)NETCFG_E_MAX_FILTER_LIMIT, CLI_FAILED,
     "there are as many network filters as Windows takes; uninstall another one first"},
    {(unsigned long)NETCFG_E_IN_USE, CLI_BUSY, "it is in use; end the programs that use it, or restart Windows"},
    {(unsigned long)NETCFG_E_NO_WRITE_LOCK, CLI_BUSY, "another program changes it just now; wait, then try again"},
    {(unsigned long)NETCFG_E_ACTIVE_RAS_CONNECTIONS, CLI_BUSY, "a VPN or dial-up connection is active; end it first"},
};
#define KNOWN (sizeof known / sizeof *known)

/* Numbers of the system as they are, those of Setup (0xE0000...) as HRESULTs, for which Windows has words. */
static unsigned long plain(unsigned long error)
{
    const unsigned long group = error & 0xFFFF0000ul, number = error & 0xFFFFul;
    if (group == 0x80070000ul)
        return number;
    return group == 0xE0000000ul ? 0x800F0000ul | number : error;
}

static size_t find(unsigned long error)
{
    size_t i = 0;
    while (i < KNOWN && known[i].error != error)
        i++;
    return i;
}

const char *refusal_words(unsigned long error)
{
    size_t i = find(plain(error));
    return i < KNOWN ? known[i].words : NULL;
}

int refusal_of_windows(const char *object, const char *action, unsigned long error)
{
    size_t i = find(plain(error));
    if (i == KNOWN)
        return cli_library_error(ptpmon_fail_windows(object, action, plain(error)));
    cli_message("%s: cannot %s: %s", object, action, known[i].words);
    return known[i].code;
}
