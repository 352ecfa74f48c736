// What a process has apart from files: arguments, environment, clocks, randomness, standard
// streams, an end. Without arguments, or with the name of a check: checks. Beside them, actions
// whose effect only the caller can see:
//
//   args ARG…       prints each argument, quoted with <>, one per line
//   environ         prints the environment, one variable per line
//   exit N          ends with that status       abort   ends by a trap
//   echo            copies stdin to stdout      lines N prints N numbered lines
//   isatty          prints for 0, 1, 2 whether each is a terminal: 1 or 0
//   sleep MS        sleeps, then prints how long in ms
#include "check.h"

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#define IMPORT(name) \
  __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name))) int32_t wasi_##name
IMPORT(args_sizes_get)(uint32_t *count, uint32_t *bytes);
IMPORT(args_get)(char **list, char *bytes);
IMPORT(environ_sizes_get)(uint32_t *count, uint32_t *bytes);
IMPORT(environ_get)(char **list, char *bytes);
IMPORT(clock_time_get)(uint32_t clock, uint64_t precision, uint64_t *time);
IMPORT(clock_res_get)(uint32_t clock, uint64_t *resolution);
IMPORT(random_get)(uint8_t *bytes, uint32_t size);
IMPORT(sched_yield)(void);

extern char **environ;
static int main_argc;
static char **main_argv;

static int64_t now(clockid_t clock) {
  struct timespec t;
  return clock_gettime(clock, &t) ? -1 : t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void args(void) {
  uint32_t count = 0, bytes = 0, expected = 0;
  char *list[64], text[4096];
  TRUE(main_argc >= 1);
  TRUE(main_argv[main_argc] == NULL);
  EQ(wasi_args_sizes_get(&count, &bytes), 0);
  EQ(count, main_argc);
  for (int i = 0; i < main_argc; i++) expected += strlen(main_argv[i]) + 1;
  EQ(bytes, expected);
  TRUE(count <= 64 && bytes <= sizeof text);
  memset(text, '#', sizeof text);
  EQ(wasi_args_get(list, text), 0);
  for (int i = 0; i < main_argc; i++) TRUE(strcmp(list[i], main_argv[i]) == 0);
  TRUE(list[0] == text);
  if (bytes < sizeof text) EQ(text[bytes], '#'); // not a byte more
}

static void environment(void) {
  static char *list[4096], text[1 << 20];
  uint32_t count = 0, bytes = 0, seen = 0;
  EQ(wasi_environ_sizes_get(&count, &bytes), 0);
  TRUE(count <= 4096 && bytes <= sizeof text);
  EQ(wasi_environ_get(list, text), 0);
  for (uint32_t i = 0; i < count; i++) {
    TRUE(strchr(list[i], '=') > list[i]);
    seen += strlen(list[i]) + 1;
  }
  EQ(seen, bytes);
  TRUE(getenv("SURELY_NOT_SET") == NULL);
  OK(setenv("SURELY_NOT_SET", "now it is", 1));
  TRUE(strcmp(getenv("SURELY_NOT_SET"), "now it is") == 0);
  OK(unsetenv("SURELY_NOT_SET"));
}

static void realtime(void) {
  struct timespec t;
  OK(clock_gettime(CLOCK_REALTIME, &t));
  TRUE(t.tv_sec > 1700000000); // it is past 2023
  TRUE(t.tv_nsec >= 0 && t.tv_nsec < 1000000000);
  TRUE(llabs((long long)time(NULL) - t.tv_sec) <= 2);
  time_t seconds = 951782400; // 29 February 2000, in UTC whatever the host's zone is
  struct tm *date = gmtime(&seconds);
  TRUE(date && date->tm_mon == 1 && date->tm_mday == 29 && date->tm_hour == 0);
}

static void monotonic(void) {
  int64_t last = now(CLOCK_MONOTONIC);
  TRUE(last >= 0);
  for (int i = 0; i < 10000; i++) {
    int64_t next = now(CLOCK_MONOTONIC);
    TRUE(next >= last);
    last = next;
  }
}

static void resolution(void) {
  struct timespec t;
  const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC};
  for (int i = 0; i < 2; i++) {
    OK(clock_getres(clocks[i], &t));
    TRUE(t.tv_sec == 0 ? t.tv_nsec > 0 : t.tv_sec == 1 && t.tv_nsec == 0);
  }
}

static void unknown_clock(void) {
  uint64_t out = 7;
  EQ(wasi_clock_time_get(99, 0, &out), EINVAL);
  EQ(wasi_clock_res_get(99, &out), EINVAL);
  EQ(out, 7);
}

static void sleeping(void) {
  int64_t begin = now(CLOCK_MONOTONIC);
  OK(nanosleep(&(struct timespec){0, 20 * 1000 * 1000}, NULL));
  int64_t took = now(CLOCK_MONOTONIC) - begin;
  TRUE(took >= 20 * 1000 * 1000);
  TRUE(took < 5000000000ll);
  OK(nanosleep(&(struct timespec){0, 0}, NULL));
  ERR(nanosleep(&(struct timespec){0, 1000000000}, NULL), EINVAL);

  int64_t until = now(CLOCK_MONOTONIC) + 20 * 1000 * 1000;
  struct timespec deadline = {until / 1000000000, until % 1000000000};
  EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL), 0);
  TRUE(now(CLOCK_MONOTONIC) >= until);
  begin = now(CLOCK_MONOTONIC);
  EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL), 0); // long past
  TRUE(now(CLOCK_MONOTONIC) - begin < 1000000000);
}

static void randomness(void) {
  enum { SIZE = 100000 };
  static uint8_t bytes[SIZE + 1];
  int seen[256] = {0};
  uint8_t a[256], b[256];
  OK(getentropy(a, sizeof a));
  OK(getentropy(b, sizeof b));
  TRUE(memcmp(a, b, sizeof a) != 0);
  ERR(getentropy(bytes, 257), EIO);
  bytes[SIZE] = 0xa5;
  EQ(wasi_random_get(bytes, SIZE), 0);
  EQ(bytes[SIZE], 0xa5);
  for (int i = 0; i < SIZE; i++) seen[bytes[i]]++;
  for (int i = 0; i < 256; i++) TRUE(seen[i] > 200 && seen[i] < 600); // about 390 each
  EQ(wasi_random_get(bytes, 0), 0);
}

static void yielding(void) {
  for (int i = 0; i < 100; i++) EQ(wasi_sched_yield(), 0);
}

static void standard_streams(void) {
  struct stat st;
  for (int fd = 0; fd < 3; fd++) {
    OK(fstat(fd, &st));
    TRUE(!S_ISDIR(st.st_mode));
    OK(fcntl(fd, F_GETFL));
  }
  EQ(write(1, "", 0), 0);
  EQ(write(2, "", 0), 0);
  TRUE(write(3000, "", 0) < 0);
}

static void close_stdin(void) { // its number is one like any other
  char byte;
  OK(close(0));
  ERR(read(0, &byte, 1), EBADF);
  ERR(close(0), EBADF);
}

static const check_t checks[] = {
    {"arguments", args},
    {"environment", environment},
    {"realtime", realtime},
    {"monotonic", monotonic},
    {"resolution", resolution},
    {"unknown-clock", unknown_clock},
    {"sleeping", sleeping},
    {"randomness", randomness},
    {"yielding", yielding},
    {"standard-streams", standard_streams},
    {"close-stdin", close_stdin},
};

static int echo(void) {
  static char bytes[65536];
  for (;;) {
    ssize_t got = read(0, bytes, sizeof bytes);
    if (got <= 0) return got < 0;
    for (ssize_t done = 0, n; done < got; done += n) {
      n = write(1, bytes + done, got - done);
      if (n < 0) return 1;
    }
  }
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : NULL;
  int64_t number = argc > 2 ? strtoll(argv[2], NULL, 10) : 0;
  main_argc = argc, main_argv = argv;
  if (!what) return CHECK_MAIN(checks, NULL);
  if (!strcmp(what, "args")) {
    for (int i = 2; i < argc; i++) printf("<%s>\n", argv[i]);
  } else if (!strcmp(what, "environ")) {
    for (char **e = environ; *e; e++) puts(*e);
  } else if (!strcmp(what, "exit")) {
    exit((int)number);
  } else if (!strcmp(what, "abort")) {
    abort();
  } else if (!strcmp(what, "echo")) {
    return echo();
  } else if (!strcmp(what, "lines")) {
    for (int64_t i = 1; i <= (number ? number : 100000); i++) printf("line %lld\n", (long long)i);
  } else if (!strcmp(what, "isatty")) {
    printf("%d %d %d\n", isatty(0), isatty(1), isatty(2));
  } else if (!strcmp(what, "sleep")) {
    int64_t begin = now(CLOCK_MONOTONIC);
    nanosleep(&(struct timespec){number / 1000, number % 1000 * 1000000}, NULL);
    printf("%lld\n", (long long)((now(CLOCK_MONOTONIC) - begin) / 1000000));
  } else {
    return CHECK_MAIN(checks, what);
  }
  return fflush(stdout) != 0;
}
