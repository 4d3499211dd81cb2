/* SPDX-License-Identifier: MIT */
/*
 * A reader that writes whatever it likes into section 2, while producers push: no slot ever has two
 * writers, nothing is touched outside the sections (a sanitizer watches their ends), no producer waits,
 * every attempt is accounted for, and an honest reader can use the ring afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include "ring_kit.h"

#define PRODUCERS 4u
#define CAPACITY  64u
#define ATTEMPTS  (KIT_SLOW ? 25000u : 100000u) /* of each producer, where there is time */

struct scene {
    struct kit kit;
    UINT64 owner[CAPACITY]; /* who writes the slot: id + 1; 0 = nobody */
    UINT64 violations, running, hostile_until;
    UINT64 first_deadline, deadline; /* of the hostile reader, of the producers */
    unsigned int manner;
};

struct producer {
    struct scene *scene;
    pthread_t thread;
    UINT64 id, attempted, emitted;
};

static void check_owner(struct scene *scene, UINT64 slot, UINT64 becomes, UINT64 was)
{
    if (__atomic_exchange_n(&scene->owner[slot], becomes, __ATOMIC_RELAXED) != was)
        __atomic_fetch_add(&scene->violations, 1, __ATOMIC_RELAXED);
}

static bool push(struct scene *scene, struct producer *producer, struct random *stops)
{
    UINT64 ticket;
    PTP_TIMESTAMP_EVENT *slot = AvbRingReserve(&scene->kit.ring, &ticket);
    if (!slot)
        return false;
    UINT64 at = (UINT64)(slot - scene->kit.ring.events);
    if (at != ticket % CAPACITY) {
        __atomic_fetch_add(&scene->violations, 1, __ATOMIC_RELAXED);
        return true;
    }
    check_owner(scene, at, producer->id + 1, 0);
    kit_write(slot, producer->id, producer->emitted, stops);
    kit_stop(stops);
    check_owner(scene, at, 0, producer->id + 1);
    AvbRingPublish(slot, ticket);
    return true;
}

static void *produce(void *argument)
{
    struct producer *producer = argument;
    struct random stops = {.state = producer->id};
    while (producer->attempted < ATTEMPTS && !kit_is_over(producer->scene->deadline)) {
        producer->attempted++;
        bool emitted = push(producer->scene, producer, &stops);
        producer->emitted += emitted;
        if (!emitted)
            sched_yield(); /* the reader's turn: a ring that stays full shows nothing */
    }
    __atomic_fetch_sub(&producer->scene->running, 1, __ATOMIC_RELAXED);
    return NULL;
}

/* ---- The hostile reader ---- */

enum manner {
    AT_HEAD, /* gives everything back unread, and does not even wait for its publication */
    BACKWARD,
    FORWARD,
    HUGE_STEPS,
    ANYWHERE_NEAR,
    NOISE, /* in every word of the section */
    MANNERS
};

static UINT64 a_lie(const struct scene *scene, enum manner manner, struct random *random)
{
    UINT64 head = kit_load(&scene->kit.section1->head);
    switch (manner) {
    case AT_HEAD:
        return head;
    case BACKWARD:
        return kit_load(&scene->kit.section2->tail) - random_below(random, 3 * CAPACITY);
    case FORWARD:
        return head + random_below(random, 3 * CAPACITY);
    case HUGE_STEPS:
        return head + (random_below(random, 2) ? UINT64_C(1) << random_below(random, 64) : random_next(random));
    default:
        return head - 2 * CAPACITY + random_below(random, 4 * CAPACITY);
    }
}

static void write_noise(struct scene *scene, struct random *random)
{
    UINT64 *words = (UINT64 *)(void *)scene->kit.section2;
    for (size_t i = 0; i < AVB_RING_PAGE / sizeof *words; i++)
        __atomic_store_n(&words[i], random_next(random), __ATOMIC_RELAXED);
}

static void *be_hostile(void *argument)
{
    struct scene *scene = argument;
    struct random random = {.state = scene->manner};
    while (kit_load(&scene->kit.section1->head) < scene->hostile_until && kit_load(&scene->running) &&
           !kit_is_over(scene->first_deadline)) {
        enum manner manner =
            scene->manner == MANNERS ? (enum manner)random_below(&random, MANNERS) : (enum manner)scene->manner;
        /* Now and then what looks honest, or the ring would stay full. */
        if (random_chance(&random, 25))
            manner = AT_HEAD;
        if (manner == NOISE)
            write_noise(scene, &random);
        else
            __atomic_store_n(&scene->kit.section2->tail, a_lie(scene, manner, &random), __ATOMIC_RELAXED);
        if (random_chance(&random, 10))
            sched_yield();
    }
    return NULL;
}

/* ---- An honest one after it ---- */

/* While producers push: gives back what is published, without looking into it, until they have ended and all is taken.
 */
static void drain(struct scene *scene, AVB_RING_READER *reader)
{
    const PTP_TIMESTAMP_EVENT *first;
    bool last = false;
    for (;;) {
        UINT64 count = AvbRingPeek(reader, &first);
        if (count == 0 && last)
            return;
        last = count == 0 && kit_load(&scene->running) == 0;
        if (count)
            AvbRingRelease(reader, count);
        else if (AvbRingMaySleep(reader))
            sched_yield();
    }
}

static void play(unsigned int manner)
{
    struct scene scene = {.manner = manner, .running = PRODUCERS, .hostile_until = PRODUCERS * ATTEMPTS / 2};
    struct producer producers[PRODUCERS];
    UINT64 attempted = 0, emitted = 0;
    pthread_t hostile;
    kit_make(&scene.kit, CAPACITY, 0);
    scene.first_deadline = kit_deadline(1);
    scene.deadline = kit_deadline(2);
    for (unsigned int i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){.scene = &scene, .id = i};
        assert_int_equal(pthread_create(&producers[i].thread, NULL, produce, &producers[i]), 0);
    }
    assert_int_equal(pthread_create(&hostile, NULL, be_hostile, &scene), 0);
    assert_int_equal(pthread_join(hostile, NULL), 0);
    AVB_RING_READER reader = kit_reader(&scene.kit);
    drain(&scene, &reader);
    for (unsigned int i = 0; i < PRODUCERS; i++) {
        assert_int_equal(pthread_join(producers[i].thread, NULL), 0);
        attempted += producers[i].attempted;
        emitted += producers[i].emitted;
    }
    assert_int_equal(scene.violations, 0);
    const char *wrong = kit_accounts(&scene.kit, attempted, emitted);
    if (!wrong && reader.next != emitted)
        wrong = "the honest reader did not get to the end";
    if (!wrong)
        wrong = kit_takes_capacity(&scene.kit, &reader);
    if (wrong)
        fail_msg("manner %u: %s", manner, wrong);
    kit_free(&scene.kit);
}

static void test_each_manner(void **state)
{
    (void)state;
    for (unsigned int manner = 0; manner < MANNERS; manner++)
        play(manner);
}

static void test_all_manners_at_once(void **state)
{
    (void)state;
    play(MANNERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_manner),
        cmocka_unit_test(test_all_manners_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
