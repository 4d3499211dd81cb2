/* SPDX-License-Identifier: MIT */
#include "clocks.h"

#include "atomic.h"
#include "oid.h"

#define ATTEMPTS               5                     /* of reading two clocks; the closest counts */
#define HUNDRED_NS_FROM_1601   116444736000000000ULL /* to 1970: the system's time begins earlier than UTC's ns */
#define SYSTEM_TIME_UNIT_NS    100u
#define OSCILLATOR_ERROR_PARTS 10000u /* 100 ppm: what two clocks may part by while both are moved to one instant */

/* A clock, read between two readings of the performance counter. */
typedef struct _READING {
    UINT64 before, after; /* counter */
    UINT64 value;         /* ns; 0 = none */
} READING;

static UINT64 Counter(UINT64 *frequency)
{
    LARGE_INTEGER hz, now = KeQueryPerformanceCounter(&hz);
    *frequency = (UINT64)hz.QuadPart;
    return (UINT64)now.QuadPart;
}

static UINT64 Middle(const READING *reading)
{
    return reading->before + (reading->after - reading->before) / 2;
}

static READING ReadUtc(UINT64 *frequency)
{
    READING best = {.after = UINT64_MAX};
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        LARGE_INTEGER time;
        READING reading = {.before = Counter(frequency)};
        KeQuerySystemTimePrecise(&time);
        reading.after = Counter(frequency);
        reading.value = ((UINT64)time.QuadPart - HUNDRED_NS_FROM_1601) * SYSTEM_TIME_UNIT_NS;
        if (reading.after - reading.before < best.after - best.before)
            best = reading;
    }
    return best;
}

/* The NIC's clock as NDIS packet timestamps have it. */
static READING ReadCrossTimestamp(const AVB_DEVICE_CONTEXT *adapter, AVB_STAMP_CONFIG config)
{
    NDIS_HARDWARE_CROSSTIMESTAMP cross;
    UINT32 written;
    RtlZeroMemory(&cross, sizeof cross);
    if (AvbQueryOid(adapter->filter, OID_TIMESTAMP_GET_CROSSTIMESTAMP, &cross, sizeof cross, &written) !=
            NDIS_STATUS_SUCCESS ||
        written < sizeof cross || cross.SystemTimestamp1 == 0 || cross.SystemTimestamp2 < cross.SystemTimestamp1)
        return (READING){0};
    return (READING){.before = cross.SystemTimestamp1,
                     .after = cross.SystemTimestamp2,
                     .value = AvbStampNanoseconds(config, cross.HardwareClockTimestamp)};
}

static READING ReadRegisters(AVB_DEVICE_CONTEXT *adapter, UINT64 frequency)
{
    struct avb_nic_time now;
    UINT64 counter;
    if (!AvbRegistersClock(&adapter->registers, &now, &counter))
        return (READING){0};
    UINT64 half = (UINT64)now.uncertainty_ns * frequency / AVB_NS_PER_SECOND + 1;
    return (READING){.before = counter - half, .after = counter + half, .value = now.nic_ns};
}

static READING ReadNic(AVB_DEVICE_CONTEXT *adapter, UINT64 frequency)
{
    AVB_STAMP_CONFIG config = avb_load_acquire(&adapter->stamps);
    if (AvbAdapterIsAsleep(&adapter->registers)) /* it could answer when it wakes */
        return (READING){0};
    if (AvbStampsHardware(config, AVB_DIRECTION_RX) || AvbStampsHardware(config, AVB_DIRECTION_TX))
        return config & AVB_STAMP_CROSS ? ReadCrossTimestamp(adapter, config) : (READING){0};
    return AvbRegistersAreOpen(&adapter->registers) ? ReadRegisters(adapter, frequency) : (READING){0};
}

static UINT32 Bounded(UINT64 nanoseconds)
{
    return nanoseconds < UINT32_MAX ? (UINT32)nanoseconds : UINT32_MAX;
}

void AvbReadClocks(AVB_DEVICE_CONTEXT *adapter, PTP_CLOCKS_RECORD *clocks)
{
    UINT64 frequency;
    Counter(&frequency);
    READING nic = adapter ? ReadNic(adapter, frequency) : (READING){0}, utc = ReadUtc(&frequency);
    RtlZeroMemory(clocks, sizeof *clocks);
    clocks->direction = AVB_DIRECTION_CLOCKS;
    clocks->system_timestamp = Middle(&utc);
    clocks->realtime_ns = utc.value;
    UINT64 utc_error = AvbTicksToNanoseconds(utc.after - utc.before, frequency) / 2 + SYSTEM_TIME_UNIT_NS;
    clocks->realtime_uncertainty_ns = Bounded(utc_error);
    if (nic.value == 0 || Middle(&nic) > Middle(&utc)) /* a reading of the future is none */
        return;
    /* UTC was read after the NIC's clock: its reading is moved to that instant, the shorter way for all three. */
    UINT64 apart = Middle(&utc) - Middle(&nic);
    UINT64 apart_ns = AvbTicksToNanoseconds(apart, frequency), drift = apart_ns / OSCILLATOR_ERROR_PARTS;
    UINT64 nic_error = AvbTicksToNanoseconds(nic.after - nic.before, frequency) / 2;
    clocks->hw_timestamp_ns = nic.value;
    clocks->system_timestamp -= apart;
    clocks->realtime_ns -= apart_ns;
    clocks->realtime_uncertainty_ns = Bounded(utc_error + drift);
    clocks->hw_uncertainty_ns = Bounded(nic_error + utc_error + drift);
}
