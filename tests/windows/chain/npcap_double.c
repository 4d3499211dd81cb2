/* SPDX-License-Identifier: MIT */
/*
 * Npcap's library as ptpmon loads it, from Npcap's own directory: it passes everything on to Wine's wpcap.dll. While
 * the file named by NPCAP_GONE is there, captures fail and none can be begun, as of an adapter that is being reset.
 */
#include <windows.h>

#include <stdlib.h>
#include <string.h>

#define NO_SUCH_DEVICE (-5) /* PCAP_ERROR_NO_SUCH_DEVICE */

typedef struct pcap pcap_t;
struct bpf_program;
struct pcap_pkthdr;
struct pcap_stat;

static FARPROC find(const char *name)
{
    static HMODULE wines;
    if (!wines)
        wines = LoadLibraryA("C:\\windows\\system32\\wpcap.dll");
    return GetProcAddress(wines, name);
}

static int is_gone(void)
{
    const char *path = getenv("NPCAP_GONE");
    return path && GetFileAttributesA(path) != INVALID_FILE_ATTRIBUTES;
}

/* A function of that name that only passes its arguments on. */
#define PASS(type, name, parameters, arguments) \
    __declspec(dllexport) type name parameters; \
    type name parameters \
    { \
        type(*next) parameters; \
        FARPROC found = find(#name); \
        memcpy(&next, &found, sizeof next); \
        return next arguments; \
    }

/* The same, but for what it answers while the adapter is gone. */
#define PASS_UNLESS_GONE(type, answer, name, parameters, arguments) \
    __declspec(dllexport) type name parameters; \
    type name parameters \
    { \
        type(*next) parameters; \
        FARPROC found = find(#name); \
        memcpy(&next, &found, sizeof next); \
        return is_gone() ? (answer) : next arguments; \
    }

PASS_UNLESS_GONE(int, NO_SUCH_DEVICE, pcap_activate, (pcap_t * p), (p))
PASS_UNLESS_GONE(int, -1, pcap_next_ex, (pcap_t * p, struct pcap_pkthdr **header, const unsigned char **bytes),
                 (p, header, bytes))
PASS_UNLESS_GONE(int, -1, pcap_stats, (pcap_t * p, struct pcap_stat *counters), (p, counters))
PASS(int, pcap_compile, (pcap_t * p, struct bpf_program *program, const char *text, int optimize, unsigned mask),
     (p, program, text, optimize, mask))
PASS(pcap_t *, pcap_create, (const char *device, char *problem), (device, problem))
PASS(int, pcap_datalink, (pcap_t * p), (p))
PASS(const char *, pcap_datalink_val_to_name, (int type), (type))
PASS(char *, pcap_geterr, (pcap_t * p), (p))
PASS(int, pcap_set_buffer_size, (pcap_t * p, int bytes), (p, bytes))
PASS(int, pcap_set_promisc, (pcap_t * p, int on), (p, on))
PASS(int, pcap_set_snaplen, (pcap_t * p, int bytes), (p, bytes))
PASS(int, pcap_set_timeout, (pcap_t * p, int ms), (p, ms))
PASS(int, pcap_set_tstamp_precision, (pcap_t * p, int precision), (p, precision))
PASS(int, pcap_set_tstamp_type, (pcap_t * p, int type), (p, type))
PASS(int, pcap_setfilter, (pcap_t * p, struct bpf_program *program), (p, program))
PASS(int, pcap_setnonblock, (pcap_t * p, int on, char *problem), (p, on, problem))
PASS(const char *, pcap_statustostr, (int status), (status))

#define PASS_VOID(name, parameters, arguments) \
    __declspec(dllexport) void name parameters; \
    void name parameters \
    { \
        void(*next) parameters; \
        FARPROC found = find(#name); \
        memcpy(&next, &found, sizeof next); \
        next arguments; \
    }

PASS_VOID(pcap_close, (pcap_t * p), (p))
PASS_VOID(pcap_freecode, (struct bpf_program * program), (program))
