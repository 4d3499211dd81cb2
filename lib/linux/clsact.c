/* SPDX-License-Identifier: MIT */
#include "linux/clsact.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A filter's handle says whose it is: 4 bits for ptpmon, one that a monitor made the clsact qdisc, and
 * 27 random ones for the attachment. Whoever finds a filter with QDISC_OURS at its own start inherits
 * the duty to remove the qdisc, should it be the last to leave. */
#define HANDLE_PTPMON      0x50000000u
#define HANDLE_PTPMON_MASK 0xF0000000u
#define HANDLE_QDISC_OURS  0x08000000u
#define HANDLE_RANDOM_MASK 0x07FFFFFFu

static const uint32_t parents[] = {TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS), TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)};

struct attachment {
    int ifindex;
    uint32_t handle;
};

/* ---- Netlink with nothing but system calls: it also runs in a forked child ---- */

struct request {
    struct nlmsghdr header;
    struct tcmsg tc;
    /* Sent only where header.nlmsg_len says so. */
    struct rtattr kind;
    char kind_name[4];
};

static struct request make_request(uint16_t type, uint16_t flags, int ifindex, uint32_t parent)
{
    struct request request;
    memset(&request, 0, sizeof request);
    request.header.nlmsg_len = NLMSG_LENGTH(sizeof request.tc);
    request.header.nlmsg_type = type;
    request.header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    request.tc.tcm_family = AF_UNSPEC;
    request.tc.tcm_ifindex = ifindex;
    request.tc.tcm_parent = parent;
    return request;
}

/* Sends the request and gives every answer to `look` (may be NULL). Returns 0 or -errno. */
static int transact(struct request *request, void (*look)(const struct nlmsghdr *message, void *context), void *context)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return -errno;
    int result = 0;
    bool more = true;
    if (send(fd, request, request->header.nlmsg_len, 0) < 0) {
        result = -errno;
        more = false;
    }
    while (more) {
        char answer[8192] __attribute__((aligned(NLMSG_ALIGNTO)));
        ssize_t received = recv(fd, answer, sizeof answer, 0);
        if (received < 0) {
            if (errno == EINTR)
                continue;
            result = -errno;
            break;
        }
        unsigned int left = (unsigned int)received;
        for (struct nlmsghdr *message = (void *)answer; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
            if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) {
                if (message->nlmsg_type == NLMSG_ERROR)
                    result = ((struct nlmsgerr *)NLMSG_DATA(message))->error;
                more = false;
            } else if (look) {
                look(message, context);
            }
        }
    }
    close(fd);
    return result;
}

/* What a dump of one hook's filters tells. */
struct filters {
    uint32_t handle;   /* asked: whose priority? */
    uint32_t priority; /* answered; 0 = not there */
    unsigned int count;
    bool qdisc_ours;
};

static void look_at_filter(const struct nlmsghdr *message, void *context)
{
    struct filters *filters = context;
    const struct tcmsg *tc = NLMSG_DATA(message);
    /* A dump also holds an entry of handle 0 for each priority. */
    if (message->nlmsg_type != RTM_NEWTFILTER || tc->tcm_handle == 0)
        return;
    filters->count++;
    if (tc->tcm_handle == filters->handle)
        filters->priority = tc->tcm_info >> 16;
    if ((tc->tcm_handle & HANDLE_PTPMON_MASK) == HANDLE_PTPMON && (tc->tcm_handle & HANDLE_QDISC_OURS))
        filters->qdisc_ours = true;
}

static struct filters filters_on(int ifindex, uint32_t parent, uint32_t handle)
{
    struct filters filters = {.handle = handle};
    struct request request = make_request(RTM_GETTFILTER, NLM_F_DUMP, ifindex, parent);
    transact(&request, look_at_filter, &filters);
    return filters;
}

static void delete_filter(const struct attachment *attachment, uint32_t parent, uint32_t priority)
{
    struct request request = make_request(RTM_DELTFILTER, NLM_F_ACK, attachment->ifindex, parent);
    request.tc.tcm_handle = attachment->handle;
    request.tc.tcm_info = TC_H_MAKE(priority << 16, (uint32_t)__builtin_bswap16(ETH_P_ALL));
    request.kind.rta_type = TCA_KIND;
    request.kind.rta_len = sizeof request.kind + sizeof request.kind_name;
    memcpy(request.kind_name, "bpf", sizeof request.kind_name);
    request.header.nlmsg_len = sizeof request;
    transact(&request, NULL, NULL);
}

static void detach(const struct attachment *attachment)
{
    unsigned int others = 0;
    for (int i = 0; i < 2; i++) {
        struct filters filters = filters_on(attachment->ifindex, parents[i], attachment->handle);
        if (filters.priority != 0)
            delete_filter(attachment, parents[i], filters.priority);
        others += filters.count - (filters.priority != 0);
    }
    if ((attachment->handle & HANDLE_QDISC_OURS) && others == 0) {
        struct request request = make_request(RTM_DELQDISC, NLM_F_ACK, attachment->ifindex, TC_H_CLSACT);
        transact(&request, NULL, NULL);
    }
}

/* ---- The janitor ---- */

static void close_all_but(int keep)
{
    if (keep > 0)
        syscall(SYS_close_range, 0u, (unsigned int)keep - 1, 0u);
    syscall(SYS_close_range, (unsigned int)keep + 1, ~0u, 0u);
}

/* The janitor's whole life; system calls only, for the owner may have had threads. */
static void wait_and_detach(const struct attachment *attachment, int hold)
{
    close_all_but(hold);
    setsid();
    prctl(PR_SET_NAME, "clsact-janitor"); /* `killall -9` of the owner's name must not reach it */
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL); /* Ctrl-C is meant for the owner */
    char byte;
    while (read(hold, &byte, 1) < 0 && errno == EINTR)
        ;
    detach(attachment);
    _exit(0);
}

static int start_janitor(const struct attachment *attachment, struct ptpmon_clsact *clsact)
{
    int hold[2];
    if (pipe2(hold, O_CLOEXEC) != 0)
        return -errno;
    /* A fork without SIGCHLD: neither the owner's signal handler nor its wait() sees this child. */
    long janitor = syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
    if (janitor == 0)
        wait_and_detach(attachment, hold[0]);
    int error = janitor < 0 ? errno : 0;
    close(hold[0]);
    if (error) {
        close(hold[1]);
        return -error;
    }
    *clsact = (struct ptpmon_clsact){.hold = hold[1], .janitor = (pid_t)janitor};
    return 0;
}

/* ---- Attaching, through libbpf ---- */

static int make_qdisc(struct attachment *attachment)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = attachment->ifindex, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
    int error = bpf_tc_hook_create(&hook);
    if (error != 0 && error != -EEXIST)
        return error;
    bool ours = error == 0;
    for (int i = 0; i < 2; i++)
        ours |= filters_on(attachment->ifindex, parents[i], 0).qdisc_ours;

    uint32_t random;
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        return -errno;
    attachment->handle = HANDLE_PTPMON | (ours ? HANDLE_QDISC_OURS : 0) | (random & HANDLE_RANDOM_MASK);
    return 0;
}

static int attach(const struct attachment *attachment, enum bpf_tc_attach_point point, int program_fd)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = attachment->ifindex, .attach_point = point);
    LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program_fd, .handle = attachment->handle);
    return bpf_tc_attach(&hook, &options);
}

int ptpmon_clsact_attach(struct ptpmon_clsact *clsact, int ifindex, int ingress_fd, int egress_fd)
{
    struct attachment attachment = {.ifindex = ifindex};
    int error = make_qdisc(&attachment);
    if (error != 0)
        return error;
    /* The janitor comes first: from the first filter on somebody is there to remove it. */
    error = start_janitor(&attachment, clsact);
    if (error != 0) {
        detach(&attachment);
        return error;
    }
    error = attach(&attachment, BPF_TC_INGRESS, ingress_fd);
    if (error == 0 && egress_fd >= 0)
        error = attach(&attachment, BPF_TC_EGRESS, egress_fd);
    if (error != 0)
        ptpmon_clsact_detach(clsact);
    return error;
}

void ptpmon_clsact_detach(struct ptpmon_clsact *clsact)
{
    close(clsact->hold);
    while (waitpid(clsact->janitor, NULL, (int)__WCLONE) < 0 && errno == EINTR)
        ;
}
