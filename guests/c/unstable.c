// WASI 0.0 (`wasi_unstable`) where it differs from 0.1: positions count from cur, end, set; a
// filestat has 56 bytes with a 32-bit link count; a clock subscription begins with an identifier
// and has 56 bytes. No libc of today speaks it, so this one brings what it needs.
// Wants a writable directory at `/`, as descriptor 3.
#include <stddef.h>
#include <stdint.h>

#define IMPORT(name) \
  __attribute__((import_module("wasi_unstable"), import_name(#name))) int32_t name
#define EACH(checks) (sizeof(checks) / sizeof *(checks))

typedef struct {
  const void *at;
  uint32_t size;
} iovec_t;

typedef struct {
  uint64_t dev, ino;
  uint8_t type;
  uint32_t links;
  uint64_t size, accessed, modified, changed;
} filestat_t;
_Static_assert(sizeof(filestat_t) == 56 && offsetof(filestat_t, links) == 20, "0.0's layout");

typedef struct {
  uint64_t userdata;
  uint8_t tag;
  union {
    struct {
      uint64_t identifier;
      uint32_t clock;
      uint64_t timeout, precision;
      uint16_t flags;
    } clock;
    uint32_t fd;
  } u;
} subscription_t;
_Static_assert(sizeof(subscription_t) == 56 && offsetof(subscription_t, u) == 16, "0.0's layout");

typedef struct {
  uint64_t userdata;
  uint16_t error;
  uint8_t type;
  uint64_t bytes;
  uint16_t flags;
} event_t;

typedef struct {
  uint8_t type;
  uint16_t flags;
  uint64_t rights, inheriting;
} fdstat_t;

IMPORT(args_sizes_get)(uint32_t *, uint32_t *);
IMPORT(args_get)(char **, char *);
IMPORT(environ_sizes_get)(uint32_t *, uint32_t *);
IMPORT(environ_get)(char **, char *);
IMPORT(clock_time_get)(uint32_t, uint64_t, uint64_t *);
IMPORT(random_get)(void *, uint32_t);
IMPORT(fd_read)(uint32_t, const iovec_t *, uint32_t, uint32_t *);
IMPORT(fd_write)(uint32_t, const iovec_t *, uint32_t, uint32_t *);
IMPORT(fd_seek)(uint32_t, int64_t, uint32_t, uint64_t *);
IMPORT(fd_tell)(uint32_t, uint64_t *);
IMPORT(fd_close)(uint32_t);
IMPORT(fd_fdstat_get)(uint32_t, fdstat_t *);
IMPORT(fd_filestat_get)(uint32_t, filestat_t *);
IMPORT(fd_prestat_get)(uint32_t, uint32_t *);
IMPORT(fd_prestat_dir_name)(uint32_t, char *, uint32_t);
IMPORT(fd_readdir)(uint32_t, void *, uint32_t, uint64_t, uint32_t *);
IMPORT(path_open)
(uint32_t, uint32_t, const char *, uint32_t, uint32_t, uint64_t, uint64_t, uint32_t, uint32_t *);
IMPORT(path_filestat_get)(uint32_t, uint32_t, const char *, uint32_t, filestat_t *);
IMPORT(path_link)(uint32_t, uint32_t, const char *, uint32_t, uint32_t, const char *, uint32_t);
IMPORT(path_unlink_file)(uint32_t, const char *, uint32_t);
IMPORT(poll_oneoff)(const subscription_t *, event_t *, uint32_t, uint32_t *);
__attribute__((import_module("wasi_unstable"), import_name("proc_exit"), noreturn)) void
proc_exit(uint32_t);

enum { CUR = 0, END = 1, SET = 2 };
enum { CREATE = 1, TRUNCATE = 8 };
enum { REGULAR = 4, DIRECTORY = 3 };
enum { CLOCK = 0, FD_READ = 1, FD_WRITE = 2 };
enum { REALTIME = 0, MONOTONIC = 1, ABSOLUTE = 1 };
enum { BADF = 8, EXIST = 20, INVAL = 28, NOENT = 44 };
static const uint64_t MS = 1000000, ALL_OF_A_FILE = 0x8e001ff; // the rights a file can have

static uint32_t length(const char *text) {
  uint32_t n = 0;
  while (text[n]) n++;
  return n;
}

static int same(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

static void print(uint32_t fd, const char *text) {
  uint32_t written;
  iovec_t iov = {text, length(text)};
  fd_write(fd, &iov, 1, &written);
}

static void print_number(uint32_t fd, int64_t number) {
  char digits[24], *at = digits + sizeof digits - 1;
  uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
  *at = 0;
  do *--at = (char)('0' + rest % 10); while (rest /= 10);
  if (number < 0) *--at = '-';
  print(fd, at);
}

static const char *check_name;
static int check_failed;

static void differs(int line, const char *what, int64_t want, int64_t got) {
  check_failed = 1;
  print(2, check_name), print(2, ": c/unstable.c:"), print_number(2, line);
  print(2, ": "), print(2, what), print(2, ": expected "), print_number(2, want);
  print(2, ", got "), print_number(2, got), print(2, "\n");
}

#define EQ(got, want)                                                       \
  do {                                                                      \
    int64_t got_ = (int64_t)(got), want_ = (int64_t)(want);                 \
    if (got_ != want_) {                                                    \
      differs(__LINE__, #got, want_, got_);                                 \
      return;                                                               \
    }                                                                       \
  } while (0)
#define TRUE(condition) EQ((condition) != 0, 1)
#define NAME "unstable-file"
#define PATH(text) text, sizeof(text) - 1

static int32_t make(uint32_t *fd, const char *text) { // NAME, holding `text`, its position at the end
  uint32_t written;
  iovec_t iov = {text, length(text)};
  int32_t error =
      path_open(3, 0, PATH(NAME), CREATE | TRUNCATE, ALL_OF_A_FILE, ALL_OF_A_FILE, 0, fd);
  return error ? error : fd_write(*fd, &iov, 1, &written);
}

static int32_t drop(uint32_t fd) {
  int32_t error = fd_close(fd);
  return error ? error : path_unlink_file(3, PATH(NAME));
}

static void whence(void) {
  uint32_t fd;
  uint64_t at = 0;
  EQ(make(&fd, "0123456789"), 0);
  EQ(fd_seek(fd, -3, CUR, &at), 0);
  EQ(at, 7);
  EQ(fd_seek(fd, -1, END, &at), 0);
  EQ(at, 9);
  EQ(fd_seek(fd, 2, SET, &at), 0);
  EQ(at, 2);
  EQ(fd_seek(fd, 3, CUR, &at), 0);
  EQ(at, 5);
  EQ(fd_seek(fd, 0, END, &at), 0);
  EQ(at, 10);
  EQ(fd_seek(fd, -1, SET, &at), INVAL);
  EQ(fd_tell(fd, &at), 0);
  EQ(at, 10);
  EQ(drop(fd), 0);
}

static void filestat(void) {
  struct {
    filestat_t stat;
    uint64_t guard;
  } a = {.guard = 0x5a5a}, b = {.guard = 0x5a5a};
  uint32_t fd;
  uint64_t now;
  EQ(make(&fd, "12345"), 0);
  EQ(fd_filestat_get(fd, &a.stat), 0);
  EQ(a.guard, 0x5a5a); // 56 bytes and not one more
  EQ(a.stat.type, REGULAR);
  EQ(a.stat.links, 1);
  EQ(a.stat.size, 5);
  EQ(clock_time_get(REALTIME, 1, &now), 0);
  TRUE(a.stat.modified / 1000000000 + 60 > now / 1000000000);
  EQ(path_link(3, 0, PATH(NAME), 3, PATH("unstable-link")), 0);
  EQ(path_filestat_get(3, 0, PATH("unstable-link"), &b.stat), 0);
  EQ(b.guard, 0x5a5a);
  EQ(b.stat.ino, a.stat.ino);
  EQ(b.stat.dev, a.stat.dev);
  EQ(b.stat.links, 2);
  EQ(b.stat.size, 5);
  EQ(b.stat.modified, a.stat.modified);
  EQ(path_unlink_file(3, PATH("unstable-link")), 0);
  EQ(drop(fd), 0);
  EQ(path_filestat_get(3, 0, PATH(NAME), &b.stat), NOENT);
  EQ(fd_filestat_get(3, &b.stat), 0);
  EQ(b.stat.type, DIRECTORY);
}

static subscription_t timer(uint64_t userdata, uint32_t clock, uint64_t timeout, uint16_t flags) {
  subscription_t s = {userdata, CLOCK, {.clock = {~0ull, clock, timeout, 0, flags}}};
  return s;
}

static void poll_clocks(void) {
  uint64_t begin, end;
  uint32_t ready = 0;
  event_t out[3];
  EQ(clock_time_get(MONOTONIC, 1, &begin), 0);
  const subscription_t in[] = {
      timer(1, MONOTONIC, 10000 * MS, 0),
      timer(2, MONOTONIC, begin + 20 * MS, ABSOLUTE),
      timer(3, REALTIME, 20000 * MS, 0),
  };
  EQ(poll_oneoff(in, out, 3, &ready), 0);
  EQ(clock_time_get(MONOTONIC, 1, &end), 0);
  EQ(ready, 1);
  EQ(out[0].userdata, 2);
  EQ(out[0].error, 0);
  EQ(out[0].type, CLOCK);
  TRUE(end - begin >= 20 * MS && end - begin < 5000 * MS);
  EQ(poll_oneoff(in, out, 0, &ready), INVAL);
}

static void poll_files(void) {
  uint32_t fd, ready = 0;
  uint64_t at;
  event_t out[3];
  EQ(make(&fd, "0123456789"), 0);
  EQ(fd_seek(fd, 6, SET, &at), 0);
  subscription_t in[] = {
      {11, FD_READ, {.fd = fd}}, timer(12, MONOTONIC, 10000 * MS, 0), {13, FD_WRITE, {.fd = fd}}};
  EQ(poll_oneoff(in, out, 3, &ready), 0);
  EQ(ready, 2);
  for (int i = 0; i < 2; i++) {
    EQ(out[i].error, 0);
    EQ(out[i].type, out[i].userdata == 11 ? FD_READ : FD_WRITE);
    if (out[i].type == FD_READ) EQ(out[i].bytes, 4);
  }
  EQ(drop(fd), 0);
  in[0].u.fd = 4000;
  EQ(poll_oneoff(in, out, 2, &ready), 0);
  EQ(ready, 1);
  EQ(out[0].userdata, 11);
  EQ(out[0].error, BADF);
}

static void files(void) { // what did not change between the versions
  uint32_t fd, got = 0;
  uint64_t at;
  char text[8] = {0}, listing[4096];
  fdstat_t stat;
  EQ(make(&fd, "text"), 0);
  EQ(fd_fdstat_get(fd, &stat), 0);
  EQ(stat.type, REGULAR);
  EQ(fd_seek(fd, 1, SET, &at), 0);
  const iovec_t iov[] = {{text, 1}, {text + 1, 7}};
  EQ(fd_read(fd, iov, 2, &got), 0);
  EQ(got, 3);
  TRUE(same(text, "ext"));
  EQ(fd_readdir(3, listing, sizeof listing, 0, &got), 0);
  TRUE(got >= 24);
  EQ(drop(fd), 0);
  EQ(fd_close(fd), BADF);
}

static void preopened(void) {
  uint32_t prestat[2] = {~0u, ~0u};
  char name[64];
  EQ(fd_prestat_get(3, prestat), 0);
  EQ(prestat[0] & 0xff, 0);
  TRUE(prestat[1] > 0 && prestat[1] < sizeof name);
  EQ(fd_prestat_dir_name(3, name, prestat[1]), 0);
  EQ(name[0], '/');
  EQ(fd_prestat_get(1, prestat), BADF);
}

static char *argv[64], text[1 << 16];
static uint32_t argc;

static void process(void) {
  static char *variables[1024], values[1 << 16];
  uint32_t count, bytes;
  uint64_t a[4] = {0}, b[4] = {0};
  TRUE(argc >= 1);
  EQ(environ_sizes_get(&count, &bytes), 0);
  TRUE(count <= EACH(variables) && bytes <= sizeof values);
  EQ(environ_get(variables, values), 0);
  EQ(random_get(a, sizeof a), 0);
  EQ(random_get(b, sizeof b), 0);
  TRUE(a[0] != b[0] && a[3] != b[3]);
}

static const struct {
  const char *name;
  void (*run)(void);
} checks[] = {
    {"whence", whence},         {"filestat", filestat}, {"poll-clocks", poll_clocks},
    {"poll-files", poll_files}, {"files", files},       {"preopened", preopened},
    {"process", process},
};

__attribute__((export_name("_start"))) void start(void) {
  uint32_t bytes, failed = 0, found = 0;
  if (args_sizes_get(&argc, &bytes) || argc > EACH(argv) || bytes > sizeof text ||
      args_get(argv, text))
    proc_exit(2);
  const char *only = argc > 1 ? argv[1] : NULL;
  for (uint32_t i = 0; i < EACH(checks); i++) {
    if (only && same(only, "--list")) {
      found = 1, print(1, checks[i].name), print(1, "\n");
      continue;
    }
    if (only && !same(only, checks[i].name)) continue;
    found = 1, check_failed = 0, check_name = checks[i].name;
    checks[i].run();
    failed |= check_failed;
    if (!only && !check_failed) print(1, "ok "), print(1, check_name), print(1, "\n");
  }
  if (!found) print(2, "there is no such check\n");
  proc_exit(failed || !found);
}
