/* SPDX-License-Identifier: MIT */
/*
 * NDIS 6 for a lightweight filter on x64: declarations of our own, for the driver and for the test
 * double that stands in for ndis.sys.
 *
 * Names, values and layouts are from Microsoft's public documentation ("Windows Driver Kit, ndis.h and
 * ntddndis.h header" and the pages named at each group) and from the public symbols of ndis.sys,
 * Windows 8 to Windows 10 2004. The assertions at the end pin every layout that crosses the boundary.
 *
 * Needs the base types of nt.h (NTSTATUS, UNICODE_STRING, MDL, DRIVER_OBJECT...); include that.
 */
#ifndef AVB_NDIS6_H
#define AVB_NDIS6_H

#include <avb/avb_ptp_events.h>

/* What provides these functions instead of importing them defines AVB_NDIS_PROVIDER. */
#if defined(_WIN32) && !defined(AVB_NDIS_PROVIDER)
#define NDISAPI __declspec(dllimport)
#else
#define NDISAPI
#endif

/* ---- Basic types ("NDIS data types") ---- */

typedef PVOID NDIS_HANDLE, *PNDIS_HANDLE;
typedef int NDIS_STATUS, *PNDIS_STATUS;
typedef UNICODE_STRING NDIS_STRING, *PNDIS_STRING;
typedef ULONG NDIS_OID;
typedef ULONG NDIS_PORT_NUMBER;
typedef ULONG NET_IFINDEX;

#define NDIS_DEFAULT_PORT_NUMBER     ((NDIS_PORT_NUMBER)0)
#define NDIS_MAX_PHYS_ADDRESS_LENGTH 32

typedef union _NET_LUID_LH {
    UINT64 Value;
    struct {
        UINT64 Reserved : 24;
        UINT64 NetLuidIndex : 24;
        UINT64 IfType : 16;
    } Info;
} NET_LUID, *PNET_LUID;

/* Type, revision and size of most structures ("NDIS_OBJECT_HEADER"). Size is that of the revision. */
typedef struct _NDIS_OBJECT_HEADER {
    UCHAR Type;
    UCHAR Revision;
    USHORT Size;
} NDIS_OBJECT_HEADER, *PNDIS_OBJECT_HEADER;

#define NDIS_OBJECT_TYPE_DEFAULT                       0x80
#define NDIS_OBJECT_TYPE_DEVICE_OBJECT_ATTRIBUTES      0x85
#define NDIS_OBJECT_TYPE_FILTER_DRIVER_CHARACTERISTICS 0x8B
#define NDIS_OBJECT_TYPE_FILTER_ATTRIBUTES             0x8D
#define NDIS_OBJECT_TYPE_OID_REQUEST                   0x96
#define NDIS_OBJECT_TYPE_STATUS_INDICATION             0x98
#define NDIS_OBJECT_TYPE_FILTER_ATTACH_PARAMETERS      0x99
#define NDIS_OBJECT_TYPE_FILTER_PAUSE_PARAMETERS       0x9A
#define NDIS_OBJECT_TYPE_FILTER_RESTART_PARAMETERS     0x9B
#define NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT          0xA9

/* Bytes up to and including a field: what a header's Size says. */
#define AVB_SIZE_THROUGH(type, field) ((USHORT)(offsetof(type, field) + sizeof(((type *)0)->field)))

/* ---- NDIS_STATUS ("NDIS_STATUS values"). The sign tells an error, as with NTSTATUS. ---- */

#define NDIS_STATUS_SUCCESS              ((NDIS_STATUS)0x00000000)
#define NDIS_STATUS_PENDING              ((NDIS_STATUS)0x00000103)
#define NDIS_STATUS_INDICATION_REQUIRED  ((NDIS_STATUS)0x40230001)
#define NDIS_STATUS_FAILURE              ((NDIS_STATUS)0xC0000001)
#define NDIS_STATUS_INVALID_PARAMETER    ((NDIS_STATUS)0xC000000D)
#define NDIS_STATUS_RESOURCES            ((NDIS_STATUS)0xC000009A)
#define NDIS_STATUS_NOT_SUPPORTED        ((NDIS_STATUS)0xC00000BB)
#define NDIS_STATUS_INVALID_STATE        ((NDIS_STATUS)0xC0000184)
#define NDIS_STATUS_CLOSING              ((NDIS_STATUS)0xC0010002)
#define NDIS_STATUS_BAD_VERSION          ((NDIS_STATUS)0xC0010004)
#define NDIS_STATUS_BAD_CHARACTERISTICS  ((NDIS_STATUS)0xC0010005)
#define NDIS_STATUS_REQUEST_ABORTED      ((NDIS_STATUS)0xC001000C)
#define NDIS_STATUS_ADAPTER_NOT_READY    ((NDIS_STATUS)0xC0010011)
#define NDIS_STATUS_INVALID_LENGTH       ((NDIS_STATUS)0xC0010014)
#define NDIS_STATUS_INVALID_DATA         ((NDIS_STATUS)0xC0010015)
#define NDIS_STATUS_BUFFER_TOO_SHORT     ((NDIS_STATUS)0xC0010016)
#define NDIS_STATUS_INVALID_OID          ((NDIS_STATUS)0xC0010017)
#define NDIS_STATUS_ADAPTER_REMOVED      ((NDIS_STATUS)0xC0010018)
#define NDIS_STATUS_UNSUPPORTED_MEDIA    ((NDIS_STATUS)0xC0010019)
#define NDIS_STATUS_SEND_ABORTED         ((NDIS_STATUS)0xC023000C)
#define NDIS_STATUS_MEDIA_DISCONNECTED   ((NDIS_STATUS)0xC023001F)
#define NDIS_STATUS_PAUSED               ((NDIS_STATUS)0xC023002A)
#define NDIS_STATUS_UNSUPPORTED_REVISION ((NDIS_STATUS)0xC023002C)
#define NDIS_STATUS_LOW_POWER_STATE      ((NDIS_STATUS)0xC023002F)

/* Status indications ("NDIS 6.0 status indications", "NDIS_STATUS_TIMESTAMP_CURRENT_CONFIG"; NDIS 6.82). */
#define NDIS_STATUS_LINK_STATE               ((NDIS_STATUS)0x40010017)
#define NDIS_STATUS_TIMESTAMP_CAPABILITY     ((NDIS_STATUS)0x40051000)
#define NDIS_STATUS_TIMESTAMP_CURRENT_CONFIG ((NDIS_STATUS)0x40051001)

/* ---- NDIS's version, from NdisGetVersion(): major in the high word, minor in the low one, decimal ---- */

#define NDIS_RUNTIME_VERSION(minor) ((6u << 16) | (minor))
#define NDIS_RUNTIME_VERSION_630    NDIS_RUNTIME_VERSION(30u) /* Windows 8, Server 2012 */
#define NDIS_RUNTIME_VERSION_640    NDIS_RUNTIME_VERSION(40u) /* Windows 8.1, Server 2012 R2 */
#define NDIS_RUNTIME_VERSION_650    NDIS_RUNTIME_VERSION(50u) /* Windows 10 1507 */
#define NDIS_RUNTIME_VERSION_651    NDIS_RUNTIME_VERSION(51u) /* Windows 10 1511 */
#define NDIS_RUNTIME_VERSION_660    NDIS_RUNTIME_VERSION(60u) /* Windows 10 1607, Server 2016 */
#define NDIS_RUNTIME_VERSION_670    NDIS_RUNTIME_VERSION(70u) /* Windows 10 1703 */
#define NDIS_RUNTIME_VERSION_680    NDIS_RUNTIME_VERSION(80u) /* Windows 10 1709: filter characteristics, revision 3 */
#define NDIS_RUNTIME_VERSION_682    NDIS_RUNTIME_VERSION(82u) /* Windows 10 1809, Server 2019: packet timestamps */
#define NDIS_RUNTIME_VERSION_687    NDIS_RUNTIME_VERSION(87u) /* Windows 11 22H2: the newest looked at */

/* ---- NET_BUFFER: one frame ("NET_BUFFER structure"). The same layout in 6.30 to 6.87. ---- */

typedef struct _NET_BUFFER NET_BUFFER, *PNET_BUFFER;

/* The system's lists have 16-byte links on x64; what follows each of these starts at a multiple of it. */
#define NDIS_ALIGNED __attribute__((aligned(16)))

struct NDIS_ALIGNED _NET_BUFFER {
    NET_BUFFER *Next;
    PMDL CurrentMdl;        /* the MDL of the frame's first byte, and where in it */
    ULONG CurrentMdlOffset; /* bytes */
    union {
        ULONG DataLength; /* bytes of the frame: the bound, whatever the MDLs hold */
        SIZE_T stDataLength;
    };
    PMDL MdlChain;
    ULONG DataOffset; /* bytes from the start of the chain to the frame */
    USHORT ChecksumBias NDIS_ALIGNED;
    USHORT Reserved;
    NDIS_HANDLE NdisPoolHandle;
    PVOID NdisReserved[2] NDIS_ALIGNED;
    PVOID ProtocolReserved[6] NDIS_ALIGNED;
    PVOID MiniportReserved[4] NDIS_ALIGNED;
    PHYSICAL_ADDRESS DataPhysicalAddress;
    PVOID SharedMemoryInfo;
};

/* As in the documentation, these name the field: they can be assigned to. */
#define NET_BUFFER_NEXT_NB(nb)            ((nb)->Next)
#define NET_BUFFER_FIRST_MDL(nb)          ((nb)->MdlChain)
#define NET_BUFFER_CURRENT_MDL(nb)        ((nb)->CurrentMdl)
#define NET_BUFFER_CURRENT_MDL_OFFSET(nb) ((nb)->CurrentMdlOffset)
#define NET_BUFFER_DATA_LENGTH(nb)        ((nb)->DataLength)
#define NET_BUFFER_DATA_OFFSET(nb)        ((nb)->DataOffset)

/* ---- NET_BUFFER_LIST: frames with what is the same for all ("NET_BUFFER_LIST structure") ---- */

/*
 * Slots of NetBufferListInfo. The numbers of the slots up to 23 are the same in 6.30 to 6.87. How many slots
 * there are is not: 26 in 6.30, 28 in 6.50 (two of NDIS's own among them, the last ones), one more from 6.80.
 * A slot exists from the version on that its line names: from 26 on an older NDIS has other things there.
 * NDIS allocates NBLs; a filter that only looks at them needs no size.
 */
typedef enum _NDIS_NET_BUFFER_LIST_INFO {
    TcpIpChecksumNetBufferListInfo = 0,
    TcpLargeSendNetBufferListInfo = 2,
    Ieee8021QNetBufferListInfo = 4,
    NetBufferListCancelId = 5,
    MediaSpecificInformation = 6,
    NetBufferListFrameType = 7,
    NetBufferListHashValue = 8,
    NetBufferListHashInfo = 9,
    WfpNetBufferListInfo = 10,
    NetBufferListCorrelationId = 13,
    NetBufferListFilteringInfo = 14, /* 6.20 */
    MediaSpecificInformationEx = 15,
    TcpRecvSegCoalesceInfo = 22,
    RscTcpTimestampDelta = 23,
    GftOffloadInformation = 24,      /* 6.50 */
    GftFlowEntryId = 25,             /* 6.50 */
    NetBufferListInfoReserved3 = 26, /* 6.80; from 6.82 on the timestamp, read by NdisGetNblTimestampInfo() */
    MaxNetBufferListInfo = 27
} NDIS_NET_BUFFER_LIST_INFO;

typedef struct _NET_BUFFER_LIST_CONTEXT NET_BUFFER_LIST_CONTEXT, *PNET_BUFFER_LIST_CONTEXT;
struct _NET_BUFFER_LIST_CONTEXT {
    NET_BUFFER_LIST_CONTEXT *Next;
    USHORT Size;
    USHORT Offset;
    UCHAR ContextData[] NDIS_ALIGNED;
};

typedef struct _NET_BUFFER_LIST NET_BUFFER_LIST, *PNET_BUFFER_LIST;
struct NDIS_ALIGNED _NET_BUFFER_LIST {
    NET_BUFFER_LIST *Next;
    NET_BUFFER *FirstNetBuffer;
    NET_BUFFER_LIST_CONTEXT *Context;
    NET_BUFFER_LIST *ParentNetBufferList;
    NDIS_HANDLE NdisPoolHandle;
    PVOID NdisReserved[2] NDIS_ALIGNED;
    PVOID ProtocolReserved[4] NDIS_ALIGNED;
    PVOID MiniportReserved[2] NDIS_ALIGNED;
    PVOID Scratch;
    NDIS_HANDLE SourceHandle; /* whoever made the NBL */
    ULONG NblFlags;           /* NDIS_NBL_FLAGS_... */
    LONG ChildRefCount;
    ULONG Flags;
    NDIS_STATUS Status; /* of a send, on completion */
    PVOID NetBufferListInfo[MaxNetBufferListInfo];
};

#define NDIS_NBL_FLAGS_SEND_READ_ONLY                0x00000001u
#define NDIS_NBL_FLAGS_RECV_READ_ONLY                0x00000002u
#define NDIS_NBL_FLAGS_HD_SPLIT                      0x00000100u
#define NDIS_NBL_FLAGS_IS_IPV4                       0x00000200u
#define NDIS_NBL_FLAGS_IS_IPV6                       0x00000400u
#define NDIS_NBL_FLAGS_IS_TCP                        0x00000800u
#define NDIS_NBL_FLAGS_IS_UDP                        0x00001000u
#define NDIS_NBL_FLAGS_IS_LOOPBACK_PACKET            0x00008000u /* a copy of a frame that this host sent */
#define NDIS_NBL_FLAGS_CAPTURE_TIMESTAMP_ON_TRANSMIT 0x00010000u /* 6.82: the sender asked for a stamp */

/* These name the field too. */
#define NET_BUFFER_LIST_NEXT_NBL(nbl)   ((nbl)->Next)
#define NET_BUFFER_LIST_FIRST_NB(nbl)   ((nbl)->FirstNetBuffer)
#define NET_BUFFER_LIST_STATUS(nbl)     ((nbl)->Status)
#define NET_BUFFER_LIST_NBL_FLAGS(nbl)  ((nbl)->NblFlags)
#define NET_BUFFER_LIST_FLAGS(nbl)      ((nbl)->Flags)
#define NET_BUFFER_LIST_INFO(nbl, slot) ((nbl)->NetBufferListInfo[(slot)])

/* The VLAN tag that is not in the frame ("NDIS_NET_BUFFER_LIST_8021Q_INFO"). Value 0: nothing is said. */
typedef struct _NDIS_NET_BUFFER_LIST_8021Q_INFO {
    union {
        struct {
            UINT32 UserPriority : 3;
            UINT32 CanonicalFormatId : 1;
            UINT32 VlanId : 12;
            UINT32 Reserved : 16;
        } TagHeader;
        PVOID Value;
    };
} NDIS_NET_BUFFER_LIST_8021Q_INFO, *PNDIS_NET_BUFFER_LIST_8021Q_INFO;

/*
 * The receive queue ("NDIS_NET_BUFFER_LIST_FILTERING_INFO"). Adapters with receive filters (VMQ, packet
 * coalescing) fill it; 0 is the default queue. RSS does not: there it is 0 on every queue.
 */
typedef struct _NDIS_NET_BUFFER_LIST_FILTERING_INFO {
    union {
        struct {
            USHORT FilterId;
            union {
                USHORT QueueId;
                USHORT VPortId;
            } QueueVPortInfo;
        } FilteringInfo;
        PVOID Value;
    };
} NDIS_NET_BUFFER_LIST_FILTERING_INFO, *PNDIS_NET_BUFFER_LIST_FILTERING_INFO;

static inline USHORT NET_BUFFER_LIST_RECEIVE_QUEUE_ID(const NET_BUFFER_LIST *nbl)
{
    NDIS_NET_BUFFER_LIST_FILTERING_INFO info;
    info.Value = nbl->NetBufferListInfo[NetBufferListFilteringInfo];
    return info.FilteringInfo.QueueVPortInfo.QueueId;
}

/*
 * The timestamp of the NBL's first NET_BUFFER ("NET_BUFFER_LIST_TIMESTAMP"; NDIS 6.82). 0: none. A value of the
 * NIC's clock or of the performance counter: NDIS_TIMESTAMP_CAPABILITIES of the current configuration says which.
 * Only where NdisGetVersion() is 6.82 or more: in an older NBL the slot is not the NBL's.
 */
typedef struct _NET_BUFFER_LIST_TIMESTAMP {
    UINT64 Timestamp;
} NET_BUFFER_LIST_TIMESTAMP, *PNET_BUFFER_LIST_TIMESTAMP;

static inline void NdisGetNblTimestampInfo(const NET_BUFFER_LIST *nbl, NET_BUFFER_LIST_TIMESTAMP *timestamp)
{
    timestamp->Timestamp = (UINT64)(ULONG_PTR)nbl->NetBufferListInfo[NetBufferListInfoReserved3];
}

static inline void NdisSetNblTimestampInfo(NET_BUFFER_LIST *nbl, const NET_BUFFER_LIST_TIMESTAMP *timestamp)
{
    nbl->NetBufferListInfo[NetBufferListInfoReserved3] = (PVOID)(ULONG_PTR)timestamp->Timestamp;
}

/* Flags of the datapath functions ("FilterSendNetBufferLists", "FilterReceiveNetBufferLists"...). */
#define NDIS_SEND_FLAGS_DISPATCH_LEVEL          0x00000001u /* the caller is at DISPATCH_LEVEL; unset: it may be */
#define NDIS_SEND_FLAGS_CHECK_FOR_LOOPBACK      0x00000002u
#define NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL 0x00000001u
#define NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL       0x00000001u
#define NDIS_RECEIVE_FLAGS_RESOURCES            0x00000002u /* the NBLs go back to the caller on return */
#define NDIS_RECEIVE_FLAGS_SINGLE_ETHER_TYPE    0x00000100u
#define NDIS_RECEIVE_FLAGS_SINGLE_VLAN          0x00000200u
#define NDIS_RECEIVE_FLAGS_PERFECT_FILTERED     0x00000400u
#define NDIS_RECEIVE_FLAGS_SINGLE_QUEUE         0x00000800u
#define NDIS_RECEIVE_FLAGS_MORE_NBLS            0x00002000u
#define NDIS_RETURN_FLAGS_DISPATCH_LEVEL        0x00000001u

#define NDIS_TEST_SEND_AT_DISPATCH_LEVEL(flags)    (((flags)&NDIS_SEND_FLAGS_DISPATCH_LEVEL) != 0)
#define NDIS_TEST_RECEIVE_AT_DISPATCH_LEVEL(flags) (((flags)&NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL) != 0)
#define NDIS_TEST_RECEIVE_CANNOT_PEND(flags)       (((flags)&NDIS_RECEIVE_FLAGS_RESOURCES) != 0)

/* ---- Media and power ("NDIS_MEDIUM", "NDIS_PHYSICAL_MEDIUM", "OID_PNP_SET_POWER") ---- */

typedef enum _NDIS_MEDIUM {
    NdisMedium802_3 = 0,
    NdisMediumWan = 3,
    NdisMediumWirelessWan = 9,
    NdisMediumTunnel = 15,
    NdisMediumNative802_11 = 16,
    NdisMediumLoopback = 17,
    NdisMediumIP = 19
} NDIS_MEDIUM,
    *PNDIS_MEDIUM;

typedef enum _NDIS_PHYSICAL_MEDIUM {
    NdisPhysicalMediumUnspecified = 0,
    NdisPhysicalMediumWirelessLan = 1,
    NdisPhysicalMediumNative802_11 = 9,
    NdisPhysicalMedium802_3 = 14
} NDIS_PHYSICAL_MEDIUM,
    *PNDIS_PHYSICAL_MEDIUM;

typedef enum _NET_IF_MEDIA_CONNECT_STATE {
    MediaConnectStateUnknown = 0,
    MediaConnectStateConnected = 1,
    MediaConnectStateDisconnected = 2
} NET_IF_MEDIA_CONNECT_STATE;

typedef enum _NET_IF_MEDIA_DUPLEX_STATE {
    MediaDuplexStateUnknown = 0,
    MediaDuplexStateHalf = 1,
    MediaDuplexStateFull = 2
} NET_IF_MEDIA_DUPLEX_STATE;

typedef enum _NDIS_DEVICE_POWER_STATE {
    NdisDeviceStateUnspecified = 0,
    NdisDeviceStateD0 = 1,
    NdisDeviceStateD1 = 2,
    NdisDeviceStateD2 = 3,
    NdisDeviceStateD3 = 4,
    NdisDeviceStateMaximum = 5
} NDIS_DEVICE_POWER_STATE,
    *PNDIS_DEVICE_POWER_STATE;

/* ---- OID requests ("NDIS_OID_REQUEST", "NDIS OIDs") ---- */

#define OID_GEN_CURRENT_PACKET_FILTER    0x0001010Eu
#define OID_GEN_VENDOR_DESCRIPTION       0x0001010Du
#define OID_GEN_LINK_STATE               0x00010207u
#define OID_GEN_STATISTICS               0x00020106u
#define OID_802_3_CURRENT_ADDRESS        0x01010102u
#define OID_PNP_CAPABILITIES             0xFD010100u
#define OID_PNP_SET_POWER                0xFD010101u /* set: NDIS_DEVICE_POWER_STATE */
#define OID_PNP_QUERY_POWER              0xFD010102u
#define OID_TIMESTAMP_CAPABILITY         0x00A00001u /* query: NDIS_TIMESTAMP_CAPABILITIES; 6.82 */
#define OID_TIMESTAMP_CURRENT_CONFIG     0x00A00002u /* query: NDIS_TIMESTAMP_CAPABILITIES; 6.82 */
#define OID_TIMESTAMP_GET_CROSSTIMESTAMP 0x00A00003u /* query: NDIS_HARDWARE_CROSSTIMESTAMP; 6.82 */

typedef enum _NDIS_REQUEST_TYPE {
    NdisRequestQueryInformation = 0,
    NdisRequestSetInformation = 1,
    NdisRequestQueryStatistics = 2,
    NdisRequestMethod = 12
} NDIS_REQUEST_TYPE,
    *PNDIS_REQUEST_TYPE;

typedef struct _NDIS_OID_REQUEST {
    NDIS_OBJECT_HEADER Header;
    NDIS_REQUEST_TYPE RequestType;
    NDIS_PORT_NUMBER PortNumber;
    UINT32 Timeout; /* seconds */
    PVOID RequestId;
    NDIS_HANDLE RequestHandle;
    union _REQUEST_DATA {
        struct _QUERY {
            NDIS_OID Oid;
            PVOID InformationBuffer;
            UINT32 InformationBufferLength;
            UINT32 BytesWritten;
            UINT32 BytesNeeded;
        } QUERY_INFORMATION; /* also of NdisRequestQueryStatistics */
        struct _SET {
            NDIS_OID Oid;
            PVOID InformationBuffer;
            UINT32 InformationBufferLength;
            UINT32 BytesRead;
            UINT32 BytesNeeded;
        } SET_INFORMATION;
        struct _METHOD {
            NDIS_OID Oid;
            PVOID InformationBuffer;
            ULONG InputBufferLength;
            ULONG OutputBufferLength;
            ULONG MethodId;
            UINT32 BytesWritten;
            UINT32 BytesRead;
            UINT32 BytesNeeded;
        } METHOD_INFORMATION;
    } DATA;
    UCHAR NdisReserved[16 * sizeof(PVOID)];
    UCHAR MiniportReserved[2 * sizeof(PVOID)];
    UCHAR SourceReserved[2 * sizeof(PVOID)]; /* of whoever made the request: in a clone, the filter */
    UCHAR SupportedRevision;
    UCHAR Reserved1;
    USHORT Reserved2;
    ULONG SwitchId; /* from here on 6.50 */
    ULONG VPortId;
    ULONG Flags;
} NDIS_OID_REQUEST, *PNDIS_OID_REQUEST;

#define NDIS_OID_REQUEST_REVISION_1        1
#define NDIS_SIZEOF_OID_REQUEST_REVISION_1 AVB_SIZE_THROUGH(NDIS_OID_REQUEST, Reserved2)

/* ---- Status indications ("NDIS_STATUS_INDICATION") ---- */

typedef struct _NDIS_STATUS_INDICATION {
    NDIS_OBJECT_HEADER Header;
    NDIS_HANDLE SourceHandle;
    NDIS_PORT_NUMBER PortNumber;
    NDIS_STATUS StatusCode;
    ULONG Flags;
    NDIS_HANDLE DestinationHandle;
    PVOID RequestId;
    PVOID StatusBuffer;
    ULONG StatusBufferSize;
    GUID Guid;
    PVOID NdisReserved[4];
} NDIS_STATUS_INDICATION, *PNDIS_STATUS_INDICATION;

#define NDIS_STATUS_INDICATION_REVISION_1        1
#define NDIS_SIZEOF_STATUS_INDICATION_REVISION_1 AVB_SIZE_THROUGH(NDIS_STATUS_INDICATION, NdisReserved)

/* ---- Packet timestamping ("NDIS packet timestamping"; NDIS 6.82) ---- */

/* PTP over UDP only in the first eight; PTP over Ethernet is stamped where "All" or "Tagged" is set. */
typedef struct _NDIS_TIMESTAMP_CAPABILITY_FLAGS {
    BOOLEAN PtpV2OverUdpIPv4EventMsgReceiveHw;
    BOOLEAN PtpV2OverUdpIPv4AllMsgReceiveHw;
    BOOLEAN PtpV2OverUdpIPv4EventMsgTransmitHw;
    BOOLEAN PtpV2OverUdpIPv4AllMsgTransmitHw;
    BOOLEAN PtpV2OverUdpIPv6EventMsgReceiveHw;
    BOOLEAN PtpV2OverUdpIPv6AllMsgReceiveHw;
    BOOLEAN PtpV2OverUdpIPv6EventMsgTransmitHw;
    BOOLEAN PtpV2OverUdpIPv6AllMsgTransmitHw;
    BOOLEAN AllReceiveHw;
    BOOLEAN AllTransmitHw;
    BOOLEAN TaggedTransmitHw; /* where the sender sets NDIS_NBL_FLAGS_CAPTURE_TIMESTAMP_ON_TRANSMIT */
    BOOLEAN AllReceiveSw;     /* software stamps: the performance counter */
    BOOLEAN AllTransmitSw;
    BOOLEAN TaggedTransmitSw;
} NDIS_TIMESTAMP_CAPABILITY_FLAGS, *PNDIS_TIMESTAMP_CAPABILITY_FLAGS;

typedef struct _NDIS_TIMESTAMP_CAPABILITIES {
    NDIS_OBJECT_HEADER Header;
    UINT64 HardwareClockFrequencyHz; /* nominal */
    BOOLEAN CrossTimestamp;
    UINT64 Reserved1;
    UINT64 Reserved2;
    NDIS_TIMESTAMP_CAPABILITY_FLAGS TimestampFlags;
} NDIS_TIMESTAMP_CAPABILITIES, *PNDIS_TIMESTAMP_CAPABILITIES;

#define NDIS_TIMESTAMP_CAPABILITIES_REVISION_1        1
#define NDIS_SIZEOF_TIMESTAMP_CAPABILITIES_REVISION_1 AVB_SIZE_THROUGH(NDIS_TIMESTAMP_CAPABILITIES, TimestampFlags)

/* The NIC's clock between two readings of the performance counter. All three are never 0. */
typedef struct _NDIS_HARDWARE_CROSSTIMESTAMP {
    NDIS_OBJECT_HEADER Header;
    ULONG Flags;
    UINT64 SystemTimestamp1;
    UINT64 HardwareClockTimestamp;
    UINT64 SystemTimestamp2;
} NDIS_HARDWARE_CROSSTIMESTAMP, *PNDIS_HARDWARE_CROSSTIMESTAMP;

#define NDIS_HARDWARE_CROSSTIMESTAMP_REVISION_1        1
#define NDIS_SIZEOF_HARDWARE_CROSSTIMESTAMP_REVISION_1 AVB_SIZE_THROUGH(NDIS_HARDWARE_CROSSTIMESTAMP, SystemTimestamp2)

/* ---- Plug and Play ("NET_PNP_EVENT_NOTIFICATION", "NET_DEVICE_PNP_EVENT") ---- */

typedef enum _NET_PNP_EVENT_CODE {
    NetEventSetPower = 0,
    NetEventQueryPower = 1,
    NetEventQueryRemoveDevice = 2,
    NetEventCancelRemoveDevice = 3,
    NetEventReconfigure = 4,
    NetEventBindList = 5,
    NetEventBindsComplete = 6,
    NetEventPnPCapabilities = 7,
    NetEventPause = 8,
    NetEventRestart = 9,
    NetEventFilterPreDetach = 15 /* 6.30: finish own OID requests, detach follows */
} NET_PNP_EVENT_CODE,
    *PNET_PNP_EVENT_CODE;

typedef struct _NET_PNP_EVENT {
    NET_PNP_EVENT_CODE NetEvent;
    PVOID Buffer;
    ULONG BufferLength;
    ULONG_PTR NdisReserved[4];
    ULONG_PTR TransportReserved[4];
    ULONG_PTR TdiReserved[4];
    ULONG_PTR TdiClientReserved[4];
} NET_PNP_EVENT, *PNET_PNP_EVENT;

typedef struct _NET_PNP_EVENT_NOTIFICATION {
    NDIS_OBJECT_HEADER Header;
    NDIS_PORT_NUMBER PortNumber;
    NET_PNP_EVENT NetPnPEvent;
    ULONG Flags;
    ULONG SwitchId; /* from here on 6.50 */
    ULONG VPortId;
} NET_PNP_EVENT_NOTIFICATION, *PNET_PNP_EVENT_NOTIFICATION;

#define NET_PNP_EVENT_NOTIFICATION_REVISION_1             1
#define NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1 AVB_SIZE_THROUGH(NET_PNP_EVENT_NOTIFICATION, Flags)

typedef enum _NDIS_DEVICE_PNP_EVENT {
    NdisDevicePnPEventQueryRemoved = 0,
    NdisDevicePnPEventRemoved = 1,
    NdisDevicePnPEventSurpriseRemoved = 2,
    NdisDevicePnPEventQueryStopped = 3,
    NdisDevicePnPEventStopped = 4,
    NdisDevicePnPEventPowerProfileChanged = 5,
    NdisDevicePnPEventFilterListChanged = 6
} NDIS_DEVICE_PNP_EVENT,
    *PNDIS_DEVICE_PNP_EVENT;

typedef struct _NET_DEVICE_PNP_EVENT {
    NDIS_OBJECT_HEADER Header;
    NDIS_PORT_NUMBER PortNumber;
    NDIS_DEVICE_PNP_EVENT DevicePnPEvent;
    PVOID InformationBuffer;
    ULONG InformationBufferLength;
    UCHAR NdisReserved[2 * sizeof(PVOID)];
} NET_DEVICE_PNP_EVENT, *PNET_DEVICE_PNP_EVENT;

#define NET_DEVICE_PNP_EVENT_REVISION_1             1
#define NDIS_SIZEOF_NET_DEVICE_PNP_EVENT_REVISION_1 AVB_SIZE_THROUGH(NET_DEVICE_PNP_EVENT, NdisReserved)

/* ---- Attach, restart, pause ("NDIS_FILTER_ATTACH_PARAMETERS", "FilterRestart", "FilterPause") ---- */

typedef struct _NDIS_FILTER_ATTACH_PARAMETERS {
    NDIS_OBJECT_HEADER Header;
    NET_IFINDEX IfIndex; /* of the filter module itself, as NetLuid is */
    NET_LUID NetLuid;
    PNDIS_STRING FilterModuleGuidName;
    NET_IFINDEX BaseMiniportIfIndex;
    PNDIS_STRING BaseMiniportInstanceName;
    PNDIS_STRING BaseMiniportName; /* \DEVICE\{GUID} */
    NET_IF_MEDIA_CONNECT_STATE MediaConnectState;
    NET_IF_MEDIA_DUPLEX_STATE MediaDuplexState;
    UINT64 XmitLinkSpeed; /* bit/s */
    UINT64 RcvLinkSpeed;
    NDIS_MEDIUM MiniportMediaType;
    NDIS_PHYSICAL_MEDIUM MiniportPhysicalMediaType;
    PVOID MiniportMediaSpecificAttributes;
    struct _NDIS_OFFLOAD *DefaultOffloadConfiguration;
    USHORT MacAddressLength;
    UCHAR CurrentMacAddress[NDIS_MAX_PHYS_ADDRESS_LENGTH];
    NET_LUID BaseMiniportNetLuid;
    NET_IFINDEX LowerIfIndex;
    NET_LUID LowerIfNetLuid;
    ULONG Flags;
    struct _NDIS_HD_SPLIT_CURRENT_CONFIG *HDSplitCurrentConfig;
    struct _NDIS_RECEIVE_FILTER_CAPABILITIES *ReceiveFilterCapabilities;
    PDEVICE_OBJECT MiniportPhysicalDeviceObject; /* since 6.20; NULL: the miniport is a virtual one */
    struct _NDIS_NIC_SWITCH_CAPABILITIES *NicSwitchCapabilities;
    BOOLEAN BaseMiniportIfConnectorPresent; /* from here on 6.30 */
    struct _NDIS_SRIOV_CAPABILITIES *SriovCapabilities;
    struct _NDIS_NIC_SWITCH_INFO_ARRAY *NicSwitchArray;
} NDIS_FILTER_ATTACH_PARAMETERS, *PNDIS_FILTER_ATTACH_PARAMETERS;

#define NDIS_FILTER_ATTACH_PARAMETERS_REVISION_4        4
#define NDIS_SIZEOF_FILTER_ATTACH_PARAMETERS_REVISION_4 AVB_SIZE_THROUGH(NDIS_FILTER_ATTACH_PARAMETERS, NicSwitchArray)

typedef struct _NDIS_FILTER_ATTRIBUTES {
    NDIS_OBJECT_HEADER Header;
    ULONG Flags;
} NDIS_FILTER_ATTRIBUTES, *PNDIS_FILTER_ATTRIBUTES;

#define NDIS_FILTER_ATTRIBUTES_REVISION_1        1
#define NDIS_SIZEOF_FILTER_ATTRIBUTES_REVISION_1 AVB_SIZE_THROUGH(NDIS_FILTER_ATTRIBUTES, Flags)

typedef struct _NDIS_RESTART_ATTRIBUTES NDIS_RESTART_ATTRIBUTES, *PNDIS_RESTART_ATTRIBUTES;
struct _NDIS_RESTART_ATTRIBUTES {
    PNDIS_RESTART_ATTRIBUTES Next;
    NDIS_OID Oid;
    ULONG DataLength;
    UCHAR Data[1] NDIS_ALIGNED;
};

typedef struct _NDIS_FILTER_RESTART_PARAMETERS {
    NDIS_OBJECT_HEADER Header;
    NDIS_MEDIUM MiniportMediaType;
    NDIS_PHYSICAL_MEDIUM MiniportPhysicalMediaType;
    PNDIS_RESTART_ATTRIBUTES RestartAttributes;
    NET_IFINDEX LowerIfIndex;
    NET_LUID LowerIfNetLuid;
    ULONG Flags;
} NDIS_FILTER_RESTART_PARAMETERS, *PNDIS_FILTER_RESTART_PARAMETERS;

#define NDIS_FILTER_RESTART_PARAMETERS_REVISION_1        1
#define NDIS_SIZEOF_FILTER_RESTART_PARAMETERS_REVISION_1 AVB_SIZE_THROUGH(NDIS_FILTER_RESTART_PARAMETERS, Flags)

typedef struct _NDIS_FILTER_PAUSE_PARAMETERS {
    NDIS_OBJECT_HEADER Header;
    ULONG Flags;
    ULONG PauseReason; /* NDIS_PAUSE_... */
} NDIS_FILTER_PAUSE_PARAMETERS, *PNDIS_FILTER_PAUSE_PARAMETERS;

#define NDIS_FILTER_PAUSE_PARAMETERS_REVISION_1        1
#define NDIS_SIZEOF_FILTER_PAUSE_PARAMETERS_REVISION_1 AVB_SIZE_THROUGH(NDIS_FILTER_PAUSE_PARAMETERS, PauseReason)
#define NDIS_PAUSE_NDIS_INTERNAL                       0x00000001u
#define NDIS_PAUSE_LOW_POWER                           0x00000002u

/* ---- The filter's handlers ("NDIS filter driver functions") ---- */

typedef NDIS_STATUS NTAPI FILTER_SET_OPTIONS(NDIS_HANDLE NdisFilterDriverHandle, NDIS_HANDLE FilterDriverContext);
typedef NDIS_STATUS NTAPI FILTER_SET_MODULE_OPTIONS(NDIS_HANDLE FilterModuleContext);
typedef NDIS_STATUS NTAPI FILTER_ATTACH(NDIS_HANDLE NdisFilterHandle, NDIS_HANDLE FilterDriverContext,
                                        PNDIS_FILTER_ATTACH_PARAMETERS AttachParameters);
typedef VOID NTAPI FILTER_DETACH(NDIS_HANDLE FilterModuleContext);
typedef NDIS_STATUS NTAPI FILTER_RESTART(NDIS_HANDLE FilterModuleContext,
                                         PNDIS_FILTER_RESTART_PARAMETERS RestartParameters);
typedef NDIS_STATUS NTAPI FILTER_PAUSE(NDIS_HANDLE FilterModuleContext, PNDIS_FILTER_PAUSE_PARAMETERS PauseParameters);
typedef VOID NTAPI FILTER_SEND_NET_BUFFER_LISTS(NDIS_HANDLE FilterModuleContext, PNET_BUFFER_LIST NetBufferLists,
                                                NDIS_PORT_NUMBER PortNumber, ULONG SendFlags);
typedef VOID NTAPI FILTER_SEND_NET_BUFFER_LISTS_COMPLETE(NDIS_HANDLE FilterModuleContext,
                                                         PNET_BUFFER_LIST NetBufferLists, ULONG SendCompleteFlags);
typedef VOID NTAPI FILTER_CANCEL_SEND_NET_BUFFER_LISTS(NDIS_HANDLE FilterModuleContext, PVOID CancelId);
typedef VOID NTAPI FILTER_RECEIVE_NET_BUFFER_LISTS(NDIS_HANDLE FilterModuleContext, PNET_BUFFER_LIST NetBufferLists,
                                                   NDIS_PORT_NUMBER PortNumber, ULONG NumberOfNetBufferLists,
                                                   ULONG ReceiveFlags);
typedef VOID NTAPI FILTER_RETURN_NET_BUFFER_LISTS(NDIS_HANDLE FilterModuleContext, PNET_BUFFER_LIST NetBufferLists,
                                                  ULONG ReturnFlags);
typedef NDIS_STATUS NTAPI FILTER_OID_REQUEST(NDIS_HANDLE FilterModuleContext, PNDIS_OID_REQUEST OidRequest);
typedef VOID NTAPI FILTER_OID_REQUEST_COMPLETE(NDIS_HANDLE FilterModuleContext, PNDIS_OID_REQUEST OidRequest,
                                               NDIS_STATUS Status);
typedef VOID NTAPI FILTER_CANCEL_OID_REQUEST(NDIS_HANDLE FilterModuleContext, PVOID RequestId);
typedef VOID NTAPI FILTER_DEVICE_PNP_EVENT_NOTIFY(NDIS_HANDLE FilterModuleContext,
                                                  PNET_DEVICE_PNP_EVENT NetDevicePnPEvent);
typedef NDIS_STATUS NTAPI FILTER_NET_PNP_EVENT(NDIS_HANDLE FilterModuleContext,
                                               PNET_PNP_EVENT_NOTIFICATION NetPnPEventNotification);
typedef VOID NTAPI FILTER_STATUS(NDIS_HANDLE FilterModuleContext, PNDIS_STATUS_INDICATION StatusIndication);
typedef NDIS_STATUS NTAPI FILTER_SYNCHRONOUS_OID_REQUEST(NDIS_HANDLE FilterModuleContext, PNDIS_OID_REQUEST OidRequest,
                                                         PVOID *CallContext);
typedef VOID NTAPI FILTER_SYNCHRONOUS_OID_REQUEST_COMPLETE(NDIS_HANDLE FilterModuleContext,
                                                           PNDIS_OID_REQUEST OidRequest, NDIS_STATUS *Status,
                                                           PVOID CallContext);

/* "NDIS_FILTER_DRIVER_CHARACTERISTICS". A handler that is NULL: NDIS passes the filter by. */
typedef struct _NDIS_FILTER_DRIVER_CHARACTERISTICS {
    NDIS_OBJECT_HEADER Header;
    UCHAR MajorNdisVersion;
    UCHAR MinorNdisVersion;
    UCHAR MajorDriverVersion;
    UCHAR MinorDriverVersion;
    ULONG Flags;
    NDIS_STRING FriendlyName;
    NDIS_STRING UniqueName;  /* NetCfgInstanceId of the INF */
    NDIS_STRING ServiceName; /* the service's name in the INF */
    FILTER_SET_OPTIONS *SetOptionsHandler;
    FILTER_SET_MODULE_OPTIONS *SetFilterModuleOptionsHandler;
    FILTER_ATTACH *AttachHandler;
    FILTER_DETACH *DetachHandler;
    FILTER_RESTART *RestartHandler;
    FILTER_PAUSE *PauseHandler;
    FILTER_SEND_NET_BUFFER_LISTS *SendNetBufferListsHandler;
    FILTER_SEND_NET_BUFFER_LISTS_COMPLETE *SendNetBufferListsCompleteHandler;
    FILTER_CANCEL_SEND_NET_BUFFER_LISTS *CancelSendNetBufferListsHandler;
    FILTER_RECEIVE_NET_BUFFER_LISTS *ReceiveNetBufferListsHandler;
    FILTER_RETURN_NET_BUFFER_LISTS *ReturnNetBufferListsHandler;
    FILTER_OID_REQUEST *OidRequestHandler;
    FILTER_OID_REQUEST_COMPLETE *OidRequestCompleteHandler;
    FILTER_CANCEL_OID_REQUEST *CancelOidRequestHandler;
    FILTER_DEVICE_PNP_EVENT_NOTIFY *DevicePnPEventNotifyHandler;
    FILTER_NET_PNP_EVENT *NetPnPEventHandler;
    FILTER_STATUS *StatusHandler;
    /* Revision 2, NDIS 6.1 */
    FILTER_OID_REQUEST *DirectOidRequestHandler;
    FILTER_OID_REQUEST_COMPLETE *DirectOidRequestCompleteHandler;
    FILTER_CANCEL_OID_REQUEST *CancelDirectOidRequestHandler;
    /* Revision 3, NDIS 6.80 */
    FILTER_SYNCHRONOUS_OID_REQUEST *SynchronousOidRequestHandler;
    FILTER_SYNCHRONOUS_OID_REQUEST_COMPLETE *SynchronousOidRequestCompleteHandler;
} NDIS_FILTER_DRIVER_CHARACTERISTICS, *PNDIS_FILTER_DRIVER_CHARACTERISTICS;

#define NDIS_FILTER_CHARACTERISTICS_REVISION_1 1
#define NDIS_FILTER_CHARACTERISTICS_REVISION_2 2
#define NDIS_FILTER_CHARACTERISTICS_REVISION_3 3
#define NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_1 \
    AVB_SIZE_THROUGH(NDIS_FILTER_DRIVER_CHARACTERISTICS, StatusHandler)
#define NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_2 \
    AVB_SIZE_THROUGH(NDIS_FILTER_DRIVER_CHARACTERISTICS, CancelDirectOidRequestHandler)
#define NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_3 \
    AVB_SIZE_THROUGH(NDIS_FILTER_DRIVER_CHARACTERISTICS, SynchronousOidRequestCompleteHandler)

/* ---- A device of the driver's own ("NDIS_DEVICE_OBJECT_ATTRIBUTES") ---- */

typedef struct _NDIS_DEVICE_OBJECT_ATTRIBUTES {
    NDIS_OBJECT_HEADER Header;
    PNDIS_STRING DeviceName;
    PNDIS_STRING SymbolicName;
    PDRIVER_DISPATCH *MajorFunctions; /* IRP_MJ_MAXIMUM_FUNCTION + 1 of them */
    ULONG ExtensionSize;
    const UNICODE_STRING *DefaultSDDLString;
    const GUID *DeviceClassGuid;
} NDIS_DEVICE_OBJECT_ATTRIBUTES, *PNDIS_DEVICE_OBJECT_ATTRIBUTES;

#define NDIS_DEVICE_OBJECT_ATTRIBUTES_REVISION_1        1
#define NDIS_SIZEOF_DEVICE_OBJECT_ATTRIBUTES_REVISION_1 AVB_SIZE_THROUGH(NDIS_DEVICE_OBJECT_ATTRIBUTES, DeviceClassGuid)

/* ---- Configuration ("NDIS_CONFIGURATION_OBJECT", "NDIS_CONFIGURATION_PARAMETER") ---- */

typedef enum _NDIS_PARAMETER_TYPE {
    NdisParameterInteger = 0,
    NdisParameterHexInteger = 1,
    NdisParameterString = 2,
    NdisParameterMultiString = 3,
    NdisParameterBinary = 4
} NDIS_PARAMETER_TYPE,
    *PNDIS_PARAMETER_TYPE;

typedef struct _NDIS_CONFIGURATION_PARAMETER {
    NDIS_PARAMETER_TYPE ParameterType;
    union {
        ULONG IntegerData;
        NDIS_STRING StringData;
    } ParameterData;
} NDIS_CONFIGURATION_PARAMETER, *PNDIS_CONFIGURATION_PARAMETER;

typedef struct _NDIS_CONFIGURATION_OBJECT {
    NDIS_OBJECT_HEADER Header;
    NDIS_HANDLE NdisHandle; /* of the filter module: its own parameters on this adapter */
    ULONG Flags;
} NDIS_CONFIGURATION_OBJECT, *PNDIS_CONFIGURATION_OBJECT;

#define NDIS_CONFIGURATION_OBJECT_REVISION_1        1
#define NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1 AVB_SIZE_THROUGH(NDIS_CONFIGURATION_OBJECT, Flags)

/* ---- Functions of ndis.sys ("NDIS library functions"), all there since 6.0 ---- */

NDISAPI UINT32 NTAPI NdisGetVersion(VOID);

_IRQL_requires_max_(PASSIVE_LEVEL) NDISAPI NDIS_STATUS NTAPI
    NdisFRegisterFilterDriver(PDRIVER_OBJECT DriverObject, NDIS_HANDLE FilterDriverContext,
                              PNDIS_FILTER_DRIVER_CHARACTERISTICS FilterDriverCharacteristics,
                              PNDIS_HANDLE NdisFilterDriverHandle);
/* Detaches from every adapter before it returns. */
_IRQL_requires_max_(PASSIVE_LEVEL) NDISAPI VOID NTAPI NdisFDeregisterFilterDriver(NDIS_HANDLE NdisFilterDriverHandle);
_IRQL_requires_max_(PASSIVE_LEVEL) NDISAPI NDIS_STATUS NTAPI
    NdisFSetAttributes(NDIS_HANDLE NdisFilterHandle, NDIS_HANDLE FilterModuleContext,
                       PNDIS_FILTER_ATTRIBUTES FilterAttributes);

_IRQL_requires_max_(DISPATCH_LEVEL) NDISAPI VOID NTAPI
    NdisFSendNetBufferLists(NDIS_HANDLE NdisFilterHandle, PNET_BUFFER_LIST NetBufferLists, NDIS_PORT_NUMBER PortNumber,
                            ULONG SendFlags);
_IRQL_requires_max_(DISPATCH_LEVEL) NDISAPI VOID NTAPI
    NdisFSendNetBufferListsComplete(NDIS_HANDLE NdisFilterHandle, PNET_BUFFER_LIST NetBufferLists,
                                    ULONG SendCompleteFlags);
_IRQL_requires_max_(DISPATCH_LEVEL) NDISAPI VOID NTAPI
    NdisFCancelSendNetBufferLists(NDIS_HANDLE NdisFilterHandle, PVOID CancelId);
_IRQL_requires_max_(DISPATCH_LEVEL) NDISAPI VOID NTAPI
    NdisFIndicateReceiveNetBufferLists(NDIS_HANDLE NdisFilterHandle, PNET_BUFFER_LIST NetBufferLists,
                                       NDIS_PORT_NUMBER PortNumber, ULONG NumberOfNetBufferLists, ULONG ReceiveFlags);
_IRQL_requires_max_(DISPATCH_LEVEL) NDISAPI VOID NTAPI
    NdisFReturnNetBufferLists(NDIS_HANDLE NdisFilterHandle, PNET_BUFFER_LIST NetBufferLists, ULONG ReturnFlags);

/* The frame's first bytes in one piece: in place, or copied to Storage. NULL: too short, not in one piece and
 * no Storage, or the memory cannot be mapped. AlignMultiple: a power of two, 1 = any. */
_IRQL_requires_max_(DISPATCH_LEVEL) NDISAPI PVOID NTAPI
    NdisGetDataBuffer(PNET_BUFFER NetBuffer, ULONG BytesNeeded, PVOID Storage, ULONG AlignMultiple, ULONG AlignOffset);

/* Where it returns NDIS_STATUS_PENDING, FilterOidRequestComplete follows. */
_IRQL_requires_max_(DISPATCH_LEVEL) NDISAPI NDIS_STATUS NTAPI
    NdisFOidRequest(NDIS_HANDLE NdisFilterHandle, PNDIS_OID_REQUEST OidRequest);
_IRQL_requires_max_(DISPATCH_LEVEL) NDISAPI VOID NTAPI
    NdisFOidRequestComplete(NDIS_HANDLE NdisFilterHandle, PNDIS_OID_REQUEST OidRequest, NDIS_STATUS Status);
_IRQL_requires_max_(DISPATCH_LEVEL) NDISAPI VOID NTAPI
    NdisFCancelOidRequest(NDIS_HANDLE NdisFilterHandle, PVOID RequestId);
_IRQL_requires_max_(DISPATCH_LEVEL) NDISAPI NDIS_STATUS NTAPI
    NdisAllocateCloneOidRequest(NDIS_HANDLE SourceHandle, PNDIS_OID_REQUEST OidRequest, ULONG PoolTag,
                                PNDIS_OID_REQUEST *ClonedOidRequest);
_IRQL_requires_max_(DISPATCH_LEVEL) NDISAPI VOID NTAPI
    NdisFreeCloneOidRequest(NDIS_HANDLE SourceHandle, PNDIS_OID_REQUEST Request);

_IRQL_requires_max_(DISPATCH_LEVEL) NDISAPI VOID NTAPI
    NdisFIndicateStatus(NDIS_HANDLE NdisFilterHandle, PNDIS_STATUS_INDICATION StatusIndication);
_IRQL_requires_max_(PASSIVE_LEVEL) NDISAPI NDIS_STATUS NTAPI
    NdisFNetPnPEvent(NDIS_HANDLE NdisFilterHandle, PNET_PNP_EVENT_NOTIFICATION NetPnPEventNotification);
_IRQL_requires_max_(PASSIVE_LEVEL) NDISAPI VOID NTAPI
    NdisFDevicePnPEventNotify(NDIS_HANDLE NdisFilterHandle, PNET_DEVICE_PNP_EVENT NetDevicePnPEvent);

_IRQL_requires_max_(PASSIVE_LEVEL) NDISAPI NDIS_STATUS NTAPI
    NdisRegisterDeviceEx(NDIS_HANDLE NdisHandle, PNDIS_DEVICE_OBJECT_ATTRIBUTES DeviceObjectAttributes,
                         PDEVICE_OBJECT *pDeviceObject, PNDIS_HANDLE NdisDeviceHandle);
_IRQL_requires_max_(PASSIVE_LEVEL) NDISAPI VOID NTAPI NdisDeregisterDeviceEx(NDIS_HANDLE NdisDeviceHandle);

_IRQL_requires_max_(PASSIVE_LEVEL) NDISAPI NDIS_STATUS NTAPI
    NdisOpenConfigurationEx(PNDIS_CONFIGURATION_OBJECT ConfigObject, PNDIS_HANDLE ConfigurationHandle);
/* *ParameterValue is NDIS's, until the configuration is closed. */
_IRQL_requires_max_(PASSIVE_LEVEL) NDISAPI VOID NTAPI
    NdisReadConfiguration(PNDIS_STATUS Status, PNDIS_CONFIGURATION_PARAMETER *ParameterValue,
                          NDIS_HANDLE ConfigurationHandle, PNDIS_STRING Keyword, NDIS_PARAMETER_TYPE ParameterType);
_IRQL_requires_max_(PASSIVE_LEVEL) NDISAPI VOID NTAPI NdisCloseConfiguration(NDIS_HANDLE ConfigurationHandle);

/* ---- The layouts, as in ndis.sys for x64 ---- */

#define AVB_ASSERT_SIZE(type, size) AVB_STATIC_ASSERT(sizeof(type) == (size), #type " is NDIS's")

AVB_ASSERT_SIZE(NDIS_HANDLE, 8);
AVB_ASSERT_SIZE(NDIS_STATUS, 4);
AVB_ASSERT_SIZE(NDIS_MEDIUM, 4);
AVB_ASSERT_SIZE(NET_LUID, 8);
AVB_ASSERT_SIZE(NDIS_OBJECT_HEADER, 4);
AVB_ASSERT_SIZE(UNICODE_STRING, 0x10);

AVB_ASSERT_SIZE(NET_BUFFER, 0xB0);
AVB_ASSERT_OFFSET(NET_BUFFER, Next, 0x00);
AVB_ASSERT_OFFSET(NET_BUFFER, CurrentMdl, 0x08);
AVB_ASSERT_OFFSET(NET_BUFFER, CurrentMdlOffset, 0x10);
AVB_ASSERT_OFFSET(NET_BUFFER, DataLength, 0x18);
AVB_ASSERT_OFFSET(NET_BUFFER, stDataLength, 0x18);
AVB_ASSERT_OFFSET(NET_BUFFER, MdlChain, 0x20);
AVB_ASSERT_OFFSET(NET_BUFFER, DataOffset, 0x28);
AVB_ASSERT_OFFSET(NET_BUFFER, ChecksumBias, 0x30);
AVB_ASSERT_OFFSET(NET_BUFFER, NdisPoolHandle, 0x38);
AVB_ASSERT_OFFSET(NET_BUFFER, NdisReserved, 0x40);
AVB_ASSERT_OFFSET(NET_BUFFER, ProtocolReserved, 0x50);
AVB_ASSERT_OFFSET(NET_BUFFER, MiniportReserved, 0x80);
AVB_ASSERT_OFFSET(NET_BUFFER, DataPhysicalAddress, 0xA0);
AVB_ASSERT_OFFSET(NET_BUFFER, SharedMemoryInfo, 0xA8);

AVB_ASSERT_OFFSET(NET_BUFFER_LIST, Next, 0x00);
AVB_ASSERT_OFFSET(NET_BUFFER_LIST, FirstNetBuffer, 0x08);
AVB_ASSERT_OFFSET(NET_BUFFER_LIST, Context, 0x10);
AVB_ASSERT_OFFSET(NET_BUFFER_LIST, ParentNetBufferList, 0x18);
AVB_ASSERT_OFFSET(NET_BUFFER_LIST, NdisPoolHandle, 0x20);
AVB_ASSERT_OFFSET(NET_BUFFER_LIST, NdisReserved, 0x30);
AVB_ASSERT_OFFSET(NET_BUFFER_LIST, ProtocolReserved, 0x40);
AVB_ASSERT_OFFSET(NET_BUFFER_LIST, MiniportReserved, 0x60);
AVB_ASSERT_OFFSET(NET_BUFFER_LIST, Scratch, 0x70);
AVB_ASSERT_OFFSET(NET_BUFFER_LIST, SourceHandle, 0x78);
AVB_ASSERT_OFFSET(NET_BUFFER_LIST, NblFlags, 0x80);
AVB_ASSERT_OFFSET(NET_BUFFER_LIST, ChildRefCount, 0x84);
AVB_ASSERT_OFFSET(NET_BUFFER_LIST, Flags, 0x88);
AVB_ASSERT_OFFSET(NET_BUFFER_LIST, Status, 0x8C);
AVB_ASSERT_OFFSET(NET_BUFFER_LIST, NetBufferListInfo, 0x90);
AVB_ASSERT_OFFSET(NET_BUFFER_LIST, NetBufferListInfo[Ieee8021QNetBufferListInfo], 0xB0);
AVB_ASSERT_OFFSET(NET_BUFFER_LIST, NetBufferListInfo[NetBufferListFilteringInfo], 0x100);
AVB_ASSERT_OFFSET(NET_BUFFER_LIST, NetBufferListInfo[NetBufferListInfoReserved3], 0x160);
AVB_ASSERT_SIZE(NDIS_NET_BUFFER_LIST_8021Q_INFO, 8);
AVB_ASSERT_SIZE(NDIS_NET_BUFFER_LIST_FILTERING_INFO, 8);
AVB_ASSERT_OFFSET(NDIS_NET_BUFFER_LIST_FILTERING_INFO, FilteringInfo.QueueVPortInfo, 2);
AVB_ASSERT_SIZE(NET_BUFFER_LIST_CONTEXT, 0x10);
AVB_ASSERT_OFFSET(NET_BUFFER_LIST_CONTEXT, Size, 0x08);
AVB_ASSERT_OFFSET(NET_BUFFER_LIST_CONTEXT, Offset, 0x0A);
AVB_ASSERT_OFFSET(NET_BUFFER_LIST_CONTEXT, ContextData, 0x10);

AVB_ASSERT_SIZE(NDIS_OID_REQUEST, 0xF8);
AVB_ASSERT_OFFSET(NDIS_OID_REQUEST, RequestType, 0x04);
AVB_ASSERT_OFFSET(NDIS_OID_REQUEST, PortNumber, 0x08);
AVB_ASSERT_OFFSET(NDIS_OID_REQUEST, Timeout, 0x0C);
AVB_ASSERT_OFFSET(NDIS_OID_REQUEST, RequestId, 0x10);
AVB_ASSERT_OFFSET(NDIS_OID_REQUEST, RequestHandle, 0x18);
AVB_ASSERT_OFFSET(NDIS_OID_REQUEST, DATA, 0x20);
AVB_ASSERT_OFFSET(NDIS_OID_REQUEST, DATA.QUERY_INFORMATION.InformationBuffer, 0x28);
AVB_ASSERT_OFFSET(NDIS_OID_REQUEST, DATA.QUERY_INFORMATION.InformationBufferLength, 0x30);
AVB_ASSERT_OFFSET(NDIS_OID_REQUEST, DATA.QUERY_INFORMATION.BytesWritten, 0x34);
AVB_ASSERT_OFFSET(NDIS_OID_REQUEST, DATA.QUERY_INFORMATION.BytesNeeded, 0x38);
AVB_ASSERT_OFFSET(NDIS_OID_REQUEST, DATA.SET_INFORMATION.BytesRead, 0x34);
AVB_ASSERT_OFFSET(NDIS_OID_REQUEST, DATA.SET_INFORMATION.BytesNeeded, 0x38);
AVB_ASSERT_OFFSET(NDIS_OID_REQUEST, DATA.METHOD_INFORMATION.InputBufferLength, 0x30);
AVB_ASSERT_OFFSET(NDIS_OID_REQUEST, DATA.METHOD_INFORMATION.OutputBufferLength, 0x34);
AVB_ASSERT_OFFSET(NDIS_OID_REQUEST, DATA.METHOD_INFORMATION.MethodId, 0x38);
AVB_ASSERT_OFFSET(NDIS_OID_REQUEST, DATA.METHOD_INFORMATION.BytesWritten, 0x3C);
AVB_ASSERT_OFFSET(NDIS_OID_REQUEST, DATA.METHOD_INFORMATION.BytesRead, 0x40);
AVB_ASSERT_OFFSET(NDIS_OID_REQUEST, DATA.METHOD_INFORMATION.BytesNeeded, 0x44);
AVB_ASSERT_OFFSET(NDIS_OID_REQUEST, NdisReserved, 0x48);
AVB_ASSERT_OFFSET(NDIS_OID_REQUEST, MiniportReserved, 0xC8);
AVB_ASSERT_OFFSET(NDIS_OID_REQUEST, SourceReserved, 0xD8);
AVB_ASSERT_OFFSET(NDIS_OID_REQUEST, SupportedRevision, 0xE8);
AVB_ASSERT_OFFSET(NDIS_OID_REQUEST, SwitchId, 0xEC);
AVB_ASSERT_OFFSET(NDIS_OID_REQUEST, Flags, 0xF4);

AVB_ASSERT_SIZE(NDIS_STATUS_INDICATION, 0x70);
AVB_ASSERT_OFFSET(NDIS_STATUS_INDICATION, SourceHandle, 0x08);
AVB_ASSERT_OFFSET(NDIS_STATUS_INDICATION, PortNumber, 0x10);
AVB_ASSERT_OFFSET(NDIS_STATUS_INDICATION, StatusCode, 0x14);
AVB_ASSERT_OFFSET(NDIS_STATUS_INDICATION, Flags, 0x18);
AVB_ASSERT_OFFSET(NDIS_STATUS_INDICATION, DestinationHandle, 0x20);
AVB_ASSERT_OFFSET(NDIS_STATUS_INDICATION, RequestId, 0x28);
AVB_ASSERT_OFFSET(NDIS_STATUS_INDICATION, StatusBuffer, 0x30);
AVB_ASSERT_OFFSET(NDIS_STATUS_INDICATION, StatusBufferSize, 0x38);
AVB_ASSERT_OFFSET(NDIS_STATUS_INDICATION, Guid, 0x3C);
AVB_ASSERT_OFFSET(NDIS_STATUS_INDICATION, NdisReserved, 0x50);

AVB_ASSERT_SIZE(NDIS_TIMESTAMP_CAPABILITY_FLAGS, 0x0E);
AVB_ASSERT_SIZE(NDIS_TIMESTAMP_CAPABILITIES, 0x38);
AVB_ASSERT_OFFSET(NDIS_TIMESTAMP_CAPABILITIES, HardwareClockFrequencyHz, 0x08);
AVB_ASSERT_OFFSET(NDIS_TIMESTAMP_CAPABILITIES, CrossTimestamp, 0x10);
AVB_ASSERT_OFFSET(NDIS_TIMESTAMP_CAPABILITIES, Reserved1, 0x18);
AVB_ASSERT_OFFSET(NDIS_TIMESTAMP_CAPABILITIES, Reserved2, 0x20);
AVB_ASSERT_OFFSET(NDIS_TIMESTAMP_CAPABILITIES, TimestampFlags, 0x28);
AVB_STATIC_ASSERT(NDIS_SIZEOF_TIMESTAMP_CAPABILITIES_REVISION_1 == 0x36, "revision 1 ends with the flags");
AVB_ASSERT_SIZE(NDIS_HARDWARE_CROSSTIMESTAMP, 0x20);
AVB_ASSERT_OFFSET(NDIS_HARDWARE_CROSSTIMESTAMP, Flags, 0x04);
AVB_ASSERT_OFFSET(NDIS_HARDWARE_CROSSTIMESTAMP, SystemTimestamp1, 0x08);
AVB_ASSERT_OFFSET(NDIS_HARDWARE_CROSSTIMESTAMP, HardwareClockTimestamp, 0x10);
AVB_ASSERT_OFFSET(NDIS_HARDWARE_CROSSTIMESTAMP, SystemTimestamp2, 0x18);

AVB_ASSERT_SIZE(NET_PNP_EVENT, 0x98);
AVB_ASSERT_OFFSET(NET_PNP_EVENT, Buffer, 0x08);
AVB_ASSERT_OFFSET(NET_PNP_EVENT, BufferLength, 0x10);
AVB_ASSERT_OFFSET(NET_PNP_EVENT, NdisReserved, 0x18);
AVB_ASSERT_SIZE(NET_PNP_EVENT_NOTIFICATION, 0xB0);
AVB_ASSERT_OFFSET(NET_PNP_EVENT_NOTIFICATION, PortNumber, 0x04);
AVB_ASSERT_OFFSET(NET_PNP_EVENT_NOTIFICATION, NetPnPEvent, 0x08);
AVB_ASSERT_OFFSET(NET_PNP_EVENT_NOTIFICATION, Flags, 0xA0);
AVB_ASSERT_SIZE(NET_DEVICE_PNP_EVENT, 0x30);
AVB_ASSERT_OFFSET(NET_DEVICE_PNP_EVENT, DevicePnPEvent, 0x08);
AVB_ASSERT_OFFSET(NET_DEVICE_PNP_EVENT, InformationBuffer, 0x10);
AVB_ASSERT_OFFSET(NET_DEVICE_PNP_EVENT, InformationBufferLength, 0x18);
AVB_ASSERT_OFFSET(NET_DEVICE_PNP_EVENT, NdisReserved, 0x1C);

AVB_ASSERT_SIZE(NDIS_FILTER_ATTACH_PARAMETERS, 0xE0);
AVB_ASSERT_OFFSET(NDIS_FILTER_ATTACH_PARAMETERS, IfIndex, 0x04);
AVB_ASSERT_OFFSET(NDIS_FILTER_ATTACH_PARAMETERS, NetLuid, 0x08);
AVB_ASSERT_OFFSET(NDIS_FILTER_ATTACH_PARAMETERS, FilterModuleGuidName, 0x10);
AVB_ASSERT_OFFSET(NDIS_FILTER_ATTACH_PARAMETERS, BaseMiniportIfIndex, 0x18);
AVB_ASSERT_OFFSET(NDIS_FILTER_ATTACH_PARAMETERS, BaseMiniportInstanceName, 0x20);
AVB_ASSERT_OFFSET(NDIS_FILTER_ATTACH_PARAMETERS, BaseMiniportName, 0x28);
AVB_ASSERT_OFFSET(NDIS_FILTER_ATTACH_PARAMETERS, MediaConnectState, 0x30);
AVB_ASSERT_OFFSET(NDIS_FILTER_ATTACH_PARAMETERS, XmitLinkSpeed, 0x38);
AVB_ASSERT_OFFSET(NDIS_FILTER_ATTACH_PARAMETERS, MiniportMediaType, 0x48);
AVB_ASSERT_OFFSET(NDIS_FILTER_ATTACH_PARAMETERS, MiniportPhysicalMediaType, 0x4C);
AVB_ASSERT_OFFSET(NDIS_FILTER_ATTACH_PARAMETERS, MacAddressLength, 0x60);
AVB_ASSERT_OFFSET(NDIS_FILTER_ATTACH_PARAMETERS, CurrentMacAddress, 0x62);
AVB_ASSERT_OFFSET(NDIS_FILTER_ATTACH_PARAMETERS, BaseMiniportNetLuid, 0x88);
AVB_ASSERT_OFFSET(NDIS_FILTER_ATTACH_PARAMETERS, LowerIfIndex, 0x90);
AVB_ASSERT_OFFSET(NDIS_FILTER_ATTACH_PARAMETERS, LowerIfNetLuid, 0x98);
AVB_ASSERT_OFFSET(NDIS_FILTER_ATTACH_PARAMETERS, Flags, 0xA0);
AVB_ASSERT_OFFSET(NDIS_FILTER_ATTACH_PARAMETERS, MiniportPhysicalDeviceObject, 0xB8);
AVB_ASSERT_OFFSET(NDIS_FILTER_ATTACH_PARAMETERS, NicSwitchArray, 0xD8);
AVB_ASSERT_SIZE(NDIS_FILTER_ATTRIBUTES, 8);
AVB_ASSERT_SIZE(NDIS_RESTART_ATTRIBUTES, 0x20);
AVB_ASSERT_OFFSET(NDIS_RESTART_ATTRIBUTES, Data, 0x10);
AVB_ASSERT_SIZE(NDIS_FILTER_RESTART_PARAMETERS, 0x30);
AVB_ASSERT_OFFSET(NDIS_FILTER_RESTART_PARAMETERS, MiniportPhysicalMediaType, 0x08);
AVB_ASSERT_OFFSET(NDIS_FILTER_RESTART_PARAMETERS, RestartAttributes, 0x10);
AVB_ASSERT_OFFSET(NDIS_FILTER_RESTART_PARAMETERS, LowerIfIndex, 0x18);
AVB_ASSERT_OFFSET(NDIS_FILTER_RESTART_PARAMETERS, LowerIfNetLuid, 0x20);
AVB_ASSERT_OFFSET(NDIS_FILTER_RESTART_PARAMETERS, Flags, 0x28);
AVB_ASSERT_SIZE(NDIS_FILTER_PAUSE_PARAMETERS, 0x0C);

AVB_ASSERT_OFFSET(NDIS_FILTER_DRIVER_CHARACTERISTICS, MajorNdisVersion, 0x04);
AVB_ASSERT_OFFSET(NDIS_FILTER_DRIVER_CHARACTERISTICS, Flags, 0x08);
AVB_ASSERT_OFFSET(NDIS_FILTER_DRIVER_CHARACTERISTICS, FriendlyName, 0x10);
AVB_ASSERT_OFFSET(NDIS_FILTER_DRIVER_CHARACTERISTICS, SetOptionsHandler, 0x40);
AVB_ASSERT_OFFSET(NDIS_FILTER_DRIVER_CHARACTERISTICS, AttachHandler, 0x50);
AVB_ASSERT_OFFSET(NDIS_FILTER_DRIVER_CHARACTERISTICS, RestartHandler, 0x60);
AVB_ASSERT_OFFSET(NDIS_FILTER_DRIVER_CHARACTERISTICS, SendNetBufferListsHandler, 0x70);
AVB_ASSERT_OFFSET(NDIS_FILTER_DRIVER_CHARACTERISTICS, ReceiveNetBufferListsHandler, 0x88);
AVB_ASSERT_OFFSET(NDIS_FILTER_DRIVER_CHARACTERISTICS, OidRequestHandler, 0x98);
AVB_ASSERT_OFFSET(NDIS_FILTER_DRIVER_CHARACTERISTICS, DevicePnPEventNotifyHandler, 0xB0);
AVB_ASSERT_OFFSET(NDIS_FILTER_DRIVER_CHARACTERISTICS, StatusHandler, 0xC0);
AVB_STATIC_ASSERT(NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_1 == 0xC8, "NDIS 6.0");
AVB_STATIC_ASSERT(NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_2 == 0xE0, "NDIS 6.1");
AVB_STATIC_ASSERT(NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_3 == 0xF0, "NDIS 6.80");

AVB_ASSERT_SIZE(NDIS_DEVICE_OBJECT_ATTRIBUTES, 0x38);
AVB_ASSERT_OFFSET(NDIS_DEVICE_OBJECT_ATTRIBUTES, DeviceName, 0x08);
AVB_ASSERT_OFFSET(NDIS_DEVICE_OBJECT_ATTRIBUTES, MajorFunctions, 0x18);
AVB_ASSERT_OFFSET(NDIS_DEVICE_OBJECT_ATTRIBUTES, DefaultSDDLString, 0x28);
AVB_ASSERT_OFFSET(NDIS_DEVICE_OBJECT_ATTRIBUTES, DeviceClassGuid, 0x30);
AVB_ASSERT_SIZE(NDIS_CONFIGURATION_PARAMETER, 0x18);
AVB_ASSERT_OFFSET(NDIS_CONFIGURATION_PARAMETER, ParameterData, 0x08);
AVB_ASSERT_SIZE(NDIS_CONFIGURATION_OBJECT, 0x18);
AVB_ASSERT_OFFSET(NDIS_CONFIGURATION_OBJECT, NdisHandle, 0x08);
AVB_ASSERT_OFFSET(NDIS_CONFIGURATION_OBJECT, Flags, 0x10);

#endif
