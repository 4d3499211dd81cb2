/* SPDX-License-Identifier: MIT */
#include "nic_model.h"

#include <string.h>

__extension__ typedef unsigned __int128 wide;

void nic_model_init(struct nic_model *model, uint64_t seed, enum avb_nic_family family)
{
    memset(model, 0, sizeof *model);
    model->random.state = seed;
    model->family = family;
    model->now = 5 * MODEL_SECOND;
    model->epoch = 100 * MODEL_SECOND;
    model->read_min = 300;
    model->read_max = 900;
    model->tsyncrxctl = MODEL_ENABLED | MODEL_TYPE_EVENTS;
    model->khz = 62500;
    model->timinca = family == AVB_NIC_82576 ? 1u << 24 | 16u << 19 : 0;
    if (family == AVB_NIC_I217) {
        model->khz = 24000;
        model->timinca = 3u << 24 | 125u << 14;
    }
}

uint64_t nic_model_clock_at(const struct nic_model *model, uint64_t time)
{
    return model->epoch + time + (uint64_t)((int64_t)time * model->rate_ppm / 1000000);
}

/* What the two words would show at this time. */
static uint64_t counter_at(const struct nic_model *model, uint64_t time)
{
    uint64_t ns = nic_model_clock_at(model, model->stands_still ? 0 : time);
    switch (model->family) {
    case AVB_NIC_I210:
    case AVB_NIC_I225:
        return ns / MODEL_SECOND << 32 | ns % MODEL_SECOND;
    case AVB_NIC_82580:
        return (ns & 0xFFFFFFFFFFull) | 0xA5A5A50000000000ull; /* what is reserved is not 0 */
    default: {
        uint32_t period = model->timinca >> 24, increment = model->timinca & 0xFFFFFFu;
        return period == 0 ? 0 : (uint64_t)((wide)ns * increment * model->khz / ((wide)period * 1000000));
    }
    }
}

static void hold(struct nic_model *model)
{
    uint64_t counter = counter_at(model, model->now);
    model->held_low = (uint32_t)counter;
    model->held_high = (uint32_t)(counter >> 32);
}

static uint32_t read_clock_word(struct nic_model *model, uint32_t offset)
{
    bool held_by_residue = model->family == AVB_NIC_82580 || model->family == AVB_NIC_I210;
    if (model->family == AVB_NIC_I217) { /* nothing holds still */
        hold(model);
        return offset == MODEL_SYSTIML ? model->held_low : offset == MODEL_SYSTIMH ? model->held_high : 0;
    }
    if (offset == MODEL_SYSTIMR) {
        if (held_by_residue)
            hold(model);
        return 0;
    }
    if (offset == MODEL_SYSTIML) {
        if (!held_by_residue)
            hold(model);
        return model->held_low;
    }
    return model->held_high;
}

static void pass_time(struct nic_model *model)
{
    model->now += (uint64_t)random_between(&model->random, model->read_min, model->read_max);
}

static uint32_t word_of(struct nic_model *model, uint32_t offset)
{
    switch (offset) {
    case MODEL_CTRL:
        return model->ctrl;
    case MODEL_CTRL_EXT:
        return model->ctrl_ext;
    case MODEL_TSSDP:
        return model->tssdp;
    case MODEL_TIMINCA:
        return model->timinca;
    case MODEL_TSYNCTXCTL: /* always ready with somebody's stamp: nobody may look at it */
        return MODEL_VALID | MODEL_ENABLED;
    case MODEL_TSYNCRXCTL:
        return model->tsyncrxctl | (model->valid ? MODEL_VALID : 0u);
    case MODEL_RXSTMPL:
        return (uint32_t)model->raw;
    case MODEL_RXSTMPH:
        return (uint32_t)(model->raw >> 32);
    case MODEL_RXSATRL:
        return model->has_no_identity ? 0 : (uint32_t)model->identity;
    case MODEL_RXSATRH:
        return model->has_no_identity ? 0 : (uint32_t)(model->identity >> 32);
    default:
        return 0;
    }
}

static UINT32 read32(void *context, UINT32 offset)
{
    struct nic_model *model = context;
    if (model->between != NULL)
        model->between(model, offset);
    pass_time(model);
    model->reads++;
    if (model->gone)
        return 0xFFFFFFFFu;
    if (offset == MODEL_SYSTIML || offset == MODEL_SYSTIMH || offset == MODEL_SYSTIMR)
        return read_clock_word(model, offset);
    uint32_t word = word_of(model, offset);
    if (offset == MODEL_RXSTMPH) {
        model->latch_reads++;
        model->valid = false;
    }
    return word;
}

static void write32(void *context, UINT32 offset, UINT32 value)
{
    struct nic_model *model = context;
    if (offset == MODEL_CTRL)
        model->ctrl = value;
    else if (offset == MODEL_CTRL_EXT)
        model->ctrl_ext = value;
    else
        model->wrong_writes++;
    if (model->writes < sizeof model->pin_levels / sizeof *model->pin_levels)
        model->pin_levels[model->writes] = value;
    model->writes++;
}

static UINT64 system_ns(void *context)
{
    struct nic_model *model = context;
    model->now += 20 + model->late;
    model->late = 0;
    return model->now;
}

struct avb_nic_registers nic_model_registers(struct nic_model *model)
{
    return (struct avb_nic_registers){.read32 = read32, .write32 = write32, .system_ns = system_ns, .context = model};
}

/* As the frame lies on the wire, bytes 22..27 and 30..31 of the PTP header, the first in the lowest byte. */
static uint64_t identity_of(const PTP_TIMESTAMP_EVENT *frame)
{
    uint8_t wire[8];
    memcpy(wire, frame->clockIdentity + 2, 6);
    wire[6] = (uint8_t)(frame->sequenceId >> 8);
    wire[7] = (uint8_t)frame->sequenceId;
    uint64_t identity = 0;
    for (int i = 7; i >= 0; i--)
        identity = identity << 8 | wire[i];
    return identity;
}

static bool is_stamped(const struct nic_model *model, const PTP_TIMESTAMP_EVENT *frame)
{
    bool chosen = frame->messageType == model->chosen || frame->messageType == AVB_PTP_DELAY_REQ ||
                  frame->messageType == AVB_PTP_DELAY_RESP;
    if (!(model->tsyncrxctl & MODEL_ENABLED))
        return false;
    switch (model->tsyncrxctl & 0xEu) {
    case MODEL_TYPE_ETHERNET:
        return chosen && frame->transport == AVB_TRANSPORT_ETHERNET;
    case MODEL_TYPE_CHOSEN:
        return chosen;
    case MODEL_TYPE_ALL:
        return true;
    case MODEL_TYPE_EVENTS:
        return frame->messageType < 8;
    default:
        return false;
    }
}

uint64_t nic_model_receive(struct nic_model *model, const PTP_TIMESTAMP_EVENT *frame)
{
    if (is_stamped(model, frame) && !model->valid) {
        model->raw = counter_at(model, model->now);
        model->identity = identity_of(frame);
        model->valid = true;
    }
    return nic_model_clock_at(model, model->now);
}

void nic_model_miniport_reads_latch(struct nic_model *model)
{
    pass_time(model);
    model->valid = false;
}

void nic_model_miniport_reads_clock(struct nic_model *model)
{
    pass_time(model);
    (void)read_clock_word(model, MODEL_SYSTIMR);
    (void)read_clock_word(model, MODEL_SYSTIML);
}
