/* SPDX-License-Identifier: MIT */
/* Which frames are shown, and what the options for it take and refuse. */
#include "filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

typedef bool (*add_list)(struct filter *filter, const char *list, char bad[static FILTER_ITEM_SIZE]);

static PTP_TIMESTAMP_EVENT make_sync(void)
{
    return (PTP_TIMESTAMP_EVENT){
        .direction = AVB_DIRECTION_RX,
        .messageType = AVB_PTP_SYNC,
        .clockIdentity = {0xA2, 0xB3, 0xC4, 0xFF, 0xFE, 0xD5, 0xE6, 0xF7},
        .portNumber = 1,
    };
}

static void must_take(add_list add, struct filter *filter, const char *list)
{
    char bad[FILTER_ITEM_SIZE];
    if (!add(filter, list, bad))
        fail_msg("`%s` is refused for `%s`", list, bad);
}

/* The item that is none is named; a filter that was not set shows as before. */
static void must_refuse(add_list add, const char *list, const char *item)
{
    struct filter filter = {0};
    char bad[FILTER_ITEM_SIZE] = "untouched";
    if (add(&filter, list, bad))
        fail_msg("`%s` is taken", list);
    assert_string_equal(bad, item);
}

static void test_empty_shows_all(void **state)
{
    (void)state;
    const struct filter filter = {0};
    PTP_TIMESTAMP_EVENT event = make_sync();
    for (unsigned i = 0; i < 256; i++) {
        event.domainNumber = (UINT8)i;
        event.messageType = (UINT8)(i % 16);
        event.direction = (UINT8)i;
        event.stamp = (UINT8)i;
        event.vlanId = (UINT16)(i * 16);
        event.portNumber = (UINT16)(i * 257);
        assert_true(filter_shows(&filter, &event));
    }
}

static void test_domains(void **state)
{
    (void)state;
    struct filter filter = {0};
    must_take(filter_add_domains, &filter, "0,20");
    must_take(filter_add_domains, &filter, "255");
    must_take(filter_add_domains, &filter, "0x7f");
    for (unsigned i = 0; i < 256; i++) {
        PTP_TIMESTAMP_EVENT event = make_sync();
        event.domainNumber = (UINT8)i;
        assert_int_equal(filter_shows(&filter, &event), i == 0 || i == 20 || i == 255 || i == 127);
    }
}

static void test_bad_domains(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "256", "-1", "+1", "", " 1", "1 ", "one", "0x", "0x100", "1.0", "4294967296", "18446744073709551616", "0x1g"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        must_refuse(filter_add_domains, bad[i], bad[i]);
    must_refuse(filter_add_domains, "1,300,2", "300");
    must_refuse(filter_add_domains, "1,", "");
    must_refuse(filter_add_domains, ",1", "");
    must_refuse(filter_add_domains, "1,,2", "");
    must_refuse(filter_add_domains, "1;2", "1;2");
}

static void test_overlong_item_is_refused_and_cut(void **state)
{
    (void)state;
    char list[200];
    memset(list, '0', sizeof list);
    strcpy(list + 150, "1");
    char cut[FILTER_ITEM_SIZE];
    memset(cut, '0', sizeof cut);
    cut[sizeof cut - 1] = 0;
    must_refuse(filter_add_domains, list, cut);
    list[FILTER_ITEM_SIZE] = 0;
    must_refuse(filter_add_domains, list, cut);
    list[FILTER_ITEM_SIZE - 1] = 0;
    struct filter filter = {0};
    must_take(filter_add_domains, &filter, list);
    assert_true(filter.domains[0]);
    char bad[FILTER_ITEM_SIZE];
    memset(list, 'x', sizeof list - 1);
    list[sizeof list - 1] = 0;
    assert_false(filter_set_direction(&filter, list, bad));
    assert_int_equal(strlen(bad), FILTER_ITEM_SIZE - 1);
}

static void test_types_by_name_and_number(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint8_t type;
    } types[] = {
        {"Sync", 0},        {"sync", 0},       {"Delay_Req", 1}, {"PDELAY_REQ", 2}, {"Pdelay_Resp", 3},
        {"Follow_Up", 8},   {"Delay_Resp", 9}, {"Announce", 11}, {"Signaling", 12}, {"Pdelay_Resp_Follow_Up", 10},
        {"Management", 13}, {"15", 15},        {"0xA", 10},      {"0", 0},          {"4", 4},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct filter filter = {0};
        must_take(filter_add_types, &filter, types[i].text);
        for (uint8_t type = 0; type < 16; type++) {
            PTP_TIMESTAMP_EVENT event = make_sync();
            event.messageType = type;
            assert_int_equal(filter_shows(&filter, &event), type == types[i].type);
        }
    }
    struct filter several = {0};
    must_take(filter_add_types, &several, "sync,11,follow_up");
    for (uint8_t type = 0; type < 16; type++)
        assert_int_equal(several.types[type], type == 0 || type == 8 || type == 11);
}

static void test_bad_types(void **state)
{
    (void)state;
    static const char *const bad[] = {"16", "reserved", "", "Syn", "Syncs", "delay-req", "Delay Req", "-1", "0x10"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        must_refuse(filter_add_types, bad[i], bad[i]);
    must_refuse(filter_add_types, "sync,folow_up", "folow_up");
}

static bool shows_vlan(const struct filter *filter, bool tagged, unsigned vlan)
{
    PTP_TIMESTAMP_EVENT event = make_sync();
    event.stamp = (UINT8)(tagged ? AVB_STAMP_VLAN | AVB_STAMP_MORE_TAGS : AVB_STAMP_EXPECTED);
    event.vlanId = (UINT16)vlan;
    return filter_shows(filter, &event);
}

static void test_vlans(void **state)
{
    (void)state;
    struct filter tagged = {0}, untagged = {0}, priority = {0}, both = {0};
    must_take(filter_add_vlans, &tagged, "5,4095");
    must_take(filter_add_vlans, &untagged, "None");
    must_take(filter_add_vlans, &priority, "0");
    must_take(filter_add_vlans, &both, "none,5");
    for (unsigned vlan = 0; vlan < 4096; vlan++) {
        assert_int_equal(shows_vlan(&tagged, true, vlan), vlan == 5 || vlan == 4095);
        assert_false(shows_vlan(&untagged, true, vlan));
        assert_int_equal(shows_vlan(&priority, true, vlan), vlan == 0);
        assert_int_equal(shows_vlan(&both, true, vlan), vlan == 5);
    }
    assert_false(shows_vlan(&tagged, false, 0));
    assert_true(shows_vlan(&untagged, false, 0));
    assert_false(shows_vlan(&priority, false, 0));
    assert_true(shows_vlan(&both, false, 0));
}

static void test_bad_vlans(void **state)
{
    (void)state;
    static const char *const bad[] = {"4096", "-1", "", "any", "no", "nonet"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        must_refuse(filter_add_vlans, bad[i], bad[i]);
    must_refuse(filter_add_vlans, "none,x", "x");
}

static void test_ports_in_every_form(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool any_port;
    } forms[] = {
        {"a2b3c4.fffe.d5e6f7-1", false},      {"A2B3C4.FFFE.D5E6F7-1", false},
        {"a2:b3:c4:ff:fe:d5:e6:f7-1", false}, {"a2b3c4fffed5e6f7-1", false},
        {"a2b3c4fffed5e6f7-0x1", false},      {"a2b3c4.fffe.d5e6f7", true},
        {"a2b3c4fffed5e6f7", true},           {"000000.fffe.000000-9,a2b3c4.fffe.d5e6f7-1", false},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct filter filter = {0};
        PTP_TIMESTAMP_EVENT event = make_sync();
        must_take(filter_add_ports, &filter, forms[i].text);
        assert_true(filter_shows(&filter, &event));
        event.portNumber = 2;
        assert_int_equal(filter_shows(&filter, &event), forms[i].any_port);
        event.portNumber = 1;
        for (size_t byte = 0; byte < 8; byte++) {
            event.clockIdentity[byte] ^= 1;
            assert_false(filter_shows(&filter, &event));
            event.clockIdentity[byte] ^= 1;
        }
    }
    struct filter filter = {0};
    const PTP_TIMESTAMP_EVENT zero = {0};
    must_take(filter_add_ports, &filter, "a2b3c4.fffe.d5e6f7-65535,a2b3c4.fffe.d5e6f7-0");
    assert_int_equal(filter.ports[0].portNumber, 65535);
    assert_int_equal(filter.ports[1].portNumber, 0);
    assert_false(filter.ports[1].any_port);
    assert_false(filter_shows(&filter, &zero));
    must_take(filter_add_ports, &filter, "0123456789abcdef");
    static const uint8_t digits[8] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF};
    assert_memory_equal(filter.ports[2].clockIdentity, digits, sizeof digits);
}

static void test_bad_ports(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "-1",
        "1",
        "a2b3c4.fffe.d5e6f",
        "a2b3c4.fffe.d5e6f70",
        "a2b3c4.fffe.d5e6f7-",
        "a2b3c4.fffe.d5e6f7-65536",
        "a2b3c4.fffe.d5e6f7--1",
        "a2b3c4.fffe.d5e6f7-x",
        "g2b3c4.fffe.d5e6f7-1",
        "a2b3c4 fffe d5e6f7-1",
        "a2b3c4.fffe.d5e6f7/1",
        "a2b3c4.fffe-d5e6f7-1",
        "................",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        must_refuse(filter_add_ports, bad[i], bad[i]);
}

static void test_as_many_ports_as_there_is_room_for(void **state)
{
    (void)state;
    struct filter filter = {0};
    char bad[FILTER_ITEM_SIZE], item[FILTER_ITEM_SIZE];
    for (int i = 0; i < FILTER_PORTS; i++) {
        snprintf(item, sizeof item, "0011223344556677-%d", i);
        must_take(filter_add_ports, &filter, item);
    }
    assert_int_equal(filter.port_count, FILTER_PORTS);
    assert_int_equal(filter.ports[FILTER_PORTS - 1].portNumber, FILTER_PORTS - 1);
    assert_false(filter_add_ports(&filter, "0011223344556677-99", bad));
    assert_string_equal(bad, "0011223344556677-99");
}

static void test_directions(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint8_t shown, hidden;
    } directions[] = {
        {"rx", AVB_DIRECTION_RX, AVB_DIRECTION_TX},
        {"RX", AVB_DIRECTION_RX, AVB_DIRECTION_TX},
        {"tx", AVB_DIRECTION_TX, AVB_DIRECTION_RX},
        {"Tx", AVB_DIRECTION_TX, AVB_DIRECTION_RX},
    };
    for (size_t i = 0; i < sizeof directions / sizeof *directions; i++) {
        struct filter filter = {0};
        PTP_TIMESTAMP_EVENT event = make_sync();
        must_take(filter_set_direction, &filter, directions[i].text);
        event.direction = directions[i].shown;
        assert_true(filter_shows(&filter, &event));
        event.direction = directions[i].hidden;
        assert_false(filter_shows(&filter, &event));
        event.direction = AVB_DIRECTION_UNKNOWN;
        assert_true(filter_shows(&filter, &event));
    }
    static const char *const bad[] = {"", "both", "r", "rx,tx", "rxx"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        must_refuse(filter_set_direction, bad[i], bad[i]);
}

/* Each criterion alone hides a frame, whatever the others say. */
static void test_all_criteria_must_fit(void **state)
{
    (void)state;
    for (unsigned misses = 0; misses < 32; misses++) {
        struct filter filter = {0};
        PTP_TIMESTAMP_EVENT event = make_sync();
        must_take(filter_add_domains, &filter, misses & 1 ? "1" : "0");
        must_take(filter_add_types, &filter, misses & 2 ? "Announce" : "Sync");
        must_take(filter_add_vlans, &filter, misses & 4 ? "7" : "none");
        must_take(filter_add_ports, &filter, misses & 8 ? "a2b3c4fffed5e6f7-2" : "a2b3c4fffed5e6f7-1");
        must_take(filter_set_direction, &filter, misses & 16 ? "tx" : "rx");
        assert_int_equal(filter_shows(&filter, &event), misses == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_shows_all),
        cmocka_unit_test(test_domains),
        cmocka_unit_test(test_bad_domains),
        cmocka_unit_test(test_overlong_item_is_refused_and_cut),
        cmocka_unit_test(test_types_by_name_and_number),
        cmocka_unit_test(test_bad_types),
        cmocka_unit_test(test_vlans),
        cmocka_unit_test(test_bad_vlans),
        cmocka_unit_test(test_ports_in_every_form),
        cmocka_unit_test(test_bad_ports),
        cmocka_unit_test(test_as_many_ports_as_there_is_room_for),
        cmocka_unit_test(test_directions),
        cmocka_unit_test(test_all_criteria_must_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
