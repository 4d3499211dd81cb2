/* SPDX-License-Identifier: MIT */
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A standard stream that is closed would give its number to the next thing opened, and take what is meant for it. */
static void open_closed_streams(void)
{
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++) {
        if (fcntl(stream, F_GETFD) < 0 && open("/dev/null", O_RDWR) != stream)
            return;
    }
}

void terminal_start(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    open_closed_streams();
    setlocale(LC_TIME, "");
}

bool terminal_is(FILE *stream)
{
    return isatty(fileno(stream)) != 0;
}

bool terminal_has_colours(FILE *stream)
{
    const char *term = getenv("TERM");
    return terminal_is(stream) && term != NULL && strcmp(term, "dumb") != 0;
}

unsigned terminal_columns(FILE *stream)
{
    struct winsize size;
    if (!terminal_is(stream) || ioctl(fileno(stream), TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col;
}

/* A reader that is slow lets a signal come amidst of a write, and what another process said of the same open file may
 * make it not wait for the reader. Neither is a failure. */
static bool is_interruption(int error)
{
    struct pollfd room = {.fd = STDOUT_FILENO, .events = POLLOUT};
    if (error == EAGAIN)
        (void)poll(&room, 1, -1);
    return error == EAGAIN || error == EINTR;
}

bool terminal_write(const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDOUT_FILENO, text, length);
        if (written >= 0) {
            text += written;
            length -= (size_t)written;
        } else if (!is_interruption(errno)) {
            return false;
        }
    }
    return true;
}

bool terminal_reader_is_gone(int error)
{
    return error == EPIPE;
}
