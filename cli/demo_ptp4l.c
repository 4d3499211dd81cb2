/* SPDX-License-Identifier: MIT */
#include "demo_ptp4l.h"

#include "format.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Intervals are shorter than the profiles' own, so that a few seconds show something. */
const struct demo_profile demo_profiles[] = {
    {
        .name = "default",
        .description = "IEEE 1588 default profile: UDP/IPv4, Delay_Req and Delay_Resp",
        .options = "network_transport UDPv4\n"
                   "delay_mechanism E2E\n"
                   "logAnnounceInterval -2\n"
                   "logSyncInterval -2\n"
                   "logMinDelayReqInterval -2\n",
    },
    {
        .name = "gptp",
        .description = "gPTP, IEEE 802.1AS: Ethernet, peer delay",
        /* linuxptp's gPTP.cfg; its neighborPropDelayThresh is for cables, software stamps need more. */
        .options = "network_transport L2\n"
                   "delay_mechanism P2P\n"
                   "transportSpecific 0x1\n"
                   "ptp_dst_mac 01:80:C2:00:00:0E\n"
                   "neighborPropDelayThresh 20000000\n"
                   "min_neighbor_prop_delay -20000000\n"
                   "assume_two_step 1\n"
                   "follow_up_info 1\n"
                   "path_trace_enabled 1\n"
                   "syncReceiptTimeout 3\n"
                   "logAnnounceInterval -2\n"
                   "logSyncInterval -3\n"
                   "logMinPdelayReqInterval -2\n",
    },
    {0},
};

/* tx_timestamp_timeout: a busy machine must not make ptp4l give up. */
static bool write_configuration(const char *path, const char *role, const struct demo_profile *profile)
{
    bool is_client = strcmp(role, DEMO_CLIENT) == 0;
    FILE *file = fopen(path, "we");
    if (file == NULL)
        return false;
    fprintf(file,
            "[global]\n"
            "free_running 1\n"
            "time_stamping software\n"
            "uds_address " DEMO_DIRECTORY
            "/%s.socket\n"
            "use_syslog 0\n"
            "verbose 1\n"
            "tx_timestamp_timeout 100\n"
            "fault_reset_interval ASAP\n"
            "slaveOnly %d\n"
            "priority1 %d\n"
            "%s"
            "[%s]\n",
            role, is_client ? 1 : 0, is_client ? 255 : 100, profile->options, role);
    return fclose(file) == 0;
}

static bool start(struct process *process, char log[static 64], const char *program, const char *role,
                  int network_namespace, const struct demo_profile *profile, char *why, size_t size)
{
    char configuration[64], path[PROCESS_PATH_SIZE], option[] = "-f";
    char *argv[] = {path, option, configuration, NULL};
    snprintf(path, sizeof path, "%s", program);
    snprintf(configuration, sizeof configuration, DEMO_DIRECTORY "/%s-%s.cfg", profile->name, role);
    snprintf(log, 64, DEMO_DIRECTORY "/%s-%s.log", profile->name, role);
    if (!write_configuration(configuration, role, profile)) {
        snprintf(why, size, "%s: cannot write: %s", configuration, strerror(errno));
        return false;
    }
    if (process_start(process, argv, network_namespace, log))
        return true;
    snprintf(why, size, "%s: cannot be started: %s", program, strerror(errno));
    return false;
}

bool demo_ptp4l_find(char program[static PROCESS_PATH_SIZE], char *why, size_t size)
{
    bool found = process_find("ptp4l", program);
    if (!found)
        snprintf(why, size, "ptp4l: not installed; it comes with the package linuxptp");
    return found;
}

bool demo_ptp4l_start(struct demo_ptp4l *ptp4l, const char *program, const struct demo_profile *profile,
                      const struct demo_network *network, char *why, size_t size)
{
    *ptp4l = (struct demo_ptp4l){0};
    return start(&ptp4l->grandmaster, ptp4l->grandmaster_log, program, DEMO_GRANDMASTER, network->grandmaster, profile,
                 why, size) &&
           start(&ptp4l->client, ptp4l->client_log, program, DEMO_CLIENT, -1, profile, why, size);
}

bool demo_ptp4l_is_running(struct demo_ptp4l *ptp4l)
{
    bool grandmaster = process_is_running(&ptp4l->grandmaster);
    return process_is_running(&ptp4l->client) && grandmaster;
}

void demo_ptp4l_stop(struct demo_ptp4l *ptp4l)
{
    process_stop(&ptp4l->client);
    process_stop(&ptp4l->grandmaster);
}

bool demo_ptp4l_client_follows(const struct demo_ptp4l *ptp4l)
{
    char line[512];
    bool follows = false;
    FILE *log = fopen(ptp4l->client_log, "re");
    if (log == NULL)
        return false;
    while (!follows && fgets(line, sizeof line, log) != NULL)
        follows = strstr(line, "to UNCALIBRATED") != NULL || strstr(line, "to SLAVE") != NULL;
    fclose(log);
    return follows;
}

static void print_log(const char *role, const char *path)
{
    char line[512], text[512];
    FILE *log = path[0] != 0 ? fopen(path, "re") : NULL;
    if (log == NULL)
        return;
    fprintf(stderr, "ptp4l as %s said:\n", role);
    while (fgets(line, sizeof line, log) != NULL) {
        line[strcspn(line, "\n")] = 0;
        fprintf(stderr, "  %s\n", format_printable(line, text, sizeof text));
    }
    fclose(log);
}

void demo_ptp4l_print_logs(const struct demo_ptp4l *ptp4l)
{
    print_log(DEMO_GRANDMASTER, ptp4l->grandmaster_log);
    print_log(DEMO_CLIENT, ptp4l->client_log);
}
