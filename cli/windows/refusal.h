/* SPDX-License-Identifier: MIT */
/* What Windows refuses when drivers are installed and loaded: in words, each with its remedy. */
#ifndef PTPMON_CLI_WINDOWS_REFUSAL_H
#define PTPMON_CLI_WINDOWS_REFUSAL_H

/* Says "<object>: cannot <action>: <why>; <remedy>". error: GetLastError(), or an HRESULT. Returns an enum cli_exit. */
int refusal_of_windows(const char *object, const char *action, unsigned long error);

/* Why and remedy, without a full stop; static storage. NULL: it is none of those that are known. */
const char *refusal_words(unsigned long error);

#endif
