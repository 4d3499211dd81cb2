/* SPDX-License-Identifier: MIT */
/* The list of interfaces and what they can stamp, in a private network namespace. */
#include "namespace.h"

#include "linux/stamping.h"

#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

struct list {
    ptpmon_interface *interfaces;
    size_t count;
};

static struct list read_list(void)
{
    struct list list;
    if (ptpmon_interfaces(&list.interfaces, &list.count) != PTPMON_OK)
        fail_msg("%s", ptpmon_error_message());
    return list;
}

static const ptpmon_interface *find(const struct list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->interfaces[i].name, name) == 0)
            return &list->interfaces[i];
    }
    return NULL;
}

static const ptpmon_interface *need(const struct list *list, const char *name)
{
    const ptpmon_interface *interface = find(list, name);
    if (interface == NULL)
        fail_msg("%s is not in the list", name);
    return interface;
}

/* Skips the test where the kernel lacks a kind of device. */
static void make_or_skip(const char *command)
{
    if (!run("%s 2>/dev/null", command)) {
        print_message("this kernel refuses `%s`\n", command);
        skip();
    }
}

static void lists_by_index_with_loopback(void **state)
{
    (void)state;
    struct list list = read_list();
    for (size_t i = 0; i < list.count; i++) {
        assert_int_equal(list.interfaces[i].index, if_nametoindex(list.interfaces[i].name));
        if (i > 0)
            assert_true(list.interfaces[i - 1].index < list.interfaces[i].index);
    }
    const ptpmon_interface *loopback = need(&list, "lo");
    assert_int_equal(loopback->kind, PTPMON_KIND_LOOPBACK);
    assert_int_equal(loopback->phc_index, -1);
    assert_string_equal(loopback->lower, "");
    assert_false(loopback->prefer_lower);
    ptpmon_interfaces_free(list.interfaces);
}

/* sysfs still shows the namespace that the process came from. */
static void shows_this_namespace_only(void **state)
{
    (void)state;
    assert_true(run("ip link add here0 type veth peer name here1"));
    struct list list = read_list();
    size_t known = 0;
    struct if_nameindex *all = if_nameindex();
    assert_non_null(all);
    for (const struct if_nameindex *i = all; i->if_name != NULL; i++)
        known += find(&list, i->if_name) != NULL;
    if_freenameindex(all);
    assert_int_equal(known, list.count);
    need(&list, "here0");
    ptpmon_interfaces_free(list.interfaces);
    assert_true(run("ip link del here0"));
}

/* The kernel tells a change of carrier a little later. */
static bool comes_up(const char *name)
{
    bool up = false;
    for (int i = 0; i < 300 && !up; i++) {
        struct list list = read_list();
        const ptpmon_interface *interface = find(&list, name);
        up = interface != NULL && interface->up;
        ptpmon_interfaces_free(list.interfaces);
        usleep(10000);
    }
    return up;
}

static void describes_a_veth(void **state)
{
    (void)state;
    static const uint8_t mac[] = {0x02, 0x00, 0x5E, 0x00, 0x00, 0x01};
    assert_true(
        run("ip link add va address 02:00:5e:00:00:01 numrxqueues 4 numtxqueues 4 type veth"
            " peer name vb numrxqueues 3 numtxqueues 3"));
    struct list list = read_list();
    const ptpmon_interface *veth = need(&list, "va");
    assert_int_equal(veth->kind, PTPMON_KIND_VETH);
    assert_string_equal(veth->driver, "veth");
    assert_memory_equal(veth->mac, mac, sizeof mac);
    assert_int_equal(veth->rx_queues, 4);
    assert_int_equal(veth->tx_queues, 4);
    assert_int_equal(need(&list, "vb")->rx_queues, 3);
    assert_int_equal(veth->stamping, PTPMON_CAN_RX_SOFTWARE | PTPMON_CAN_TX_SOFTWARE);
    assert_int_equal(veth->phc_index, -1);
    assert_string_equal(veth->lower, ""); /* its peer is not under it */
    assert_false(veth->prefer_lower);
    assert_false(veth->up);
    ptpmon_interfaces_free(list.interfaces);

    assert_true(run("ip link set va up"));
    list = read_list();
    assert_false(need(&list, "va")->up); /* no carrier: the peer is down */
    ptpmon_interfaces_free(list.interfaces);
    assert_true(run("ip link set vb up"));
    assert_true(comes_up("va"));
    assert_true(run("ip link del va"));
}

static void names_the_ports_of_a_bridge(void **state)
{
    (void)state;
    make_or_skip("ip link add br0 type bridge");
    struct list list = read_list();
    assert_int_equal(need(&list, "br0")->kind, PTPMON_KIND_BRIDGE);
    assert_string_equal(need(&list, "br0")->lower, "");
    assert_false(need(&list, "br0")->prefer_lower);
    ptpmon_interfaces_free(list.interfaces);

    assert_true(
        run("ip link add p0 master br0 type veth peer name q0 && ip link add p1 master br0 type veth"
            " peer name q1"));
    list = read_list();
    assert_string_equal(need(&list, "br0")->lower, "p0, p1");
    assert_true(need(&list, "br0")->prefer_lower);
    assert_string_equal(need(&list, "p0")->lower, "");
    assert_false(need(&list, "p0")->prefer_lower);
    ptpmon_interfaces_free(list.interfaces);
    assert_true(run("ip link del p0; ip link del p1; ip link del br0"));
}

static void cuts_a_long_list_of_ports_between_names(void **state)
{
    (void)state;
    make_or_skip("ip link add br0 type bridge");
    assert_true(
        run("for i in $(seq 10 49); do echo link add port-number-$i group 7 master br0 type veth peer name q$i;"
            " done | ip -batch - && ip link add x group 7 master br0 type veth peer name y"));
    struct list list = read_list();
    const char *lower = need(&list, "br0")->lower;
    assert_int_equal(strncmp(lower, "port-number-10, port-number-11, ", 32), 0);
    /* 15 names of 14 bytes; a shorter one that would fit after the dots is left out too. */
    assert_string_equal(lower + 14 * (14 + 2), "port-number-24, ...");
    ptpmon_interfaces_free(list.interfaces);
    assert_true(run("ip link del group 7; ip link del br0"));
}

static void names_the_ports_of_a_bond(void **state)
{
    (void)state;
    make_or_skip("ip link add bond7 type bond");
    assert_true(run("ip link add p0 type veth peer name q0 && ip link set p0 master bond7"));
    struct list list = read_list();
    assert_int_equal(need(&list, "bond7")->kind, PTPMON_KIND_BOND);
    assert_string_equal(need(&list, "bond7")->lower, "p0");
    assert_true(need(&list, "bond7")->prefer_lower);
    ptpmon_interfaces_free(list.interfaces);
    assert_true(run("ip link del bond7; ip link del p0"));
}

static void names_the_device_under_a_vlan(void **state)
{
    (void)state;
    assert_true(run("ip link add va type veth peer name vb"));
    if (!run("ip link add link va name va.5 type vlan id 5 2>/dev/null")) {
        assert_true(run("ip link del va"));
        print_message("this kernel has no VLAN devices\n");
        skip();
    }
    struct list list = read_list();
    assert_int_equal(need(&list, "va.5")->kind, PTPMON_KIND_VLAN);
    assert_string_equal(need(&list, "va.5")->lower, "va");
    assert_true(need(&list, "va.5")->prefer_lower);
    ptpmon_interfaces_free(list.interfaces);
    assert_true(run("ip link del va"));
}

static void calls_a_dummy_other(void **state)
{
    (void)state;
    make_or_skip("ip link add dum0 type dummy");
    struct list list = read_list();
    assert_int_equal(need(&list, "dum0")->kind, PTPMON_KIND_OTHER);
    ptpmon_interfaces_free(list.interfaces);
    assert_true(run("ip link del dum0"));
}

static void leaves_out_what_has_no_ethernet_framing(void **state)
{
    (void)state;
    make_or_skip("ip tuntap add dev tun0 mode tun");
    struct list list = read_list();
    assert_null(find(&list, "tun0"));
    ptpmon_interfaces_free(list.interfaces);
    assert_true(run("ip tuntap del dev tun0 mode tun"));
}

static void lists_more_links_than_one_message_holds(void **state)
{
    (void)state;
    assert_true(
        run("for i in $(seq 0 59); do echo link add many$i group 7 type veth peer name ynam$i; done"
            " | ip -batch -"));
    struct list list = read_list();
    for (int i = 0; i < 60; i++) {
        char name[16];
        snprintf(name, sizeof name, "many%d", i);
        need(&list, name);
    }
    ptpmon_interfaces_free(list.interfaces);
    assert_true(run("ip link del group 7"));
}

static void stamping_knows_unknown_interfaces(void **state)
{
    (void)state;
    struct ptpmon_stamping stamping;
    struct ptpmon_stamping_saved saved;
    static const char *const names[] = {"nosuch0", "a-name-that-is-longer-than-any", ""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(ptpmon_stamping_read(names[i], &stamping), PTPMON_NO_INTERFACE);
        assert_non_null(strstr(ptpmon_error_message(), names[i]));
        assert_non_null(strstr(ptpmon_error_message(), "ptpmon list"));
        assert_int_equal(ptpmon_stamping_enable(names[i], &saved), PTPMON_NO_INTERFACE);
    }
}

static void stamping_cannot_be_enabled_on_a_veth(void **state)
{
    (void)state;
    struct ptpmon_stamping_saved saved;
    assert_true(run("ip link add va type veth peer name vb"));
    assert_int_equal(ptpmon_stamping_enable("va", &saved), PTPMON_NOT_SUPPORTED);
    assert_non_null(strstr(ptpmon_error_message(), "va: "));
    assert_true(run("ip link del va"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_by_index_with_loopback),
        cmocka_unit_test(shows_this_namespace_only),
        cmocka_unit_test(describes_a_veth),
        cmocka_unit_test(names_the_ports_of_a_bridge),
        cmocka_unit_test(cuts_a_long_list_of_ports_between_names),
        cmocka_unit_test(names_the_ports_of_a_bond),
        cmocka_unit_test(names_the_device_under_a_vlan),
        cmocka_unit_test(calls_a_dummy_other),
        cmocka_unit_test(leaves_out_what_has_no_ethernet_framing),
        cmocka_unit_test(lists_more_links_than_one_message_holds),
        cmocka_unit_test(stamping_knows_unknown_interfaces),
        cmocka_unit_test(stamping_cannot_be_enabled_on_a_veth),
    };
    if (!enter_private_namespace())
        return EXIT_FAILURE;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
