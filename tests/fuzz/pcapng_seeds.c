/* SPDX-License-Identifier: MIT */
/* Writes pcapng files as inputs of fuzz_pcapng: pcapng_seeds DIRECTORY */
#include "unit/capture_file.h"
#include "seeds.h"

#include <ptpmon.h>

static struct file file;
static uint8_t bytes[64] = {0x01, 0x1B, 0x19};

/* As ptpmon writes it. */
static int write_own(const char *path)
{
    static const ptpmon_capture_interface interfaces[] = {
        {.name = "eth0", .host = "lab", .boot_id = "1234", .has_mac = true}, {.name = "eth1"}};
    ptpmon_capture_statistics statistics = {.started_at = 1000};
    ptpmon_frame frame = {.bytes = bytes, .captured_length = 60, .length = 64};
    ptpmon_capture_writer *writer = NULL;
    if (ptpmon_capture_writer_open(path, interfaces, 2, &writer) != PTPMON_OK)
        return 0;
    ptpmon_status status = ptpmon_capture_writer_statistics(writer, 0, &statistics, 1000);
    for (size_t i = 0; i < 4 && status == PTPMON_OK; i++) {
        frame.time_ns += 1000;
        frame.direction = i % 2;
        status = ptpmon_capture_writer_frame(writer, i / 2, &frame);
    }
    statistics.dropped = 3;
    if (status == PTPMON_OK)
        status = ptpmon_capture_writer_statistics(writer, 0, &statistics, 9000);
    return ptpmon_capture_writer_close(writer) == PTPMON_OK && status == PTPMON_OK;
}

static void put_interface_with_all(uint8_t resolution)
{
    size_t block = begin_interface(&file, LINKTYPE_ETHERNET);
    put_option(&file, 2, "eth2", 4);
    put_option(&file, 6, bytes, 6);
    put_number_option(&file, 9, resolution, 1);
    put_number_option(&file, 14, 1, 8);
    put_option(&file, 1, "ptpmon host=x boot_id=y", 23);
    put_number(&file, 0, 4);
    end_block(&file, block);
}

static void put_blocks(void)
{
    put_section_of(&file, "ptpmon 0");
    put_interface_with_all(9);
    put_interface(&file, LINKTYPE_RAW, 6);
    put_interface_with_all(0x80 | 30);
    size_t block = begin_packet(&file, 0, 5000, 60, 60, bytes);
    put_number_option(&file, 2, 1, 4);
    put_number_option(&file, 4, 2, 8);
    put_number(&file, 0, 4);
    end_block(&file, block);
    put_packet(&file, 1, 5000, 3, 60, bytes);
    put_packet(&file, 2, 5000, 60, 60, bytes);
    block = begin_block(&file, 2); /* obsolete packet */
    put_number(&file, 0, 2);
    put_number(&file, 1, 2);
    put_ticks(&file, 6000);
    put_number(&file, 4, 4);
    put_number(&file, 4, 4);
    put_bytes(&file, bytes, 4);
    end_block(&file, block);
    block = begin_block(&file, 3); /* simple packet */
    put_number(&file, 4, 4);
    put_bytes(&file, bytes, 4);
    end_block(&file, block);
    block = begin_statistics(&file, 0, 7000);
    put_ticks_option(&file, 2, 4000);
    put_ticks_option(&file, 3, 7000);
    put_number_option(&file, 5, 2, 8);
    put_number_option(&file, 7, 5, 8);
    end_block(&file, block);
    block = begin_block(&file, 0xBAD);
    put_bytes(&file, bytes, 10);
    end_block(&file, block);
}

static int write_seed(const char *directory, const char *name, int kind)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    if (kind < 0)
        return write_own(path);
    file.length = 0;
    for (int section = 0; section < 2; section++) {
        file.big_endian = (kind >> section) & 1;
        put_blocks();
    }
    write_file(path, &file, file.length);
    return 1;
}

int main(int argc, char **argv)
{
    int refused = seeds_begin(argc, argv);
    if (refused != 0)
        return refused;
    if (!write_seed(argv[1], "own", -1)) {
        fprintf(stderr, "%s\n", ptpmon_error_message());
        return 1;
    }
    return write_seed(argv[1], "little", 0) && write_seed(argv[1], "big", 3) && write_seed(argv[1], "mixed", 2) ? 0 : 1;
}
