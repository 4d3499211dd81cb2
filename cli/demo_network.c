/* SPDX-License-Identifier: MIT */
#include "demo_network.h"

#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define IP_LOG       DEMO_DIRECTORY "/ip.log"
#define IP_WORDS_MAX 16

static bool fail(char *why, size_t size, const char *what)
{
    if (errno == EPERM || errno == EACCES)
        snprintf(why, size, "%s needs CAP_SYS_ADMIN; run it as root (sudo ptpmon demo)", what);
    else
        snprintf(why, size, "%s failed: %s; a kernel with network and mount namespaces is needed", what,
                 strerror(errno));
    return false;
}

/* A private /run: ptp4l's sockets and files neither meet those of the host nor stay behind. */
static bool make_private_run(char *why, size_t size)
{
    if (unshare(CLONE_NEWNS) != 0)
        return fail(why, size, "a mount namespace");
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("ptpmon-demo", "/run", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700,size=16m") != 0 ||
        mkdir(DEMO_DIRECTORY, 0700) != 0)
        return fail(why, size, "a private /run");
    return true;
}

/* Two new namespaces: the first is kept by its descriptor, this process stays in the second. */
static bool make_namespaces(struct demo_network *network, char *why, size_t size)
{
    if (unshare(CLONE_NEWNET) != 0)
        return fail(why, size, "a network namespace");
    network->grandmaster = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (network->grandmaster < 0 || unshare(CLONE_NEWNET) != 0)
        return fail(why, size, "a second network namespace");
    return true;
}

/* What a program wrote to its log, on one line. */
static void read_log(const char *path, char *text, size_t size)
{
    FILE *log = fopen(path, "re");
    size_t length = log != NULL ? fread(text, 1, size - 1, log) : 0;
    if (log != NULL)
        fclose(log);
    while (length > 0 && text[length - 1] == '\n')
        length--;
    text[length] = 0;
    for (char *at = text; *at != 0; at++) {
        if (*at == '\n')
            *at = ' ';
    }
}

/* Runs `ip` with these words, separated by blanks. */
static bool run_ip(const char *ip, int network_namespace, const char *command, char *why, size_t size)
{
    char words[256], said[256];
    char path[PROCESS_PATH_SIZE];
    char *argv[IP_WORDS_MAX + 2] = {path};
    size_t count = 1;
    char *next = NULL;
    struct process process;
    snprintf(path, sizeof path, "%s", ip);
    snprintf(words, sizeof words, "%s", command);
    for (char *word = strtok_r(words, " ", &next); word != NULL && count <= IP_WORDS_MAX;
         word = strtok_r(NULL, " ", &next))
        argv[count++] = word;
    if (!process_start(&process, argv, network_namespace, IP_LOG)) {
        snprintf(why, size, "%s: cannot be started: %s", ip, strerror(errno));
        return false;
    }
    if (process_wait(&process))
        return true;
    read_log(IP_LOG, said, sizeof said);
    snprintf(why, size, "`ip %s` failed (%s); veth support of kernel and iproute2 is needed", command, said);
    return false;
}

static bool make_links(const char *ip, const struct demo_network *network, char *why, size_t size)
{
    char pair[128];
    snprintf(pair, sizeof pair,
             "link add " DEMO_CLIENT " type veth peer name " DEMO_GRANDMASTER " netns /proc/%d/fd/%d", (int)getpid(),
             network->grandmaster);
    return run_ip(ip, -1, pair, why, size) &&
           run_ip(ip, network->grandmaster, "address add 192.0.2.1/24 dev " DEMO_GRANDMASTER, why, size) &&
           run_ip(ip, network->grandmaster, "link set " DEMO_GRANDMASTER " up", why, size) &&
           run_ip(ip, -1, "address add 192.0.2.2/24 dev " DEMO_CLIENT, why, size) &&
           run_ip(ip, -1, "link set " DEMO_CLIENT " up", why, size);
}

bool demo_network_create(struct demo_network *network, char *why, size_t size)
{
    char ip[PROCESS_PATH_SIZE];
    if (!process_find("ip", ip)) {
        snprintf(why, size, "ip: not installed; it comes with the package iproute2");
        return false;
    }
    return make_private_run(why, size) && make_namespaces(network, why, size) && make_links(ip, network, why, size);
}
