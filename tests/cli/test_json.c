/* SPDX-License-Identifier: MIT */
/* The writer byte by byte. What another parser reads in it is told by test_json_parsed.py. */
#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The object so far, closed; frees it. */
static void assert_written(struct json *json, const char *members)
{
    static const char begin[] = "{\"schema\":1,\"type\":\"test\"";
    assert_true(json->length >= sizeof begin - 1);
    assert_memory_equal(json->text, begin, sizeof begin - 1);
    assert_int_equal(json->length, sizeof begin - 1 + strlen(members));
    assert_memory_equal(json->text + sizeof begin - 1, members, strlen(members));
    free(json->text);
}

static void assert_string(const char *value, const char *written)
{
    char members[256];
    struct json json;
    json_begin(&json, "test");
    json_string(&json, "s", value);
    snprintf(members, sizeof members, ",\"s\":%s", written);
    assert_written(&json, members);
}

static void test_strings(void **state)
{
    (void)state;
    assert_string(NULL, "null");
    assert_string("", "\"\"");
    assert_string("eth0", "\"eth0\"");
    assert_string("\"\\/", "\"\\\"\\\\/\"");
    assert_string("\b\f\n\r\t\x01\x1f\x7f", "\"\\u0008\\u000c\\u000a\\u000d\\u0009\\u0001\\u001f\\u007f\"");
    assert_string("caf\303\251 \360\237\220\247", "\"caf\303\251 \360\237\220\247\"");
    assert_string("\377", "\"\\ufffd\"");
    assert_string("a\303", "\"a\\ufffd\"");
    assert_string("\303(", "\"\\ufffd(\"");
    assert_string("\355\240\200", "\"\\ufffd\\ufffd\\ufffd\""); /* a surrogate */
    assert_string("\300\200x", "\"\\ufffd\\ufffdx\"");          /* an overlong 0 */
}

static void test_numbers(void **state)
{
    (void)state;
    struct json json;
    json_begin(&json, "test");
    json_int(&json, "a", INT64_MIN);
    json_int(&json, "b", INT64_MAX);
    json_int(&json, "c", -1);
    json_uint(&json, "d", UINT64_MAX);
    json_uint(&json, "e", 0);
    json_int_if(&json, "f", true, -5);
    json_int_if(&json, "g", false, -5);
    json_uint_if(&json, "h", true, 5);
    json_uint_if(&json, "i", false, 5);
    json_bool(&json, "j", true);
    json_bool(&json, "k", false);
    json_null(&json, "l");
    assert_written(&json,
                   ",\"a\":-9223372036854775808,\"b\":9223372036854775807,\"c\":-1,"
                   "\"d\":18446744073709551615,\"e\":0,\"f\":-5,\"g\":null,\"h\":5,\"i\":null,"
                   "\"j\":true,\"k\":false,\"l\":null");
}

static void test_nesting(void **state)
{
    (void)state;
    struct json json;
    json_begin(&json, "test");
    json_open_object(&json, "o");
    json_close_object(&json);
    json_open_array(&json, "a");
    json_open_object(&json, NULL);
    json_int(&json, "x", 1);
    json_open_array(&json, "y");
    json_close_array(&json);
    json_null(&json, "z");
    json_close_object(&json);
    json_int(&json, NULL, 2);
    json_string(&json, NULL, "3");
    json_open_array(&json, NULL);
    json_bool(&json, NULL, true);
    json_close_array(&json);
    json_close_array(&json);
    json_int(&json, "last", 4);
    assert_written(&json, ",\"o\":{},\"a\":[{\"x\":1,\"y\":[],\"z\":null},2,\"3\",[true]],\"last\":4");
}

static void test_a_long_line_grows(void **state)
{
    (void)state;
    struct json json;
    char value[301];
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = 0;
    json_begin(&json, "test");
    const size_t begun = json.length;
    for (int i = 0; i < 5000; i++)
        json_string(&json, "n", value);
    const size_t each = strlen(",\"n\":\"\"") + 300;
    assert_int_equal(json.length, begun + 5000 * each);
    for (size_t i = 0; i < 5000; i++)
        assert_memory_equal(json.text + begun + i * each, json.text + begun, each);
    free(json.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_a_long_line_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
