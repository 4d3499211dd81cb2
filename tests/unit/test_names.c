/* SPDX-License-Identifier: MIT */
/* Every value has a name of its own: JSON and messages are made of them. */
#include "error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef const char *(*name_of)(int value);

static void all_named_and_unlike(name_of name, int count)
{
    for (int i = 0; i < count; i++) {
        assert_string_not_equal(name(i), "unknown");
        for (int j = 0; j < i; j++)
            assert_string_not_equal(name(i), name(j));
    }
    assert_string_equal(name(count), "unknown");
    assert_string_equal(name(-1), "unknown");
}

static const char *status(int value)
{
    return ptpmon_status_name((ptpmon_status)value);
}

static const char *outcome(int value)
{
    return ptpmon_outcome_name((ptpmon_outcome)value);
}

static const char *reason(int value)
{
    return ptpmon_reason_name((ptpmon_reason)value);
}

static void statuses_outcomes_and_reasons(void **state)
{
    (void)state;
    all_named_and_unlike(status, PTPMON_IO + 1);
    all_named_and_unlike(outcome, PTPMON_OUTCOMES);
    all_named_and_unlike(reason, PTPMON_REASONS);
}

/* IEEE 1588-2019 table 36. */
static void message_types_as_the_standard_spells_them(void **state)
{
    (void)state;
    static const char *const names[16] = {
        "Sync",     "Delay_Req", "Pdelay_Req", "Pdelay_Resp",           "reserved", "reserved",  "reserved",
        "reserved", "Follow_Up", "Delay_Resp", "Pdelay_Resp_Follow_Up", "Announce", "Signaling", "Management",
        "reserved", "reserved",
    };
    for (uint8_t i = 0; i < 16; i++)
        assert_string_equal(ptpmon_message_type_name(i), names[i]);
    assert_string_equal(ptpmon_message_type_name(255), "reserved");
}

static void failures_keep_status_and_sentence(void **state)
{
    (void)state;
    assert_int_equal(ptpmon_fail(PTPMON_BUSY, "%s: held by %d", "eth7", 42), PTPMON_BUSY);
    assert_string_equal(ptpmon_error_message(), "eth7: held by 42");
    assert_int_equal(ptpmon_fail_errno("eth7", "attach", EPERM), PTPMON_NO_PERMISSION);
    assert_string_equal(ptpmon_error_message(), "eth7: cannot attach: Operation not permitted");
    assert_int_equal(ptpmon_fail_errno("eth7", "attach", ENODEV), PTPMON_NO_INTERFACE);
    assert_int_equal(ptpmon_fail_errno("eth7", "attach", ENOMEM), PTPMON_NO_MEMORY);
    assert_int_equal(ptpmon_fail_errno("eth7", "attach", EOPNOTSUPP), PTPMON_NOT_SUPPORTED);
    assert_int_equal(ptpmon_fail_errno("eth7", "attach", EBUSY), PTPMON_BUSY);
    assert_int_equal(ptpmon_fail_errno("eth7", "attach", EIO), PTPMON_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_outcomes_and_reasons),
        cmocka_unit_test(message_types_as_the_standard_spells_them),
        cmocka_unit_test(failures_keep_status_and_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
