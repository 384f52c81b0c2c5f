/* faults.so, for LD_PRELOAD: fails or delays the calls beneath a folder, as a disk in trouble does.

   FAULT_FOLDER   the folder; calls on other files go through
   FAULT_AT       the number of the first call that fails, from 1; 0: none
   FAULT_FOR      how many calls fail from there on (1)
   FAULT_ERRNO    with which error
   FAULT_SHORT    1: a write does half of its work instead of failing
   FAULT_COUNT    a file that gets the number of calls when the process ends
   FAULT_STALL    milliseconds that each flush takes longer, once the file FAULT_FOLDER/stall exists

   Calls are: open, write, flush, truncate, allocate, rename, link, unlink and mkdir. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *folder = "\1", *count_file;
static long at, how_many = 1, error_number, stall, shortened;
static long calls;
static char ours[4096];

static long number(const char *name, long otherwise) {
  const char *text = getenv(name);
  return text ? atol(text) : otherwise;
}

__attribute__((constructor)) static void begin(void) {
  if (getenv("FAULT_FOLDER")) folder = getenv("FAULT_FOLDER");
  count_file = getenv("FAULT_COUNT");
  at = number("FAULT_AT", 0);
  how_many = number("FAULT_FOR", 1);
  error_number = number("FAULT_ERRNO", EIO);
  stall = number("FAULT_STALL", 0);
  shortened = number("FAULT_SHORT", 0);
}

__attribute__((destructor)) static void end(void) {
  if (!count_file) return;
  FILE *file = fopen(count_file, "w");
  if (file) fprintf(file, "%ld\n", calls), fclose(file);
}

static int beneath(const char *path) {
  return path && strncmp(path, folder, strlen(folder)) == 0;
}

/* Whether this call fails. */
static int fails(void) {
  long n = __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
  if (at == 0 || n < at || n >= at + how_many) return 0;
  errno = (int)error_number;
  return 1;
}

static int known(int fd) { return fd >= 0 && fd < (int)sizeof ours && ours[fd]; }

static int remember(int fd, const char *path) {
  if (fd >= 0 && fd < (int)sizeof ours) ours[fd] = beneath(path) ? 1 : 0;
  return fd;
}

static void wait_for_the_disk(void) {
  char path[4096];
  struct stat found;
  snprintf(path, sizeof path, "%s/stall", folder);
  if (stall == 0 || stat(path, &found) != 0) return;
  struct timespec rest = {stall / 1000, (stall % 1000) * 1000000};
  while (nanosleep(&rest, &rest) != 0) {}
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define OPEN(name)                                             \
  int name(const char *path, int flags, ...) {                 \
    va_list list;                                              \
    va_start(list, flags);                                     \
    mode_t mode = (mode_t)va_arg(list, int);                   \
    va_end(list);                                              \
    if (beneath(path) && fails()) return -1;                   \
    return remember(REAL(name)(path, flags, mode), path);      \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                           \
  int name(int at_fd, const char *path, int flags, ...) {      \
    va_list list;                                              \
    va_start(list, flags);                                     \
    mode_t mode = (mode_t)va_arg(list, int);                   \
    va_end(list);                                              \
    if (beneath(path) && fails()) return -1;                   \
    return remember(REAL(name)(at_fd, path, flags, mode), path); \
  }
OPENAT(openat)
OPENAT(openat64)

int close(int fd) {
  remember(fd, NULL);
  return REAL(close)(fd);
}

ssize_t write(int fd, const void *bytes, size_t length) {
  if (known(fd) && fails()) {
    if (!shortened) return -1;
    length = length / 2;
  }
  return REAL(write)(fd, bytes, length);
}

#define PWRITE(name, offset_type)                                                    \
  ssize_t name(int fd, const void *bytes, size_t length, offset_type offset) {       \
    if (known(fd) && fails()) {                                                      \
      if (!shortened) return -1;                                                     \
      length = length / 2;                                                           \
    }                                                                                \
    return REAL(name)(fd, bytes, length, offset);                                    \
  }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define SYNC(name)                              \
  int name(int fd) {                            \
    if (known(fd)) {                            \
      if (fails()) return -1;                   \
      wait_for_the_disk();                      \
    }                                           \
    return REAL(name)(fd);                      \
  }
SYNC(fsync)
SYNC(fdatasync)

#define TRUNCATE(name, offset_type)             \
  int name(int fd, offset_type length) {        \
    if (known(fd) && fails()) return -1;        \
    return REAL(name)(fd, length);              \
  }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

int posix_fallocate(int fd, off_t offset, off_t length) {
  if (known(fd) && fails()) return errno;
  return REAL(posix_fallocate)(fd, offset, length);
}

int rename(const char *from, const char *to) {
  if (beneath(to) && fails()) return -1;
  return REAL(rename)(from, to);
}

int link(const char *from, const char *to) {
  if (beneath(to) && fails()) return -1;
  return REAL(link)(from, to);
}

int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags) {
  if (beneath(to) && fails()) return -1;
  return REAL(linkat)(from_fd, from, to_fd, to, flags);
}

int unlink(const char *path) {
  if (beneath(path) && fails()) return -1;
  return REAL(unlink)(path);
}

int mkdir(const char *path, mode_t mode) {
  if (beneath(path) && fails()) return -1;
  return REAL(mkdir)(path, mode);
}
