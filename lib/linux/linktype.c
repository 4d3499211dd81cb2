/* SPDX-License-Identifier: MIT */
#include "linktype.h"

#include "capture.h"

#include <pcap/pcap.h>

/* libpcap knows the names by its own numbers, which differ from those in files for the oldest types. */
const char *ptpmon_linktype_name(unsigned linktype)
{
    return pcap_datalink_val_to_name(linktype == PTPMON_LINKTYPE_RAW ? DLT_RAW : (int)linktype);
}
