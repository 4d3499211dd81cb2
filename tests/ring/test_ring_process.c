/* SPDX-License-Identifier: MIT */
/*
 * The reader is another process, which has section 1 read-only. It is killed at any moment: the
 * producers stay well, another reader goes on where it was, and a fresh ring works as the first one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "ring_kit.h"

#define PRODUCERS 2u
#define CAPACITY  64u
#define KILLS     200u

/* Two sections as a driver would share them: whoever has the files cannot map the first one writable any more. */
struct sections {
    struct kit kit;
    int readable, writable; /* section 1 for the reader, section 2 */
};

/* What the readers of one ring, one after the other, leave behind. */
struct record_book {
    UINT64 next[PRODUCERS]; /* number of the producer's next record */
    UINT64 wrong;
};

static UINT64 records_in(const struct record_book *book)
{
    UINT64 records = 0;
    for (unsigned int i = 0; i < PRODUCERS; i++)
        records += kit_load(&book->next[i]);
    return records;
}

static void *map(int fd, size_t bytes, int protection)
{
    void *pages = mmap(NULL, bytes, protection, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(pages, MAP_FAILED);
    return pages;
}

static int make_memory(size_t bytes)
{
    int fd = memfd_create("ring", MFD_ALLOW_SEALING | MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
    return fd;
}

static void make_sections(struct sections *sections)
{
    char path[64];
    size_t bytes = AvbRingBytes(CAPACITY);
    int owner = make_memory(bytes);
    sections->writable = make_memory(AVB_RING_PAGE);
    kit_place(&sections->kit, map(owner, bytes, PROT_READ | PROT_WRITE),
              map(sections->writable, AVB_RING_PAGE, PROT_READ | PROT_WRITE), CAPACITY, 0);
    assert_int_equal(fcntl(owner, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", owner);
    sections->readable = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(sections->readable >= 0);
    close(owner);
}

static void free_sections(struct sections *sections)
{
    munmap(sections->kit.section1, sections->kit.bytes);
    munmap(sections->kit.section2, AVB_RING_PAGE);
    close(sections->readable);
    close(sections->writable);
}

/* ---- Processes ---- */

static pid_t start(void (*body)(struct sections *, void *), struct sections *sections, void *argument)
{
    pid_t parent = getpid(), child = fork();
    assert_true(child >= 0);
    if (child != 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    signal(SIGSEGV, SIG_DFL); /* a sanitizer catches it */
    munmap(sections->kit.section1, sections->kit.bytes);
    munmap(sections->kit.section2, AVB_RING_PAGE);
    sections->kit.section1 = mmap(NULL, sections->kit.bytes, PROT_READ, MAP_SHARED, sections->readable, 0);
    sections->kit.section2 = mmap(NULL, AVB_RING_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, sections->writable, 0);
    if (sections->kit.section1 == MAP_FAILED || sections->kit.section2 == MAP_FAILED)
        _exit(1);
    body(sections, argument);
    _exit(0);
}

static int end_of(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* Not sched_yield(): beside a process that never rests, who yields may wait for very long. */
static void give_way(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL);
}

/* Once a word has grown by so much as chance will have it, perhaps by nothing: then it has hardly started. */
static void kill_at_any_moment(pid_t child, const UINT64 *grows, struct random *random)
{
    UINT64 until = kit_load(grows) + random_below(random, 20 * CAPACITY);
    while (kit_load(grows) < until) {
        assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
        give_way();
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    int status = end_of(child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/*
 * Records are noted in the book before they are given back: a reader killed in between leaves some
 * that the next one meets again. None is ever missing.
 */
static void read_into(struct record_book *book, const PTP_TIMESTAMP_EVENT *events, UINT64 count)
{
    for (UINT64 i = 0; i < count; i++) {
        UINT64 producer = kit_producer(&events[i]), number = kit_number(&events[i]);
        if (!kit_is_whole(&events[i]) || producer >= PRODUCERS || number > book->next[producer]) {
            book->wrong++;
            return;
        }
        if (number == book->next[producer]) /* one store: a kill leaves no half of a note */
            __atomic_store_n(&book->next[producer], number + 1, __ATOMIC_RELAXED);
    }
}

static UINT64 read_some(AVB_RING_READER *reader, struct record_book *book)
{
    const PTP_TIMESTAMP_EVENT *first;
    UINT64 count = AvbRingPeek(reader, &first);
    read_into(book, first, count);
    if (count)
        AvbRingRelease(reader, count);
    return count;
}

static void read_for_ever(struct sections *sections, void *book)
{
    AVB_RING_READER reader = kit_reader(&sections->kit);
    for (;;) {
        if (read_some(&reader, book) == 0)
            give_way();
    }
}

static void write_noise_for_ever(struct sections *sections, void *seed)
{
    struct random random = {.state = *(UINT64 *)seed};
    UINT64 *words = (UINT64 *)(void *)sections->kit.section2;
    for (;;) {
        UINT64 head = kit_load(&sections->kit.section1->head);
        for (size_t i = 0; i < AVB_RING_PAGE / sizeof *words; i++)
            __atomic_store_n(&words[i], random_next(&random), __ATOMIC_RELAXED);
        __atomic_store_n(words, head - random_below(&random, CAPACITY), __ATOMIC_RELAXED);
    }
}

static void write_to_section_1(struct sections *sections, void *unused)
{
    (void)unused;
    __atomic_store_n(&sections->kit.section1->head, 1, __ATOMIC_RELAXED);
}

/* ---- Producers ---- */

struct producer {
    struct sections *sections;
    pthread_t thread;
    UINT64 id, attempted, emitted, *stop;
};

static void *produce(void *argument)
{
    struct producer *producer = argument;
    struct random stops = {.state = producer->id};
    while (!kit_load(producer->stop)) {
        bool emitted = kit_push(&producer->sections->kit.ring, producer->id, producer->emitted, &stops);
        producer->attempted++;
        producer->emitted += emitted;
        if (!emitted)
            give_way();
    }
    return NULL;
}

static void start_producers(struct producer producers[PRODUCERS], struct sections *sections, UINT64 *stop)
{
    for (unsigned int i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){.sections = sections, .id = i, .stop = stop};
        assert_int_equal(pthread_create(&producers[i].thread, NULL, produce, &producers[i]), 0);
    }
}

/* Ends the producers; then a reader of this process takes what is left, and everything must add up. */
static void assert_nothing_lost(struct producer producers[PRODUCERS], struct sections *sections, UINT64 *stop,
                                struct record_book *book)
{
    UINT64 attempted = 0, emitted = 0;
    __atomic_store_n(stop, 1, __ATOMIC_RELAXED);
    for (unsigned int i = 0; i < PRODUCERS; i++) {
        assert_int_equal(pthread_join(producers[i].thread, NULL), 0);
        attempted += producers[i].attempted;
        emitted += producers[i].emitted;
    }
    AVB_RING_READER reader = kit_reader(&sections->kit);
    while (read_some(&reader, book) > 0)
        ;
    assert_int_equal(book->wrong, 0);
    assert_int_equal(records_in(book), emitted);
    const char *wrong = kit_accounts(&sections->kit, attempted, emitted);
    if (!wrong)
        wrong = kit_takes_capacity(&sections->kit, &reader);
    if (wrong)
        fail_msg("%s", wrong);
    assert_int_equal(sections->kit.section1->bad_consumer_position, 0);
}

static struct record_book *make_book(void)
{
    void *book = mmap(NULL, sizeof(struct record_book), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(book, MAP_FAILED);
    return book;
}

/* ---- Tests ---- */

static void test_section_1_cannot_be_written(void **state)
{
    (void)state;
    struct sections sections;
    make_sections(&sections);
    int status = end_of(start(write_to_section_1, &sections, NULL));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    assert_int_equal(sections.kit.section1->head, 0);
    assert_ptr_equal(mmap(NULL, AVB_RING_PAGE, PROT_WRITE, MAP_SHARED, sections.readable, 0), MAP_FAILED);
    assert_int_equal(errno, EACCES);
    void *view = map(sections.readable, AVB_RING_PAGE, PROT_READ);
    assert_int_equal(mprotect(view, AVB_RING_PAGE, PROT_READ | PROT_WRITE), -1);
    munmap(view, AVB_RING_PAGE);
    char path[64]; /* opened anew for writing, as a handle can be duplicated with more rights */
    snprintf(path, sizeof path, "/proc/self/fd/%d", sections.readable);
    int again = open(path, O_RDWR | O_CLOEXEC);
    if (again >= 0) {
        assert_ptr_equal(mmap(NULL, AVB_RING_PAGE, PROT_WRITE, MAP_SHARED, again, 0), MAP_FAILED);
        close(again);
    }
    free_sections(&sections);
}

static void test_killed_reader_and_a_fresh_ring(void **state)
{
    (void)state;
    struct random random = {.state = 1};
    for (unsigned int kill = 0; kill < KILLS; kill++) {
        struct sections sections;
        struct producer producers[PRODUCERS];
        struct record_book *book = make_book();
        UINT64 stop = 0;
        make_sections(&sections);
        pid_t reader = start(read_for_ever, &sections, book);
        start_producers(producers, &sections, &stop);
        kill_at_any_moment(reader, &book->next[0], &random);
        assert_nothing_lost(producers, &sections, &stop, book);
        munmap(book, sizeof *book);
        free_sections(&sections);
    }
}

static void test_killed_readers_of_one_ring(void **state)
{
    (void)state;
    struct random random = {.state = 2};
    struct sections sections;
    struct producer producers[PRODUCERS];
    struct record_book *book = make_book();
    UINT64 stop = 0;
    make_sections(&sections);
    start_producers(producers, &sections, &stop);
    for (unsigned int kill = 0; kill < KILLS; kill++)
        kill_at_any_moment(start(read_for_ever, &sections, book), &book->next[0], &random);
    assert_nothing_lost(producers, &sections, &stop, book);
    munmap(book, sizeof *book);
    free_sections(&sections);
}

/* What a process can do to its own ring ends with it: the driver's side is well, and a fresh ring is a good one. */
static void test_killed_hostile_readers(void **state)
{
    (void)state;
    struct random random = {.state = 3};
    for (UINT64 kill = 0; kill < KILLS / 10; kill++) {
        struct sections sections;
        struct producer producers[PRODUCERS];
        UINT64 stop = 0, attempted = 0, emitted = 0;
        make_sections(&sections);
        pid_t hostile = start(write_noise_for_ever, &sections, &kill);
        start_producers(producers, &sections, &stop);
        kill_at_any_moment(hostile, &sections.kit.section1->head, &random);
        __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
        for (unsigned int i = 0; i < PRODUCERS; i++) {
            assert_int_equal(pthread_join(producers[i].thread, NULL), 0);
            attempted += producers[i].attempted;
            emitted += producers[i].emitted;
        }
        assert_null(kit_accounts(&sections.kit, attempted, emitted));
        struct record_book book = {.wrong = 0};
        AVB_RING_READER reader = kit_reader(&sections.kit);
        const PTP_TIMESTAMP_EVENT *first;
        for (UINT64 count; (count = AvbRingPeek(&reader, &first)) > 0; AvbRingRelease(&reader, count)) {
            for (UINT64 i = 0; i < count; i++)
                book.wrong += !kit_is_whole(&first[i]);
        }
        assert_int_equal(book.wrong, 0);
        assert_int_equal(reader.next, emitted);
        assert_null(kit_takes_capacity(&sections.kit, &reader));
        free_sections(&sections);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_section_1_cannot_be_written),
        cmocka_unit_test(test_killed_reader_and_a_fresh_ring),
        cmocka_unit_test(test_killed_readers_of_one_ring),
        cmocka_unit_test(test_killed_hostile_readers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
