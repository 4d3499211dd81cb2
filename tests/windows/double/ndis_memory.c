/* SPDX-License-Identifier: MIT */
#include "ndis_double.h"

/* ---- Memory ---- */

void *lab_take(UINT64 bytes)
{
    nt_lab_own(1);
    void *memory = ExAllocatePoolWithTag(NonPagedPoolNx, (SIZE_T)bytes, LAB_TAG);
    nt_lab_own(0);
    if (!memory) {
        nt_lab_breach("the NDIS double has no memory for itself");
        __builtin_trap();
    }
    RtlZeroMemory(memory, (SIZE_T)bytes);
    return memory;
}

void lab_give(void *memory)
{
    nt_lab_own(1);
    ExFreePoolWithTag(memory, LAB_TAG);
    nt_lab_own(0);
}

/* Wine's MmBuildMdlForNonPagedPool() does nothing, so what it would have set is set here in any case. */
MDL *lab_mdl(void *memory, UINT32 bytes, int unmappable)
{
    nt_lab_own(1);
    MDL *mdl = IoAllocateMdl(memory, bytes, FALSE, FALSE, NULL);
    if (mdl && !unmappable)
        MmBuildMdlForNonPagedPool(mdl);
    nt_lab_own(0);
    if (!mdl) {
        nt_lab_breach("the NDIS double has no MDL for itself");
        __builtin_trap();
    }
    if (!unmappable) {
        mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
        mdl->MappedSystemVa = memory;
    }
    return mdl;
}

void lab_mdl_free(MDL *mdl)
{
    nt_lab_own(1);
    IoFreeMdl(mdl);
    nt_lab_own(0);
}

/* ---- Breaches ---- */

struct text {
    char bytes[256];
    UINT32 length;
};

static void add(struct text *text, const char *more)
{
    while (*more && text->length < sizeof text->bytes - 1)
        text->bytes[text->length++] = *more++;
}

static void add_number(struct text *text, UINT32 number)
{
    char digits[11] = {0};
    UINT32 at = sizeof digits - 1;
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    add(text, &digits[at]);
}

void lab_breach_nbl(const lab_adapter *adapter, const char *what, const char *detail, UINT32 index, UINT32 of)
{
    struct text text = {.length = 0};
    if (adapter) {
        add(&text, adapter->config.guid);
        add(&text, ": ");
    }
    add(&text, what);
    if (detail) {
        add(&text, ": ");
        add(&text, detail);
    }
    if (of > 0) {
        add(&text, ", NBL ");
        add_number(&text, index + 1);
        add(&text, " of ");
        add_number(&text, of);
    }
    nt_lab_breach(text.bytes);
}

void lab_breach(const lab_adapter *adapter, const char *what)
{
    lab_breach_nbl(adapter, what, NULL, 0, 0);
}

int lab_irql_at_most(const lab_adapter *adapter, const char *function, KIRQL highest)
{
    if (KeGetCurrentIrql() <= highest)
        return 1;
    lab_breach_nbl(adapter, function, "called at too high an IRQL", 0, 0);
    return 0;
}
