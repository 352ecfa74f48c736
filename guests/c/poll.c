// Waiting: poll() and, below it, poll_oneoff itself. Wants a writable directory at `/`.
// Beside the checks, actions for the caller who holds the other end of stdin:
//
//   stdin-ready     expects data or the end on stdin within 10 s; prints "data N" or "end"
//   stdin-silent    expects nothing on stdin for 100 ms
#include "check.h"

#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

enum { REALTIME = 0, MONOTONIC = 1 };               // clockid
enum { CLOCK = 0, FD_READ = 1, FD_WRITE = 2 };      // eventtype
enum { ABSOLUTE = 1 };                              // subclockflags
static const uint64_t MS = 1000000;

typedef struct {
  uint64_t userdata;
  uint8_t tag;
  union {
    struct {
      uint32_t id;
      uint64_t timeout, precision;
      uint16_t flags;
    } clock;
    struct {
      uint32_t fd;
    } io;
  } u;
} subscription_t;
_Static_assert(sizeof(subscription_t) == 48, "as the standard lays it out");

typedef struct {
  uint64_t userdata;
  uint16_t error;
  uint8_t type;
  uint64_t bytes;
  uint16_t flags;
} event_t;
_Static_assert(sizeof(event_t) == 32, "as the standard lays it out");

__attribute__((import_module("wasi_snapshot_preview1"), import_name("poll_oneoff"))) int32_t
poll_oneoff(const subscription_t *in, event_t *out, uint32_t count, uint32_t *events);

static subscription_t timer(uint64_t userdata, uint32_t id, uint64_t timeout, uint16_t flags) {
  return (subscription_t){userdata, CLOCK, {.clock = {id, timeout, 0, flags}}};
}

static subscription_t on(uint64_t userdata, uint8_t tag, uint32_t fd) {
  return (subscription_t){userdata, tag, {.io = {fd}}};
}

static uint64_t now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static event_t out[8];
static uint32_t ready;

// One timer fires, after at least `ms` and without undue delay.
static int fires(subscription_t in, uint64_t ms) {
  uint64_t begin = now(CLOCK_MONOTONIC);
  ready = 77;
  if (poll_oneoff(&in, out, 1, &ready) != 0 || ready != 1) return 0;
  uint64_t took = now(CLOCK_MONOTONIC) - begin;
  return out[0].userdata == in.userdata && out[0].error == 0 && out[0].type == CLOCK &&
         took >= ms * MS && took < (ms + 3000) * MS;
}

static void relative(void) {
  TRUE(fires(timer(~0ull, MONOTONIC, 30 * MS, 0), 30));
  TRUE(fires(timer(0, REALTIME, 30 * MS, 0), 30));
  TRUE(fires(timer(1, MONOTONIC, 0, 0), 0));
  TRUE(fires(timer(2, MONOTONIC, 1, 0), 0));
}

static void absolute(void) {
  TRUE(fires(timer(1, MONOTONIC, now(CLOCK_MONOTONIC) + 30 * MS, ABSOLUTE), 29));
  TRUE(fires(timer(2, REALTIME, now(CLOCK_REALTIME) + 30 * MS, ABSOLUTE), 29));
}

static void past(void) {
  TRUE(fires(timer(1, MONOTONIC, 0, ABSOLUTE), 0));
  TRUE(fires(timer(2, REALTIME, 0, ABSOLUTE), 0));
  TRUE(fires(timer(3, REALTIME, now(CLOCK_REALTIME) - 1, ABSOLUTE), 0));
}

static void first_of_several(void) {
  const subscription_t in[] = {
      timer(10, MONOTONIC, 10000 * MS, 0),
      timer(11, REALTIME, 20 * MS, 0),
      timer(12, MONOTONIC, now(CLOCK_MONOTONIC) + 20000 * MS, ABSOLUTE),
      timer(13, REALTIME, UINT64_MAX, ABSOLUTE), // further away than a clock can count
      timer(14, MONOTONIC, UINT64_MAX, 0),
  };
  uint64_t begin = now(CLOCK_MONOTONIC);
  EQ(poll_oneoff(in, out, 5, &ready), 0);
  TRUE(now(CLOCK_MONOTONIC) - begin < 5000 * MS);
  EQ(ready, 1);
  EQ(out[0].userdata, 11);
  EQ(out[0].error, 0);
}

static void several_at_once(void) { // all that are ready are told, each once
  const subscription_t in[] = {
      timer(1, MONOTONIC, 0, ABSOLUTE),
      timer(2, REALTIME, 0, ABSOLUTE),
      timer(3, MONOTONIC, 10000 * MS, 0),
      timer(4, MONOTONIC, 0, 0),
  };
  EQ(poll_oneoff(in, out, 4, &ready), 0);
  TRUE(ready >= 1 && ready <= 3);
  for (uint32_t i = 0, seen = 0; i < ready; i++) {
    TRUE(out[i].userdata == 1 || out[i].userdata == 2 || out[i].userdata == 4);
    TRUE(!(seen & 1u << out[i].userdata));
    seen |= 1u << out[i].userdata;
    EQ(out[i].type, CLOCK);
  }
}

static void nothing_to_wait_for(void) {
  subscription_t in = timer(1, MONOTONIC, 0, 0);
  EQ(poll_oneoff(&in, out, 0, &ready), EINVAL);
}

static void bad_descriptor(void) { // one subscription's trouble is its event's, not the call's
  const subscription_t in[] = {on(5, FD_READ, 4000), timer(6, MONOTONIC, 10000 * MS, 0),
                               on(7, FD_WRITE, 4001)};
  EQ(poll_oneoff(in, out, 3, &ready), 0);
  EQ(ready, 2);
  for (int i = 0; i < 2; i++) {
    TRUE(out[i].userdata == 5 || out[i].userdata == 7);
    EQ(out[i].type, out[i].userdata == 5 ? FD_READ : FD_WRITE);
    EQ(out[i].error, EBADF);
  }
  TRUE(out[0].userdata != out[1].userdata);
}

static void unknown_clock(void) { // either way to say so
  subscription_t in = timer(8, 99, 10 * MS, 0);
  int error = poll_oneoff(&in, out, 1, &ready);
  if (error == 0) {
    EQ(ready, 1);
    EQ(out[0].userdata, 8);
    EQ(out[0].error, EINVAL);
  } else {
    EQ(error, EINVAL);
  }
}

static void regular_file(void) { // is always ready, in both directions, and says how much there is
  int fd;
  OK(put("/poll-file", "0123456789"));
  OK(fd = open("/poll-file", O_RDWR));
  OK(lseek(fd, 4, SEEK_SET));
  const subscription_t in[] = {on(1, FD_READ, fd), on(2, FD_WRITE, fd),
                               timer(3, MONOTONIC, 10000 * MS, 0)};
  EQ(poll_oneoff(in, out, 3, &ready), 0);
  EQ(ready, 2);
  for (int i = 0; i < 2; i++) {
    EQ(out[i].error, 0);
    EQ(out[i].type, out[i].userdata);
    if (out[i].type == FD_READ) EQ(out[i].bytes, 6);
  }
  struct pollfd fds[1] = {{fd, POLLRDNORM | POLLWRNORM, 0}};
  EQ(poll(fds, 1, 10000), 1);
  EQ(fds[0].revents, POLLRDNORM | POLLWRNORM);
  EQ(poll(fds, 1, 0), 1);
  EQ(poll(fds, 1, -1), 1);
  OK(close(fd));
  EQ(poll(fds, 1, 0), 1);
  EQ(fds[0].revents, POLLNVAL);
  OK(unlink("/poll-file"));
}

static void directory(void) { // not to be waited for, but no reason to hang either
  int fd;
  OK(fd = open("/", O_RDONLY | O_DIRECTORY));
  const subscription_t in[] = {on(1, FD_READ, fd), timer(2, MONOTONIC, 50 * MS, 0)};
  int error = poll_oneoff(in, out, 2, &ready);
  TRUE(error != 0 || ready >= 1);
  OK(close(fd));
}

static void standard_output(void) {
  const subscription_t in[] = {on(1, FD_WRITE, 1), on(2, FD_WRITE, 2),
                               timer(3, MONOTONIC, 10000 * MS, 0)};
  EQ(poll_oneoff(in, out, 3, &ready), 0);
  TRUE(ready >= 1);
  TRUE(out[0].type == FD_WRITE && out[0].error == 0);
}

static void zero_timeout(void) { // asks and does not wait
  struct pollfd fds[1] = {{0, POLLRDNORM, 0}};
  uint64_t begin = now(CLOCK_MONOTONIC);
  OK(poll(fds, 1, 0));
  TRUE(now(CLOCK_MONOTONIC) - begin < 1000 * MS);
}

static void many(void) {
  enum { COUNT = 1000 };
  static subscription_t in[COUNT];
  static event_t events[COUNT];
  for (int i = 0; i < COUNT; i++) in[i] = timer(i, MONOTONIC, (i == 777 ? 10 : 10000) * MS, 0);
  EQ(poll_oneoff(in, events, COUNT, &ready), 0);
  EQ(ready, 1);
  EQ(events[0].userdata, 777);
}

// Who looks at a clock again and again sees it go on.
static void busy(void) {
  uint64_t begin = now(CLOCK_MONOTONIC);
  while (now(CLOCK_MONOTONIC) < begin + MS) {
  }
  begin = now(CLOCK_REALTIME);
  while (now(CLOCK_REALTIME) == begin) {
  }
}

static const check_t checks[] = {
    {"relative", relative},
    {"absolute", absolute},
    {"past", past},
    {"first-of-several", first_of_several},
    {"several-at-once", several_at_once},
    {"nothing-to-wait-for", nothing_to_wait_for},
    {"bad-descriptor", bad_descriptor},
    {"unknown-clock", unknown_clock},
    {"regular-file", regular_file},
    {"directory", directory},
    {"standard-output", standard_output},
    {"zero-timeout", zero_timeout},
    {"many", many},
    {"busy", busy},
};

static void stdin_ready(void) {
  char bytes[4096];
  struct pollfd fds[1] = {{0, POLLRDNORM, 0}};
  EQ(poll(fds, 1, 10000), 1);
  TRUE(fds[0].revents & (POLLRDNORM | POLLHUP));
  ssize_t got = read(0, bytes, sizeof bytes);
  OK(got);
  if (got)
    printf("data %zd\n", got);
  else
    puts("end");
}

static void stdin_silent(void) {
  struct pollfd fds[1] = {{0, POLLRDNORM, 0}};
  uint64_t begin = now(CLOCK_MONOTONIC);
  EQ(poll(fds, 1, 100), 0);
  TRUE(now(CLOCK_MONOTONIC) - begin >= 100 * MS);
  const subscription_t in[] = {on(1, FD_READ, 0), timer(2, MONOTONIC, 20 * MS, 0)};
  EQ(poll_oneoff(in, out, 2, &ready), 0);
  EQ(ready, 1);
  EQ(out[0].userdata, 2);
}

static const check_t actions[] = {{"stdin-ready", stdin_ready}, {"stdin-silent", stdin_silent}};

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : NULL;
  if (what && !strncmp(what, "stdin-", 6)) return CHECK_MAIN(actions, what);
  return CHECK_MAIN(checks, what);
}
