/* SPDX-License-Identifier: MIT */
/* Clock, latch and pin of the NIC, against a model of its registers whose truth is known. */
#include "nic_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MILLISECOND 1000000ull
#define MINUTE      (60 * MODEL_SECOND)

static const struct avb_nic_part *part_of(UINT16 device_id)
{
    const struct avb_nic_part *part = avb_nic_part_find(0x8086, device_id);
    assert_non_null(part);
    return part;
}

/* One device of each family, with the identity registers and without. */
enum { DEVICE_82576 = 0x10C9, DEVICE_I350 = 0x1521, DEVICE_I210 = 0x1533, DEVICE_I226 = 0x125B, DEVICE_I219 = 0x156F };

static const UINT16 devices_that_can[] = {DEVICE_82576, DEVICE_I350, DEVICE_I210};

struct rig {
    struct nic_model model;
    struct avb_nic_clock clock;
};

static void rig_start(struct rig *rig, uint64_t seed, UINT16 device_id)
{
    nic_model_init(&rig->model, seed, part_of(device_id)->family);
    struct avb_nic_registers registers = nic_model_registers(&rig->model);
    assert_int_equal(avb_nic_clock_open(&rig->clock, part_of(device_id), &registers), AVB_NIC_CLOCK_READ);
}

static void rig_end(const struct rig *rig)
{
    assert_int_equal(rig->model.wrong_writes, 0);
}

static void wait(struct rig *rig, uint64_t ns)
{
    rig->model.now += ns;
}

static PTP_TIMESTAMP_EVENT frame_of(UINT8 messageType, UINT8 sender, UINT16 sequenceId)
{
    PTP_TIMESTAMP_EVENT frame = {.direction = AVB_DIRECTION_RX, .messageType = messageType, .sequenceId = sequenceId};
    static const UINT8 identity[8] = {0x00, 0x1B, 0x21, 0xFF, 0xFE, 0x0A, 0x0B, 0x00};
    memcpy(frame.clockIdentity, identity, sizeof identity);
    frame.clockIdentity[7] = sender;
    frame.portNumber = 1;
    frame.transport = AVB_TRANSPORT_ETHERNET;
    frame.version = 2;
    return frame;
}

static enum avb_stamp_result read_stamp(struct rig *rig, const PTP_TIMESTAMP_EVENT *frames, UINT32 count, UINT32 *owner,
                                        UINT64 *ns)
{
    return AvbReadTimestamp(&rig->clock, frames, count, owner, ns);
}

/* For results other than a stamp: and then nothing is written to the outputs. */
static void expect_refusal(struct rig *rig, const PTP_TIMESTAMP_EVENT *frames, UINT32 count,
                           enum avb_stamp_result reason)
{
    UINT32 owner = 77;
    UINT64 ns = 88;
    enum avb_stamp_result result = read_stamp(rig, frames, count, &owner, &ns);
    if (result != reason)
        fail_msg("%s, expected %s", avb_stamp_result_name(result), avb_stamp_result_name(reason));
    assert_int_equal(owner, 77);
    assert_int_equal(ns, 88);
}

static void expect_stamp(struct rig *rig, const PTP_TIMESTAMP_EVENT *frames, UINT32 count, UINT32 of, UINT64 at)
{
    UINT32 owner = 77;
    UINT64 ns = 0;
    enum avb_stamp_result result = read_stamp(rig, frames, count, &owner, &ns);
    if (result != AVB_STAMP_GIVEN)
        fail_msg("%s, expected a stamp", avb_stamp_result_name(result));
    assert_int_equal(owner, of);
    assert_int_equal(ns, at);
}

static void read_clock(struct rig *rig)
{
    struct avb_nic_time time;
    enum avb_nic_clock_result result = avb_nic_clock_read(&rig->clock, &time);
    if (result != AVB_NIC_CLOCK_READ)
        fail_msg("%s", avb_nic_clock_result_name(result));
    int64_t error = (int64_t)(time.nic_ns - nic_model_clock_at(&rig->model, time.system_ns));
    if (llabs(error) > (int64_t)time.uncertainty_ns + 1)
        fail_msg("off by %lld ns, +- %u", (long long)error, (unsigned)time.uncertainty_ns);
}

/* ---- Parts ---- */

static void every_part_has_one_family_and_is_found(void **state)
{
    (void)state;
    size_t count = 0, families[AVB_NIC_FAMILIES] = {0};
    for (const struct avb_nic_part *part; (part = avb_nic_part_at((UINT32)count)) != NULL; count++) {
        assert_ptr_equal(avb_nic_part_find(0x8086, part->device_id), part);
        assert_in_range(part->family, AVB_NIC_UNKNOWN + 1, AVB_NIC_FAMILIES - 1);
        assert_int_equal(part->oscillator != AVB_OSCILLATOR_NONE, part->family == AVB_NIC_I217);
        assert_non_null(
            strstr("82576 82580 DH89xxCC I350 I354 I210 I211 I220 I221 I225 I226 I217 I218 I219", part->name));
        families[part->family]++;
    }
    for (int family = AVB_NIC_UNKNOWN + 1; family < AVB_NIC_FAMILIES; family++)
        assert_true(families[family] > 0);
    assert_null(avb_nic_part_at((UINT32)count + 1));
}

static void names_and_ids_belong_together(void **state)
{
    (void)state;
    assert_string_equal(part_of(0x10C9)->name, "82576");
    assert_string_equal(part_of(0x150E)->name, "82580");
    assert_string_equal(part_of(0x1521)->name, "I350");
    assert_string_equal(part_of(0x1F41)->name, "I354");
    assert_string_equal(part_of(0x1533)->name, "I210");
    assert_string_equal(part_of(0x1539)->name, "I211");
    assert_string_equal(part_of(0x15F2)->name, "I225");
    assert_string_equal(part_of(0x125C)->name, "I226");
    assert_string_equal(part_of(0x153A)->name, "I217");
    assert_string_equal(part_of(0x15A2)->name, "I218");
    assert_string_equal(part_of(0x15BB)->name, "I219");
}

static void unknown_devices_are_no_part(void **state)
{
    (void)state;
    assert_null(avb_nic_part_find(0x8086, 0x10D3)); /* 82574 */
    assert_null(avb_nic_part_find(0x8086, 0x10A7)); /* 82575 */
    assert_null(avb_nic_part_find(0x8086, 0x1520)); /* a virtual function of I350 */
    assert_null(avb_nic_part_find(0x8086, 0x0000));
    assert_null(avb_nic_part_find(0x8086, 0xFFFF));
    assert_null(avb_nic_part_find(0x10EC, DEVICE_I210)); /* another vendor */
}

static void an_unknown_part_does_nothing(void **state)
{
    (void)state;
    struct rig rig;
    struct avb_nic_time time;
    struct avb_sdp_pin pin;
    PTP_TIMESTAMP_EVENT frame = frame_of(AVB_PTP_SYNC, 1, 1);
    nic_model_init(&rig.model, 1, AVB_NIC_I210);
    struct avb_nic_registers registers = nic_model_registers(&rig.model);
    assert_int_equal(avb_nic_clock_open(&rig.clock, NULL, &registers), AVB_NIC_CLOCK_PART_CANNOT);
    assert_int_equal(avb_nic_clock_read(&rig.clock, &time), AVB_NIC_CLOCK_PART_CANNOT);
    expect_refusal(&rig, &frame, 1, AVB_STAMP_PART_CANNOT);
    assert_int_equal(avb_sdp_open(&pin, NULL, &registers, 0), AVB_SDP_PART_CANNOT);
    assert_int_equal(rig.model.reads, 0);
    assert_int_equal(rig.model.writes, 0);
}

static void what_cannot_be_attributed_says_why(void **state)
{
    (void)state;
    for (int family = 0; family <= AVB_NIC_FAMILIES; family++) {
        const struct avb_nic_abilities *can = avb_nic_family_abilities((enum avb_nic_family)family);
        assert_non_null(can->name);
        assert_non_null(can->tx_refusal);
        assert_int_equal(can->rx_identity == 0, can->rx_refusal != NULL);
        assert_true(!can->rx_identity || can->rx_latch);
    }
    assert_ptr_equal(avb_nic_family_abilities(AVB_NIC_FAMILIES), avb_nic_family_abilities(AVB_NIC_UNKNOWN));
    assert_non_null(strstr(avb_nic_family_abilities(AVB_NIC_I225)->rx_refusal, "cannot be attributed"));
    assert_non_null(strstr(avb_nic_family_abilities(AVB_NIC_I217)->rx_refusal, "cannot be attributed"));
    assert_non_null(strstr(avb_nic_family_abilities(AVB_NIC_I210)->tx_refusal, "cannot be attributed"));
}

static void every_result_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < AVB_STAMP_RESULTS; i++) {
        assert_non_null(avb_stamp_result_name((enum avb_stamp_result)i));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(avb_stamp_result_name((enum avb_stamp_result)i),
                                    avb_stamp_result_name((enum avb_stamp_result)j));
    }
    for (int i = 0; i < AVB_NIC_CLOCK_RESULTS; i++)
        assert_non_null(avb_nic_clock_result_name((enum avb_nic_clock_result)i));
    for (int i = 0; i < AVB_SDP_RESULTS; i++)
        assert_non_null(avb_sdp_result_name((enum avb_sdp_result)i));
    assert_string_equal(avb_stamp_result_name(AVB_STAMP_TWO_MATCH), "two_match");
    assert_string_equal(avb_stamp_result_name(AVB_STAMP_RESULTS), "unknown");
    assert_string_equal(avb_nic_clock_result_name(AVB_NIC_CLOCK_RECONFIGURED), "reconfigured");
    assert_string_equal(avb_nic_clock_result_name(AVB_NIC_CLOCK_RESULTS), "unknown");
    assert_string_equal(avb_sdp_result_name(AVB_SDP_IN_USE), "in_use");
    assert_string_equal(avb_sdp_result_name(AVB_SDP_RESULTS), "unknown");
}

/* ---- The clock ---- */

/* For a part and its oscillator: what the miniport writes into TIMINCA, as the Linux drivers do. */
static void drive(struct nic_model *model, const struct avb_nic_part *part, bool syscfi)
{
    static const struct {
        UINT32 khz, timinca;
    } drives[] = {{25000, 1u << 24 | 40u << 18},
                  {96000, 3u << 24 | 125u << 17},
                  {24000, 3u << 24 | 125u << 14},
                  {38400, 1u << 24 | 26u << 19}};
    static const UINT8 of[][2] = {[AVB_OSCILLATOR_25000_OR_96000] = {0, 1},
                                  [AVB_OSCILLATOR_24000] = {2, 2},
                                  [AVB_OSCILLATOR_38400_OR_24000] = {3, 2},
                                  [AVB_OSCILLATOR_38400] = {3, 3}};
    if (part->family != AVB_NIC_I217)
        return;
    model->khz = drives[of[part->oscillator][syscfi]].khz;
    model->timinca = drives[of[part->oscillator][syscfi]].timinca;
    if (model->khz ==
        38400) /* a count is meant as 2^-19 ns and lasts 0.16 % longer: a slow clock until a servo works */
        model->khz = 38461;
    if (syscfi)
        model->tsyncrxctl |= MODEL_SYSCFI;
}

static void every_part_reads_its_clock(void **state)
{
    (void)state;
    const struct avb_nic_part *part;
    for (UINT32 i = 0; (part = avb_nic_part_at(i)) != NULL; i++) {
        for (int syscfi = 0; syscfi < 2; syscfi++) {
            struct rig rig;
            nic_model_init(&rig.model, i, part->family);
            drive(&rig.model, part, syscfi != 0);
            struct avb_nic_registers registers = nic_model_registers(&rig.model);
            assert_int_equal(avb_nic_clock_open(&rig.clock, part, &registers), AVB_NIC_CLOCK_READ);
            int64_t start = (int64_t)(rig.clock.last.nic_ns - nic_model_clock_at(&rig.model, rig.clock.last.system_ns));
            /* 38461 kHz is not quite what 26 << 19 says: 11 ppm of the time since the epoch. */
            assert_true(llabs(start) <= 2000000);
            for (int j = 0; j < 20; j++) {
                struct avb_nic_time time;
                uint64_t before = rig.clock.last.nic_ns - nic_model_clock_at(&rig.model, rig.clock.last.system_ns);
                wait(&rig, random_below(&rig.model.random, 3 * MODEL_SECOND));
                assert_int_equal(avb_nic_clock_read(&rig.clock, &time), AVB_NIC_CLOCK_READ);
                assert_false(time.stepped);
                int64_t error = (int64_t)(time.nic_ns - nic_model_clock_at(&rig.model, time.system_ns) - before);
                assert_true(llabs(error) <= 2 * (int64_t)time.uncertainty_ns + 100000);
                assert_in_range(time.uncertainty_ns, 1, AVB_NIC_CLOCK_BRACKET_NS);
            }
            rig_end(&rig);
        }
    }
}

/* Of each family a clock whose counts are exact, so that readings can be compared to the ns. */
static const UINT16 exact_devices[] = {DEVICE_82576, DEVICE_I350, DEVICE_I210, DEVICE_I226, DEVICE_I219};

/* To shortly before the second's end, and elsewhere: the low word of 82576 wraps every 8 us anyway. */
static void wait_for_second(struct rig *rig, int i, uint64_t before)
{
    uint64_t to_second = 2 * MODEL_SECOND - (rig->model.epoch + rig->model.now) % MODEL_SECOND;
    wait(rig, i % 2 ? to_second - random_below(&rig->model.random, before) : random_below(&rig->model.random, 50000));
}

static void no_reading_is_torn(void **state)
{
    (void)state;
    for (size_t d = 0; d < sizeof exact_devices / sizeof *exact_devices; d++) {
        struct rig rig;
        rig_start(&rig, d + 1, exact_devices[d]);
        for (int i = 0; i < 20000; i++) {
            wait_for_second(&rig, i, 8000);
            read_clock(&rig);
        }
        rig_end(&rig);
    }
}

static void relatch(struct nic_model *model, uint32_t offset)
{
    (void)offset;
    if (random_chance(&model->random, model->foreign))
        nic_model_miniport_reads_clock(model);
}

static void a_miniport_that_reads_the_clock_too_tears_no_reading(void **state)
{
    (void)state;
    for (size_t d = 0; d < sizeof exact_devices / sizeof *exact_devices; d++) {
        struct rig rig;
        rig_start(&rig, d + 1, exact_devices[d]);
        rig.model.read_min = rig.model.read_max = 150;
        rig.model.foreign = 30;
        rig.model.between = relatch;
        unsigned int unsteady = 0;
        for (int i = 0; i < 20000; i++) {
            struct avb_nic_time time;
            wait_for_second(&rig, i, 3000);
            enum avb_nic_clock_result result = avb_nic_clock_read(&rig.clock, &time);
            if (result == AVB_NIC_CLOCK_UNSTEADY) {
                unsteady++;
                continue;
            }
            assert_int_equal(result, AVB_NIC_CLOCK_READ);
            int64_t error = (int64_t)(time.nic_ns - nic_model_clock_at(&rig.model, time.system_ns));
            assert_true(llabs(error) <= (int64_t)time.uncertainty_ns + 1);
        }
        assert_true(unsteady < 200);
    }
}

static void the_second_rolls_over_at_10_to_the_9(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, 3, DEVICE_I210);
    rig.model.epoch = 0;
    for (uint64_t at = 10 * MODEL_SECOND - 3000; at < 10 * MODEL_SECOND + 3000; at += 7) {
        rig.model.now = at;
        assert_int_equal(avb_nic_clock_open(&rig.clock, rig.clock.part, &rig.clock.registers), AVB_NIC_CLOCK_READ);
        read_clock(&rig);
    }
}

/* Registers whose low word is no ns. */
static UINT32 bad_second(void *context, UINT32 offset)
{
    UINT32 *count = context;
    return offset == MODEL_SYSTIML ? 1000000000u + (*count)++ : 7;
}

static UINT64 no_time(void *context)
{
    (void)context;
    return 1;
}

static void ten_to_the_9_ns_in_a_second_are_refused(void **state)
{
    (void)state;
    UINT32 count = 0;
    struct avb_nic_clock clock;
    struct avb_nic_registers registers = {.read32 = bad_second, .system_ns = no_time, .context = &count};
    assert_int_equal(avb_nic_clock_open(&clock, part_of(DEVICE_I210), &registers), AVB_NIC_CLOCK_NOT_A_TIME);
    assert_int_equal(avb_nic_clock_open(&clock, part_of(DEVICE_I226), &registers), AVB_NIC_CLOCK_NOT_A_TIME);
}

static void forty_bits_are_extended_over_their_wrap(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, 4, DEVICE_I350);
    assert_int_equal(rig.clock.unit.lap_ns, 1099511627776ull);
    for (int i = 0; i < 60; i++) { /* 6 h: 19 wraps */
        struct avb_nic_time time;
        wait(&rig, 6 * MINUTE + random_below(&rig.model.random, 2 * MINUTE));
        read_clock(&rig);
        assert_int_equal(avb_nic_clock_read(&rig.clock, &time), AVB_NIC_CLOCK_READ);
        assert_false(time.stepped);
    }
    assert_true(rig.clock.last.nic_ns > 19 * 1099511627776ull);
}

/* The system's clock says that the wrap is still to come, or past, while the counter says otherwise. */
static void a_wrap_is_found_where_the_clocks_differ(void **state)
{
    (void)state;
    static const int64_t rates[] = {200, -200};
    for (size_t i = 0; i < 2; i++) {
        struct rig rig;
        rig_start(&rig, 4, DEVICE_I350);
        rig.model.rate_ppm = rates[i];
        rig.model.epoch -= nic_model_clock_at(&rig.model, rig.model.now) - 800 * MODEL_SECOND;
        assert_int_equal(avb_nic_clock_open(&rig.clock, rig.clock.part, &rig.clock.registers), AVB_NIC_CLOCK_READ);
        /* The wrap comes 299.51 s after 800 s; by then the NIC's clock is 60 ms ahead, or behind. */
        wait(&rig, (rates[i] > 0 ? 299480 : 299540) * MILLISECOND);
        read_clock(&rig);
        assert_int_equal(rig.clock.last.nic_ns > 1099511627776ull, rates[i] > 0);
        assert_false(rig.clock.last.stepped);
    }
}

static void forty_bits_not_read_for_too_long_are_refused(void **state)
{
    (void)state;
    struct rig rig;
    struct avb_nic_time time;
    PTP_TIMESTAMP_EVENT frame = frame_of(AVB_PTP_SYNC, 1, 1);
    rig_start(&rig, 5, DEVICE_I350);
    wait(&rig, 1099511627776ull + 5);
    nic_model_receive(&rig.model, &frame);
    assert_int_equal(avb_nic_clock_read(&rig.clock, &time), AVB_NIC_CLOCK_LOST);
    assert_int_equal(avb_nic_clock_read(&rig.clock, &time), AVB_NIC_CLOCK_LOST); /* and not found again by itself */
    expect_refusal(&rig, &frame, 1, AVB_STAMP_CLOCK_UNKNOWN);
    assert_int_equal(avb_nic_clock_open(&rig.clock, rig.clock.part, &rig.clock.registers), AVB_NIC_CLOCK_READ);
    assert_int_equal(avb_nic_clock_read(&rig.clock, &time), AVB_NIC_CLOCK_READ);
}

static void other_counters_are_extended_too(void **state)
{
    (void)state;
    static const UINT16 devices[] = {DEVICE_82576, 0x153A /* I217, 25 MHz */};
    static const uint64_t hours[] = {4, 9};
    for (size_t d = 0; d < 2; d++) {
        struct rig rig;
        nic_model_init(&rig.model, 6, part_of(devices[d])->family);
        drive(&rig.model, part_of(devices[d]), false);
        struct avb_nic_registers registers = nic_model_registers(&rig.model);
        assert_int_equal(avb_nic_clock_open(&rig.clock, part_of(devices[d]), &registers), AVB_NIC_CLOCK_READ);
        assert_int_equal(rig.clock.unit.lap_ns, d == 0 ? 1ull << 45 : 1ull << 46);
        for (int i = 0; i < 10; i++) {
            wait(&rig, hours[d] * 60 * MINUTE);
            read_clock(&rig);
        }
        struct avb_nic_time time;
        wait(&rig, rig.clock.unit.lap_ns);
        assert_int_equal(avb_nic_clock_read(&rig.clock, &time), AVB_NIC_CLOCK_LOST);
    }
}

static void seconds_need_no_extension(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, 7, DEVICE_I210);
    wait(&rig, 1000ull * 60 * MINUTE);
    read_clock(&rig);
}

static void a_step_is_told_and_followed(void **state)
{
    (void)state;
    static const int64_t steps[] = {30 * (int64_t)MODEL_SECOND, -20 * (int64_t)MODEL_SECOND, 5 * (int64_t)MILLISECOND};
    for (size_t d = 0; d < sizeof exact_devices / sizeof *exact_devices; d++) {
        struct rig rig;
        struct avb_nic_time time;
        rig_start(&rig, 8, exact_devices[d]);
        for (size_t i = 0; i < 3; i++) {
            wait(&rig, MODEL_SECOND / 2);
            rig.model.epoch += (uint64_t)steps[i];
            assert_int_equal(avb_nic_clock_read(&rig.clock, &time), AVB_NIC_CLOCK_READ);
            assert_true(time.stepped);
            wait(&rig, MODEL_SECOND / 2);
            assert_int_equal(avb_nic_clock_read(&rig.clock, &time), AVB_NIC_CLOCK_READ);
            assert_false(time.stepped);
        }
        read_clock(&rig);
    }
}

static void a_step_back_over_the_start_does_not_go_below_0(void **state)
{
    (void)state;
    struct rig rig;
    struct avb_nic_time time;
    rig_start(&rig, 8, DEVICE_I350);
    rig.model.epoch += 1099511627776ull - 200 * MODEL_SECOND; /* to just before the counter's wrap */
    assert_int_equal(avb_nic_clock_read(&rig.clock, &time), AVB_NIC_CLOCK_READ);
    assert_true(time.nic_ns < 1ull << 41);
    assert_true(time.stepped);
}

static void a_late_look_at_the_system_clock_is_not_taken(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, 9, DEVICE_I210);
    for (int i = 0; i < 1000; i++) {
        wait(&rig, MILLISECOND);
        rig.model.late = i % 2 ? 15 * MILLISECOND : 0;
        read_clock(&rig);
        assert_true(rig.clock.last.uncertainty_ns <= AVB_NIC_CLOCK_BRACKET_NS / 2);
    }
}

static void always_late(struct nic_model *model, uint32_t offset)
{
    (void)offset;
    model->now += 200000;
}

static void a_clock_that_cannot_be_read_closely_is_unsteady(void **state)
{
    (void)state;
    struct rig rig;
    struct avb_nic_time time;
    rig_start(&rig, 10, DEVICE_I210);
    rig.model.between = always_late;
    assert_int_equal(avb_nic_clock_read(&rig.clock, &time), AVB_NIC_CLOCK_UNSTEADY);
    rig.model.between = NULL;
    read_clock(&rig);
}

static void a_clock_that_is_gone_or_stands_is_refused(void **state)
{
    (void)state;
    for (size_t d = 0; d < sizeof exact_devices / sizeof *exact_devices; d++) {
        struct rig rig;
        struct avb_nic_time time;
        rig_start(&rig, 11, exact_devices[d]);
        rig.model.stands_still = true;
        assert_int_equal(avb_nic_clock_read(&rig.clock, &time), AVB_NIC_CLOCK_STOPPED);
        rig.model.gone = true;
        assert_int_equal(avb_nic_clock_read(&rig.clock, &time), AVB_NIC_CLOCK_DEVICE_GONE);
        rig.model.gone = rig.model.stands_still = false;
        read_clock(&rig);
    }
}

static void units_follow_the_increment_and_the_oscillator(void **state)
{
    (void)state;
    static const struct {
        UINT16 device_id;
        UINT32 tsyncrxctl, timinca;
        UINT64 numerator, denominator;
    } cases[] = {
        {0x10C9, 0, 1u << 24 | 16u << 19, 1, 1u << 19},
        {0x10C9, 0, 1u << 24 | 16u << 16, 1, 1u << 16}, /* as DPDK has it */
        {0x10C9, 0, 2u << 24 | 16u << 16, 1, 1u << 15},
        {0x153A, 0, 1u << 24 | 40u << 18, 1, 1u << 18},
        {0x153A, MODEL_SYSCFI, 3u << 24 | 125u << 17, 1, 1u << 19}, /* 3 clocks of 96 MHz = 125 / 4 ns */
        {0x156F, 0, 3u << 24 | 125u << 14, 1, 1u << 14},
        {0x156F, MODEL_SYSCFI, 3u << 24 | 125u << 14, 1, 1u << 14},
        {0x15BB, MODEL_SYSCFI, 3u << 24 | 125u << 14, 1, 1u << 14},
        {0x15BB, 0, 1u << 24 | 26u << 19, 1, 1u << 19},
        {0x550A, MODEL_SYSCFI, 1u << 24 | 26u << 19, 1, 1u << 19}, /* SYSCFI is not believed there */
        {0x153A, 0, 0x02F42400, 1, 200000},
        {0x153A, MODEL_SYSCFI, 0x02F42400, 1, 768000},
        {0x156F, 0, 0x02F42400, 1, 192000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig rig;
        nic_model_init(&rig.model, i, part_of(cases[i].device_id)->family);
        rig.model.timinca = cases[i].timinca;
        rig.model.tsyncrxctl |= cases[i].tsyncrxctl;
        struct avb_nic_registers registers = nic_model_registers(&rig.model);
        assert_int_equal(avb_nic_clock_open(&rig.clock, part_of(cases[i].device_id), &registers), AVB_NIC_CLOCK_READ);
        assert_int_equal(rig.clock.unit.numerator, cases[i].numerator);
        assert_int_equal(rig.clock.unit.denominator, cases[i].denominator);
    }
}

static void an_odd_increment_is_taken_as_it_is(void **state)
{
    (void)state;
    struct random random = {12};
    for (int i = 0; i < 2000; i++) {
        struct rig rig;
        static const UINT16 devices[] = {0x10C9, 0x153A, 0x156F, 0x550A};
        static const UINT32 khz[] = {62500, 25000, 24000, 38400};
        size_t d = random_below(&random, 4);
        nic_model_init(&rig.model, (uint64_t)i, part_of(devices[d])->family);
        rig.model.khz = khz[d];
        UINT32 period = (UINT32)random_between(&random, 1, 255);
        uint64_t least = (uint64_t)period * 1000000 / khz[d] + 2;
        rig.model.timinca = period << 24 | (UINT32)random_between(&random, (int64_t)least, 0xFFFFFF);
        struct avb_nic_registers registers = nic_model_registers(&rig.model);
        assert_int_equal(avb_nic_clock_open(&rig.clock, part_of(devices[d]), &registers), AVB_NIC_CLOCK_READ);
        if (rig.clock.unit.numerator == 1 && (rig.clock.unit.denominator & (rig.clock.unit.denominator - 1)) == 0)
            continue; /* near enough to a power of 2 to be taken as that */
        for (int j = 0; j < 3; j++) {
            wait(&rig, MODEL_SECOND);
            struct avb_nic_time time;
            enum avb_nic_clock_result result = avb_nic_clock_read(&rig.clock, &time);
            if (result == AVB_NIC_CLOCK_UNSTEADY) /* a low word that wraps within a few reads */
                continue;
            assert_int_equal(result, AVB_NIC_CLOCK_READ);
            int64_t error = (int64_t)(time.nic_ns - nic_model_clock_at(&rig.model, time.system_ns));
            assert_true(llabs(error) <= (int64_t)time.uncertainty_ns + 2 + (int64_t)least);
        }
    }
}

static void an_increment_that_is_none_gives_no_unit(void **state)
{
    (void)state;
    static const UINT32 none[] = {0, 1u << 24, 16u << 19, 255u << 24 | 1};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        struct rig rig;
        nic_model_init(&rig.model, i, AVB_NIC_82576);
        rig.model.timinca = none[i];
        struct avb_nic_registers registers = nic_model_registers(&rig.model);
        assert_int_equal(avb_nic_clock_open(&rig.clock, part_of(DEVICE_82576), &registers), AVB_NIC_CLOCK_NO_UNIT);
    }
}

/* A servo moves the increment; the unit stays, or the clock would jump by the age of the epoch. */
static void a_servo_does_not_change_the_unit(void **state)
{
    (void)state;
    struct rig rig;
    struct avb_nic_time time;
    static const UINT32 nominal[] = {1u << 24 | 16u << 19, 1u << 24 | 5000000u};
    for (size_t i = 0; i < 2; i++) {
        nic_model_init(&rig.model, 13, AVB_NIC_82576);
        rig.model.timinca = nominal[i];
        struct avb_nic_registers registers = nic_model_registers(&rig.model);
        assert_int_equal(avb_nic_clock_open(&rig.clock, part_of(DEVICE_82576), &registers), AVB_NIC_CLOCK_READ);
        struct avb_nic_unit unit = rig.clock.unit;
        rig.model.timinca += (nominal[i] & 0xFFFFFF) / 10000; /* 100 ppm, and with it the model's counter jumps */
        assert_int_equal(avb_nic_clock_read(&rig.clock, &time), AVB_NIC_CLOCK_READ);
        assert_int_equal(rig.clock.unit.numerator, unit.numerator);
        assert_int_equal(rig.clock.unit.denominator, unit.denominator);
    }
}

static void another_unit_is_noticed(void **state)
{
    (void)state;
    static const UINT32 other[] = {1u << 24 | 16u << 16, 2u << 24 | 16u << 19, 1u << 24 | 5000000u, 0};
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        struct rig rig;
        struct avb_nic_time time;
        PTP_TIMESTAMP_EVENT frame = frame_of(AVB_PTP_SYNC, 1, 1);
        rig_start(&rig, 14, DEVICE_82576);
        rig.model.timinca = other[i];
        enum avb_nic_clock_result result = avb_nic_clock_read(&rig.clock, &time);
        assert_int_equal(result, other[i] == 0 ? AVB_NIC_CLOCK_STOPPED : AVB_NIC_CLOCK_RECONFIGURED);
        if (other[i] == 0)
            continue;
        nic_model_receive(&rig.model, &frame);
        expect_refusal(&rig, &frame, 1, AVB_STAMP_CLOCK_UNKNOWN);
        assert_int_equal(avb_nic_clock_open(&rig.clock, rig.clock.part, &rig.clock.registers), AVB_NIC_CLOCK_READ);
    }
    struct rig rig;
    struct avb_nic_time time;
    nic_model_init(&rig.model, 13, AVB_NIC_82576);
    rig.model.timinca = 1u << 24 | 5000000u;
    struct avb_nic_registers registers = nic_model_registers(&rig.model);
    assert_int_equal(avb_nic_clock_open(&rig.clock, part_of(DEVICE_82576), &registers), AVB_NIC_CLOCK_READ);
    rig.model.timinca = 1u << 24 | 5100000u;
    assert_int_equal(avb_nic_clock_read(&rig.clock, &time), AVB_NIC_CLOCK_RECONFIGURED);
}

static void a_wrong_oscillator_shows_as_steps(void **state)
{
    (void)state;
    struct rig rig;
    struct avb_nic_time time;
    nic_model_init(&rig.model, 15, AVB_NIC_I217);
    drive(&rig.model, part_of(0x15BB), true);
    rig.model.khz = 38400; /* the firmware says 24 MHz */
    struct avb_nic_registers registers = nic_model_registers(&rig.model);
    assert_int_equal(avb_nic_clock_open(&rig.clock, part_of(0x15BB), &registers), AVB_NIC_CLOCK_READ);
    for (int i = 0; i < 5; i++) {
        wait(&rig, MODEL_SECOND);
        assert_int_equal(avb_nic_clock_read(&rig.clock, &time), AVB_NIC_CLOCK_READ);
        assert_true(time.stepped);
    }
}

/* ---- Stamps ---- */

static void a_frame_gets_its_stamp(void **state)
{
    (void)state;
    for (size_t d = 0; d < 3; d++) {
        for (UINT8 type = 0; type < 4; type++) {
            struct rig rig;
            rig_start(&rig, d, devices_that_can[d]);
            PTP_TIMESTAMP_EVENT frame = frame_of(type, 1, (UINT16)(500 + type));
            UINT64 truth = nic_model_receive(&rig.model, &frame);
            wait(&rig, 40000);
            expect_stamp(&rig, &frame, 1, 0, truth);
            wait(&rig, 40000);
            expect_refusal(&rig, &frame, 1, AVB_STAMP_NOT_VALID); /* only once */
            rig_end(&rig);
        }
    }
}

static void parts_without_identity_are_refused_and_left_alone(void **state)
{
    (void)state;
    const struct avb_nic_part *part;
    for (UINT32 i = 0; (part = avb_nic_part_at(i)) != NULL; i++) {
        struct rig rig;
        nic_model_init(&rig.model, i, part->family);
        drive(&rig.model, part, false);
        struct avb_nic_registers registers = nic_model_registers(&rig.model);
        assert_int_equal(avb_nic_clock_open(&rig.clock, part, &registers), AVB_NIC_CLOCK_READ);
        PTP_TIMESTAMP_EVENT frame = frame_of(AVB_PTP_SYNC, 1, 1);
        UINT64 truth = nic_model_receive(&rig.model, &frame);
        if (avb_nic_family_abilities(part->family)->rx_identity) {
            expect_stamp(&rig, &frame, 1, 0, truth);
            assert_int_equal(rig.model.latch_reads, 1);
        } else {
            struct avb_rx_stamp stamp;
            expect_refusal(&rig, &frame, 1, AVB_STAMP_PART_CANNOT);
            assert_int_equal(avb_nic_read_latch(&registers, part->family, &stamp), AVB_STAMP_PART_CANNOT);
            assert_int_equal(rig.model.latch_reads, 0);
            assert_true(rig.model.valid);
        }
        rig_end(&rig);
    }
}

static void the_first_of_two_frames_of_a_batch_is_stamped(void **state)
{
    (void)state;
    for (size_t d = 0; d < 3; d++) {
        struct rig rig;
        rig_start(&rig, d, devices_that_can[d]);
        PTP_TIMESTAMP_EVENT frames[2] = {frame_of(AVB_PTP_SYNC, 1, 9), frame_of(AVB_PTP_SYNC, 1, 10)};
        UINT64 truth = nic_model_receive(&rig.model, &frames[1]); /* not in the order of the batch */
        wait(&rig, 5000);
        (void)nic_model_receive(&rig.model, &frames[0]);
        wait(&rig, 5000);
        expect_stamp(&rig, frames, 2, 1, truth);
    }
}

static void equal_sequence_of_two_senders_is_told_apart(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, 1, DEVICE_I210);
    for (UINT16 sequenceId = 0; sequenceId < 200; sequenceId++) {
        PTP_TIMESTAMP_EVENT frames[2] = {frame_of(AVB_PTP_SYNC, 1, sequenceId), frame_of(AVB_PTP_SYNC, 2, sequenceId)};
        UINT32 first = sequenceId % 2;
        UINT64 truth = nic_model_receive(&rig.model, &frames[first]);
        (void)nic_model_receive(&rig.model, &frames[1 - first]);
        expect_stamp(&rig, frames, 2, first, truth);
        wait(&rig, 10 * MILLISECOND);
    }
}

static void each_byte_of_the_identity_counts(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, 1, DEVICE_82576);
    PTP_TIMESTAMP_EVENT sent = frame_of(AVB_PTP_SYNC, 1, 0x1234);
    for (int i = 0; i < 8; i++) {
        PTP_TIMESTAMP_EVENT other = sent;
        if (i < 6)
            other.clockIdentity[2 + i] ^= 0x40;
        else
            other.sequenceId ^= (UINT16)(i == 6 ? 0x0100 : 0x0001);
        (void)nic_model_receive(&rig.model, &sent);
        expect_refusal(&rig, &other, 1, AVB_STAMP_NONE_MATCHES);
        assert_false(rig.model.valid); /* and the latch is free for the next */
        wait(&rig, MILLISECOND);
    }
    /* RXSATR does not hold these. */
    PTP_TIMESTAMP_EVENT alike = sent;
    alike.clockIdentity[0] ^= 1;
    alike.clockIdentity[1] ^= 1;
    alike.portNumber = 7;
    assert_int_equal(avb_stamp_identity(&alike), avb_stamp_identity(&sent));
    /* Its layout: RXSATRL byte 0 is clockIdentity[2]; RXSATRH 31:16 is sequenceId as on the wire. */
    assert_int_equal(avb_stamp_identity(&sent), 0x3412010B0AFEFF21ull);
}

static void two_frames_with_one_identity_get_nothing(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, 1, DEVICE_I350);
    PTP_TIMESTAMP_EVENT frames[3] = {frame_of(AVB_PTP_SYNC, 1, 5), frame_of(AVB_PTP_SYNC, 2, 5),
                                     frame_of(AVB_PTP_PDELAY_REQ, 1, 5)}; /* another message, the same counter */
    (void)nic_model_receive(&rig.model, &frames[0]);
    expect_refusal(&rig, frames, 3, AVB_STAMP_TWO_MATCH);
    frames[2] = frames[0];
    frames[2].portNumber = 2; /* another port of that clock */
    (void)nic_model_receive(&rig.model, &frames[0]);
    expect_refusal(&rig, frames, 3, AVB_STAMP_TWO_MATCH);
}

static void follow_ups_are_not_event_messages(void **state)
{
    (void)state;
    static const UINT8 general[] = {AVB_PTP_FOLLOW_UP, AVB_PTP_DELAY_RESP, AVB_PTP_PDELAY_RESP_FOLLOW_UP,
                                    AVB_PTP_ANNOUNCE,  AVB_PTP_SIGNALING,  AVB_PTP_MANAGEMENT};
    for (size_t i = 0; i < sizeof general; i++) {
        struct rig rig;
        rig_start(&rig, i, DEVICE_I210);
        PTP_TIMESTAMP_EVENT frames[2] = {frame_of(general[i], 1, 5), frame_of(AVB_PTP_SYNC, 1, 5)};
        UINT64 truth = nic_model_receive(&rig.model, &frames[1]);
        (void)nic_model_receive(&rig.model, &frames[0]);
        expect_stamp(&rig, frames, 2, 1, truth); /* the same sequenceId, in the same batch: no ambiguity */
        wait(&rig, MILLISECOND);
        (void)nic_model_receive(&rig.model, &frames[1]);
        expect_refusal(&rig, frames, 1, AVB_STAMP_NONE_MATCHES); /* the Sync was lost: not for the other */
    }
}

/* Types 0 and 2 stamp Delay_Resp too, whose sequenceId and sender may be those of a Sync. */
static void a_stamped_delay_resp_lends_its_stamp_to_nobody(void **state)
{
    (void)state;
    static const UINT32 types[] = {MODEL_TYPE_ETHERNET, MODEL_TYPE_CHOSEN};
    for (size_t i = 0; i < 2; i++) {
        struct rig rig;
        rig_start(&rig, i, DEVICE_I210);
        rig.model.tsyncrxctl = MODEL_ENABLED | types[i];
        rig.model.chosen = AVB_PTP_SYNC;
        PTP_TIMESTAMP_EVENT frames[2] = {frame_of(AVB_PTP_DELAY_RESP, 1, 5), frame_of(AVB_PTP_SYNC, 1, 5)};
        (void)nic_model_receive(&rig.model, &frames[0]);
        (void)nic_model_receive(&rig.model, &frames[1]);
        expect_refusal(&rig, frames, 2, AVB_STAMP_TWO_MATCH);
        wait(&rig, MILLISECOND);
        (void)nic_model_receive(&rig.model, &frames[0]);
        expect_refusal(&rig, frames, 1, AVB_STAMP_NONE_MATCHES);
        wait(&rig, MILLISECOND);
        UINT64 truth = nic_model_receive(&rig.model, &frames[1]);
        expect_stamp(&rig, &frames[1], 1, 0, truth);
    }
}

static void a_vlan_tag_makes_no_difference(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, 1, DEVICE_82576);
    PTP_TIMESTAMP_EVENT frame = frame_of(AVB_PTP_SYNC, 1, 5);
    frame.stamp = AVB_STAMP_VLAN | AVB_STAMP_MORE_TAGS;
    frame.vlanId = 100;
    frame.pcp = 6;
    UINT64 truth = nic_model_receive(&rig.model, &frame);
    expect_stamp(&rig, &frame, 1, 0, truth);
}

static void sent_frames_own_no_received_stamp(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, 1, DEVICE_I210);
    PTP_TIMESTAMP_EVENT frame = frame_of(AVB_PTP_SYNC, 1, 5);
    (void)nic_model_receive(&rig.model, &frame);
    frame.direction = AVB_DIRECTION_TX;
    expect_refusal(&rig, &frame, 1, AVB_STAMP_NONE_MATCHES);
}

static void a_stale_stamp_is_never_given(void **state)
{
    (void)state;
    for (size_t d = 0; d < 3; d++) {
        /* The frame was lost; another of the same identity comes, later by more than a frame takes. */
        struct rig rig;
        rig_start(&rig, d, devices_that_can[d]);
        PTP_TIMESTAMP_EVENT lost = frame_of(AVB_PTP_SYNC, 1, 5), twin = frame_of(AVB_PTP_PDELAY_REQ, 1, 5);
        (void)nic_model_receive(&rig.model, &lost);
        wait(&rig, AVB_NIC_MAX_AGE_NS + 100000);
        (void)nic_model_receive(&rig.model, &twin); /* not latched: the first still is */
        expect_refusal(&rig, &twin, 1, AVB_STAMP_TOO_OLD);
        /* The next is stamped and right again. */
        wait(&rig, MILLISECOND);
        UINT64 truth = nic_model_receive(&rig.model, &twin);
        expect_stamp(&rig, &twin, 1, 0, truth);
    }
}

static void a_stamp_from_before_the_last_batch_is_stale(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, 1, DEVICE_I210);
    PTP_TIMESTAMP_EVENT lost = frame_of(AVB_PTP_SYNC, 1, 5), twin = frame_of(AVB_PTP_PDELAY_REQ, 1, 5);
    (void)nic_model_receive(&rig.model, &lost);
    rig.clock.known = 0; /* a batch that left the latch as it was */
    expect_refusal(&rig, &lost, 1, AVB_STAMP_CLOCK_UNKNOWN);
    assert_true(rig.model.valid);
    rig.clock.known = 1;
    wait(&rig, 200000);
    expect_refusal(&rig, &twin, 1, AVB_STAMP_TOO_OLD);
}

/*
 * What no rule can tell: two event messages of one clock with the same sequenceId, within the time that
 * a frame takes, of which the stamped one was lost. docs/nic-clock.md says so; this is what it says.
 */
static void a_lost_twin_within_a_frames_time_is_not_told_apart(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, 1, DEVICE_I210);
    PTP_TIMESTAMP_EVENT lost = frame_of(AVB_PTP_SYNC, 1, 5), twin = frame_of(AVB_PTP_PDELAY_REQ, 1, 5);
    UINT64 stamp = nic_model_receive(&rig.model, &lost);
    wait(&rig, 100000);
    (void)nic_model_receive(&rig.model, &twin);
    expect_stamp(&rig, &twin, 1, 0, stamp);
}

static void a_stamp_in_the_future_is_refused(void **state)
{
    (void)state;
    for (size_t d = 0; d < 3; d++) {
        struct rig rig;
        rig_start(&rig, d, devices_that_can[d]);
        PTP_TIMESTAMP_EVENT frame = frame_of(AVB_PTP_SYNC, 1, 5);
        rig.model.epoch += 3 * MILLISECOND; /* set forward after the last reading */
        (void)nic_model_receive(&rig.model, &frame);
        expect_refusal(&rig, &frame, 1, AVB_STAMP_IN_FUTURE);
        struct avb_nic_time time;
        assert_int_equal(avb_nic_clock_read(&rig.clock, &time), AVB_NIC_CLOCK_READ);
        wait(&rig, MILLISECOND);
        UINT64 truth = nic_model_receive(&rig.model, &frame);
        expect_stamp(&rig, &frame, 1, 0, truth);
    }
}

static void stamps_follow_the_clock_over_its_wrap(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, 2, DEVICE_I350);
    PTP_TIMESTAMP_EVENT frame = frame_of(AVB_PTP_SYNC, 1, 0);
    for (int i = 0; i < 3; i++) {
        uint64_t lap = 1099511627776ull;
        while (lap - nic_model_clock_at(&rig.model, rig.model.now) % lap > 5 * MINUTE) {
            wait(&rig, 4 * MINUTE);
            read_clock(&rig);
        }
        uint64_t left = lap - nic_model_clock_at(&rig.model, rig.model.now) % lap;
        wait(&rig, left - 20000);
        read_clock(&rig);
        UINT64 truth = nic_model_receive(&rig.model, &frame); /* before the wrap, and read after it */
        wait(&rig, 50000);
        expect_stamp(&rig, &frame, 1, 0, truth);
        wait(&rig, 50000);
        truth = nic_model_receive(&rig.model, &frame); /* after it, judged by a reading before it */
        wait(&rig, 20000);
        expect_stamp(&rig, &frame, 1, 0, truth);
        frame.sequenceId++;
    }
}

static void stamps_need_a_fresh_reading(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, 2, DEVICE_I210);
    PTP_TIMESTAMP_EVENT frame = frame_of(AVB_PTP_SYNC, 1, 0);
    wait(&rig, AVB_NIC_CLOCK_FRESH_NS + MILLISECOND);
    UINT64 truth = nic_model_receive(&rig.model, &frame);
    expect_refusal(&rig, &frame, 1, AVB_STAMP_CLOCK_UNKNOWN);
    assert_int_equal(rig.model.latch_reads, 0);
    assert_true(rig.model.valid); /* left to the miniport */
    read_clock(&rig);
    nic_model_miniport_reads_latch(&rig.model);
    wait(&rig, MILLISECOND);
    truth = nic_model_receive(&rig.model, &frame);
    expect_stamp(&rig, &frame, 1, 0, truth);
}

static void a_latch_without_identity_is_refused(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, 2, DEVICE_I210);
    rig.model.has_no_identity = true;
    PTP_TIMESTAMP_EVENT frame = frame_of(AVB_PTP_SYNC, 1, 0);
    memset(frame.clockIdentity, 0, sizeof frame.clockIdentity);
    (void)nic_model_receive(&rig.model, &frame);
    expect_refusal(&rig, &frame, 1, AVB_STAMP_NO_IDENTITY);
}

static void a_removed_device_gives_nothing(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, 2, DEVICE_I210);
    PTP_TIMESTAMP_EVENT frame = frame_of(0, 0xFF, 0xFFFF);
    memset(frame.clockIdentity, 0xFF, sizeof frame.clockIdentity);
    rig.model.gone = true;
    expect_refusal(&rig, &frame, 1, AVB_STAMP_DEVICE_GONE);
    assert_int_equal(rig.model.latch_reads, 0);
    /* Gone between the first read and the next. */
    struct avb_rx_stamp ones = {.identity = ~0ull, .scope = AVB_STAMP_SCOPE_EVENTS};
    UINT32 owner;
    assert_int_equal(avb_rx_stamp_owner(&ones, &frame, 1, &owner), AVB_STAMP_NO_IDENTITY);
}

static void a_stamp_of_0_or_beyond_the_second_is_no_time(void **state)
{
    (void)state;
    struct rig rig;
    PTP_TIMESTAMP_EVENT frame = frame_of(AVB_PTP_SYNC, 1, 0);
    static const uint64_t raw[] = {0, 1000000000u, 100ull << 32 | 0xFFFFFFFFu};
    for (size_t i = 0; i < 3; i++) {
        rig_start(&rig, 2, DEVICE_I210);
        (void)nic_model_receive(&rig.model, &frame);
        rig.model.raw = raw[i];
        expect_refusal(&rig, &frame, 1, AVB_STAMP_NOT_A_TIME);
    }
    rig_start(&rig, 2, DEVICE_82576);
    (void)nic_model_receive(&rig.model, &frame);
    rig.model.raw = 1 << 18; /* half a ns */
    expect_refusal(&rig, &frame, 1, AVB_STAMP_NOT_A_TIME);
}

static void a_batch_too_large_empties_the_latch(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, 2, DEVICE_I210);
    PTP_TIMESTAMP_EVENT frame = frame_of(AVB_PTP_SYNC, 1, 0);
    (void)nic_model_receive(&rig.model, &frame);
    expect_refusal(&rig, NULL, 0, AVB_STAMP_NONE_MATCHES);
    assert_false(rig.model.valid);
}

/* ---- The miniport in between ---- */

static PTP_TIMESTAMP_EVENT next_frame;
static UINT64 next_truth;

/* At one register, named by `foreign`, the miniport takes the stamp and the next frame comes. */
static void steal(struct nic_model *model, uint32_t offset)
{
    if (offset != model->foreign || !model->valid)
        return;
    nic_model_miniport_reads_latch(model);
    next_truth = nic_model_receive(model, &next_frame);
    model->foreign = 0;
}

static void a_miniport_that_steals_the_stamp_makes_no_wrong_one(void **state)
{
    (void)state;
    static const uint32_t at[] = {MODEL_TSYNCRXCTL, MODEL_RXSATRL, MODEL_RXSATRH, MODEL_RXSTMPL, MODEL_RXSTMPH};
    for (size_t d = 0; d < 3; d++) {
        for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
            struct rig rig;
            rig_start(&rig, d, devices_that_can[d]);
            PTP_TIMESTAMP_EVENT frames[2] = {frame_of(AVB_PTP_SYNC, 1, 5), frame_of(AVB_PTP_SYNC, 2, 77)};
            frames[1].clockIdentity[2] = 0x77; /* both words of the identity differ */
            next_frame = frames[1];
            /* Just before the second's end, so that words of two stamps do not go together. */
            uint64_t to_second = MODEL_SECOND - (rig.model.epoch + rig.model.now) % MODEL_SECOND;
            wait(&rig, to_second - 200);
            (void)nic_model_receive(&rig.model, &frames[0]);
            rig.model.foreign = at[i];
            rig.model.between = steal;
            UINT32 owner = 77;
            UINT64 ns = 0;
            enum avb_stamp_result result = read_stamp(&rig, frames, 2, &owner, &ns);
            if (at[i] == MODEL_TSYNCRXCTL || at[i] == MODEL_RXSATRL) { /* before anything of it was read */
                assert_int_equal(result, AVB_STAMP_GIVEN);
                assert_int_equal(owner, 1);
                assert_int_equal(ns, next_truth);
            } else {
                assert_int_equal(result, AVB_STAMP_DISTURBED);
            }
        }
    }
}

static void a_miniport_that_was_faster_leaves_nothing(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, 1, DEVICE_I350);
    PTP_TIMESTAMP_EVENT frame = frame_of(AVB_PTP_SYNC, 1, 5);
    (void)nic_model_receive(&rig.model, &frame);
    nic_model_miniport_reads_latch(&rig.model);
    expect_refusal(&rig, &frame, 1, AVB_STAMP_NOT_VALID);
    assert_int_equal(rig.model.latch_reads, 0);
}

/* ---- Faults that were seen elsewhere: one test for each ---- */

static void bit_31_of_the_high_word_is_not_the_valid_bit(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, 1, DEVICE_I210);
    PTP_TIMESTAMP_EVENT frame = frame_of(AVB_PTP_SYNC, 1, 5);
    rig.model.raw = 0x80000000ull << 32 | 5; /* what an earlier stamp left */
    rig.model.identity = avb_stamp_identity(&frame);
    expect_refusal(&rig, &frame, 1, AVB_STAMP_NOT_VALID);
    assert_int_equal(rig.model.latch_reads, 0); /* nor was it read to find out: that opens the latch */
}

static void seconds_and_ns_are_not_one_number(void **state)
{
    (void)state;
    struct rig rig;
    nic_model_init(&rig.model, 1, AVB_NIC_I210);
    rig.model.epoch = 1700000000ull * MODEL_SECOND;
    struct avb_nic_registers registers = nic_model_registers(&rig.model);
    assert_int_equal(avb_nic_clock_open(&rig.clock, part_of(DEVICE_I210), &registers), AVB_NIC_CLOCK_READ);
    PTP_TIMESTAMP_EVENT frame = frame_of(AVB_PTP_SYNC, 1, 5);
    UINT64 truth = nic_model_receive(&rig.model, &frame);
    assert_true(truth / MODEL_SECOND == 1700000005);
    expect_stamp(&rig, &frame, 1, 0, truth);
}

static void receive_control_is_not_transmit_control(void **state)
{
    (void)state;
    for (size_t d = 0; d < 3; d++) { /* TSYNCTXCTL of the model is always enabled and valid */
        struct rig rig;
        rig_start(&rig, 1, devices_that_can[d]);
        PTP_TIMESTAMP_EVENT frame = frame_of(AVB_PTP_SYNC, 1, 5);
        (void)nic_model_receive(&rig.model, &frame);
        rig.model.valid = false;
        expect_refusal(&rig, &frame, 1, AVB_STAMP_NOT_VALID);
        rig.model.tsyncrxctl &= ~(uint32_t)MODEL_ENABLED;
        rig.model.valid = true;
        expect_refusal(&rig, &frame, 1, AVB_STAMP_NOT_ENABLED);
        assert_int_equal(rig.model.latch_reads, 0);
    }
}

static void stamping_all_frames_means_into_packets(void **state)
{
    (void)state;
    for (size_t d = 0; d < 3; d++) {
        struct rig rig;
        rig_start(&rig, 1, devices_that_can[d]);
        rig.model.tsyncrxctl = MODEL_ENABLED | MODEL_TYPE_ALL;
        PTP_TIMESTAMP_EVENT frame = frame_of(AVB_PTP_SYNC, 1, 5);
        (void)nic_model_receive(&rig.model, &frame);
        expect_refusal(&rig, &frame, 1, AVB_STAMP_NOT_LATCHED);
        assert_int_equal(rig.model.latch_reads, 0);
        rig_end(&rig); /* and the type was not set to another: no register was written */
        assert_int_equal(rig.model.writes, 0);
    }
}

static void a_clock_at_0_is_no_clock(void **state)
{
    (void)state;
    struct rig rig;
    nic_model_init(&rig.model, 1, AVB_NIC_I217);
    rig.model.stands_still = true;
    rig.model.epoch = 0;
    struct avb_nic_registers registers = nic_model_registers(&rig.model);
    assert_int_equal(avb_nic_clock_open(&rig.clock, part_of(DEVICE_I219), &registers), AVB_NIC_CLOCK_STOPPED);
    assert_false(rig.clock.known);
}

static void version_1_over_udp_stamps_nothing_of_ours(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, 1, DEVICE_82576);
    rig.model.tsyncrxctl = MODEL_ENABLED | MODEL_TYPE_V1;
    rig.model.valid = true;
    PTP_TIMESTAMP_EVENT frame = frame_of(AVB_PTP_SYNC, 1, 5);
    expect_refusal(&rig, &frame, 1, AVB_STAMP_NOT_LATCHED);
    /* And type 0 nothing over UDP. */
    rig.model.tsyncrxctl = MODEL_ENABLED | MODEL_TYPE_ETHERNET;
    rig.model.valid = false;
    (void)nic_model_receive(&rig.model, &frame);
    frame.transport = AVB_TRANSPORT_UDP_IPV4;
    expect_refusal(&rig, &frame, 1, AVB_STAMP_NONE_MATCHES);
    /* The others do. */
    rig.model.tsyncrxctl = MODEL_ENABLED | MODEL_TYPE_EVENTS;
    wait(&rig, MILLISECOND);
    UINT64 truth = nic_model_receive(&rig.model, &frame);
    expect_stamp(&rig, &frame, 1, 0, truth);
}

static void the_type_is_in_bits_1_to_3(void **state)
{
    (void)state;
    for (UINT32 other = 0; other < 32; other++) { /* bits 0 and 4.. say nothing about it */
        UINT32 rest = (other & 1) | other >> 1 << 4;
        assert_int_equal(avb_stamp_scope_of(rest | 0u << 1), AVB_STAMP_SCOPE_ETHERNET);
        assert_int_equal(avb_stamp_scope_of(rest | 1u << 1), AVB_STAMP_SCOPE_NONE);
        assert_int_equal(avb_stamp_scope_of(rest | 2u << 1), AVB_STAMP_SCOPE_CHOSEN);
        assert_int_equal(avb_stamp_scope_of(rest | 3u << 1), AVB_STAMP_SCOPE_NONE);
        assert_int_equal(avb_stamp_scope_of(rest | 4u << 1), AVB_STAMP_SCOPE_NONE);
        assert_int_equal(avb_stamp_scope_of(rest | 5u << 1), AVB_STAMP_SCOPE_EVENTS);
        assert_int_equal(avb_stamp_scope_of(rest | 6u << 1), AVB_STAMP_SCOPE_NONE);
        assert_int_equal(avb_stamp_scope_of(rest | 7u << 1), AVB_STAMP_SCOPE_NONE);
    }
}

/* ---- Everything together, for a long time, with the truth at hand ---- */

#define BATCH 8

struct world {
    struct rig rig;
    uint64_t lost_at[3][32]; /* when a frame of this sender and sequenceId was lost, */
    uint64_t seen_at[3][32]; /* and when one came */
    uint64_t next_reading;
    uint64_t given, refused[AVB_STAMP_RESULTS];
};

static void miniport_at_random(struct nic_model *model, uint32_t offset)
{
    (void)offset;
    if (random_chance(&model->random, 2)) {
        nic_model_miniport_reads_latch(model);
        if (random_chance(&model->random, 50))
            next_truth = nic_model_receive(model, &next_frame);
    }
    if (random_chance(&model->random, 2))
        nic_model_miniport_reads_clock(model);
}

static PTP_TIMESTAMP_EVENT random_frame(struct world *world)
{
    static const UINT8 types[] = {AVB_PTP_SYNC,      AVB_PTP_SYNC,       AVB_PTP_DELAY_REQ, AVB_PTP_PDELAY_REQ,
                                  AVB_PTP_FOLLOW_UP, AVB_PTP_DELAY_RESP, AVB_PTP_ANNOUNCE,  AVB_PTP_PDELAY_RESP};
    struct random *random = &world->rig.model.random;
    for (;;) {
        UINT8 sender = (UINT8)random_below(random, 3);
        UINT16 sequenceId = (UINT16)random_below(random, 32);
        /* No twin of a lost frame within a frame's time: see a_lost_twin_within_a_frames_time_... */
        if (world->rig.model.now - world->lost_at[sender][sequenceId] < 3 * AVB_NIC_MAX_AGE_NS)
            continue;
        PTP_TIMESTAMP_EVENT frame = frame_of(types[random_below(random, sizeof types)], sender, sequenceId);
        if (random_chance(random, 30)) {
            frame.stamp = AVB_STAMP_VLAN;
            frame.vlanId = 7;
        }
        if (random_chance(random, 20))
            frame.transport = AVB_TRANSPORT_UDP_IPV6;
        return frame;
    }
}

static bool may_be_lost(const struct world *world, const PTP_TIMESTAMP_EVENT *frame)
{
    return world->rig.model.now - world->seen_at[frame->clockIdentity[7]][frame->sequenceId] > 3 * AVB_NIC_MAX_AGE_NS;
}

static void read_when_due(struct world *world)
{
    struct avb_nic_time time;
    if (world->rig.model.now < world->next_reading)
        return;
    enum avb_nic_clock_result result = avb_nic_clock_read(&world->rig.clock, &time);
    assert_true(result == AVB_NIC_CLOCK_READ || result == AVB_NIC_CLOCK_UNSTEADY);
    world->next_reading = world->rig.model.now + MODEL_SECOND;
}

static void one_batch(struct world *world)
{
    struct nic_model *model = &world->rig.model;
    struct random *random = &model->random;
    PTP_TIMESTAMP_EVENT frames[BATCH];
    UINT64 truth[BATCH];
    UINT32 count = 0;
    model->between = NULL;
    for (UINT64 arrivals = 1 + random_below(random, BATCH); arrivals > 0; arrivals--) {
        PTP_TIMESTAMP_EVENT frame = random_frame(world);
        UINT64 stamp = nic_model_receive(model, &frame);
        if (random_chance(random, 15) && may_be_lost(world, &frame)) {
            world->lost_at[frame.clockIdentity[7]][frame.sequenceId] = model->now;
        } else {
            world->seen_at[frame.clockIdentity[7]][frame.sequenceId] = model->now;
            frames[count] = frame;
            truth[count++] = stamp;
        }
        model->now += random_between(random, 700, 60000) > 30000 ? random_below(random, 300000) : 1000;
    }
    if (random_chance(random, 5))
        nic_model_miniport_reads_latch(model);
    model->now += random_below(random, 200000);
    next_frame = frame_of(AVB_PTP_SYNC, 200, (UINT16)random_below(random, 65536)); /* in no batch */
    model->between = miniport_at_random;
    UINT32 owner = 77;
    UINT64 ns = 0;
    enum avb_stamp_result result = read_stamp(&world->rig, frames, count, &owner, &ns);
    if (result != AVB_STAMP_GIVEN) {
        world->refused[result]++;
        return;
    }
    assert_true(owner < count);
    assert_true(frames[owner].messageType < 8);
    if (ns != truth[owner])
        fail_msg("a stamp that is not the frame's: off by %lld ns", (long long)(ns - truth[owner]));
    world->given++;
}

static void an_accepted_stamp_is_always_the_right_one(void **state)
{
    (void)state;
    uint64_t given = 0, refused[AVB_STAMP_RESULTS] = {0};
    static const UINT32 types[] = {MODEL_TYPE_EVENTS, MODEL_TYPE_EVENTS, MODEL_TYPE_CHOSEN, MODEL_TYPE_ETHERNET};
    for (uint64_t seed = 0; seed < 600; seed++) {
        static struct world world;
        memset(&world, 0, sizeof world);
        rig_start(&world.rig, seed, devices_that_can[seed % 3]);
        /* From so near to a wrap, or a second's end, that it comes by. */
        world.rig.model.epoch = (seed % 2 ? 1099511627776ull : 1ull << 45) - 10 * MODEL_SECOND;
        world.rig.model.rate_ppm = random_between(&world.rig.model.random, -300, 300);
        world.rig.model.tsyncrxctl = MODEL_ENABLED | types[seed % 4];
        assert_int_equal(avb_nic_clock_open(&world.rig.clock, world.rig.clock.part, &world.rig.clock.registers),
                         AVB_NIC_CLOCK_READ);
        /* The clock begins at what its registers show; the truth goes on from there. */
        uint64_t lap = world.rig.clock.unit.lap_ns;
        if (lap != 0)
            world.rig.model.epoch -= (nic_model_clock_at(&world.rig.model, world.rig.clock.last.system_ns) / lap) * lap;
        for (int i = 0; i < 300; i++) {
            read_when_due(&world);
            one_batch(&world);
            world.rig.model.now += random_below(&world.rig.model.random, 100 * MILLISECOND);
        }
        rig_end(&world.rig);
        given += world.given;
        for (int i = 0; i < AVB_STAMP_RESULTS; i++)
            refused[i] += world.refused[i];
    }
    print_message("given %llu", (unsigned long long)given);
    for (int i = 1; i < AVB_STAMP_RESULTS; i++)
        print_message(", %s %llu", avb_stamp_result_name((enum avb_stamp_result)i), (unsigned long long)refused[i]);
    print_message("\n");
    /* It is also of use, and each of these happened. */
    assert_true(given > 60000);
    assert_true(refused[AVB_STAMP_TWO_MATCH] > 100);
    assert_true(refused[AVB_STAMP_NONE_MATCHES] > 100);
    assert_true(refused[AVB_STAMP_DISTURBED] > 100);
    assert_true(refused[AVB_STAMP_NOT_VALID] > 100);
}

/* ---- The pin ---- */

static const UINT16 devices_with_pins[] = {DEVICE_82576, DEVICE_I350, DEVICE_I210};

static void a_pin_goes_high_and_low_and_is_put_back(void **state)
{
    (void)state;
    static const struct {
        uint32_t offset, data, direction;
    } pins[] = {{MODEL_CTRL, 1u << 18, 1u << 22},
                {MODEL_CTRL, 1u << 19, 1u << 23},
                {MODEL_CTRL_EXT, 1u << 6, 1u << 10},
                {MODEL_CTRL_EXT, 1u << 7, 1u << 11}};
    for (size_t d = 0; d < 3; d++) {
        for (UINT32 number = 0; number < 4; number++) {
            for (uint32_t was = 0; was < 4; was++) {
                struct rig rig;
                struct avb_sdp_pin pin;
                rig_start(&rig, d, devices_with_pins[d]);
                uint32_t before = (was & 1 ? pins[number].data : 0u) | (was & 2 ? pins[number].direction : 0u);
                uint32_t others = 0x5BFFDFFFu & ~(pins[number].data | pins[number].direction);
                rig.model.ctrl = rig.model.ctrl_ext = others | before;
                uint32_t *here = pins[number].offset == MODEL_CTRL ? &rig.model.ctrl : &rig.model.ctrl_ext;
                const uint32_t *other = here == &rig.model.ctrl ? &rig.model.ctrl_ext : &rig.model.ctrl;
                assert_int_equal(avb_sdp_open(&pin, rig.clock.part, &rig.clock.registers, number), AVB_SDP_OPEN);
                assert_int_equal(*here, others | pins[number].direction);
                for (int i = 0; i < 3; i++) {
                    avb_sdp_enter(&pin);
                    assert_int_equal(*here, others | pins[number].direction | pins[number].data);
                    avb_sdp_leave(&pin);
                    assert_int_equal(*here, others | pins[number].direction);
                }
                avb_sdp_close(&pin);
                assert_int_equal(*here, others | before);
                assert_int_equal(*other, others | before);
                assert_int_equal(rig.model.writes, 8);
                rig_end(&rig);
            }
        }
    }
}

static void what_the_miniport_changes_meanwhile_stays(void **state)
{
    (void)state;
    struct rig rig;
    struct avb_sdp_pin pin;
    rig_start(&rig, 1, DEVICE_I210);
    assert_int_equal(avb_sdp_open(&pin, rig.clock.part, &rig.clock.registers, 0), AVB_SDP_OPEN);
    avb_sdp_enter(&pin);
    rig.model.ctrl |= 1u << 27; /* receive flow control */
    avb_sdp_leave(&pin);
    assert_true(rig.model.ctrl & 1u << 27);
    rig.model.ctrl &= ~(1u << 27);
    avb_sdp_close(&pin);
    assert_int_equal(rig.model.ctrl, 0);
}

static void a_pin_of_the_clock_is_not_taken(void **state)
{
    (void)state;
    for (UINT32 number = 0; number < 4; number++) {
        uint32_t in_use[] = {0x100u << 3 * number, 0x4u | number, 0x20u | number << 3};
        uint32_t free[] = {0x100u << 3 * ((number + 1) % 4), 0x4u | ((number + 1) % 4), 0x20u | ((number + 1) % 4) << 3,
                           number, number << 3};
        for (size_t d = 1; d < 3; d++) {
            struct rig rig;
            struct avb_sdp_pin pin;
            rig_start(&rig, d, devices_with_pins[d]);
            for (size_t i = 0; i < sizeof in_use / sizeof *in_use; i++) {
                rig.model.tssdp = in_use[i];
                assert_int_equal(avb_sdp_open(&pin, rig.clock.part, &rig.clock.registers, number), AVB_SDP_IN_USE);
                assert_int_equal(rig.model.writes, 0);
            }
            for (size_t i = 0; i < sizeof free / sizeof *free; i++) {
                rig.model.tssdp = free[i];
                assert_int_equal(avb_sdp_open(&pin, rig.clock.part, &rig.clock.registers, number), AVB_SDP_OPEN);
                avb_sdp_close(&pin);
            }
            rig.model.writes = 0;
        }
    }
}

static void pins_that_are_not_there_are_refused(void **state)
{
    (void)state;
    struct rig rig;
    struct avb_sdp_pin pin;
    rig_start(&rig, 1, DEVICE_I210);
    assert_int_equal(avb_sdp_open(&pin, rig.clock.part, &rig.clock.registers, 4), AVB_SDP_NO_PIN);
    assert_int_equal(avb_sdp_open(&pin, part_of(DEVICE_I226), &rig.clock.registers, 0), AVB_SDP_PART_CANNOT);
    assert_int_equal(avb_sdp_open(&pin, part_of(DEVICE_I219), &rig.clock.registers, 0), AVB_SDP_PART_CANNOT);
    assert_int_equal(rig.model.writes, 0);
}

static void nothing_is_written_while_the_device_is_gone_or_resets(void **state)
{
    (void)state;
    static const uint32_t resets[] = {1u << 26, 1u << 29, 1u << 31};
    struct rig rig;
    struct avb_sdp_pin pin;
    rig_start(&rig, 1, DEVICE_82576);
    rig.model.gone = true;
    assert_int_equal(avb_sdp_open(&pin, rig.clock.part, &rig.clock.registers, 0), AVB_SDP_DEVICE_GONE);
    assert_int_equal(avb_sdp_open(&pin, part_of(DEVICE_I210), &rig.clock.registers, 0), AVB_SDP_DEVICE_GONE);
    rig.model.gone = false;
    for (size_t i = 0; i < 3; i++) {
        rig.model.ctrl = resets[i];
        assert_int_equal(avb_sdp_open(&pin, rig.clock.part, &rig.clock.registers, 1), AVB_SDP_RESETTING);
    }
    rig.model.ctrl_ext = 1u << 13;
    assert_int_equal(avb_sdp_open(&pin, rig.clock.part, &rig.clock.registers, 2), AVB_SDP_RESETTING);
    assert_int_equal(rig.model.writes, 0);
    rig.model.ctrl = 0;
    assert_int_equal(avb_sdp_open(&pin, rig.clock.part, &rig.clock.registers, 0), AVB_SDP_OPEN);
    rig.model.ctrl |= 1u << 26;
    avb_sdp_enter(&pin);
    avb_sdp_leave(&pin);
    rig.model.gone = true;
    avb_sdp_enter(&pin);
    avb_sdp_close(&pin);
    assert_int_equal(rig.model.writes, 1);
}

/* ---- What it costs ---- */

static void a_batch_costs_one_read_or_seven(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, 1, DEVICE_I210);
    PTP_TIMESTAMP_EVENT frame = frame_of(AVB_PTP_SYNC, 1, 5);
    uint32_t before = rig.model.reads;
    expect_refusal(&rig, &frame, 1, AVB_STAMP_NOT_VALID);
    assert_int_equal(rig.model.reads - before, 1);
    wait(&rig, MILLISECOND);
    UINT64 truth = nic_model_receive(&rig.model, &frame);
    before = rig.model.reads;
    expect_stamp(&rig, &frame, 1, 0, truth);
    assert_int_equal(rig.model.reads - before, 7);
    assert_int_equal(rig.model.writes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_has_one_family_and_is_found),
        cmocka_unit_test(names_and_ids_belong_together),
        cmocka_unit_test(unknown_devices_are_no_part),
        cmocka_unit_test(an_unknown_part_does_nothing),
        cmocka_unit_test(what_cannot_be_attributed_says_why),
        cmocka_unit_test(every_result_has_a_name_of_its_own),
        cmocka_unit_test(every_part_reads_its_clock),
        cmocka_unit_test(no_reading_is_torn),
        cmocka_unit_test(a_miniport_that_reads_the_clock_too_tears_no_reading),
        cmocka_unit_test(the_second_rolls_over_at_10_to_the_9),
        cmocka_unit_test(ten_to_the_9_ns_in_a_second_are_refused),
        cmocka_unit_test(forty_bits_are_extended_over_their_wrap),
        cmocka_unit_test(a_wrap_is_found_where_the_clocks_differ),
        cmocka_unit_test(forty_bits_not_read_for_too_long_are_refused),
        cmocka_unit_test(other_counters_are_extended_too),
        cmocka_unit_test(seconds_need_no_extension),
        cmocka_unit_test(a_step_is_told_and_followed),
        cmocka_unit_test(a_step_back_over_the_start_does_not_go_below_0),
        cmocka_unit_test(a_late_look_at_the_system_clock_is_not_taken),
        cmocka_unit_test(a_clock_that_cannot_be_read_closely_is_unsteady),
        cmocka_unit_test(a_clock_that_is_gone_or_stands_is_refused),
        cmocka_unit_test(units_follow_the_increment_and_the_oscillator),
        cmocka_unit_test(an_odd_increment_is_taken_as_it_is),
        cmocka_unit_test(an_increment_that_is_none_gives_no_unit),
        cmocka_unit_test(a_servo_does_not_change_the_unit),
        cmocka_unit_test(another_unit_is_noticed),
        cmocka_unit_test(a_wrong_oscillator_shows_as_steps),
        cmocka_unit_test(a_frame_gets_its_stamp),
        cmocka_unit_test(parts_without_identity_are_refused_and_left_alone),
        cmocka_unit_test(the_first_of_two_frames_of_a_batch_is_stamped),
        cmocka_unit_test(equal_sequence_of_two_senders_is_told_apart),
        cmocka_unit_test(each_byte_of_the_identity_counts),
        cmocka_unit_test(two_frames_with_one_identity_get_nothing),
        cmocka_unit_test(follow_ups_are_not_event_messages),
        cmocka_unit_test(a_stamped_delay_resp_lends_its_stamp_to_nobody),
        cmocka_unit_test(a_vlan_tag_makes_no_difference),
        cmocka_unit_test(sent_frames_own_no_received_stamp),
        cmocka_unit_test(a_stale_stamp_is_never_given),
        cmocka_unit_test(a_stamp_from_before_the_last_batch_is_stale),
        cmocka_unit_test(a_lost_twin_within_a_frames_time_is_not_told_apart),
        cmocka_unit_test(a_stamp_in_the_future_is_refused),
        cmocka_unit_test(stamps_follow_the_clock_over_its_wrap),
        cmocka_unit_test(stamps_need_a_fresh_reading),
        cmocka_unit_test(a_latch_without_identity_is_refused),
        cmocka_unit_test(a_removed_device_gives_nothing),
        cmocka_unit_test(a_stamp_of_0_or_beyond_the_second_is_no_time),
        cmocka_unit_test(a_batch_too_large_empties_the_latch),
        cmocka_unit_test(a_miniport_that_steals_the_stamp_makes_no_wrong_one),
        cmocka_unit_test(a_miniport_that_was_faster_leaves_nothing),
        cmocka_unit_test(bit_31_of_the_high_word_is_not_the_valid_bit),
        cmocka_unit_test(seconds_and_ns_are_not_one_number),
        cmocka_unit_test(receive_control_is_not_transmit_control),
        cmocka_unit_test(stamping_all_frames_means_into_packets),
        cmocka_unit_test(a_clock_at_0_is_no_clock),
        cmocka_unit_test(version_1_over_udp_stamps_nothing_of_ours),
        cmocka_unit_test(the_type_is_in_bits_1_to_3),
        cmocka_unit_test(an_accepted_stamp_is_always_the_right_one),
        cmocka_unit_test(a_pin_goes_high_and_low_and_is_put_back),
        cmocka_unit_test(what_the_miniport_changes_meanwhile_stays),
        cmocka_unit_test(a_pin_of_the_clock_is_not_taken),
        cmocka_unit_test(pins_that_are_not_there_are_refused),
        cmocka_unit_test(nothing_is_written_while_the_device_is_gone_or_resets),
        cmocka_unit_test(a_batch_costs_one_read_or_seven),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
