# SPDX-License-Identifier: MIT
"""Mutants of core/ring.c: in each one rule of the ring is broken, or one order made relaxed. The tests must catch every
one of them, and pass the ring as it is, or they show nothing.

A mutant is the source with one place replaced, built into one of the test programs with a pause before each access to a
shared word (pausing_atomic.h)."""
import os
import pathlib
import platform
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "ring"
COMPILER = os.environ.get("RING_COMPILER", "clang")
RUNS = 20  # of one mutant at most: threads meet as they please

# name: program, place, what stands there instead. Built with ThreadSanitizer, which must report a race.
ORDERS = {
    "publication relaxed": ("stress", "avb_store_release(&slot->sequence", "avb_store_relaxed(&slot->sequence"),
    "reader's look relaxed": ("stress", "avb_load_acquire(&event[count].sequence)",
                              "avb_load_relaxed(&event[count].sequence)"),
    "tail's store relaxed": ("stress", "avb_store_release(&reader->consumer->tail, reader->next)",
                             "avb_store_relaxed(&reader->consumer->tail, reader->next)"),
    "tail's load relaxed": ("stress", "tail = avb_load_acquire(&ring->consumer->tail)",
                            "tail = avb_load_relaxed(&ring->consumer->tail)"),
    "limit's load relaxed at the first attempt": ("stress", "t - avb_load_acquire(&ring->header->limit)",
                                                  "t - avb_load_relaxed(&ring->header->limit)"),
    "limit's load relaxed at further attempts": ("stress", "t - avb_load_acquire(&header->limit)",
                                                 "t - avb_load_relaxed(&header->limit)"),
    "limit moved relaxed": ("stress", "avb_replace_acquire_release(&header->limit", "avb_replace_relaxed(&header->limit"),
    "walk's look relaxed": ("hostile", "return avb_load_acquire(&slot_of(", "return avb_load_relaxed(&slot_of("),
}
# Built without: the program's own checks must see it.
FULL = ("t - avb_load_acquire(&header->limit) >= ring->capacity && t - move_limit(ring, t) >= ring->capacity",
        "t - avb_load_acquire(&header->limit) {0} && t - move_limit(ring, t) {0}")
RULES = {
    "limit moved by a plain store": (
        "stress", "avb_replace_acquire_release(&header->limit, &limit, moved)",
        "(avb_store_release(&header->limit, moved), 1)"),
    "no walk: the reader is believed": ("hostile", "&& is_published(ring, moved)", ""),
    "limit moved beyond an unpublished record": (
        "hostile", "is_published(ring, moved))\n        moved++;",
        "is_published(ring, moved))\n        moved++;\n    moved += moved != tail;"),
    "one record more than fits, at the first attempt": ("stress", ">= ring->capacity || !take", "> ring->capacity || !take"),
    "one record more than fits, at further attempts": ("stress", FULL[0], FULL[1].format("> ring->capacity")),
    "one record less than fits": ("unit", FULL[0], FULL[1].format(">= ring->capacity - 1")),
    "an old ticket counts as full": ("stress", "if (now == t) {", "if (1) {"),
    "no check after the first failed exchange": ("stress", "|| !take(ring, &t)", "|| !(take(ring, &t) || take(ring, &t))"),
    "no check after further failed exchanges": ("stress", "if (take(ring, &t))", "if (take(ring, &t) || take(ring, &t))"),
    "reserved by a plain store": (
        "stress", "avb_replace_relaxed(&ring->header->head, t, *t + 1)",
        "(avb_store_relaxed(&ring->header->head, *t + 1), 1)"),
    "a position is judged by an old head": ("stress", "head = avb_load_relaxed(&header->head);", "head = t;"),
    "published before it is written": (
        "stress", "    __builtin_memcpy(",
        "    AvbRingPublish(reservation.slot, reservation.ticket);\n    __builtin_memcpy("),
    "the reader passes over what is not published": (
        "stress", "return count;", "return count + (count == 0 && reader->header->head > reader->next);"),
    "drops are not counted": ("stress", "avb_add_relaxed(dropped, 1);", ""),
    "no new reader finds its place": ("unit", "    find_position(reader);\n    return 1;", "    return 1;"),
    "no overtaken reader finds its place": ("unit", "    find_position(reader);\n    avb_store", "    avb_store"),
    "an impossible position is not counted": ("unit", "avb_add_relaxed(&header->bad_consumer_position, 1);", ""),
}


def mutate(place, instead):
    source = (ROOT / "core" / "ring.c").read_text(encoding="utf-8")
    assert source.count(place) == 1, f"core/ring.c has changed: {place!r} is there {source.count(place)} times"
    return source.replace(place, instead)


class Programs:
    """The test programs, with one ring or another in them."""
    SOURCES = {"unit": "test_ring.c", "stress": "test_ring_stress.c", "hostile": "test_ring_hostile.c"}
    FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-O2", "-g", "-w", "-pthread", f"-I{ROOT / 'include'}", f"-I{ROOT / 'tests'}",
             f"-I{ROOT / 'core'}"]

    def __init__(self, folder):
        self.folder = folder

    def compile(self, source, flags, *more):
        target = self.folder / ("-".join([source.stem, *(flag.strip("-") for flag in flags)]) + ".o")
        if not target.exists():
            subprocess.run([COMPILER, *self.FLAGS, *flags, *more, "-c", source, "-o", target], check=True)
        return target

    def build(self, text, program, sanitized):
        flags = ["-fsanitize=thread"] if sanitized else []
        ring = self.folder / f"ring{len(list(self.folder.iterdir()))}.c"
        ring.write_text(text, encoding="utf-8")
        objects = [self.compile(ring, flags, "-include", HERE / "pausing_atomic.h"),
                   self.compile(HERE / "ring_kit.c", flags), self.compile(HERE / self.SOURCES[program], flags)]
        binary = ring.with_suffix(".program")
        subprocess.run([COMPILER, *self.FLAGS, *flags, *objects, "-lcmocka", "-o", binary], check=True)
        return binary


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    return Programs(tmp_path_factory.mktemp("mutants"))


def run(binary):
    """What the program says; "" where its tests pass."""
    command = [str(binary)]
    if shutil.which("setarch") and subprocess.run(["setarch", "-R", "true"], capture_output=True).returncode == 0:
        command = ["setarch", platform.machine(), "-R", *command]  # ThreadSanitizer's memory must not be in use
    result = subprocess.run(command, capture_output=True, text=True, timeout=200,
                            env={**os.environ, "TSAN_OPTIONS": "halt_on_error=1 exitcode=66"})
    return "" if result.returncode == 0 else result.stdout + result.stderr + f"\nexit code {result.returncode}"


def assert_caught(programs, program, place, instead, sanitized, sign):
    binary = programs.build(mutate(place, instead), program, sanitized)
    for number in range(1, RUNS + 1):
        said = run(binary)
        if said:
            assert sign in said
            print(f"caught in run {number}: " + next(line for line in said.splitlines() if sign in line))
            return
    pytest.fail(f"{RUNS} runs found nothing")


@pytest.mark.parametrize("sanitized", [True, False])
@pytest.mark.parametrize("program", Programs.SOURCES)
def test_the_ring_as_it_is_passes(programs, program, sanitized):
    text = (ROOT / "core" / "ring.c").read_text(encoding="utf-8")
    assert run(programs.build(text, program, sanitized)) == ""


@pytest.mark.parametrize("name", ORDERS)
def test_relaxed_order_is_caught(programs, name):
    assert_caught(programs, *ORDERS[name], sanitized=True, sign="ThreadSanitizer: data race")


@pytest.mark.parametrize("name", RULES)
def test_broken_rule_is_caught(programs, name):
    assert_caught(programs, *RULES[name], sanitized=False, sign="[  FAILED  ]")
