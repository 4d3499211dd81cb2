/* SPDX-License-Identifier: MIT */
/* Many exchanges in one call, for languages in which a call is dear. */
#include <ptpmon_analysis.h>

ptpmon_status ptpmon_analyzer_next_exchanges(ptpmon_analyzer *analyzer, ptpmon_exchange *exchanges, size_t capacity,
                                             size_t *count)
{
    ptpmon_status status = PTPMON_OK;
    for (*count = 0; status == PTPMON_OK && *count < capacity;) {
        status = ptpmon_analyzer_next_exchange(analyzer, &exchanges[*count]);
        *count += status == PTPMON_OK;
    }
    return *count > 0 ? PTPMON_OK : status;
}
