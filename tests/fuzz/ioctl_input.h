/* SPDX-License-Identifier: MIT */
/* An input of fuzz_ioctl: steps of IOCTL_INPUT_STEP bytes, each an operation and three numbers. */
#ifndef PTPMON_TESTS_IOCTL_INPUT_H
#define PTPMON_TESTS_IOCTL_INPUT_H

#define IOCTL_INPUT_STEP 4
#define IOCTL_INPUT_MOST 96 /* steps that are run */

/* Numbers are taken modulo what there is. */
enum ioctl_operation {
    IOCTL_OPEN,      /* file, process, adapter | 0x80: another name */
    IOCTL_CLOSE,     /* file, process */
    IOCTL_DUPLICATE, /* file, process */
    IOCTL_ENABLE,    /* file, process, who asks: 0 the process, 1 the kernel, 2 nobody */
    IOCTL_DISABLE,
    IOCTL_STATISTICS,
    IOCTL_CLOCKS,
    IOCTL_ODD,       /* file, process, which code and sizes */
    IOCTL_ATTACH,    /* adapter */
    IOCTL_DETACH,    /* adapter */
    IOCTL_RUN,       /* adapter: pauses it, or starts it */
    IOCTL_RECEIVE,   /* adapter, frames */
    IOCTL_SEND,      /* adapter, frames */
    IOCTL_READ,      /* adapter: its reader takes what is there */
    IOCTL_LIE,       /* adapter, which position: its reader writes one that is none */
    IOCTL_KILL,      /* process */
    IOCTL_CONFIGURE, /* adapter, flags */
    IOCTL_ASK,       /* adapter, which OID, how it completes */
    IOCTL_POWER,     /* adapter: off and on */
    IOCTL_FAIL,      /* of the next step, which call fails */
    IOCTL_OPERATIONS
};

#define IOCTL_ANOTHER_NAME 0x80

#endif
