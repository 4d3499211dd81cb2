/* SPDX-License-Identifier: MIT */
#include "nic_clock.h"

#define INTEL    0x8086u
#define ALL_ONES 0xFFFFFFFFu

/* Offsets in BAR 0. I210 datasheet 8.15; the others at the same places. */
#define REGISTER_CTRL       0x00000u
#define REGISTER_CTRL_EXT   0x00018u
#define REGISTER_TSSDP      0x0003Cu
#define REGISTER_SYSTIML    0x0B600u
#define REGISTER_SYSTIMH    0x0B604u
#define REGISTER_TIMINCA    0x0B608u
#define REGISTER_TSYNCRXCTL 0x0B620u
#define REGISTER_RXSTMPL    0x0B624u
#define REGISTER_RXSTMPH    0x0B628u
#define REGISTER_RXSATRL    0x0B62Cu
#define REGISTER_RXSATRH    0x0B630u
#define REGISTER_SYSTIMR    0x0B6F8u

#define TSYNCRXCTL_VALID   0x01u
#define TSYNCRXCTL_TYPE(v) ((v) >> 1 & 7u)
#define TSYNCRXCTL_ENABLED 0x10u
#define TSYNCRXCTL_SYSCFI  0x20u /* I217..I219 */

#define SECOND 1000000000u

/* How far two clocks may drift apart, as a divisor of the time that passed. */
#define DRIFT 2000u /* 500 ppm: two crystals and a servo */
/* The same before a reading is called a step; 0.25 %, for one of e1000e's units is 0.16 % off by design. */
#define STEP_DRIFT    400u
#define STEP_NS       1000000u
#define READ_ATTEMPTS 8

/* ---- Parts ---- */

/* Linux: igb/e1000_hw.h, igc/igc_hw.h, e1000e/hw.h; which oscillator: e1000e_get_base_timinca(). */
static const struct avb_nic_part parts[] = {
    {0x10C9, AVB_NIC_82576, AVB_OSCILLATOR_NONE, "82576"},
    {0x10E6, AVB_NIC_82576, AVB_OSCILLATOR_NONE, "82576"},
    {0x10E7, AVB_NIC_82576, AVB_OSCILLATOR_NONE, "82576"},
    {0x10E8, AVB_NIC_82576, AVB_OSCILLATOR_NONE, "82576"},
    {0x150A, AVB_NIC_82576, AVB_OSCILLATOR_NONE, "82576"},
    {0x150D, AVB_NIC_82576, AVB_OSCILLATOR_NONE, "82576"},
    {0x1518, AVB_NIC_82576, AVB_OSCILLATOR_NONE, "82576"},
    {0x1526, AVB_NIC_82576, AVB_OSCILLATOR_NONE, "82576"},

    {0x150E, AVB_NIC_82580, AVB_OSCILLATOR_NONE, "82580"},
    {0x150F, AVB_NIC_82580, AVB_OSCILLATOR_NONE, "82580"},
    {0x1510, AVB_NIC_82580, AVB_OSCILLATOR_NONE, "82580"},
    {0x1511, AVB_NIC_82580, AVB_OSCILLATOR_NONE, "82580"},
    {0x1516, AVB_NIC_82580, AVB_OSCILLATOR_NONE, "82580"},
    {0x1527, AVB_NIC_82580, AVB_OSCILLATOR_NONE, "82580"},
    {0x0438, AVB_NIC_82580, AVB_OSCILLATOR_NONE, "DH89xxCC"},
    {0x043A, AVB_NIC_82580, AVB_OSCILLATOR_NONE, "DH89xxCC"},
    {0x043C, AVB_NIC_82580, AVB_OSCILLATOR_NONE, "DH89xxCC"},
    {0x0440, AVB_NIC_82580, AVB_OSCILLATOR_NONE, "DH89xxCC"},
    {0x1521, AVB_NIC_82580, AVB_OSCILLATOR_NONE, "I350"},
    {0x1522, AVB_NIC_82580, AVB_OSCILLATOR_NONE, "I350"},
    {0x1523, AVB_NIC_82580, AVB_OSCILLATOR_NONE, "I350"},
    {0x1524, AVB_NIC_82580, AVB_OSCILLATOR_NONE, "I350"},
    {0x1546, AVB_NIC_82580, AVB_OSCILLATOR_NONE, "I350"},
    {0x1F40, AVB_NIC_82580, AVB_OSCILLATOR_NONE, "I354"},
    {0x1F41, AVB_NIC_82580, AVB_OSCILLATOR_NONE, "I354"},
    {0x1F45, AVB_NIC_82580, AVB_OSCILLATOR_NONE, "I354"},

    {0x1533, AVB_NIC_I210, AVB_OSCILLATOR_NONE, "I210"},
    {0x1534, AVB_NIC_I210, AVB_OSCILLATOR_NONE, "I210"},
    {0x1535, AVB_NIC_I210, AVB_OSCILLATOR_NONE, "I210"},
    {0x1536, AVB_NIC_I210, AVB_OSCILLATOR_NONE, "I210"},
    {0x1537, AVB_NIC_I210, AVB_OSCILLATOR_NONE, "I210"},
    {0x1538, AVB_NIC_I210, AVB_OSCILLATOR_NONE, "I210"},
    {0x157B, AVB_NIC_I210, AVB_OSCILLATOR_NONE, "I210"},
    {0x157C, AVB_NIC_I210, AVB_OSCILLATOR_NONE, "I210"},
    {0x15F6, AVB_NIC_I210, AVB_OSCILLATOR_NONE, "I210"},
    {0x1539, AVB_NIC_I210, AVB_OSCILLATOR_NONE, "I211"},

    {0x0D9F, AVB_NIC_I225, AVB_OSCILLATOR_NONE, "I225"},
    {0x15F2, AVB_NIC_I225, AVB_OSCILLATOR_NONE, "I225"},
    {0x15F3, AVB_NIC_I225, AVB_OSCILLATOR_NONE, "I225"},
    {0x15F8, AVB_NIC_I225, AVB_OSCILLATOR_NONE, "I225"},
    {0x3100, AVB_NIC_I225, AVB_OSCILLATOR_NONE, "I225"},
    {0x3101, AVB_NIC_I225, AVB_OSCILLATOR_NONE, "I225"},
    {0x5502, AVB_NIC_I225, AVB_OSCILLATOR_NONE, "I225"},
    {0x15F7, AVB_NIC_I225, AVB_OSCILLATOR_NONE, "I220"},
    {0x125E, AVB_NIC_I225, AVB_OSCILLATOR_NONE, "I221"},
    {0x125B, AVB_NIC_I225, AVB_OSCILLATOR_NONE, "I226"},
    {0x125C, AVB_NIC_I225, AVB_OSCILLATOR_NONE, "I226"},
    {0x125D, AVB_NIC_I225, AVB_OSCILLATOR_NONE, "I226"},
    {0x3102, AVB_NIC_I225, AVB_OSCILLATOR_NONE, "I226"},
    {0x5503, AVB_NIC_I225, AVB_OSCILLATOR_NONE, "I226"},

    {0x153A, AVB_NIC_I217, AVB_OSCILLATOR_25000_OR_96000, "I217"},
    {0x153B, AVB_NIC_I217, AVB_OSCILLATOR_25000_OR_96000, "I217"},
    {0x1559, AVB_NIC_I217, AVB_OSCILLATOR_25000_OR_96000, "I218"},
    {0x155A, AVB_NIC_I217, AVB_OSCILLATOR_25000_OR_96000, "I218"},
    {0x15A0, AVB_NIC_I217, AVB_OSCILLATOR_25000_OR_96000, "I218"},
    {0x15A1, AVB_NIC_I217, AVB_OSCILLATOR_25000_OR_96000, "I218"},
    {0x15A2, AVB_NIC_I217, AVB_OSCILLATOR_25000_OR_96000, "I218"},
    {0x15A3, AVB_NIC_I217, AVB_OSCILLATOR_25000_OR_96000, "I218"},

    {0x156F, AVB_NIC_I217, AVB_OSCILLATOR_24000, "I219"}, /* Sunrise Point, Lewisburg */
    {0x1570, AVB_NIC_I217, AVB_OSCILLATOR_24000, "I219"},
    {0x15B7, AVB_NIC_I217, AVB_OSCILLATOR_24000, "I219"},
    {0x15B8, AVB_NIC_I217, AVB_OSCILLATOR_24000, "I219"},
    {0x15B9, AVB_NIC_I217, AVB_OSCILLATOR_24000, "I219"},
    {0x15D6, AVB_NIC_I217, AVB_OSCILLATOR_24000, "I219"},
    {0x15D7, AVB_NIC_I217, AVB_OSCILLATOR_24000, "I219"},
    {0x15D8, AVB_NIC_I217, AVB_OSCILLATOR_24000, "I219"},
    {0x15E3, AVB_NIC_I217, AVB_OSCILLATOR_24000, "I219"},
    {0x0D53, AVB_NIC_I217, AVB_OSCILLATOR_24000, "I219"}, /* Comet Lake V */
    {0x0D55, AVB_NIC_I217, AVB_OSCILLATOR_24000, "I219"},

    {0x15BB, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"}, /* Cannon Point to Raptor Lake */
    {0x15BC, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x15BD, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x15BE, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x15DF, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x15E0, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x15E1, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x15E2, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x0D4C, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x0D4D, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x0D4E, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x0D4F, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x15F4, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x15F5, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x15F9, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x15FA, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x15FB, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x15FC, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x0DC5, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x0DC6, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x0DC7, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x0DC8, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x1A1C, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x1A1D, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x1A1E, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x1A1F, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x550C, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},
    {0x550D, AVB_NIC_I217, AVB_OSCILLATOR_38400_OR_24000, "I219"},

    {0x550A, AVB_NIC_I217, AVB_OSCILLATOR_38400, "I219"}, /* Meteor Lake and later */
    {0x550B, AVB_NIC_I217, AVB_OSCILLATOR_38400, "I219"},
    {0x550E, AVB_NIC_I217, AVB_OSCILLATOR_38400, "I219"},
    {0x550F, AVB_NIC_I217, AVB_OSCILLATOR_38400, "I219"},
    {0x5510, AVB_NIC_I217, AVB_OSCILLATOR_38400, "I219"},
    {0x5511, AVB_NIC_I217, AVB_OSCILLATOR_38400, "I219"},
    {0x57A0, AVB_NIC_I217, AVB_OSCILLATOR_38400, "I219"},
    {0x57A1, AVB_NIC_I217, AVB_OSCILLATOR_38400, "I219"},
    {0x57B3, AVB_NIC_I217, AVB_OSCILLATOR_38400, "I219"},
    {0x57B4, AVB_NIC_I217, AVB_OSCILLATOR_38400, "I219"},
    {0x57B7, AVB_NIC_I217, AVB_OSCILLATOR_38400, "I219"},
    {0x57B8, AVB_NIC_I217, AVB_OSCILLATOR_38400, "I219"},
};

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

const struct avb_nic_part *avb_nic_part_at(UINT32 index)
{
    return index < COUNT_OF(parts) ? &parts[index] : 0;
}

const struct avb_nic_part *avb_nic_part_find(UINT16 vendor_id, UINT16 device_id)
{
    if (vendor_id != INTEL)
        return 0;
    for (UINT32 i = 0; i < COUNT_OF(parts); i++) {
        if (parts[i].device_id == device_id)
            return &parts[i];
    }
    return 0;
}

/*
 * RXSATR: its layout is known of 82576; 82580 and I350 are said to have it too. The datasheet of I210
 * does not list it, though drivers define it for all: a part that has it not reads 0 there, and each of
 * its stamps is refused as AVB_STAMP_NO_IDENTITY.
 */
#define TX_REFUSAL "the registers do not say of which sent frame a stamp is: it cannot be attributed"

static const struct avb_nic_abilities abilities[AVB_NIC_FAMILIES] = {
    [AVB_NIC_UNKNOWN] =
        {
            .name = "unknown",
            .rx_refusal = "the timestamp registers of this part are not known",
            .tx_refusal = "the timestamp registers of this part are not known",
        },
    [AVB_NIC_82576] =
        {
            .name = "82576",
            .clock = 1,
            .rx_latch = 1,
            .rx_identity = 1,
            .tx_latches = 1,
            .pins = 4,
            .tx_refusal = TX_REFUSAL,
        },
    [AVB_NIC_82580] =
        {
            .name = "82580/I350/I354",
            .clock = 1,
            .rx_latch = 1,
            .rx_identity = 1,
            .tx_latches = 1,
            .pins = 4,
            .tx_refusal = TX_REFUSAL,
        },
    [AVB_NIC_I210] =
        {
            .name = "I210/I211",
            .clock = 1,
            .rx_latch = 1,
            .rx_identity = 1,
            .tx_latches = 1,
            .pins = 4,
            .tx_refusal = TX_REFUSAL,
        },
    [AVB_NIC_I225] =
        {
            .name = "I225/I226",
            .clock = 1,
            .rx_latch = 1,
            .tx_latches = 4,
            .rx_refusal = "received frames carry their stamps in a prefix that only the miniport sees, and no register "
                          "says of which frame one is: it cannot be attributed",
            .tx_refusal = TX_REFUSAL,
        },
    [AVB_NIC_I217] =
        {
            .name = "I217/I218/I219",
            .clock = 1,
            .rx_latch = 1,
            .tx_latches = 1,
            .rx_refusal = "the registers do not say of which received frame a stamp is: it cannot be attributed",
            .tx_refusal = TX_REFUSAL,
        },
};

const struct avb_nic_abilities *avb_nic_family_abilities(enum avb_nic_family family)
{
    return &abilities[(UINT32)family < AVB_NIC_FAMILIES ? family : AVB_NIC_UNKNOWN];
}

/* ---- Names ---- */

#define NAME_OF(table, index) ((UINT32)(index) < COUNT_OF(table) ? (table)[index] : "unknown")

const char *avb_stamp_result_name(enum avb_stamp_result result)
{
    static const char *const names[AVB_STAMP_RESULTS] = {
        [AVB_STAMP_GIVEN] = "given",
        [AVB_STAMP_NOT_VALID] = "not_valid",
        [AVB_STAMP_PART_CANNOT] = "part_cannot",
        [AVB_STAMP_DEVICE_GONE] = "device_gone",
        [AVB_STAMP_NOT_ENABLED] = "not_enabled",
        [AVB_STAMP_NOT_LATCHED] = "not_latched",
        [AVB_STAMP_CLOCK_UNKNOWN] = "clock_unknown",
        [AVB_STAMP_DISTURBED] = "disturbed",
        [AVB_STAMP_NO_IDENTITY] = "no_identity",
        [AVB_STAMP_NOT_A_TIME] = "not_a_time",
        [AVB_STAMP_TOO_OLD] = "too_old",
        [AVB_STAMP_IN_FUTURE] = "in_future",
        [AVB_STAMP_NONE_MATCHES] = "none_matches",
        [AVB_STAMP_TWO_MATCH] = "two_match",
    };
    return NAME_OF(names, result);
}

const char *avb_nic_clock_result_name(enum avb_nic_clock_result result)
{
    static const char *const names[AVB_NIC_CLOCK_RESULTS] = {
        [AVB_NIC_CLOCK_READ] = "read",
        [AVB_NIC_CLOCK_PART_CANNOT] = "part_cannot",
        [AVB_NIC_CLOCK_DEVICE_GONE] = "device_gone",
        [AVB_NIC_CLOCK_STOPPED] = "stopped",
        [AVB_NIC_CLOCK_NO_UNIT] = "no_unit",
        [AVB_NIC_CLOCK_UNSTEADY] = "unsteady",
        [AVB_NIC_CLOCK_NOT_A_TIME] = "not_a_time",
        [AVB_NIC_CLOCK_LOST] = "lost",
        [AVB_NIC_CLOCK_RECONFIGURED] = "reconfigured",
    };
    return NAME_OF(names, result);
}

const char *avb_sdp_result_name(enum avb_sdp_result result)
{
    static const char *const names[AVB_SDP_RESULTS] = {
        [AVB_SDP_OPEN] = "open",     [AVB_SDP_PART_CANNOT] = "part_cannot", [AVB_SDP_NO_PIN] = "no_pin",
        [AVB_SDP_IN_USE] = "in_use", [AVB_SDP_DEVICE_GONE] = "device_gone", [AVB_SDP_RESETTING] = "resetting",
    };
    return NAME_OF(names, result);
}

/* ---- Units ---- */

static UINT32 read_register(const struct avb_nic_registers *registers, UINT32 offset)
{
    return registers->read32(registers->context, offset);
}

static int has_seconds(enum avb_nic_family family)
{
    return family == AVB_NIC_I210 || family == AVB_NIC_I225;
}

/* The length of a count depends on what the miniport wrote into TIMINCA. */
static int is_scaled(enum avb_nic_family family)
{
    return family == AVB_NIC_82576 || family == AVB_NIC_I217;
}

static UINT32 oscillator_khz(enum avb_nic_oscillator oscillator, UINT32 tsyncrxctl)
{
    int fast = (tsyncrxctl & TSYNCRXCTL_SYSCFI) != 0;
    switch (oscillator) {
    case AVB_OSCILLATOR_25000_OR_96000:
        return fast ? 96000 : 25000;
    case AVB_OSCILLATOR_24000:
        return 24000;
    case AVB_OSCILLATOR_38400_OR_24000:
        return fast ? 24000 : 38400;
    case AVB_OSCILLATOR_38400:
        return 38400;
    default:
        return 62500; /* 82576: periods of 16 ns */
    }
}

static UINT64 common_divisor(UINT64 a, UINT64 b)
{
    while (b != 0) {
        UINT64 rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* No product here exceeds 64 bits: a reduced fraction of TIMINCA and an oscillator has less than 18 and 29 bits. */
static UINT64 to_ns(const struct avb_nic_unit *unit, UINT64 counts)
{
    return counts / unit->denominator * unit->numerator +
           counts % unit->denominator * unit->numerator / unit->denominator;
}

/*
 * Every `period` clocks of the oscillator the counter gains `increment`. Drivers choose these so that a
 * count is a power of 2 of a ns, and a servo moves the increment a little away from that to move the
 * clock's rate: within 0.2 % the power of 2 is meant. An increment that is near none is taken as it is.
 */
static int unit_of_increment(UINT32 timinca, UINT32 khz, struct avb_nic_unit *unit)
{
    UINT64 period = timinca >> 24, increment = timinca & 0xFFFFFFu;
    UINT64 numerator = period * 1000000u, denominator = increment * khz;
    if (period == 0 || increment == 0 || denominator < numerator)
        return 0;
    for (UINT32 shift = 0; shift < 32; shift++) {
        UINT64 nominal = numerator << shift;
        UINT64 away = nominal > denominator ? nominal - denominator : denominator - nominal;
        if (away > nominal / 500)
            continue;
        numerator = 1;
        denominator = 1ull << shift;
        break;
    }
    UINT64 divisor = common_divisor(denominator, numerator);
    unit->numerator = numerator / divisor;
    unit->denominator = denominator / divisor;
    unit->lap_ns = to_ns(unit, ~0ull) + 1;
    return 1;
}

/* Elsewhere TIMINCA holds but the servo's correction. */
static UINT32 read_increment(const struct avb_nic_registers *registers, const struct avb_nic_part *part)
{
    return is_scaled(part->family) ? read_register(registers, REGISTER_TIMINCA) : 0;
}

/* 0: TIMINCA gives none. */
static int read_unit(const struct avb_nic_registers *registers, const struct avb_nic_part *part,
                     struct avb_nic_unit *unit)
{
    unit->timinca = read_increment(registers, part);
    if (is_scaled(part->family)) {
        UINT32 tsyncrxctl = read_register(registers, REGISTER_TSYNCRXCTL);
        return unit_of_increment(unit->timinca, oscillator_khz(part->oscillator, tsyncrxctl), unit);
    }
    unit->numerator = 1;
    unit->denominator = 1;
    unit->lap_ns = part->family == AVB_NIC_82580 ? 1ull << 40 : 0;
    return 1;
}

/* Whether the counter counts the same as then, but for what a servo does. */
static int is_same_unit(UINT32 then, UINT32 now)
{
    UINT32 was = then & 0xFFFFFFu, is = now & 0xFFFFFFu;
    return then >> 24 == now >> 24 && (was > is ? was - is : is - was) <= was / 250;
}

/* ---- The clock ---- */

/* 0: not a time. */
static int counts_to_ns(const struct avb_nic_clock *clock, UINT32 low, UINT32 high, UINT64 *ns)
{
    if (has_seconds(clock->part->family)) {
        *ns = (UINT64)high * SECOND + low;
        return low < SECOND;
    }
    if (clock->part->family == AVB_NIC_82580)
        high &= 0xFFu;
    *ns = to_ns(&clock->unit, (UINT64)high << 32 | low);
    return 1;
}

/* The time nearest to `expected` at which a counter that wraps every lap_ns shows `ns`. */
static UINT64 extend(UINT64 lap_ns, UINT64 ns, UINT64 expected)
{
    if (lap_ns == 0)
        return ns;
    UINT64 time = expected / lap_ns * lap_ns + ns;
    if (time > expected && time - expected > lap_ns / 2 && time >= lap_ns)
        return time - lap_ns;
    if (time < expected && expected - time > lap_ns / 2)
        return time + lap_ns;
    return time;
}

/* The low word holds still with the high one once the first register is read: the lowest that the part has. */
static void read_counter(const struct avb_nic_registers *registers, enum avb_nic_family family, UINT32 *low,
                         UINT32 *high)
{
    if (family == AVB_NIC_82580 || family == AVB_NIC_I210)
        (void)read_register(registers, REGISTER_SYSTIMR);
    *low = read_register(registers, REGISTER_SYSTIML);
    *high = read_register(registers, REGISTER_SYSTIMH);
}

/*
 * Another reader of these registers makes them hold still anew, and on I217..I219 they do not do so
 * well (e1000e_read_systim()): so the high word must be the same before and after the low one.
 */
static enum avb_nic_clock_result read_steady(const struct avb_nic_clock *clock, UINT64 *ns, struct avb_nic_time *time)
{
    const struct avb_nic_registers *registers = &clock->registers;
    UINT32 low_before, high_before, low, high;
    read_counter(registers, clock->part->family, &low_before, &high_before);
    for (int attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
        UINT64 before = registers->system_ns(registers->context);
        read_counter(registers, clock->part->family, &low, &high);
        UINT64 width = registers->system_ns(registers->context) - before;
        if (low == ALL_ONES && high == ALL_ONES)
            return AVB_NIC_CLOCK_DEVICE_GONE;
        if (high == high_before && low == low_before)
            return AVB_NIC_CLOCK_STOPPED;
        if (high == high_before && width <= AVB_NIC_CLOCK_BRACKET_NS) {
            time->system_ns = before + width / 2;
            time->uncertainty_ns = (UINT32)(width - width / 2);
            return counts_to_ns(clock, low, high, ns) ? AVB_NIC_CLOCK_READ : AVB_NIC_CLOCK_NOT_A_TIME;
        }
        low_before = low;
        high_before = high;
    }
    return AVB_NIC_CLOCK_UNSTEADY;
}

/* What the NIC's clock shows at a time of the system's, by the last reading. */
static UINT64 predict(const struct avb_nic_clock *clock, UINT64 system_ns)
{
    return clock->last.nic_ns + (system_ns - clock->last.system_ns);
}

static UINT64 distance(UINT64 a, UINT64 b)
{
    return a > b ? a - b : b - a;
}

enum avb_nic_clock_result avb_nic_clock_open(struct avb_nic_clock *clock, const struct avb_nic_part *part,
                                             const struct avb_nic_registers *registers)
{
    clock->registers = *registers;
    clock->part = part;
    clock->max_age_ns = AVB_NIC_MAX_AGE_NS;
    clock->known = 0;
    clock->batch_at = 0;
    if (!part || !avb_nic_family_abilities(part->family)->clock)
        return AVB_NIC_CLOCK_PART_CANNOT;
    if (!read_unit(registers, part, &clock->unit))
        return AVB_NIC_CLOCK_NO_UNIT;
    enum avb_nic_clock_result result = read_steady(clock, &clock->last.nic_ns, &clock->last);
    clock->last.stepped = 0;
    clock->known = result == AVB_NIC_CLOCK_READ;
    return result;
}

enum avb_nic_clock_result avb_nic_clock_read(struct avb_nic_clock *clock, struct avb_nic_time *time)
{
    UINT64 ns;
    if (!clock->part || !avb_nic_family_abilities(clock->part->family)->clock)
        return AVB_NIC_CLOCK_PART_CANNOT;
    if (!clock->known)
        return AVB_NIC_CLOCK_LOST;
    enum avb_nic_clock_result result = read_steady(clock, &ns, time);
    if (result != AVB_NIC_CLOCK_READ)
        return result;
    if (!is_same_unit(clock->unit.timinca, read_increment(&clock->registers, clock->part))) {
        clock->known = 0;
        return AVB_NIC_CLOCK_RECONFIGURED;
    }
    UINT64 elapsed = time->system_ns - clock->last.system_ns;
    if (clock->unit.lap_ns != 0 && elapsed >= clock->unit.lap_ns / 2)
        return AVB_NIC_CLOCK_LOST;
    UINT64 expected = predict(clock, time->system_ns);
    time->nic_ns = extend(clock->unit.lap_ns, ns, expected);
    time->stepped = distance(time->nic_ns, expected) > STEP_NS + elapsed / STEP_DRIFT;
    clock->last = *time;
    return AVB_NIC_CLOCK_READ;
}

/* ---- Stamps of received frames ---- */

UINT64 avb_stamp_identity(const PTP_TIMESTAMP_EVENT *frame)
{
    UINT64 identity = (UINT64)(frame->sequenceId & 0xFFu) << 56 | (UINT64)(frame->sequenceId >> 8) << 48;
    for (UINT32 i = 0; i < 6; i++)
        identity |= (UINT64)frame->clockIdentity[2 + i] << 8 * i;
    return identity;
}

enum avb_stamp_scope avb_stamp_scope_of(UINT32 tsyncrxctl)
{
    switch (TSYNCRXCTL_TYPE(tsyncrxctl)) {
    case 0:
        return AVB_STAMP_SCOPE_ETHERNET;
    case 2:
        return AVB_STAMP_SCOPE_CHOSEN;
    case 5:
        return AVB_STAMP_SCOPE_EVENTS;
    default:
        return AVB_STAMP_SCOPE_NONE;
    }
}

static UINT64 read_identity(const struct avb_nic_registers *registers)
{
    UINT64 low = read_register(registers, REGISTER_RXSATRL);
    return (UINT64)read_register(registers, REGISTER_RXSATRH) << 32 | low;
}

enum avb_stamp_result avb_nic_read_latch(const struct avb_nic_registers *registers, enum avb_nic_family family,
                                         struct avb_rx_stamp *stamp)
{
    if (!avb_nic_family_abilities(family)->rx_identity)
        return AVB_STAMP_PART_CANNOT;
    UINT32 tsyncrxctl = read_register(registers, REGISTER_TSYNCRXCTL);
    if (tsyncrxctl == ALL_ONES)
        return AVB_STAMP_DEVICE_GONE;
    if (!(tsyncrxctl & TSYNCRXCTL_ENABLED))
        return AVB_STAMP_NOT_ENABLED;
    stamp->scope = avb_stamp_scope_of(tsyncrxctl);
    if (stamp->scope == AVB_STAMP_SCOPE_NONE)
        return AVB_STAMP_NOT_LATCHED;
    if (!(tsyncrxctl & TSYNCRXCTL_VALID))
        return AVB_STAMP_NOT_VALID;
    stamp->identity = read_identity(registers);
    UINT64 low = read_register(registers, REGISTER_RXSTMPL);
    stamp->raw = (UINT64)read_register(registers, REGISTER_RXSTMPH) << 32 | low; /* opens the latch: last of the two */
    return read_identity(registers) == stamp->identity ? AVB_STAMP_GIVEN : AVB_STAMP_DISTURBED;
}

static int is_event_message(const PTP_TIMESTAMP_EVENT *frame)
{
    return frame->messageType < 8;
}

/* Whether the hardware may have stamped this frame. Types 0 and 2 stamp Delay_Resp too, which is no event message. */
static int is_stamped(UINT32 scope, const PTP_TIMESTAMP_EVENT *frame)
{
    if (frame->direction != AVB_DIRECTION_RX)
        return 0;
    if (scope == AVB_STAMP_SCOPE_ETHERNET && frame->transport != AVB_TRANSPORT_ETHERNET)
        return 0;
    return is_event_message(frame) || (scope != AVB_STAMP_SCOPE_EVENTS && frame->messageType == AVB_PTP_DELAY_RESP);
}

enum avb_stamp_result avb_rx_stamp_owner(const struct avb_rx_stamp *stamp, const PTP_TIMESTAMP_EVENT *frames,
                                         UINT32 count, UINT32 *owner)
{
    UINT32 matches = 0, found = 0;
    if (stamp->identity == 0 || stamp->identity == ~0ull)
        return AVB_STAMP_NO_IDENTITY;
    for (UINT32 i = 0; i < count; i++) {
        if (is_stamped(stamp->scope, &frames[i]) && avb_stamp_identity(&frames[i]) == stamp->identity) {
            found = i;
            matches++;
        }
    }
    if (matches > 1)
        return AVB_STAMP_TWO_MATCH;
    if (matches == 0 || !is_event_message(&frames[found]))
        return AVB_STAMP_NONE_MATCHES;
    *owner = found;
    return AVB_STAMP_GIVEN;
}

/*
 * Whether a stamp can be of a frame that came after the last batch and before `now`. A stamp that may be
 * older than the last batch is refused, however near: every frame until then was in that batch or lost.
 */
static enum avb_stamp_result judge_time(const struct avb_nic_clock *clock, UINT64 stamp_ns, UINT64 now,
                                        UINT64 last_batch)
{
    UINT64 slack = clock->last.uncertainty_ns + (now - clock->last.system_ns) / DRIFT + 1000;
    UINT64 here = predict(clock, now);
    if (stamp_ns > here)
        return stamp_ns - here > slack ? AVB_STAMP_IN_FUTURE : AVB_STAMP_GIVEN;
    UINT64 age = here - stamp_ns;
    if (age > clock->max_age_ns + slack)
        return AVB_STAMP_TOO_OLD;
    if (last_batch != 0 && age + slack >= now - last_batch)
        return AVB_STAMP_TOO_OLD;
    return AVB_STAMP_GIVEN;
}

static int is_fresh(const struct avb_nic_clock *clock, UINT64 now)
{
    return clock->known && now - clock->last.system_ns <= AVB_NIC_CLOCK_FRESH_NS;
}

enum avb_stamp_result AvbReadTimestamp(struct avb_nic_clock *clock, const PTP_TIMESTAMP_EVENT *frames, UINT32 count,
                                       UINT32 *owner, UINT64 *timestamp_ns)
{
    const struct avb_nic_registers *registers = &clock->registers;
    struct avb_rx_stamp stamp;
    UINT64 ns;
    if (!clock->part || !avb_nic_family_abilities(clock->part->family)->rx_identity)
        return AVB_STAMP_PART_CANNOT;
    UINT64 now = registers->system_ns(registers->context), last_batch = clock->batch_at;
    clock->batch_at = now;
    if (!is_fresh(clock, now))
        return AVB_STAMP_CLOCK_UNKNOWN;
    enum avb_stamp_result result = avb_nic_read_latch(registers, clock->part->family, &stamp);
    if (result != AVB_STAMP_GIVEN)
        return result;
    UINT32 found = 0;
    result = avb_rx_stamp_owner(&stamp, frames, count, &found);
    if (result != AVB_STAMP_GIVEN)
        return result;
    if (!counts_to_ns(clock, (UINT32)stamp.raw, (UINT32)(stamp.raw >> 32), &ns) || ns == 0)
        return AVB_STAMP_NOT_A_TIME;
    now = registers->system_ns(registers->context);
    ns = extend(clock->unit.lap_ns, ns, predict(clock, now));
    result = judge_time(clock, ns, now, last_batch);
    if (result != AVB_STAMP_GIVEN)
        return result;
    *owner = found;
    *timestamp_ns = ns;
    return AVB_STAMP_GIVEN;
}

/* ---- A pin for the oscilloscope ---- */

/*
 * Pins 0 and 1 are in CTRL, data 18 and 19, direction 22 and 23; pins 2 and 3 in CTRL_EXT, data 6 and 7,
 * direction 10 and 11; direction 1 = output: Linux igb/e1000_defines.h for all of 82576 to I210; public
 * drivers cite 8.2.1 and 8.2.3 of the I210 datasheet. The reset bits clear themselves and are never
 * written back: CTRL 26, 29, 31; CTRL_EXT 13.
 */
#define CTRL_RESETS     0xA4000000u
#define CTRL_EXT_RESETS 0x00002000u

/* The bits of TSSDP: Linux igb/e1000_defines.h. 82576 has none. */
static int belongs_to_clock(UINT32 tssdp, UINT32 number)
{
    int output = (tssdp & 0x100u << 3 * number) != 0;
    int input0 = (tssdp & 4u) != 0 && (tssdp & 3u) == number;
    int input1 = (tssdp & 0x20u) != 0 && (tssdp >> 3 & 3u) == number;
    return output || input0 || input1;
}

static enum avb_sdp_result change_pin(const struct avb_sdp_pin *pin, UINT32 mask, UINT32 bits)
{
    UINT32 value = read_register(&pin->registers, pin->offset);
    if (value == ALL_ONES)
        return AVB_SDP_DEVICE_GONE;
    if (value & pin->resets)
        return AVB_SDP_RESETTING;
    pin->registers.write32(pin->registers.context, pin->offset, (value & ~mask) | bits);
    return AVB_SDP_OPEN;
}

enum avb_sdp_result avb_sdp_open(struct avb_sdp_pin *pin, const struct avb_nic_part *part,
                                 const struct avb_nic_registers *registers, UINT32 number)
{
    UINT32 pins = part ? avb_nic_family_abilities(part->family)->pins : 0;
    if (pins == 0)
        return AVB_SDP_PART_CANNOT;
    if (number >= pins)
        return AVB_SDP_NO_PIN;
    UINT32 tssdp = part->family == AVB_NIC_82576 ? 0 : read_register(registers, REGISTER_TSSDP);
    if (tssdp == ALL_ONES)
        return AVB_SDP_DEVICE_GONE;
    if (belongs_to_clock(tssdp, number))
        return AVB_SDP_IN_USE;
    pin->registers = *registers;
    pin->offset = number < 2 ? REGISTER_CTRL : REGISTER_CTRL_EXT;
    pin->data = number < 2 ? 0x40000u << number : 0x40u << (number - 2);
    pin->direction = pin->data << 4;
    pin->resets = number < 2 ? CTRL_RESETS : CTRL_EXT_RESETS;
    pin->saved = read_register(registers, pin->offset) & (pin->data | pin->direction);
    return change_pin(pin, pin->data, pin->direction);
}

void avb_sdp_enter(const struct avb_sdp_pin *pin)
{
    (void)change_pin(pin, pin->data, pin->data);
}

void avb_sdp_leave(const struct avb_sdp_pin *pin)
{
    (void)change_pin(pin, pin->data, 0);
}

void avb_sdp_close(const struct avb_sdp_pin *pin)
{
    (void)change_pin(pin, pin->data | pin->direction, pin->saved);
}
