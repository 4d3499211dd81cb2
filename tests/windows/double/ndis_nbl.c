/* SPDX-License-Identifier: MIT */
/*
 * NBLs that the double makes. Each NET_BUFFER_LIST, NET_BUFFER, MDL and each MDL's bytes are an allocation of
 * their own, so that a step beyond one of them is a step out of an allocation.
 */
#include "ndis_double.h"

#define LEADING_BYTE   0xA5 /* before a frame in its MDLs */
#define RETIRED_BYTE   0xD5 /* in what nobody may touch; as a pointer it is not canonical */
#define RETIRED_HANDLE 0xD5D5D5D5D5D5D5D5ULL
#define EXCESS         64u /* LAB_FAULT_LENGTH: bytes that DataLength promises and the MDLs do not hold */

/* Its address is the pool handle of the double's NBLs, which tells them from others. */
static const char pool;

static PVOID opaque(UINT32 index, UINT32 slot)
{
    return (PVOID)(ULONG_PTR)(0x5A00000000000000ULL | (UINT64)(index + 1) << 16 | slot);
}

/* ---- Making ---- */

static UINT32 piece_bytes(const struct lab_frame *frame, UINT32 piece, UINT32 pieces, UINT32 left)
{
    if (piece == pieces - 1)
        return left;
    return frame->piece_length[piece] < left ? frame->piece_length[piece] : left;
}

static void fill_piece(UINT8 *memory, UINT32 bytes, const struct lab_frame *frame, UINT32 at)
{
    for (UINT32 i = 0; i < bytes; i++)
        memory[i] = at + i < frame->offset ? LEADING_BYTE : frame->bytes[at + i - frame->offset];
}

static void make_pieces(struct lab_nb *nb)
{
    const struct lab_frame *frame = nb->frame;
    nb->pieces = frame->pieces == 0 ? 1 : frame->pieces;
    UINT32 at = 0, total = frame->offset + frame->length;
    for (UINT32 i = 0; i < nb->pieces; i++) {
        UINT32 bytes = piece_bytes(frame, i, nb->pieces, total - at);
        nb->memory[i] = lab_take(bytes > 0 ? bytes : 1);
        fill_piece(nb->memory[i], bytes, frame, at);
        nb->mdls[i] = lab_mdl(nb->memory[i], bytes > 0 ? bytes : 1, (frame->nb_fault & LAB_FAULT_UNMAPPABLE) != 0);
        nb->mdls[i]->ByteCount = bytes; /* also 0, which nobody can ask IoAllocateMdl() for */
        if (i > 0)
            nb->mdls[i - 1]->Next = nb->mdls[i];
        at += bytes;
    }
}

/* CurrentMdl is where the frame's first byte lies; without bytes before it, it is the first MDL, even an empty one. */
static void place_data(struct lab_nb *nb)
{
    const struct lab_frame *frame = nb->frame;
    UINT32 offset = frame->offset, current = 0;
    while (offset > 0 && offset >= nb->mdls[current]->ByteCount && current + 1 < nb->pieces)
        offset -= nb->mdls[current++]->ByteCount;
    nb->nb.MdlChain = nb->mdls[0];
    nb->nb.CurrentMdl = nb->mdls[current];
    nb->nb.CurrentMdlOffset = offset;
    nb->nb.DataOffset = frame->offset;
    nb->nb.DataLength = frame->length + ((frame->nb_fault & LAB_FAULT_LENGTH) ? EXCESS : 0);
    if (frame->nb_fault & LAB_FAULT_NO_MDL) {
        nb->nb.MdlChain = nb->nb.CurrentMdl = NULL;
        nb->nb.CurrentMdlOffset = nb->nb.DataOffset = 0;
    }
}

static struct lab_nb *new_nb(const struct lab_frame *frame, UINT32 index)
{
    struct lab_nb *nb = lab_take(sizeof *nb);
    nb->frame = frame;
    nb->nb.NdisPoolHandle = (PVOID)(ULONG_PTR)&pool;
    nb->nb.ProtocolReserved[0] = opaque(index, 0x100);
    nb->nb.MiniportReserved[0] = opaque(index, 0x101);
    nb->nb.NdisReserved[0] = opaque(index, 0x102);
    make_pieces(nb);
    place_data(nb);
    return nb;
}

/* Every slot has something in it that a filter must carry; 0 where a value would make the frames something else. */
static void fill_info(struct lab_nbl *nbl, const struct lab_list *list, int received)
{
    PVOID *info = nbl->nbl.NetBufferListInfo;
    for (UINT32 slot = Ieee8021QNetBufferListInfo; slot < MaxNetBufferListInfo; slot++)
        info[slot] = opaque(nbl->index, slot);
    info[Ieee8021QNetBufferListInfo] = (PVOID)(ULONG_PTR)list->tag;
    NDIS_NET_BUFFER_LIST_FILTERING_INFO filtering = {.Value = NULL};
    filtering.FilteringInfo.QueueVPortInfo.QueueId = (USHORT)list->queue;
    info[NetBufferListFilteringInfo] = filtering.Value;
    if (lab_ndis_version() >= NDIS_RUNTIME_VERSION_682) { /* before, the slot is not the NBL's */
        NET_BUFFER_LIST_TIMESTAMP stamp = {.Timestamp = received ? list->timestamp : list->stale};
        NdisSetNblTimestampInfo(&nbl->nbl, &stamp);
    }
}

struct lab_nbl *lab_nbl_new(struct lab_batch *batch, UINT32 index, const struct lab_list *list,
                            const struct lab_frame *frames, int received)
{
    struct lab_nbl *nbl = lab_take(sizeof *nbl);
    nbl->batch = batch;
    nbl->index = index;
    nbl->list = list;
    nbl->frame_count = list->count;
    nbl->nbl.NdisPoolHandle = (PVOID)(ULONG_PTR)&pool;
    nbl->nbl.NdisReserved[0] = opaque(index, 0x110);
    nbl->nbl.ProtocolReserved[0] = opaque(index, 0x111);
    nbl->nbl.MiniportReserved[0] = opaque(index, 0x112);
    nbl->nbl.Scratch = opaque(index, 0x113);
    nbl->nbl.SourceHandle = opaque(index, 0x114);
    nbl->nbl.NblFlags = list->nbl_flags;
    fill_info(nbl, list, received);
    NET_BUFFER **link = &nbl->nbl.FirstNetBuffer;
    for (UINT32 i = 0; i < list->count; i++) {
        nbl->frames[i] = new_nb(&frames[i], i);
        *link = &nbl->frames[i]->nb;
        link = &nbl->frames[i]->nb.Next;
    }
    return nbl;
}

/* A retired one is found too, so that who passes it on twice can be told: hence no look at what is forbidden. */
__attribute__((no_sanitize("address", "thread"))) struct lab_nbl *lab_nbl_of(NET_BUFFER_LIST *nbl)
{
    ULONG_PTR handle = (ULONG_PTR)nbl->NdisPoolHandle;
    if (handle != (ULONG_PTR)&pool && handle != RETIRED_HANDLE)
        return NULL;
    return CONTAINING_RECORD(nbl, struct lab_nbl, nbl);
}

/* ---- Unchanged? ---- */

/* Copied by the byte, so that padding compares equal too. */
static void note_nb(struct lab_nb *nb)
{
    RtlCopyMemory(&nb->before, &nb->nb, sizeof nb->nb);
    for (UINT32 i = 0; i < nb->pieces; i++)
        RtlCopyMemory(&nb->mdls_before[i], nb->mdls[i], sizeof(MDL));
}

void lab_nbl_note(struct lab_nbl *nbl)
{
    RtlCopyMemory(&nbl->before, &nbl->nbl, sizeof nbl->nbl);
    for (UINT32 i = 0; i < nbl->frame_count; i++)
        note_nb(nbl->frames[i]);
}

static int piece_changed(const struct lab_nb *nb, UINT32 piece, UINT32 at)
{
    const struct lab_frame *frame = nb->frame;
    UINT32 bytes = nb->mdls_before[piece].ByteCount;
    UINT32 leading = at >= frame->offset ? 0 : frame->offset - at < bytes ? frame->offset - at : bytes;
    for (UINT32 i = 0; i < leading; i++) {
        if (nb->memory[piece][i] != LEADING_BYTE)
            return 1;
    }
    return bytes > leading &&
           memcmp(&nb->memory[piece][leading], &frame->bytes[at + leading - frame->offset], bytes - leading) != 0;
}

static const char *nb_changed(const struct lab_nb *nb)
{
    if (memcmp(&nb->nb, &nb->before, sizeof nb->nb) != 0)
        return "a NET_BUFFER was changed";
    UINT32 at = 0;
    for (UINT32 i = 0; i < nb->pieces; i++) {
        if (memcmp(nb->mdls[i], &nb->mdls_before[i], sizeof(MDL)) != 0)
            return "an MDL was changed";
        if (piece_changed(nb, i, at))
            return "the frame's bytes were changed";
        at += nb->mdls_before[i].ByteCount;
    }
    return NULL;
}

static const char *list_changed(const NET_BUFFER_LIST *now, const NET_BUFFER_LIST *before)
{
    if (now->Next != before->Next)
        return "Next was changed";
    if (now->FirstNetBuffer != before->FirstNetBuffer)
        return "FirstNetBuffer was changed";
    if (now->NblFlags != before->NblFlags || now->Flags != before->Flags)
        return "the flags were changed";
    if (now->Status != before->Status)
        return "Status was changed";
    if (memcmp(now->NetBufferListInfo, before->NetBufferListInfo, sizeof now->NetBufferListInfo) != 0)
        return "NetBufferListInfo was changed";
    if (memcmp(now, before, sizeof *now) != 0)
        return "the NET_BUFFER_LIST was changed";
    return NULL;
}

const char *lab_nbl_changed(const struct lab_nbl *nbl)
{
    const char *changed = list_changed(&nbl->nbl, &nbl->before);
    for (UINT32 i = 0; i < nbl->frame_count && !changed; i++)
        changed = nb_changed(nbl->frames[i]);
    return changed;
}

/* ---- Retired ---- */

/* The parts of an NBL that a filter sees, one after another. */
static void each_part(struct lab_nbl *nbl, void (*visit)(void *part, UINT64 bytes, void *context), void *context)
{
    visit(&nbl->nbl, sizeof nbl->nbl, context);
    for (UINT32 i = 0; i < nbl->frame_count; i++) {
        struct lab_nb *nb = nbl->frames[i];
        visit(&nb->nb, sizeof nb->nb, context);
        for (UINT32 piece = 0; piece < nb->pieces; piece++)
            visit(nb->memory[piece], nb->mdls_before[piece].ByteCount, context);
    }
}

static void retire_part(void *part, UINT64 bytes, void *context)
{
    UNREFERENCED_PARAMETER(context);
    RtlFillMemory(part, (SIZE_T)bytes, RETIRED_BYTE);
    nt_lab_forbid(part, bytes, 1);
}

static void look_at_retired(void *part, UINT64 bytes, void *context)
{
    int *untouched = context;
    nt_lab_forbid(part, bytes, 0);
    for (UINT64 i = 0; i < bytes; i++) {
        if (((const UINT8 *)part)[i] != RETIRED_BYTE)
            *untouched = 0;
    }
}

void lab_nbl_retire(struct lab_nbl *nbl)
{
    nbl->retired = 1;
    each_part(nbl, retire_part, NULL);
}

int lab_nbl_free(struct lab_nbl *nbl)
{
    int untouched = 1;
    if (nbl->retired)
        each_part(nbl, look_at_retired, &untouched);
    for (UINT32 i = 0; i < nbl->frame_count; i++) {
        struct lab_nb *nb = nbl->frames[i];
        for (UINT32 piece = 0; piece < nb->pieces; piece++) {
            lab_mdl_free(nb->mdls[piece]);
            lab_give(nb->memory[piece]);
        }
        lab_give(nb);
    }
    nbl->nbl.NdisPoolHandle = NULL;
    lab_give(nbl);
    return untouched;
}
