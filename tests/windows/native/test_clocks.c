/* SPDX-License-Identifier: MIT */
/*
 * IOCTL_AVB_GET_PTP_CLOCKS. The test plays the clocks: the performance counter, UTC and the NIC's are functions of one
 * true time, so that what the record says can be compared with what was so, and the error with what it admits.
 */
#include "control_kit.h"

#include <ndis6.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

__extension__ typedef unsigned __int128 wide;

#define SECOND          1000000000ull
#define RX_HARDWARE_ALL (1u << 8)
#define TX_HARDWARE_ALL (1u << 9)
#define RX_SOFTWARE_ALL (1u << 11)
#define TX_SOFTWARE_ALL (1u << 12)

#define UTC_BEGAN           11644473600ull /* s from 1601 to 1970 */
#define HUNDRED_NS_A_SECOND 10000000ull

/* ---- The clocks ---- */

static struct {
    int on;      /* 0: the doubles' own */
    UINT64 now;  /* true time, ns */
    UINT64 step; /* it advances so much with each look at the counter */
    UINT64 counter_hz, nic_hz;
    UINT64 counter_began, nic_began; /* ticks at 0 */
    UINT64 utc_began;                /* ns since 1970 at 0 */
    INT64 nic_ppm, utc_ppm;          /* their rates against the counter's */

    /* What the miniport does with OID_TIMESTAMP_GET_CROSSTIMESTAMP. */
    INT32 status;
    UINT64 bracket; /* ns from the first to the second look at the counter */
    UINT64 before;  /* ns that it looks before the request, or */
    UINT64 after;   /* that its answer is of the future */
    UINT64 delay;   /* ns until it answers */
    UINT32 written;
    int without_first, reversed;
    UINT32 asked; /* how often */
} play;

static UINT64 ticks_at(UINT64 time, UINT64 hz)
{
    return (UINT64)((wide)time * hz / SECOND);
}

static UINT64 drifted(UINT64 time, INT64 ppm)
{
    return time + (UINT64)((INT64)time / 1000000 * ppm);
}

static UINT64 counter_at(UINT64 time)
{
    return play.counter_began + ticks_at(time, play.counter_hz);
}

static UINT64 utc_at(UINT64 time)
{
    return play.utc_began + drifted(time, play.utc_ppm);
}

static UINT64 nic_ticks_at(UINT64 time)
{
    return play.nic_began + ticks_at(drifted(time, play.nic_ppm), play.nic_hz);
}

static UINT64 nic_at(UINT64 time)
{
    return (UINT64)((wide)nic_ticks_at(time) * SECOND / play.nic_hz);
}

/* The true time of a value of the counter, rounded to its middle. */
static UINT64 time_of_counter(UINT64 ticks)
{
    return (UINT64)(((wide)(ticks - play.counter_began) * SECOND + SECOND / 2) / play.counter_hz);
}

LARGE_INTEGER __real_KeQueryPerformanceCounter(PLARGE_INTEGER frequency);
LARGE_INTEGER __wrap_KeQueryPerformanceCounter(PLARGE_INTEGER frequency);
VOID __real_KeQuerySystemTimePrecise(PLARGE_INTEGER time);
VOID __wrap_KeQuerySystemTimePrecise(PLARGE_INTEGER time);
NDIS_STATUS __real_NdisFOidRequest(NDIS_HANDLE filter, NDIS_OID_REQUEST *request);
NDIS_STATUS __wrap_NdisFOidRequest(NDIS_HANDLE filter, NDIS_OID_REQUEST *request);

LARGE_INTEGER __wrap_KeQueryPerformanceCounter(PLARGE_INTEGER frequency)
{
    if (!play.on)
        return __real_KeQueryPerformanceCounter(frequency);
    if (frequency)
        frequency->QuadPart = (INT64)play.counter_hz;
    play.now += play.step;
    return (LARGE_INTEGER){.QuadPart = (INT64)counter_at(play.now)};
}

VOID __wrap_KeQuerySystemTimePrecise(PLARGE_INTEGER time)
{
    if (!play.on) {
        __real_KeQuerySystemTimePrecise(time);
        return;
    }
    play.now += play.step;
    time->QuadPart = (INT64)(utc_at(play.now) / 100 + UTC_BEGAN * HUNDRED_NS_A_SECOND);
}

static NDIS_STATUS answer_cross_timestamp(NDIS_OID_REQUEST *request)
{
    NDIS_HARDWARE_CROSSTIMESTAMP cross;
    UINT64 first = play.now - play.before + play.after;
    memset(&cross, 0, sizeof cross);
    cross.SystemTimestamp1 = play.without_first ? 0 : counter_at(first);
    cross.HardwareClockTimestamp = nic_ticks_at(first + play.bracket / 2);
    cross.SystemTimestamp2 = counter_at(first + play.bracket);
    if (play.reversed) {
        cross.SystemTimestamp2 = cross.SystemTimestamp1;
        cross.SystemTimestamp1 = counter_at(first + play.bracket);
    }
    assert_true(request->DATA.QUERY_INFORMATION.InformationBufferLength >= sizeof cross);
    memcpy(request->DATA.QUERY_INFORMATION.InformationBuffer, &cross, sizeof cross);
    request->DATA.QUERY_INFORMATION.BytesWritten = play.written;
    play.now += (play.before ? 0 : play.bracket) + play.delay;
    play.asked++;
    return play.status;
}

static UINT32 asked_the_double;

NDIS_STATUS __wrap_NdisFOidRequest(NDIS_HANDLE filter, NDIS_OID_REQUEST *request)
{
    asked_the_double += !play.on && request->DATA.QUERY_INFORMATION.Oid == OID_TIMESTAMP_GET_CROSSTIMESTAMP;
    if (!play.on || request->DATA.QUERY_INFORMATION.Oid != OID_TIMESTAMP_GET_CROSSTIMESTAMP)
        return __real_NdisFOidRequest(filter, request);
    return answer_cross_timestamp(request);
}

/* ---- An adapter whose clocks are played ---- */

static struct {
    lab_adapter *adapter;
    struct kit_client client;
} rig;

static void play_clocks(UINT64 counter_hz, UINT64 nic_hz)
{
    memset(&play, 0, sizeof play);
    play.on = 1;
    play.now = 1000 * SECOND;
    play.step = 40;
    play.counter_hz = counter_hz;
    play.nic_hz = nic_hz;
    play.counter_began = 123456789;
    play.nic_began = 987654321;
    play.utc_began = 1780000000 * SECOND;
    play.bracket = 900;
    play.written = sizeof(NDIS_HARDWARE_CROSSTIMESTAMP);
}

static int set_up(void **state)
{
    kit_setup(state);
    play.on = 0;
    struct lab_adapter_config config = kit_config(1);
    config.cross_timestamp = 1;
    rig.adapter = kit_attach_paused(&config);
    assert_int_equal(lab_restart(rig.adapter), 0);
    kit_open(&rig.client, 1);
    return 0;
}

static int tear_down(void **state)
{
    play.on = 0;
    return kit_teardown(state);
}

static PTP_CLOCKS_RECORD read_clocks(void)
{
    PTP_CLOCKS_RECORD clocks;
    assert_int_equal(kit_clocks(rig.client.file, rig.client.process, &clocks), STATUS_SUCCESS);
    assert_int_equal(clocks.direction, AVB_DIRECTION_CLOCKS);
    assert_int_equal(clocks.sequence, 0);
    return clocks;
}

static UINT64 apart(UINT64 one, UINT64 other)
{
    return one > other ? one - other : other - one;
}

/* Ticks are no finer than this; UTC's and the NIC's come on top. */
static UINT64 tick_ns(UINT64 hz)
{
    return SECOND / hz + 1;
}

/* What the record says of UTC is true within what it admits. */
static void check_utc(const PTP_CLOCKS_RECORD *clocks)
{
    UINT64 instant = time_of_counter(clocks->system_timestamp), grain = tick_ns(play.counter_hz);
    UINT64 error = apart(utc_at(instant), clocks->realtime_ns);
    if (error > clocks->realtime_uncertainty_ns + grain)
        fail_msg("UTC is off by %llu ns, and %u ns are admitted", (unsigned long long)error,
                 (unsigned)clocks->realtime_uncertainty_ns);
}

static void check_nic(const PTP_CLOCKS_RECORD *clocks)
{
    UINT64 instant = time_of_counter(clocks->system_timestamp);
    UINT64 grain = tick_ns(play.counter_hz) + tick_ns(play.nic_hz);
    /* Against UTC, at the instant at which UTC was what the record says. */
    UINT64 off_utc = clocks->realtime_ns - utc_at(instant);
    UINT64 error = apart(nic_at(instant) + off_utc, clocks->hw_timestamp_ns);
    if (error > clocks->hw_uncertainty_ns + grain)
        fail_msg("the NIC's clock is off by %llu ns, and %u ns are admitted", (unsigned long long)error,
                 (unsigned)clocks->hw_uncertainty_ns);
}

/* ---- Without a NIC's clock ---- */

static void test_real_clocks(void **state)
{
    (void)state;
    struct timespec before, after;
    PTP_CLOCKS_RECORD last = read_clocks();
    for (UINT32 i = 0; i < 100; i++) {
        UINT64 counter = (UINT64)__real_KeQueryPerformanceCounter(NULL).QuadPart;
        clock_gettime(CLOCK_REALTIME, &before);
        PTP_CLOCKS_RECORD clocks = read_clocks();
        clock_gettime(CLOCK_REALTIME, &after);
        assert_in_range(clocks.realtime_ns + 100, (UINT64)before.tv_sec * SECOND + (UINT64)before.tv_nsec,
                        (UINT64)after.tv_sec * SECOND + (UINT64)after.tv_nsec + 200);
        assert_in_range(clocks.system_timestamp, counter, (UINT64)__real_KeQueryPerformanceCounter(NULL).QuadPart);
        assert_true(clocks.system_timestamp >= last.system_timestamp);
        assert_in_range(clocks.realtime_uncertainty_ns, 100, 1000000000);
        assert_int_equal(clocks.hw_timestamp_ns, 0);
        assert_int_equal(clocks.hw_uncertainty_ns, 0);
        last = clocks;
    }
}

/* Nothing is called the NIC's clock where no hardware stamp is on it, or where it cannot be read. */
static void test_no_clock_of_the_nic(void **state)
{
    (void)state;
    static const struct {
        UINT64 hz;
        UINT32 flags;
    } cases[] = {
        {0, 0},
        {SECOND, 0},
        {0, RX_HARDWARE_ALL},
        {1ull << 35, RX_HARDWARE_ALL},
        {SECOND, RX_SOFTWARE_ALL | TX_SOFTWARE_ALL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lab_set_timestamp_config(rig.adapter, cases[i].hz, cases[i].flags);
        play_clocks(10000000, SECOND);
        PTP_CLOCKS_RECORD clocks = read_clocks();
        assert_int_equal(play.asked, 0);
        assert_int_equal(clocks.hw_timestamp_ns, 0);
        assert_int_equal(clocks.hw_uncertainty_ns, 0);
        check_utc(&clocks);
        play.on = 0;
    }
    lab_set_timestamp_config(rig.adapter, SECOND, RX_HARDWARE_ALL);
    play_clocks(10000000, SECOND);
    lab_pause(rig.adapter); /* it may be about to go */
    assert_int_equal(read_clocks().hw_timestamp_ns, 0);
    assert_int_equal(play.asked, 0);
    assert_int_equal(lab_restart(rig.adapter), 0);
}

/* Who says that it has no cross timestamps is not asked for one. The double's own miniport. */
static void test_miniport_without_cross_timestamps(void **state)
{
    (void)state;
    struct lab_adapter_config config = kit_config(2);
    config.frequency_hz = 125000000;
    config.timestamp_flags = RX_HARDWARE_ALL;
    for (config.cross_timestamp = 0; config.cross_timestamp < 2; config.cross_timestamp++) {
        lab_adapter *adapter = kit_attach_paused(&config);
        assert_int_equal(lab_restart(adapter), 0);
        struct kit_client client;
        kit_open(&client, 2);
        asked_the_double = 0;
        for (UINT32 i = 0; i < 8; i++) { /* each second request pends */
            PTP_CLOCKS_RECORD clocks;
            assert_int_equal(kit_clocks(client.file, client.process, &clocks), STATUS_SUCCESS);
            assert_true(clocks.realtime_ns > 0);
            if (!config.cross_timestamp) {
                assert_int_equal(clocks.hw_timestamp_ns, 0);
                continue;
            }
            /* The double's NIC began with the counter. */
            UINT64 counter_ns = clocks.system_timestamp * 100;
            assert_true(apart(counter_ns, clocks.hw_timestamp_ns) <= clocks.hw_uncertainty_ns + 108);
        }
        assert_int_equal(asked_the_double, config.cross_timestamp ? 8 : 0);
        kit_kill(&client);
        lab_detach(adapter);
    }
}

/* A miniport that sleeps may hold a request until it wakes; not every one is paused first. */
static void test_asleep_it_is_not_asked(void **state)
{
    (void)state;
    struct lab_adapter_config config = kit_config(2);
    config.frequency_hz = 125000000;
    config.timestamp_flags = RX_HARDWARE_ALL;
    config.cross_timestamp = 1;
    config.no_pause_on_suspend = 1;
    lab_adapter *adapter = kit_attach_paused(&config);
    assert_int_equal(lab_restart(adapter), 0);
    struct kit_client client;
    kit_open(&client, 2);
    for (int awake = 0; awake < 2; awake++) {
        lab_set_power(adapter, awake);
        asked_the_double = 0;
        PTP_CLOCKS_RECORD clocks;
        assert_int_equal(kit_clocks(client.file, client.process, &clocks), STATUS_SUCCESS);
        assert_true(clocks.realtime_ns > 0);
        assert_int_equal(clocks.hw_timestamp_ns != 0, awake);
        assert_int_equal(asked_the_double, awake);
    }
    kit_kill(&client);
    lab_detach(adapter);
}

/* ---- With one ---- */

static const UINT64 counter_frequencies[] = {10000000, 3579545, 14318180, 2441406, 24000000, 1193182, 3312451, SECOND};
static const UINT64 nic_frequencies[] = {SECOND,    125000000, 62500000, 25000000,
                                         156250000, 33333333,  96000000, 1ull << 34};

static void random_play(struct random *random, UINT64 counter_hz, UINT64 nic_hz)
{
    play_clocks(counter_hz, nic_hz);
    play.now = random_below(random, 30 * 86400) * SECOND + random_below(random, SECOND);
    play.step = random_below(random, 3000);
    play.counter_began = 1 + random_below(random, 1ull << 40);
    play.nic_began = random_below(random, 1ull << 50);
    play.nic_ppm = random_between(random, -45, 45);
    play.utc_ppm = random_between(random, -45, 45);
    play.bracket = random_below(random, 100000);
    play.before = random_chance(random, 30) ? random_below(random, play.now < SECOND ? 1 : SECOND) : 0;
    play.delay = random_chance(random, 70) ? random_below(random, 20000000) : 0;
}

static void test_says_the_truth_within_what_it_admits(void **state)
{
    (void)state;
    struct random random = {.state = 21};
    for (size_t nic = 0; nic < sizeof nic_frequencies / sizeof *nic_frequencies; nic++) {
        play.on = 0;
        lab_set_timestamp_config(rig.adapter, nic_frequencies[nic], nic % 2 ? TX_HARDWARE_ALL : RX_HARDWARE_ALL);
        for (size_t counter = 0; counter < sizeof counter_frequencies / sizeof *counter_frequencies; counter++) {
            for (UINT32 turn = 0; turn < 200; turn++) {
                random_play(&random, counter_frequencies[counter], nic_frequencies[nic]);
                PTP_CLOCKS_RECORD clocks = read_clocks();
                assert_int_equal(play.asked, 1);
                assert_int_not_equal(clocks.hw_timestamp_ns, 0);
                check_utc(&clocks);
                check_nic(&clocks);
            }
        }
    }
    play.on = 0;
}

/* Where all is quick, little is admitted. */
static void test_admits_no_more_than_it_must(void **state)
{
    (void)state;
    lab_set_timestamp_config(rig.adapter, SECOND, RX_HARDWARE_ALL);
    play_clocks(10000000, SECOND);
    PTP_CLOCKS_RECORD clocks = read_clocks();
    assert_in_range(clocks.realtime_uncertainty_ns, 100, 300);
    assert_in_range(clocks.hw_uncertainty_ns, 500, 1000); /* half of the bracket, and UTC's */
    check_utc(&clocks);
    check_nic(&clocks);
}

/* An answer that is none, or contradicts itself, is no time of the NIC. */
static void test_refuses_answers_that_cannot_be(void **state)
{
    (void)state;
    lab_set_timestamp_config(rig.adapter, SECOND, RX_HARDWARE_ALL);
    for (UINT32 fault = 0; fault < 6; fault++) {
        play_clocks(10000000, SECOND);
        switch (fault) {
        case 0:
            play.status = NDIS_STATUS_NOT_SUPPORTED;
            break;
        case 1:
            play.written = sizeof(NDIS_HARDWARE_CROSSTIMESTAMP) - 1;
            break;
        case 2:
            play.without_first = 1;
            break;
        case 3:
            play.reversed = 1;
            break;
        case 4:
            play.nic_began = 0;
            play.nic_hz = 0; /* says 0, which is no time */
            break;
        default:
            play.after = SECOND; /* of the future */
            break;
        }
        PTP_CLOCKS_RECORD clocks = read_clocks();
        assert_int_equal(play.asked, 1);
        assert_int_equal(clocks.hw_timestamp_ns, 0);
        assert_int_equal(clocks.hw_uncertainty_ns, 0);
        check_utc(&clocks);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_real_clocks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_clock_of_the_nic, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_miniport_without_cross_timestamps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_asleep_it_is_not_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_says_the_truth_within_what_it_admits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_admits_no_more_than_it_must, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refuses_answers_that_cannot_be, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("clocks", tests, NULL, NULL);
}
