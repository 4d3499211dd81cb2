/* SPDX-License-Identifier: MIT */
/* Npcap's library, which is loaded when it is first needed: the rest of ptpmon does without it. */
#ifndef PTPMON_LIB_WINDOWS_NPCAP_H
#define PTPMON_LIB_WINDOWS_NPCAP_H

#include <pcap/pcap.h>
#include <ptpmon.h>

/* Its functions, by their names without pcap_. */
struct ptpmon_npcap {
    __typeof__(pcap_activate) *activate;
    __typeof__(pcap_close) *close;
    __typeof__(pcap_compile) *compile;
    __typeof__(pcap_create) *create;
    __typeof__(pcap_datalink) *datalink;
    __typeof__(pcap_datalink_val_to_name) *datalink_val_to_name;
    __typeof__(pcap_freecode) *freecode;
    __typeof__(pcap_geterr) *geterr;
    __typeof__(pcap_next_ex) *next_ex;
    __typeof__(pcap_set_buffer_size) *set_buffer_size;
    __typeof__(pcap_set_promisc) *set_promisc;
    __typeof__(pcap_set_snaplen) *set_snaplen;
    __typeof__(pcap_set_timeout) *set_timeout;
    __typeof__(pcap_set_tstamp_precision) *set_tstamp_precision;
    __typeof__(pcap_set_tstamp_type) *set_tstamp_type;
    __typeof__(pcap_setfilter) *setfilter;
    __typeof__(pcap_setnonblock) *setnonblock;
    __typeof__(pcap_stats) *stats;
    __typeof__(pcap_statustostr) *statustostr;
    __typeof__(pcap_set_immediate_mode) *set_immediate_mode; /* may be NULL: other libraries of this kind lack it */
};

/* NULL: it is not there, or lacks something; ptpmon_npcap_fail() says so. Any thread. */
const struct ptpmon_npcap *ptpmon_npcap(void);

/* NOT_SUPPORTED, with the remedy. `object` is what it was needed for. */
ptpmon_status ptpmon_npcap_fail(const char *object);

#endif
