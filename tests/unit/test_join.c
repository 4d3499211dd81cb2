/* SPDX-License-Identifier: MIT */
/* lib/join: which late stamp becomes whose, when events leave, and a comparison with a naive model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "failing_allocation.h"
#include "join.h"
#include "random.h"

#define SECOND  1000000000u
#define AT_ONCE 64

static struct ptpmon_join *join;

static int open_join(void **state)
{
    (void)state;
    join = ptpmon_join_open(0, 0);
    return join ? 0 : -1;
}

static int close_join(void **state)
{
    (void)state;
    ptpmon_join_close(join);
    return 0;
}

static PTP_TIMESTAMP_EVENT sent(uint16_t sequenceId, uint64_t time)
{
    return (PTP_TIMESTAMP_EVENT){
        .system_timestamp = time,
        .direction = AVB_DIRECTION_TX,
        .messageType = AVB_PTP_SYNC,
        .sequenceId = sequenceId,
        .domainNumber = 3,
        .sourceMac = {2, 0, 0, 0, 0, 1},
        .stamp = AVB_STAMP_EXPECTED | AVB_STAMP_VLAN,
        .vlanId = 7,
        .pcp = 5,
        .queueId = 2,
        .clockIdentity = {1, 2, 3, 4, 5, 6, 7, 8},
        .portNumber = 1,
        .sdoId = 0x100,
        .flags = AVB_PTP_FLAG_TWO_STEP,
        .version = 0x12,
        .sequence = 4711,
    };
}

static PTP_TIMESTAMP_EVENT stamp_of(uint16_t sequenceId, uint64_t time, uint64_t hardware, uint64_t software)
{
    PTP_TIMESTAMP_EVENT late = sent(sequenceId, time);
    late.stamp = AVB_STAMP_LATE | (hardware ? AVB_STAMP_METADATA : AVB_STAMP_NONE);
    late.hw_timestamp_ns = hardware;
    late.software_timestamp = software;
    return late;
}

/* A record that does nothing but move event time. */
static PTP_TIMESTAMP_EVENT tick(uint8_t direction, uint64_t time)
{
    return (PTP_TIMESTAMP_EVENT){.direction = direction, .system_timestamp = time};
}

static void give(PTP_TIMESTAMP_EVENT record)
{
    assert_int_equal(ptpmon_join_record(join, &record), PTPMON_OK);
}

static void assert_nothing_ready(void)
{
    PTP_TIMESTAMP_EVENT event;
    assert_int_equal(ptpmon_join_take(join, &event, 1), 0);
}

static PTP_TIMESTAMP_EVENT take(void)
{
    PTP_TIMESTAMP_EVENT event;
    assert_int_equal(ptpmon_join_take(join, &event, 1), 1);
    return event;
}

static void assert_takes(PTP_TIMESTAMP_EVENT expected)
{
    PTP_TIMESTAMP_EVENT event = take();
    assert_memory_equal(&event, &expected, sizeof event);
}

static void assert_counts(uint64_t joined, uint64_t missing, uint64_t orphaned, uint64_t ambiguous)
{
    struct ptpmon_join_counts counts;
    ptpmon_join_counts_get(join, &counts);
    assert_int_equal(counts.joined, joined);
    assert_int_equal(counts.missing, missing);
    assert_int_equal(counts.orphaned, orphaned);
    assert_int_equal(counts.ambiguous, ambiguous);
}

/* What `sent()` becomes. */
static PTP_TIMESTAMP_EVENT delivered(uint16_t sequenceId, uint64_t time, uint8_t stamp, uint64_t hardware,
                                     uint64_t software)
{
    PTP_TIMESTAMP_EVENT event = sent(sequenceId, time);
    event.stamp = AVB_STAMP_VLAN | stamp;
    event.hw_timestamp_ns = hardware;
    event.software_timestamp = software;
    return event;
}

static void passes_what_needs_no_stamp(void **state)
{
    (void)state;
    PTP_TIMESTAMP_EVENT unstamped = sent(1, 10);
    unstamped.stamp = 0;
    PTP_TIMESTAMP_EVENT received = sent(2, 11);
    received.direction = AVB_DIRECTION_RX;
    PTP_TIMESTAMP_EVENT records[] = {unstamped, received, tick(AVB_DIRECTION_CLOCKS, 12), tick(AVB_DIRECTION_LOSS, 13),
                                     tick(77, 14)};
    for (size_t i = 0; i < sizeof records / sizeof *records; i++)
        give(records[i]);
    for (size_t i = 0; i < sizeof records / sizeof *records; i++)
        assert_takes(records[i]);
    assert_nothing_ready();
}

static void joins_a_late_stamp(void **state)
{
    (void)state;
    give(sent(1, 10));
    give(sent(2, 20));
    assert_nothing_ready();
    give(stamp_of(2, 30, 2222, 0));
    assert_takes(delivered(2, 20, AVB_STAMP_METADATA, 2222, 0));
    give(stamp_of(1, 40, 0, 1111));
    assert_takes(delivered(1, 10, 0, 0, 1111));
    assert_nothing_ready();
    assert_counts(2, 0, 0, 0);
}

static void joins_software_then_hardware(void **state)
{
    (void)state;
    PTP_TIMESTAMP_EVENT software = stamp_of(1, 20, 0, 1111);
    software.stamp |= AVB_STAMP_EXPECTED;
    PTP_TIMESTAMP_EVENT hardware = stamp_of(1, 30, 2222, 0);
    hardware.stamp = AVB_STAMP_LATE | AVB_STAMP_REGISTERS;
    give(sent(1, 10));
    give(software);
    assert_nothing_ready();
    give(hardware);
    assert_takes(delivered(1, 10, AVB_STAMP_REGISTERS, 2222, 1111));
    assert_counts(2, 0, 0, 0);
}

static void keeps_a_hardware_stamp_when_software_follows(void **state)
{
    (void)state;
    PTP_TIMESTAMP_EVENT hardware = stamp_of(1, 20, 2222, 0);
    hardware.stamp |= AVB_STAMP_EXPECTED;
    give(sent(1, 10));
    give(hardware);
    give(stamp_of(1, 30, 0, 1111));
    assert_takes(delivered(1, 10, AVB_STAMP_METADATA, 2222, 1111));
}

static void keeps_the_software_stamp_when_hardware_never_comes(void **state)
{
    (void)state;
    PTP_TIMESTAMP_EVENT software = stamp_of(1, 20, 0, 1111);
    software.stamp |= AVB_STAMP_EXPECTED;
    give(sent(1, 10));
    give(software);
    give(tick(AVB_DIRECTION_CLOCKS, 11 + SECOND));
    assert_takes(delivered(1, 10, AVB_STAMP_MISSING, 0, 1111));
    assert_counts(1, 1, 0, 0);
}

static void a_last_stamp_without_a_time_is_missing(void **state)
{
    (void)state;
    give(sent(1, 10));
    give(stamp_of(1, 20, 0, 0));
    assert_takes(delivered(1, 10, AVB_STAMP_MISSING, 0, 0));
    assert_counts(1, 1, 0, 0);
}

static void every_field_of_the_identity_counts(void **state)
{
    (void)state;
    static const size_t fields[] = {
        offsetof(PTP_TIMESTAMP_EVENT, messageType),   offsetof(PTP_TIMESTAMP_EVENT, sequenceId),
        offsetof(PTP_TIMESTAMP_EVENT, domainNumber),  offsetof(PTP_TIMESTAMP_EVENT, sourceMac) + 5,
        offsetof(PTP_TIMESTAMP_EVENT, clockIdentity), offsetof(PTP_TIMESTAMP_EVENT, clockIdentity) + 7,
        offsetof(PTP_TIMESTAMP_EVENT, portNumber),    offsetof(PTP_TIMESTAMP_EVENT, sdoId),
        offsetof(PTP_TIMESTAMP_EVENT, transport),
    };
    give(sent(1, 10));
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        PTP_TIMESTAMP_EVENT late = stamp_of(1, 20, 1111, 0);
        ((unsigned char *)&late)[fields[i]] ^= 1;
        give(late);
        assert_nothing_ready();
        assert_counts(0, 0, i + 1, 0);
    }
    PTP_TIMESTAMP_EVENT late = stamp_of(1, 20, 1111, 0);
    late.vlanId = 0;
    late.pcp = 0;
    late.queueId = AVB_QUEUE_UNKNOWN;
    late.flags = 0;
    late.sequence = 0;
    give(late);
    assert_takes(delivered(1, 10, AVB_STAMP_METADATA, 1111, 0));
}

static void gives_an_ambiguous_stamp_to_none(void **state)
{
    (void)state;
    give(sent(1, 10));
    give(sent(1, 10 + SECOND / 2));
    give(sent(2, 10 + SECOND / 2));
    give(stamp_of(1, 20 + SECOND / 2, 1111, 1111));
    assert_nothing_ready();
    assert_counts(0, 0, 0, 1);
    give(tick(AVB_DIRECTION_CLOCKS, 11 + SECOND));
    assert_takes(delivered(1, 10, AVB_STAMP_MISSING, 0, 0));
    take();
    /* The second waits alone now, but the stamp that comes may be the first one's as well. */
    give(stamp_of(1, 12 + SECOND, 2222, 2222));
    assert_nothing_ready();
    assert_counts(0, 1, 0, 2);
    give(stamp_of(2, 13 + SECOND, 3333, 0));
    assert_takes(delivered(2, 10 + SECOND / 2, AVB_STAMP_METADATA, 3333, 0));
    give(tick(AVB_DIRECTION_CLOCKS, 11 + SECOND + SECOND / 2));
    assert_takes(delivered(1, 10 + SECOND / 2, AVB_STAMP_MISSING, 0, 0));
    take();
    assert_nothing_ready();
    assert_counts(1, 2, 0, 2);
}

static void counts_orphans_and_delivers_none(void **state)
{
    (void)state;
    give(stamp_of(1, 10, 1111, 0));
    give(sent(1, 20));
    assert_nothing_ready();
    give(stamp_of(1, 30, 2222, 0));
    assert_takes(delivered(1, 20, AVB_STAMP_METADATA, 2222, 0));
    give(stamp_of(1, 40, 2222, 0));
    assert_nothing_ready();
    assert_counts(1, 0, 2, 0);
}

static void any_record_moves_event_time(void **state)
{
    static const uint8_t directions[] = {AVB_DIRECTION_RX, AVB_DIRECTION_TX, AVB_DIRECTION_CLOCKS, AVB_DIRECTION_LOSS,
                                         77};
    (void)state;
    uint64_t start = 10;
    for (size_t i = 0; i < sizeof directions; i++) {
        give(sent(1, start));
        give(tick(directions[i], start + SECOND)); /* the deadline itself is not past */
        assert_takes(tick(directions[i], start + SECOND));
        assert_nothing_ready();
        give(tick(directions[i], start + SECOND + 1));
        assert_takes(delivered(1, start, AVB_STAMP_MISSING, 0, 0));
        assert_takes(tick(directions[i], start + SECOND + 1));
        start += 10 * (uint64_t)SECOND;
    }
    /* An orphaned stamp as well; a stamp that comes too late is one. */
    give(sent(1, start));
    give(stamp_of(1, start + SECOND + 1, 1111, 0));
    assert_takes(delivered(1, start, AVB_STAMP_MISSING, 0, 0));
    assert_nothing_ready();
    assert_counts(0, sizeof directions + 1, 1, 0);
}

static void event_time_never_goes_back(void **state)
{
    (void)state;
    give(sent(1, 100 + SECOND));
    give(sent(2, 100)); /* another CPU, a little late: counts from the time that was reached */
    give(tick(AVB_DIRECTION_RX, 5));
    take();
    give(tick(AVB_DIRECTION_RX, 100 + 2 * (uint64_t)SECOND));
    take();
    assert_nothing_ready();
    give(tick(AVB_DIRECTION_RX, 101 + 2 * (uint64_t)SECOND));
    assert_takes(delivered(1, 100 + SECOND, AVB_STAMP_MISSING, 0, 0));
    assert_takes(delivered(2, 100, AVB_STAMP_MISSING, 0, 0));
}

static void survives_times_beyond_all_bounds(void **state)
{
    (void)state;
    give(sent(1, UINT64_MAX));
    give(sent(2, 0));
    give(stamp_of(2, UINT64_MAX, UINT64_MAX, UINT64_MAX));
    assert_takes(delivered(2, 0, AVB_STAMP_METADATA, UINT64_MAX, UINT64_MAX));
    assert_int_equal(ptpmon_join_finish(join), PTPMON_OK);
    assert_takes(delivered(1, UINT64_MAX, AVB_STAMP_MISSING, 0, 0));
}

static void holds_at_most_max_waiting(void **state)
{
    (void)state;
    ptpmon_join_close(join);
    join = ptpmon_join_open(5 * (uint64_t)SECOND, 2);
    assert_non_null(join);
    give(sent(1, 10));
    give(sent(2, 20));
    assert_nothing_ready();
    give(sent(3, 30));
    assert_takes(delivered(1, 10, AVB_STAMP_MISSING, 0, 0));
    assert_nothing_ready();
    give(stamp_of(3, 5 * (uint64_t)SECOND, 3333, 0));
    give(sent(4, 5 * (uint64_t)SECOND));
    assert_takes(delivered(3, 30, AVB_STAMP_METADATA, 3333, 0));
    assert_nothing_ready();
    assert_counts(1, 1, 0, 0);
}

static void finish_lets_all_go_in_order(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 100; i++)
        give(sent(i, 10u + i));
    assert_int_equal(ptpmon_join_finish(join), PTPMON_OK);
    PTP_TIMESTAMP_EVENT events[7];
    uint16_t next = 0;
    size_t count;
    while ((count = ptpmon_join_take(join, events, 7)) > 0) {
        for (size_t i = 0; i < count; i++, next++) {
            PTP_TIMESTAMP_EVENT expected = delivered(next, 10u + next, AVB_STAMP_MISSING, 0, 0);
            assert_memory_equal(&events[i], &expected, sizeof expected);
        }
    }
    assert_int_equal(next, 100);
    assert_counts(0, 100, 0, 0);
}

/* ---- A naive model ------------------------------------------------------------------------ */

#define MODEL_ITEMS 4096

struct model_item {
    PTP_TIMESTAMP_EVENT event;
    uint64_t taken_at;
    bool contested;
};

struct model {
    uint64_t deadline, time;
    size_t max_waiting;
    struct model_item waiting[MODEL_ITEMS];
    size_t waiting_count;
    PTP_TIMESTAMP_EVENT ready[MODEL_ITEMS];
    size_t ready_count;
    struct ptpmon_join_counts counts;
};

static void model_release(struct model *model, size_t index, bool missing)
{
    PTP_TIMESTAMP_EVENT event = model->waiting[index].event;
    event.stamp = (UINT8)((event.stamp & ~AVB_STAMP_EXPECTED) | (missing ? AVB_STAMP_MISSING : 0));
    model->counts.missing += missing;
    model->ready[model->ready_count++] = event;
    model->waiting_count--;
    memmove(&model->waiting[index], &model->waiting[index + 1],
            (model->waiting_count - index) * sizeof model->waiting[0]);
}

static bool model_same(const PTP_TIMESTAMP_EVENT *a, const PTP_TIMESTAMP_EVENT *b)
{
    return a->sdoId == b->sdoId && a->domainNumber == b->domainNumber && a->messageType == b->messageType &&
           memcmp(a->clockIdentity, b->clockIdentity, 8) == 0 && a->portNumber == b->portNumber &&
           a->sequenceId == b->sequenceId && memcmp(a->sourceMac, b->sourceMac, 6) == 0 && a->transport == b->transport;
}

static void model_stamp(struct model *model, const PTP_TIMESTAMP_EVENT *late)
{
    size_t found = 0, last = 0;
    bool contested = false;
    for (size_t i = 0; i < model->waiting_count; i++) {
        if (!model_same(&model->waiting[i].event, late))
            continue;
        found++;
        last = i;
        contested |= model->waiting[i].contested;
    }
    if (found == 0) {
        model->counts.orphaned++;
        return;
    }
    if (found > 1 || contested) {
        model->counts.ambiguous++;
        for (size_t i = 0; i < model->waiting_count; i++)
            model->waiting[i].contested |= model_same(&model->waiting[i].event, late);
        return;
    }
    PTP_TIMESTAMP_EVENT *event = &model->waiting[last].event;
    model->counts.joined++;
    if (late->hw_timestamp_ns) {
        event->hw_timestamp_ns = late->hw_timestamp_ns;
        event->stamp = (UINT8)((event->stamp & ~7) | (late->stamp & 7));
    }
    if (late->software_timestamp)
        event->software_timestamp = late->software_timestamp;
    if (!(late->stamp & AVB_STAMP_EXPECTED))
        model_release(model, last, !event->hw_timestamp_ns && !event->software_timestamp);
}

static void model_record(struct model *model, const PTP_TIMESTAMP_EVENT *record)
{
    if (record->system_timestamp > model->time)
        model->time = record->system_timestamp;
    while (model->waiting_count > 0 && model->time - model->waiting[0].taken_at > model->deadline)
        model_release(model, 0, true);
    if (record->direction == AVB_DIRECTION_TX && record->stamp & AVB_STAMP_LATE) {
        model_stamp(model, record);
    } else if (record->direction == AVB_DIRECTION_TX && record->stamp & AVB_STAMP_EXPECTED) {
        if (model->waiting_count == model->max_waiting)
            model_release(model, 0, true);
        model->waiting[model->waiting_count++] = (struct model_item){*record, model->time, false};
    } else {
        model->ready[model->ready_count++] = *record;
    }
}

/* Few identities, so that they meet; times that mostly go forward. */
static PTP_TIMESTAMP_EVENT random_record(struct random *random, uint64_t *time)
{
    uint16_t sequenceId = (uint16_t)random_below(random, 12);
    *time += random_below(random, 100);
    uint64_t at = random_chance(random, 10) ? *time - random_below(random, 50) : *time;
    PTP_TIMESTAMP_EVENT record = sent(sequenceId, at);
    switch (random_below(random, 8)) {
    case 0:
        record.direction = AVB_DIRECTION_RX;
        break;
    case 1:
        record = tick(random_chance(random, 50) ? AVB_DIRECTION_CLOCKS : AVB_DIRECTION_LOSS, at);
        break;
    case 2:
    case 3:
    case 4:
        record = stamp_of(sequenceId, at, random_chance(random, 60) ? *time * 3 : 0,
                          random_chance(random, 60) ? *time * 5 : 0);
        record.stamp |= random_chance(random, 30) ? AVB_STAMP_EXPECTED : 0;
        break;
    case 5:
        record.stamp = 0;
        break;
    default:
        break;
    }
    record.sourceMac[5] = (UCHAR)random_below(random, 2);
    return record;
}

static void assert_equals_model(struct model *model, uint64_t seed)
{
    PTP_TIMESTAMP_EVENT events[AT_ONCE];
    size_t seen = 0, count;
    while ((count = ptpmon_join_take(join, events, AT_ONCE)) > 0) {
        for (size_t i = 0; i < count; i++, seen++) {
            if (seen >= model->ready_count || memcmp(&events[i], &model->ready[seen], sizeof events[i]) != 0)
                fail_msg("seed %llu: event %zu differs from the model's", (unsigned long long)seed, seen);
        }
    }
    if (seen != model->ready_count)
        fail_msg("seed %llu: %zu events, the model has %zu", (unsigned long long)seed, seen, model->ready_count);
    assert_counts(model->counts.joined, model->counts.missing, model->counts.orphaned, model->counts.ambiguous);
}

static void behaves_as_the_model(void **state)
{
    (void)state;
    struct model *model = malloc(sizeof *model);
    assert_non_null(model);
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct random random = {seed};
        uint64_t time = 1000, stamps = 0;
        memset(model, 0, sizeof *model);
        model->deadline = 200 + random_below(&random, 2000);
        model->max_waiting = 2 + random_below(&random, 30);
        ptpmon_join_close(join);
        join = ptpmon_join_open(model->deadline, (uint32_t)model->max_waiting);
        assert_non_null(join);
        for (size_t i = 0; i < 1000; i++) {
            PTP_TIMESTAMP_EVENT record = random_record(&random, &time);
            stamps += record.direction == AVB_DIRECTION_TX && record.stamp & AVB_STAMP_LATE;
            give(record);
            model_record(model, &record);
        }
        assert_int_equal(ptpmon_join_finish(join), PTPMON_OK);
        while (model->waiting_count > 0)
            model_release(model, 0, true);
        assert_equals_model(model, seed);
        assert_int_equal(model->counts.joined + model->counts.orphaned + model->counts.ambiguous, stamps);
    }
    free(model);
}

/* ---- Want of memory ----------------------------------------------------------------------- */

#define RECORDS 600

/* Opens and feeds all records, each again until it is taken; the events go to `events`, their number is returned. */
static size_t run_with_failures(size_t successes, PTP_TIMESTAMP_EVENT *events, size_t *failures)
{
    uint64_t time = 1000;
    struct random random = {99};
    fail_allocations_after(successes, 3);
    while (!(join = ptpmon_join_open(300, 0)))
        assert_true(failed_allocations() > 0);
    for (size_t i = 0; i < RECORDS; i++) {
        PTP_TIMESTAMP_EVENT record = random_record(&random, &time);
        size_t failed_before = failed_allocations();
        ptpmon_status status;
        while ((status = ptpmon_join_record(join, &record)) != PTPMON_OK) {
            assert_int_equal(status, PTPMON_NO_MEMORY);
            assert_non_null(strstr(ptpmon_error_message(), "memory"));
            assert_true(failed_allocations() > failed_before);
            failed_before = failed_allocations();
        }
    }
    *failures = failed_allocations();
    ptpmon_join_finish(join);
    size_t count = ptpmon_join_take(join, events, RECORDS);
    assert_nothing_ready();
    ptpmon_join_close(join);
    join = NULL;
    return count;
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    static PTP_TIMESTAMP_EVENT undisturbed[RECORDS], disturbed[RECORDS];
    ptpmon_join_close(join);
    size_t blocks = live_blocks(), failures;
    size_t expected = run_with_failures(SIZE_MAX, undisturbed, &failures);
    assert_true(expected > RECORDS / 4);
    assert_int_equal(failures, 0);

    size_t successes = 0;
    do {
        size_t count = run_with_failures(successes++, disturbed, &failures);
        assert_int_equal(count, expected);
        assert_memory_equal(disturbed, undisturbed, count * sizeof *disturbed);
        assert_int_equal(live_blocks(), blocks);
    } while (failures > 0);
    assert_true(successes > 10);
    fail_no_allocation();
}

/* ---- Floods: each takes seconds where one record costs O(1), minutes where it does not ---- */

#define FLOOD 65536u

static void drain(void)
{
    PTP_TIMESTAMP_EVENT events[AT_ONCE];
    while (ptpmon_join_take(join, events, AT_ONCE) > 0) {
    }
}

static void bears_many_of_one_identity(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 4; round++) {
        for (uint32_t i = 0; i < FLOOD; i++)
            give(sent(1, round * 3 * (uint64_t)SECOND + i));
        for (uint32_t i = 0; i < 1000; i++)
            give(sent(2, round * 3 * (uint64_t)SECOND + FLOOD));
        give(tick(AVB_DIRECTION_CLOCKS, round * 3 * (uint64_t)SECOND + 2 * (uint64_t)SECOND));
        drain();
    }
    assert_counts(0, 4 * ((uint64_t)FLOOD + 1000), 0, 0);
}

static void bears_many_identities(void **state)
{
    (void)state;
    uint64_t time = 0;
    for (uint32_t round = 0; round < 8; round++) {
        for (uint32_t i = 0; i < FLOOD; i++)
            give(sent((uint16_t)i, time += 100));
        for (uint32_t i = 0; i < FLOOD; i++)
            give(stamp_of((uint16_t)(i * 7), time, 1 + i, 0));
        drain();
    }
    assert_counts(8 * (uint64_t)FLOOD, 0, 0, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_join, close_join)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(passes_what_needs_no_stamp),
        TEST(joins_a_late_stamp),
        TEST(joins_software_then_hardware),
        TEST(keeps_a_hardware_stamp_when_software_follows),
        TEST(keeps_the_software_stamp_when_hardware_never_comes),
        TEST(a_last_stamp_without_a_time_is_missing),
        TEST(every_field_of_the_identity_counts),
        TEST(gives_an_ambiguous_stamp_to_none),
        TEST(counts_orphans_and_delivers_none),
        TEST(any_record_moves_event_time),
        TEST(event_time_never_goes_back),
        TEST(survives_times_beyond_all_bounds),
        TEST(holds_at_most_max_waiting),
        TEST(finish_lets_all_go_in_order),
        TEST(behaves_as_the_model),
        TEST(any_allocation_may_fail),
        TEST(bears_many_of_one_identity),
        TEST(bears_many_identities),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
