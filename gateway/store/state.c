/* SPDX-License-Identifier: Apache-2.0 */
/* state.c: makes and locks the state folder, by flock() on a file that also tells the holder's process id. The lock
 * goes with the process, so a crash leaves nothing to clean up. */
#include "store/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/text.h"

#define PATH_BYTES 4096

static long read_pid(int fd)
{
    char buf[24] = "";

    return pread(fd, buf, sizeof(buf) - 1, 0) > 0 ? strtol(buf, NULL, 10) : 0;
}

static int write_pid(int fd)
{
    char buf[24];
    int n = snprintf(buf, sizeof(buf), "%ld\n", (long)getpid());

    if (ftruncate(fd, 0) || pwrite(fd, buf, (size_t)n, 0) != n)
        return errno ? -errno : -EIO;
    return 0;
}

static int lock_file(int fd, const char *folder, struct text *err_out)
{
    int err;

    if (flock(fd, LOCK_EX | LOCK_NB)) {
        err = errno == EWOULDBLOCK ? -EBUSY : -errno;
        if (err == -EBUSY)
            text_addf(err_out, "state folder %s is in use by another sipway (process %ld)", folder, read_pid(fd));
        else
            text_addf(err_out, "state folder %s cannot be locked: %s", folder, err_text(err));
        return err;
    }
    err = write_pid(fd);
    if (err)
        text_addf(err_out, "state folder %s cannot be written: %s", folder, err_text(err));
    return err;
}

int state_lock(int *fdp, const char *folder, struct text *err_out)
{
    char path[PATH_BYTES];
    int fd, err;

    if (mkdir(folder, 0750) && errno != EEXIST) {
        err = -errno;
        text_addf(err_out, "state folder %s cannot be made: %s", folder, err_text(err));
        return err;
    }
    if (snprintf(path, sizeof(path), "%s/lock", folder) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) {
        err = -errno;
        text_addf(err_out, "%s cannot be opened: %s", path, err_text(err));
        return err;
    }
    err = lock_file(fd, folder, err_out);
    if (err) {
        close(fd);
        return err;
    }
    *fdp = fd;
    return 0;
}

void state_unlock(int fd)
{
    if (fd >= 0)
        close(fd);
}
