/* A library to preload: records what a process does to files of the name in $RECORDED_NAME, in their
   order, to the file in $RECORDED_TO.

   A record is a letter ('w' a write, 'd' one that is durable when it returns, 's' a sync, 't' a new
   length), offset and size (8 bytes each, of this machine), and the bytes that were written. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int log_file(void) {
    static int descriptor = -1;
    if (descriptor < 0)
        descriptor = open(getenv("RECORDED_TO"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    return descriptor;
}

static int is_recorded(int descriptor) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t size = readlink(link, path, sizeof path - 1);
    const char *name = getenv("RECORDED_NAME");
    if (size < 0 || !name || (size_t)size < strlen(name))
        return 0;
    path[size] = 0;
    return !strcmp(path + size - strlen(name), name);
}

static void record(int descriptor, char letter, int64_t offset, const struct iovec *parts,
                   int count, ssize_t done) {
    if (done < 0 || !is_recorded(descriptor))
        return;
    int64_t left = letter == 'w' ? done : 0;
    if (letter == 'w' && fcntl(descriptor, F_GETFL) & (O_DSYNC | O_SYNC))
        letter = 'd';
    struct iovec all[2 + count];
    all[0].iov_base = &letter;
    all[0].iov_len = 1;
    int64_t head[2] = {offset, left};
    all[1].iov_base = head;
    all[1].iov_len = sizeof head;
    int used = 2;
    for (int i = 0; i < count && left > 0; i++) {
        all[used] = parts[i];
        if ((int64_t)all[used].iov_len > left)
            all[used].iov_len = (size_t)left;
        left -= (int64_t)all[used++].iov_len;
    }
    if (writev(log_file(), all, used) < 0)
        abort();
}

#define NEXT(type, name) ((type)dlsym(RTLD_NEXT, name))
typedef ssize_t (*pwrite_type)(int, const void *, size_t, off_t);
typedef ssize_t (*pwritev_type)(int, const struct iovec *, int, off_t);
typedef ssize_t (*writev_type)(int, const struct iovec *, int);
typedef ssize_t (*write_type)(int, const void *, size_t);
typedef int (*sync_type)(int);
typedef int (*truncate_type)(int, off_t);

#define RECORDED_PWRITE(name)                                                                      \
    ssize_t name(int fd, const void *data, size_t size, off_t offset) {                            \
        ssize_t done = NEXT(pwrite_type, #name)(fd, data, size, offset);                           \
        struct iovec part = {(void *)data, size};                                                  \
        record(fd, 'w', offset, &part, 1, done);                                                   \
        return done;                                                                               \
    }
#define RECORDED_PWRITEV(name)                                                                     \
    ssize_t name(int fd, const struct iovec *parts, int count, off_t offset) {                     \
        ssize_t done = NEXT(pwritev_type, #name)(fd, parts, count, offset);                        \
        record(fd, 'w', offset, parts, count, done);                                               \
        return done;                                                                               \
    }
#define RECORDED_SYNC(name)                                                                        \
    int name(int fd) {                                                                             \
        int failed = NEXT(sync_type, #name)(fd);                                                   \
        record(fd, 's', 0, NULL, 0, failed);                                                       \
        return failed;                                                                             \
    }
#define RECORDED_TRUNCATE(name)                                                                    \
    int name(int fd, off_t size) {                                                                 \
        int failed = NEXT(truncate_type, #name)(fd, size);                                         \
        record(fd, 't', size, NULL, 0, failed);                                                    \
        return failed;                                                                             \
    }

RECORDED_PWRITE(pwrite)
RECORDED_PWRITE(pwrite64)
RECORDED_PWRITEV(pwritev)
RECORDED_PWRITEV(pwritev64)
RECORDED_SYNC(fsync)
RECORDED_SYNC(fdatasync)
RECORDED_TRUNCATE(ftruncate)
RECORDED_TRUNCATE(ftruncate64)

ssize_t write(int fd, const void *data, size_t size) {
    off_t offset = is_recorded(fd) ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t done = NEXT(write_type, "write")(fd, data, size);
    struct iovec part = {(void *)data, size};
    record(fd, 'w', offset, &part, 1, done);
    return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    off_t offset = is_recorded(fd) ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t done = NEXT(writev_type, "writev")(fd, parts, count);
    record(fd, 'w', offset, parts, count, done);
    return done;
}
