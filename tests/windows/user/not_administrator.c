/* SPDX-License-Identifier: MIT */
/* not_administrator PROGRAM [ARGUMENT...]: runs it as somebody who is no administrator, and ends as it does. */
#include <windows.h>

#include <stdio.h>
#include <wchar.h>

static HANDLE restricted_token(void)
{
    SID_IDENTIFIER_AUTHORITY authority = {SECURITY_NT_AUTHORITY};
    HANDLE own, restricted = NULL;
    SID_AND_ATTRIBUTES disabled = {0};
    if (AllocateAndInitializeSid(&authority, 2, SECURITY_BUILTIN_DOMAIN_RID, DOMAIN_ALIAS_RID_ADMINS, 0, 0, 0, 0, 0, 0,
                                 &disabled.Sid) &&
        OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &own))
        CreateRestrictedToken(own, DISABLE_MAX_PRIVILEGE, 1, &disabled, 0, NULL, 0, NULL, &restricted);
    return restricted;
}

/* What follows this program's own name on the command line. */
static wchar_t *rest(wchar_t *line)
{
    BOOL quoted = *line == L'"';
    wchar_t *at = wcschr(line + quoted, quoted ? L'"' : L' ');
    while (at && (*at == L'"' || *at == L' '))
        at++;
    return at ? at : L"";
}

int main(void)
{
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    DWORD code = 99;
    HANDLE token = restricted_token();
    if (!token || !CreateProcessAsUserW(token, NULL, rest(GetCommandLineW()), NULL, NULL, TRUE, 0, NULL, NULL, &startup,
                                        &process)) {
        fprintf(stderr, "not_administrator: error %lu\n", GetLastError());
        return 99;
    }
    WaitForSingleObject(process.hProcess, INFINITE);
    GetExitCodeProcess(process.hProcess, &code);
    return (int)code;
}
