/* SPDX-License-Identifier: MIT */
/*
 * core/ring.c for spin: every interleaving of single accesses to shared words, for a small ring. What
 * one step does is one access; memory is sequentially consistent here (orders are test_mutants.py's).
 *
 * HONEST     a reader as it should be: nothing torn, lost, repeated or out of order; a record is only
 *            refused where the ring was full; no position is counted as bad
 * otherwise  one that writes LIES arbitrary positions, then an honest one
 *
 * In both: no two producers in a slot, the limit only grows, emitted + refused = attempted, and in the
 * end a drained ring takes exactly CAPACITY more. Each MUTANT_... breaks one rule: spin must find it.
 */
#ifndef CAPACITY
#define CAPACITY 2
#endif
#ifndef PRODUCERS
#define PRODUCERS 2
#endif
#ifndef PUSHES
#define PUSHES 2
#endif
#ifndef STEPS
#define STEPS CAPACITY
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 2
#endif
#ifndef LIES
#define LIES 2
#endif

#define TICKETS (PRODUCERS * PUSHES + CAPACITY) /* that there can be */
#define FAR     200                             /* a position far beyond */

#ifdef MUTANT_ONE_TOO_MANY
#define LOOKS_FULL(t, l) ((t) < (l) || (t) - (l) > CAPACITY)
#else
#define LOOKS_FULL(t, l) ((t) < (l) || (t) - (l) >= CAPACITY) /* unsigned: an old ticket looks full too */
#endif

byte head, limit, tail;      /* shared words of the ring */
byte sequence[CAPACITY];     /* ticket + 1 */
byte record[CAPACITY];       /* what a producer writes: its ticket + 1 */
bool bad;                    /* bad_consumer_position is not 0 */
byte emitted, refused;       /* as producers are told */
byte running = PRODUCERS;

byte writers[CAPACITY];      /* not in the ring: who is in a slot */
bool lying;                  /* the reader has not been replaced by an honest one */

/* Moves the limit; the result is in `l`. `no_room`: was there no room when the reader's position was read? */
inline move_limit(t, l, moved, position, seen_head, no_room)
{
    d_step {
        l = limit;
        moved = l;
    }
    d_step {
        position = tail;
        no_room = head - tail >= CAPACITY;
    }
    d_step {
#ifdef MUTANT_OLD_HEAD
        seen_head = t;
#else
        seen_head = head;
#endif
        if
        :: position < l || position > seen_head ->
            bad = true;
            position = l
        :: else
        fi
    }
#ifdef TAIL_TWICE
    position = tail; /* judged before, and read again: not a mutant, for the walk guards what matters */
#endif
#ifdef MUTANT_NO_WALK
    moved = position;
#else
    do
    :: moved != position && moved - l < STEPS ->
        if
        :: d_step { sequence[moved % CAPACITY] == moved + 1 -> moved++ }
        :: sequence[moved % CAPACITY] != moved + 1 -> break
        fi
    :: else -> break
    od;
#ifdef MUTANT_BEYOND_UNPUBLISHED
    moved = (moved != position && moved < position -> moved + 1 : moved);
#endif
#endif
    if
    :: moved == l
    :: else ->
#ifdef MUTANT_PLAIN_LIMIT
        d_step {
            limit = moved;
            l = moved
        }
#else
        d_step {
            if
            :: limit == l ->
                assert(moved > l);
                limit = moved;
                l = moved
            :: else -> l = limit
            fi
        }
#endif
    fi
}

/* One push. `done`: 0 refused, 1 emitted. */
inline push(t, l, attempt, moved, position, seen_head, no_room, done)
{
    done = 0;
    attempt = 0;
    t = head;
    do
    :: attempt == ATTEMPTS -> refused++; break /* contention */
    :: else ->
        attempt++;
        l = limit;
        if
        :: LOOKS_FULL(t, l) -> move_limit(t, l, moved, position, seen_head, no_room)
        :: else
        fi;
        if
        :: LOOKS_FULL(t, l) ->
            d_step {
                if
#ifdef MUTANT_OLD_TICKET_IS_FULL
                :: true ->
#else
                :: head == t ->
#endif
                    assert(lying || no_room);
                    refused++;
                    attempt = ATTEMPTS + 1
                :: else -> t = head
                fi
            };
            if
            :: attempt > ATTEMPTS -> break
            :: else
            fi
        :: else ->
#ifdef MUTANT_NO_CHECK_AFTER_FAILURE
            d_step {
                t = head;
                head++;
                done = 1;
                assert(writers[t % CAPACITY] == 0);
                writers[t % CAPACITY] = 1
            };
#elif defined(MUTANT_PLAIN_HEAD)
            if
            :: head == t ->
                d_step {
                    head = t + 1;
                    done = 1;
                    assert(writers[t % CAPACITY] == 0);
                    writers[t % CAPACITY] = 1
                }
            :: else -> t = head
            fi;
#else
            d_step {
                if
                :: head == t ->
                    head = t + 1;
                    done = 1;
                    assert(writers[t % CAPACITY] == 0);
                    writers[t % CAPACITY] = 1
                :: else -> t = head
                fi
            };
#endif
            if
            :: done -> break
            :: else
            fi
        fi
    od;
    if
    :: done ->
#ifdef MUTANT_PUBLISHED_FIRST
        sequence[t % CAPACITY] = t + 1;
#endif
        record[t % CAPACITY] = t + 1;
        d_step {
            writers[t % CAPACITY] = 0;
            sequence[t % CAPACITY] = t + 1;
            emitted++
        }
    :: else
    fi
}

proctype producer()
{
    byte t, l, attempt, moved, position, seen_head, pushes;
    bool no_room, done;
    do
    :: pushes == PUSHES -> break
    :: else ->
        push(t, l, attempt, moved, position, seen_head, no_room, done);
        pushes++
    od;
    skip;
    d_step {
        t = 0; l = 0; attempt = 0; moved = 0; position = 0; seen_head = 0; no_room = 0; done = 0;
        running--
    }
}

#define PUBLISHED(q) (sequence[(q) % CAPACITY] == (q) + 1)

/* Takes records until the producers have ended and nothing is left; gives back one or several at once. */
inline read_all(q)
{
    do
#ifdef MUTANT_READER_PASSES_OVER
    :: !PUBLISHED(q) && head > q -> q++
#endif
#ifdef MUTANT_GIVEN_BACK_FIRST
    :: PUBLISHED(q) -> tail = q + 1; assert(record[q % CAPACITY] == q + 1); q++
#else
    :: PUBLISHED(q) -> assert(record[q % CAPACITY] == q + 1); q++
#endif
    :: tail < q -> tail = q
    :: running == 0 && !PUBLISHED(q) && tail == q -> break
    od
}

proctype reader(byte q)
{
    read_all(q)
}

proctype liar()
{
    byte lies, where;
    do
    :: lies == LIES -> break
    :: else ->
        if
        :: tail = head
        :: tail = FAR
        :: select(where : 0 .. TICKETS + 1); tail = where
        fi;
        lies++
    od;
    skip;
    d_step {
        lies = 0; where = 0
    }
}

init {
    byte t, l, attempt, moved, position, seen_head, i;
    bool no_room, done;
#ifdef HONEST
    atomic {
        for (i : 1 .. PRODUCERS) {
            run producer()
        }
        run reader(0)
    }
    _nr_pr == 1;
    assert(!bad)
#else
    lying = true;
    atomic {
        for (i : 1 .. PRODUCERS) {
            run producer()
        }
        run liar()
    }
    _nr_pr == 1;
    lying = false;
    t = tail;
    if /* find_position() */
    :: t < limit || t > head -> t = limit
    :: else
    fi;
    tail = t;
    read_all(t)
#endif
    assert(head == emitted && tail == head && emitted + refused == PRODUCERS * PUSHES);
    for (i : 1 .. CAPACITY) {
        push(t, l, attempt, moved, position, seen_head, no_room, done);
        assert(done)
    }
    push(t, l, attempt, moved, position, seen_head, no_room, done);
    assert(!done);
    t = tail;
    read_all(t);
    assert(tail == head)
}
