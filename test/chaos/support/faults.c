/*
 * Faults on demand for a process that is started with this library in LD_PRELOAD. What is to go wrong stands in a small
 * file that is mapped into memory (CHAOS_FAULTS), so that asking costs nothing and a change holds at once:
 *   int64  how far the clock of the day is off, in ns
 *   int64  1: fsync and fdatasync fail with EIO; 2: only those of files whose name has the text of CHAOS_FSYNC_ONLY
 *   int64  how many have failed so far, counted here
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct faults {
  volatile int64_t clock_offset_ns;
  volatile int64_t fsync_mode;
  volatile int64_t fsync_failures;
};

static struct faults none;
static struct faults *faults = &none;
static const char *only;

static int (*real_clock_gettime)(clockid_t, struct timespec *);
static int (*real_gettimeofday)(struct timeval *, void *);
static time_t (*real_time)(time_t *);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);

__attribute__((constructor)) static void prepare(void) {
  real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
  real_gettimeofday = dlsym(RTLD_NEXT, "gettimeofday");
  real_time = dlsym(RTLD_NEXT, "time");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  only = getenv("CHAOS_FSYNC_ONLY");
  const char *path = getenv("CHAOS_FAULTS");
  int file = path ? open(path, O_RDWR) : -1;
  if (file < 0) return;
  void *mapped = mmap(NULL, sizeof none, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (mapped != MAP_FAILED) faults = mapped;
  close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  if (!real_clock_gettime) real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
  int result = real_clock_gettime(clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    int64_t ns = (int64_t)now->tv_sec * 1000000000 + now->tv_nsec + faults->clock_offset_ns;
    now->tv_sec = ns / 1000000000;
    now->tv_nsec = ns % 1000000000;
  }
  return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  if (!real_gettimeofday) real_gettimeofday = dlsym(RTLD_NEXT, "gettimeofday");
  int result = real_gettimeofday(now, zone);
  if (result == 0 && now) {
    int64_t us = (int64_t)now->tv_sec * 1000000 + now->tv_usec + faults->clock_offset_ns / 1000;
    now->tv_sec = us / 1000000;
    now->tv_usec = us % 1000000;
  }
  return result;
}

time_t time(time_t *result) {
  if (!real_time) real_time = dlsym(RTLD_NEXT, "time");
  time_t now = real_time(NULL) + faults->clock_offset_ns / 1000000000;
  if (result) *result = now;
  return now;
}

static int fails(int file) {
  int64_t mode = faults->fsync_mode;
  if (mode == 0) return 0;
  if (mode == 2) {
    char link[64], name[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, name, sizeof name - 1);
    if (length < 0) return 0;
    name[length] = 0;
    if (!only || !strstr(name, only)) return 0;
  }
  __sync_fetch_and_add(&faults->fsync_failures, 1);
  errno = EIO;
  return 1;
}

int fsync(int file) {
  return fails(file) ? -1 : real_fsync(file);
}

int fdatasync(int file) {
  return fails(file) ? -1 : real_fdatasync(file);
}
