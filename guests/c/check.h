// Named checks: `prog` runs them all, `prog NAME` one, `prog --list` names them.
//
// A check is a void function; the first expectation that does not hold prints what was expected and
// what came instead, and leaves the function. With CHECK_SCRATCH defined, each check runs inside a
// fresh directory `/scratch-NAME`, which is removed again whatever the check left in it.
#pragma once
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

typedef struct {
  const char *name;
  void (*run)(void);
} check_t;

static const char *check_name;
static int check_failed;

UNUSED static void check_fail(const char *file, int line, const char *format, ...) {
  va_list rest;
  check_failed = 1;
  fprintf(stderr, "%s: %s:%d: ", check_name, file, line);
  va_start(rest, format);
  vfprintf(stderr, format, rest);
  va_end(rest);
  fputc('\n', stderr);
}

#define FAIL(...)                                \
  do {                                           \
    check_fail(__FILE__, __LINE__, __VA_ARGS__); \
    return;                                      \
  } while (0)

// The call succeeds: what it returns is not negative.
#define OK(call)                                                                                \
  do {                                                                                          \
    errno = 0;                                                                                  \
    if ((long long)(call) < 0) FAIL("%s: expected success, got: %s", #call, strerror(errno));   \
  } while (0)

#define TRUE(condition)                                            \
  do {                                                             \
    if (!(condition)) FAIL("expected to hold: %s", #condition);    \
  } while (0)

#define EQ(got, want)                                                                     \
  do {                                                                                    \
    long long got_ = (long long)(got), want_ = (long long)(want);                         \
    if (got_ != want_) FAIL("%s: expected %s = %lld, got %lld", #got, #want, want_, got_); \
  } while (0)

#define BYTES(got, want, size)                                                            \
  do {                                                                                    \
    if (memcmp(got, want, size) != 0)                                                     \
      FAIL("%s: expected \"%.*s\", got \"%.*s\"", #got, (int)(size), (const char *)(want), \
           (int)(size), (const char *)(got));                                             \
  } while (0)

// The call fails with one of the listed errors: several where the standards leave a choice.
#define ERR(call, ...)                                                                           \
  do {                                                                                           \
    const int allowed_[] = {__VA_ARGS__};                                                        \
    errno = 0;                                                                                   \
    long long got_ = (long long)(call);                                                          \
    int error_ = errno, among_ = 0;                                                              \
    if (got_ >= 0) FAIL("%s: expected \"%s\", got success", #call, strerror(allowed_[0]));       \
    for (size_t i_ = 0; i_ < sizeof allowed_ / sizeof *allowed_; i_++)                           \
      among_ |= error_ == allowed_[i_];                                                          \
    if (!among_) FAIL("%s: expected \"%s\", got \"%s\" (%d)", #call, strerror(allowed_[0]),      \
                      strerror(error_), error_);                                                 \
  } while (0)

// What a host may answer when a path leads out of the directory that was granted.
#define REFUSED ENOTCAPABLE, EPERM

// Makes (or overwrites) a file that holds `text`; negative on error.
UNUSED static int put(const char *path, const char *text) {
  int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0666);
  if (fd < 0) return fd;
  ssize_t size = (ssize_t)strlen(text), written = write(fd, text, size);
  if (close(fd) != 0) return -1;
  return written == size ? 0 : -1;
}

// 1 if the file holds exactly `text`, 0 if it holds something else, negative if it cannot be read.
UNUSED static int holds(const char *path, const char *text) {
  char found[256];
  int fd = open(path, O_RDONLY);
  if (fd < 0) return fd;
  ssize_t size = read(fd, found, sizeof found);
  close(fd);
  if (size < 0) return -1;
  return size == (ssize_t)strlen(text) && memcmp(found, text, size) == 0;
}

#ifdef CHECK_SCRATCH
// Removes a tree. Directories are listed again until nothing is left: what a listing shows of
// names removed meanwhile is not defined.
static int remove_tree(int at, const char *name) {
  while (unlinkat(at, name, AT_REMOVEDIR) != 0) {
    if (errno == ENOENT) return 0;
    int removed = 0, fd = openat(at, name, O_RDONLY | O_DIRECTORY);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) return -1;
    for (struct dirent *entry; (entry = readdir(dir));) {
      const char *below = entry->d_name;
      if (!strcmp(below, ".") || !strcmp(below, "..")) continue;
      removed += (entry->d_type == DT_DIR ? remove_tree(fd, below) : unlinkat(fd, below, 0)) == 0;
    }
    closedir(dir);
    if (!removed) return -1;
  }
  return 0;
}
#endif

static int check_run(const check_t *check) {
  check_name = check->name;
  check_failed = 0;
#ifdef CHECK_SCRATCH
  char scratch[64];
  snprintf(scratch, sizeof scratch, "/scratch-%s", check->name);
  if (remove_tree(AT_FDCWD, scratch) || mkdir(scratch, 0777) || chdir(scratch)) {
    check_fail(__FILE__, __LINE__, "cannot prepare %s: %s", scratch, strerror(errno));
    return 0;
  }
#endif
  check->run();
#ifdef CHECK_SCRATCH
  if (chdir("/") || remove_tree(AT_FDCWD, scratch))
    check_fail(__FILE__, __LINE__, "cannot remove %s: %s", scratch, strerror(errno));
#endif
  return !check_failed;
}

static int check_main(const check_t *checks, size_t count, const char *only) {
  int failed = 0, found = 0;
  for (size_t i = 0; i < count; i++) {
    if (only && !strcmp(only, "--list")) {
      puts(checks[i].name);
      found = 1;
    } else if (!only || !strcmp(only, checks[i].name)) {
      found = 1;
      if (!check_run(&checks[i]))
        failed++;
      else if (!only)
        printf("ok %s\n", checks[i].name), fflush(stdout);
    }
  }
  if (!found) fprintf(stderr, "no check is called \"%s\"\n", only);
  return failed || !found;
}

#define CHECK_MAIN(checks, only) check_main(checks, sizeof checks / sizeof *checks, only)
