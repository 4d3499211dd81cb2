/* SPDX-License-Identifier: MIT */
/*
 * Sends PTP frames at an even rate:
 *
 *     frame_sender INTERFACE COUNT RATE STREAM
 *
 * COUNT Sync messages over Ethernet at RATE per second, from the source port of STREAM (0-255).
 * Their sequenceId counts up from 0; each time it wraps, portNumber goes up by one, so that no two
 * frames of a stream are alike. Fails unless exactly COUNT were sent.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ETHERTYPE_PTP 0x88F7
#define FRAME_LENGTH  60
#define NS_PER_SECOND 1000000000

/* Offsets in the frame. */
#define AT_CLOCK       34
#define AT_STREAM      41 /* last byte of clockIdentity */
#define AT_PORT_NUMBER 42
#define AT_SEQUENCE_ID 44

static const uint8_t sync_start[] = {
    0x01, 0x1B, 0x19, 0x00, 0x00, 0x00,             /* PTP's multicast address */
    0x02, 0x00, 0x00, 0xE2, 0xE0, 0x02, 0x88, 0xF7, /* source, EtherType */
    0x00, 0x02, 0x00, 0x2C, 0x00, 0x00, 0x02, 0x00, /* Sync, version 2, 44 bytes, domain 0, two-step */
};
static const uint8_t clock_start[] = {0x02, 0x00, 0xE2, 0xFF, 0xFE, 0xE2};

static int open_socket(const char *interface)
{
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_ifindex = (int)if_nametoindex(interface),
    };
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    if (fd < 0 || address.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        fprintf(stderr, "frame_sender: %s: %s\n", interface, strerror(errno));
        exit(1);
    }
    return fd;
}

static void put_16(uint8_t *to, unsigned long value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

/* A full queue is waited for: every frame counts. */
static void send_frame(int fd, const uint8_t *frame)
{
    while (send(fd, frame, FRAME_LENGTH, 0) != FRAME_LENGTH) {
        if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR) {
            fprintf(stderr, "frame_sender: %s\n", strerror(errno));
            exit(1);
        }
    }
}

static struct timespec later(struct timespec time, uint64_t ns)
{
    uint64_t sum = (uint64_t)time.tv_nsec + ns;
    time.tv_sec += (time_t)(sum / NS_PER_SECOND);
    time.tv_nsec = (long)(sum % NS_PER_SECOND);
    return time;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "Usage: frame_sender INTERFACE COUNT RATE STREAM\n");
        return 2;
    }
    unsigned long count = strtoul(argv[2], NULL, 10), rate = strtoul(argv[3], NULL, 10);
    uint8_t frame[FRAME_LENGTH] = {0};
    memcpy(frame, sync_start, sizeof sync_start);
    memcpy(frame + AT_CLOCK, clock_start, sizeof clock_start);
    frame[AT_STREAM] = (uint8_t)strtoul(argv[4], NULL, 10);
    if (rate == 0)
        return 2;

    int fd = open_socket(argv[1]);
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (unsigned long i = 0; i < count; i++) {
        struct timespec due = later(start, i * (NS_PER_SECOND / rate));
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
        put_16(frame + AT_SEQUENCE_ID, i);
        put_16(frame + AT_PORT_NUMBER, 1 + (i >> 16));
        send_frame(fd, frame);
    }
    close(fd);
    return 0;
}
