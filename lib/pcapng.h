/* SPDX-License-Identifier: MIT */
/*
 * The numbers of the pcapng format that ptpmon reads and writes, under the names of the draft
 * (draft-ietf-opsawg-pcapng, "PCAP Now Generic (pcapng) Capture File Format"). Sections are the draft's.
 */
#ifndef PTPMON_LIB_PCAPNG_H
#define PTPMON_LIB_PCAPNG_H

/* Section 3.1: type, total length, body, total length again; everything in multiples of 4 bytes. */
#define PCAPNG_BLOCK_OVERHEAD 12u

/* Larger than any block that is written; a length beyond it is taken for damage. ptpmon's own limit. */
#define PCAPNG_BLOCK_BYTES_MAX (16u * 1024 * 1024)

/* Block types, section 4. */
#define PCAPNG_SECTION_HEADER        0x0A0D0D0Au /* 4.1; the same in both byte orders */
#define PCAPNG_INTERFACE_DESCRIPTION 1u          /* 4.2 */
#define PCAPNG_PACKET                2u          /* appendix A, obsolete */
#define PCAPNG_SIMPLE_PACKET         3u          /* 4.4 */
#define PCAPNG_INTERFACE_STATISTICS  5u          /* 4.6 */
#define PCAPNG_ENHANCED_PACKET       6u          /* 4.3 */

/* Fixed parts of the bodies, in bytes. */
#define PCAPNG_SECTION_HEADER_BODY        16u
#define PCAPNG_INTERFACE_DESCRIPTION_BODY 8u
#define PCAPNG_PACKET_BODY                20u /* both packet blocks with a time */
#define PCAPNG_INTERFACE_STATISTICS_BODY  12u

/* 4.1 */
#define PCAPNG_BYTE_ORDER        0x1A2B3C4Du
#define PCAPNG_MAJOR_VERSION     1u
#define PCAPNG_MINOR_VERSION     0u
#define PCAPNG_MINOR_VERSION_ALT 2u /* some writers say so; it means 0 */

/* Options, section 3.5: code, length, value filled up to a multiple of 4 bytes. */
#define PCAPNG_OPTION_OVERHEAD 4u
#define PCAPNG_OPT_ENDOFOPT    0u
#define PCAPNG_OPT_COMMENT     1u

#define PCAPNG_SHB_USERAPPL 4u /* 4.1 */

#define PCAPNG_IF_NAME     2u  /* 4.2 */
#define PCAPNG_IF_MACADDR  6u  /* 6 bytes */
#define PCAPNG_IF_TSRESOL  9u  /* 1 byte: n of 10^-n s, or with the highest bit n of 2^-n s; default 6 */
#define PCAPNG_IF_TSOFFSET 14u /* 8 bytes: seconds to be added to every time */

#define PCAPNG_TSRESOL_BINARY  0x80u
#define PCAPNG_TSRESOL_DEFAULT 6u

#define PCAPNG_EPB_FLAGS     2u /* 4.3; in the obsolete block pack_flags, which is the same */
#define PCAPNG_EPB_DROPCOUNT 4u /* 8 bytes: packets lost between this one and the one before it */

#define PCAPNG_DIRECTION_MASK     3u /* 4.3.1 */
#define PCAPNG_DIRECTION_INBOUND  1u
#define PCAPNG_DIRECTION_OUTBOUND 2u

#define PCAPNG_ISB_STARTTIME 2u /* 4.6; times are two 32-bit words, high before low, counts are 64 bits */
#define PCAPNG_ISB_ENDTIME   3u
#define PCAPNG_ISB_IFRECV    4u
#define PCAPNG_ISB_IFDROP    5u
#define PCAPNG_ISB_OSDROP    7u
#define PCAPNG_ISB_USRDELIV  8u

/* What ptpmon's own files say: shb_userappl "ptpmon VERSION", and an opt_comment for each interface,
 * "ptpmon host=NAME boot_id=UUID\n", each part only if it is known. */
#define PCAPNG_OWN_APPLICATION "ptpmon "
#define PCAPNG_OWN_HOST        " host="
#define PCAPNG_OWN_BOOT_ID     " boot_id="

#endif
