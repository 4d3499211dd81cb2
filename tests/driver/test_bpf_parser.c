/* SPDX-License-Identifier: MIT */
/*
 * The parser as the kernel runs it: every hand-made frame goes through the loaded eBPF programs with
 * BPF_PROG_TEST_RUN, and what lies in the ring afterwards must be what core/frame says, byte for byte.
 */
#include "linux/ringbuf.h"
#include "vectors/frames.h"

#include <avb/avb_ptp_linux.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <ptpmon.skel.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RING_BYTES     4096u
#define ETHERNET_BYTES 14u /* the kernel refuses to run a program on less */

struct loaded {
    struct ptpmon_bpf *program;
    struct ptpmon_ringbuf ring;
};

/* Loads the programs for a card that does or does not stamp received frames. */
static int load(void **state, uint8_t rx_hardware)
{
    static struct loaded loaded;
    loaded.program = ptpmon_bpf__open();
    assert_non_null(loaded.program);
    struct bpf_program *each;
    bpf_object__for_each_program(each, loaded.program->obj) bpf_program__set_autoload(
        each, each == loaded.program->progs.rx_frame || each == loaded.program->progs.tx_frame_tc);
    bpf_map__set_max_entries(loaded.program->maps.ring, RING_BYTES);
    struct avb_linux_settings *settings = (void *)&loaded.program->rodata->settings;
    *settings = (struct avb_linux_settings){.watermark = RING_BYTES, .rx_hardware = rx_hardware};
    assert_int_equal(ptpmon_bpf__load(loaded.program), 0);
    assert_int_equal(ptpmon_ringbuf_open(&loaded.ring, bpf_map__fd(loaded.program->maps.ring), RING_BYTES), 0);
    *state = &loaded;
    return 0;
}

static int load_for_plain_card(void **state)
{
    return load(state, 0);
}

static int load_for_stamping_card(void **state)
{
    return load(state, 1);
}

static int unload(void **state)
{
    struct loaded *loaded = *state;
    ptpmon_ringbuf_close(&loaded->ring);
    ptpmon_bpf__destroy(loaded->program);
    return 0;
}

static struct avb_linux_counters count_all(const struct loaded *loaded)
{
    struct avb_linux_counters each[1024], sum = {0};
    uint32_t zero = 0;
    assert_true(libbpf_num_possible_cpus() <= 1024);
    assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(loaded->program->maps.counters), &zero, each), 0);
    for (int i = 0; i < libbpf_num_possible_cpus(); i++)
        for (size_t j = 0; j < sizeof sum / sizeof(uint64_t); j++)
            ((uint64_t *)&sum)[j] += ((uint64_t *)&each[i])[j];
    return sum;
}

/* How many frames of this kind were counted, where the kind has a counter. */
static uint64_t counted(const struct avb_linux_counters *counters, enum avb_frame_kind kind)
{
    switch (kind) {
    case AVB_FRAME_PTP:
        return counters->frames_emitted;
    case AVB_FRAME_PTP_V1:
        return counters->ptp_v1;
    case AVB_FRAME_OTHER_VERSION:
        return counters->other_version;
    case AVB_FRAME_TRUNCATED:
        return counters->truncated;
    case AVB_FRAME_BAD_LENGTH:
        return counters->bad_length;
    default:
        return 0;
    }
}

static void expect_record(const struct loaded *loaded, const struct frame_vector *vector, uint8_t direction)
{
    ptpmon_batch batch;
    ptpmon_ringbuf_peek(&loaded->ring, &batch);
    if (vector->kind != AVB_FRAME_PTP) {
        assert_int_equal(batch.count, 0);
        return;
    }
    assert_int_equal(batch.count, 1);
    PTP_TIMESTAMP_EVENT got = *ptpmon_batch_at(&batch, 0);
    assert_int_not_equal(got.system_timestamp, 0);
    PTP_TIMESTAMP_EVENT want = vector->event;
    want.direction = direction;
    want.queueId = AVB_QUEUE_UNKNOWN;
    want.system_timestamp = got.system_timestamp;
    if (memcmp(&got, &want, sizeof got) != 0)
        fail_msg("%s: the record differs from what core/frame says", vector->name);
}

static bool kernel_can_run(const struct frame_vector *vector)
{
    return vector->tag == 0 && vector->captured == vector->length && vector->captured >= ETHERNET_BYTES;
}

static void run_all(struct loaded *loaded, int program_fd, uint8_t direction)
{
    size_t ran = 0;
    for (size_t i = 0; i < frame_vector_count; i++) {
        const struct frame_vector *vector = &frame_vectors[i];
        if (!kernel_can_run(vector))
            continue;
        struct avb_linux_counters before = count_all(loaded);
        LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = vector->bytes, .data_size_in = vector->captured);
        int error = bpf_prog_test_run_opts(program_fd, &options);
        if (error == -EINVAL && vector->kind == AVB_FRAME_FOREIGN)
            continue; /* newer kernels refuse an IP frame without a whole IP header */
        assert_int_equal(error, 0);
        assert_int_equal((int)options.retval, TC_ACT_UNSPEC);
        struct avb_linux_counters after = count_all(loaded);
        if (vector->kind != AVB_FRAME_FOREIGN)
            assert_int_equal(counted(&after, vector->kind) - counted(&before, vector->kind), 1);
        else
            assert_memory_equal(&after, &before, sizeof after);
        expect_record(loaded, vector, direction);
        ptpmon_ringbuf_release(&loaded->ring, vector->kind == AVB_FRAME_PTP);
        ran++;
    }
    print_message("%zu of %zu frames ran\n", ran, frame_vector_count);
    assert_true(ran > frame_vector_count / 2);
}

static void received_frames(void **state)
{
    struct loaded *loaded = *state;
    run_all(loaded, bpf_program__fd(loaded->program->progs.rx_frame), AVB_DIRECTION_RX);
}

static void sent_frames(void **state)
{
    struct loaded *loaded = *state;
    run_all(loaded, bpf_program__fd(loaded->program->progs.tx_frame_tc), AVB_DIRECTION_TX);
}

/* A frame of the table that is a plain Sync, for tests that care about its stamps. */
static const struct frame_vector *any_ptp_frame(void)
{
    size_t i = 0;
    while (frame_vectors[i].kind != AVB_FRAME_PTP || !kernel_can_run(&frame_vectors[i]))
        i++;
    return &frame_vectors[i];
}

/* Runs the receive program on a PTP frame that carries this hardware stamp; takes out its record. */
static PTP_TIMESTAMP_EVENT receive_with_stamp(struct loaded *loaded, uint64_t hwtstamp)
{
    const struct frame_vector *vector = any_ptp_frame();
    struct __sk_buff context = {.hwtstamp = hwtstamp};
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = vector->bytes, .data_size_in = vector->captured,
                .ctx_in = &context, .ctx_size_in = sizeof context);
    assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(loaded->program->progs.rx_frame), &options), 0);
    ptpmon_batch batch;
    ptpmon_ringbuf_peek(&loaded->ring, &batch);
    assert_int_equal(batch.count, 1);
    PTP_TIMESTAMP_EVENT event = *ptpmon_batch_at(&batch, 0);
    ptpmon_ringbuf_release(&loaded->ring, 1);
    return event;
}

static void hardware_stamp_of_a_card_without_hardware_stamping_is_refused(void **state)
{
    struct loaded *loaded = *state;
    struct avb_linux_counters before = count_all(loaded);
    PTP_TIMESTAMP_EVENT event = receive_with_stamp(loaded, 1700000000123456789u);
    struct avb_linux_counters after = count_all(loaded);
    assert_int_equal(event.hw_timestamp_ns, 0);
    assert_int_equal(event.stamp & AVB_STAMP_KIND_MASK, AVB_STAMP_NONE);
    assert_int_equal(after.hw_stamp_of_other_device - before.hw_stamp_of_other_device, 1);
}

static void kernel_pointer_in_place_of_a_stamp_never_leaves_the_kernel(void **state)
{
    struct loaded *loaded = *state;
    struct avb_linux_counters before = count_all(loaded);
    PTP_TIMESTAMP_EVENT event = receive_with_stamp(loaded, 0xffff888012345678u);
    struct avb_linux_counters after = count_all(loaded);
    assert_int_equal(event.hw_timestamp_ns, 0);
    assert_int_equal(event.stamp & AVB_STAMP_KIND_MASK, AVB_STAMP_NONE);
    assert_int_equal(after.hw_stamp_not_a_time - before.hw_stamp_not_a_time, 1);
}

static void hardware_stamp_is_taken_as_it_is(void **state)
{
    PTP_TIMESTAMP_EVENT event = receive_with_stamp(*state, 1700000000123456789u);
    assert_int_equal(event.hw_timestamp_ns, 1700000000123456789u);
    assert_int_equal(event.stamp & AVB_STAMP_KIND_MASK, AVB_STAMP_METADATA);
}

/* A ring of 4096 bytes takes 56 records of 72 bytes; what comes then is dropped and counted. */
static void full_ring_drops_and_counts(void **state)
{
    struct loaded *loaded = *state;
    const struct frame_vector *vector = any_ptp_frame();
    const uint64_t takes = RING_BYTES / PTPMON_RINGBUF_STRIDE;
    struct avb_linux_counters before = count_all(loaded);
    for (uint64_t i = 0; i < takes + 10; i++) {
        LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = vector->bytes, .data_size_in = vector->captured);
        assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(loaded->program->progs.rx_frame), &options), 0);
    }
    struct avb_linux_counters after = count_all(loaded);
    assert_int_equal(after.frames_seen - before.frames_seen, takes + 10);
    assert_int_equal(after.frames_emitted - before.frames_emitted, takes);
    assert_int_equal(after.frames_dropped - before.frames_dropped, 10);

    /* The batch is contiguous although the ring wraps. */
    ptpmon_batch batch;
    ptpmon_ringbuf_peek(&loaded->ring, &batch);
    assert_int_equal(batch.count, takes);
    for (size_t i = 0; i < batch.count; i++)
        assert_int_equal(ptpmon_batch_at(&batch, i)->sequenceId, vector->event.sequenceId);
    ptpmon_ringbuf_release(&loaded->ring, batch.count);
}

int main(void)
{
    const struct CMUnitTest plain[] = {
        cmocka_unit_test(received_frames),
        cmocka_unit_test(sent_frames),
        cmocka_unit_test(hardware_stamp_of_a_card_without_hardware_stamping_is_refused),
        cmocka_unit_test(kernel_pointer_in_place_of_a_stamp_never_leaves_the_kernel),
        cmocka_unit_test(full_ring_drops_and_counts),
    };
    const struct CMUnitTest stamping[] = {
        cmocka_unit_test(hardware_stamp_is_taken_as_it_is),
        cmocka_unit_test(kernel_pointer_in_place_of_a_stamp_never_leaves_the_kernel),
    };
    return cmocka_run_group_tests(plain, load_for_plain_card, unload) +
           cmocka_run_group_tests(stamping, load_for_stamping_card, unload);
}
