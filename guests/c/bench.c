// Measured from outside: each operation is one WASI 0.1 call (or the named few) in a loop.
//
//   run(op, n, a, b) -> i64   does `op` n times; negative is -errno, else what the table says
//   path_buffer() -> ptr      where the caller puts a path (up to 4096 bytes)
//   open(len, oflags, rights) -> i32   opens that path below descriptor 3: an fd or -errno
//
// No libc: nothing but the calls is in the way, and nothing runs before the first of them.
#include <stdint.h>

#define IMPORT(name) \
  __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name))) int32_t name
#define EXPORT(name) __attribute__((export_name(#name)))

typedef struct {
  void *at;
  uint32_t size;
} iovec_t;

IMPORT(args_sizes_get)(uint32_t *, uint32_t *);
IMPORT(environ_sizes_get)(uint32_t *, uint32_t *);
IMPORT(environ_get)(void *, void *);
IMPORT(clock_time_get)(uint32_t id, uint64_t precision, uint64_t *time);
IMPORT(random_get)(void *, uint32_t);
IMPORT(sched_yield)(void);
IMPORT(fd_read)(uint32_t fd, const iovec_t *, uint32_t, uint32_t *);
IMPORT(fd_write)(uint32_t fd, const iovec_t *, uint32_t, uint32_t *);
IMPORT(fd_pread)(uint32_t fd, const iovec_t *, uint32_t, uint64_t at, uint32_t *);
IMPORT(fd_pwrite)(uint32_t fd, const iovec_t *, uint32_t, uint64_t at, uint32_t *);
IMPORT(fd_seek)(uint32_t fd, int64_t by, uint32_t whence, uint64_t *);
IMPORT(fd_close)(uint32_t fd);
IMPORT(fd_filestat_get)(uint32_t fd, void *);
IMPORT(fd_readdir)(uint32_t fd, void *, uint32_t size, uint64_t cookie, uint32_t *);
IMPORT(path_filestat_get)(uint32_t fd, uint32_t lookup, const void *, uint32_t, void *);
IMPORT(path_open)
(uint32_t fd, uint32_t lookup, const void *, uint32_t, uint32_t oflags, uint64_t rights,
 uint64_t inherited, uint32_t flags, uint32_t *);
IMPORT(poll_oneoff)(const void *, void *, uint32_t, uint32_t *);

enum op {
  NOTHING = 0,           // the loop and the call into the module alone
  CLOCK_TIME_GET = 1,    // a: clock                          returns the last time read
  RANDOM_GET = 2,        // b: bytes
  ARGS_SIZES_GET = 3,    //
  ENVIRON_GET = 4,       //
  ENVIRON_SIZES_GET = 5, //                                   returns the number of variables
  FD_WRITE = 6,          // a: fd, b: bytes; from the start again after each 64 MiB
  FD_READ = 7,           // a: fd, b: bytes; likewise, and at the end of the file
  FD_PWRITE = 8,         // a: fd, b: bytes, at 0
  FD_PREAD = 9,          // a: fd, b: bytes, at 0             returns the bytes of the last one
  FD_SEEK = 10,          // a: fd, to b
  FD_FILESTAT_GET = 11,  // a: fd                             returns the size
  PATH_FILESTAT_GET = 12, // a: directory, b: length of the path; returns the size
  PATH_OPEN = 13,        // a: directory, b: length of the path; opens for reading and closes
  FD_READDIR = 14,       // a: directory, b: buffer size; a full listing; returns the entries
  POLL_READY = 15,       // b: clock subscriptions, the first of them ready at once
  POLL_SLEEP = 16,       // b: clock subscriptions, the first of them after a microseconds
  SCHED_YIELD = 17,      //
  STDOUT_WRITE = 18,     // b: bytes                          returns the bytes written in all
  STDIN_READ = 19,       // b: bytes; stops at the end        returns the bytes read in all
};

enum { REWIND = 64 << 20, DIRENT = 24, SUBSCRIPTION = 48 };
enum { READ = 1 << 1, EINVAL = 28, ENOMEM = 48 };

static uint8_t buffer[4 << 20] __attribute__((aligned(8)));
static uint8_t events[1 << 20] __attribute__((aligned(8)));
static uint8_t path[4096];
static uint64_t stat[8];

EXPORT(path_buffer) void *path_buffer(void) { return path; }

EXPORT(open) int32_t open_path(uint32_t length, uint32_t oflags, uint64_t rights) {
  uint32_t fd;
  int32_t error = path_open(3, 1, path, length, oflags, rights, rights, 0, &fd);
  return error ? -error : (int32_t)fd;
}

// One pass over a file, n calls long: a write or read of `size` bytes each.
static int64_t sequential(int reading, uint32_t n, uint32_t fd, uint32_t size) {
  const iovec_t iov = {buffer, size};
  uint64_t since = 0, at;
  while (n--) {
    uint32_t moved;
    int32_t error = reading ? fd_read(fd, &iov, 1, &moved) : fd_write(fd, &iov, 1, &moved);
    if (error) return -error;
    since += moved;
    if (since >= REWIND || !moved) {
      if ((error = fd_seek(fd, 0, 0, &at))) return -error;
      since = 0;
    }
  }
  return 0;
}

static int64_t listing(uint32_t fd, uint32_t size) {
  int64_t entries = 0;
  uint64_t cookie = 0;
  for (;;) {
    uint32_t used, at = 0;
    int32_t error = fd_readdir(fd, buffer, size, cookie, &used);
    if (error) return -error;
    while (at + DIRENT <= used) { // the last entry may be cut off: it comes again
      uint64_t next;
      uint32_t name;
      __builtin_memcpy(&next, buffer + at, sizeof next);
      __builtin_memcpy(&name, buffer + at + 16, sizeof name);
      if (at + DIRENT + name > used) break;
      at += DIRENT + name, cookie = next, entries++;
    }
    if (used < size) return entries;
    if (!at) return -ENOMEM; // not even one entry fits
  }
}

// `count` timers on the monotonic clock, the first in `first` ns, the others in an hour.
static void timers(uint32_t count, uint64_t first) {
  for (uint32_t i = 0; i < count; i++) {
    uint64_t *s = (uint64_t *)(buffer + i * SUBSCRIPTION);
    s[0] = i, s[1] = 0, s[2] = 1, s[3] = i ? 3600000000000ull : first, s[4] = 1, s[5] = 0;
  }
}

#define REPEAT(call)                                \
  do {                                              \
    for (uint32_t i_ = 0; i_ < n; i_++) {           \
      int32_t error_ = (call);                      \
      if (error_) return -error_;                   \
    }                                               \
  } while (0)

EXPORT(run) int64_t run(uint32_t op, uint32_t n, uint32_t a, uint32_t b) {
  const iovec_t iov = {buffer, b};
  uint32_t x = 0, y = 0;
  uint64_t z = 0;
  int64_t total = 0;
  int32_t error;
  int timer = op == POLL_READY || op == POLL_SLEEP;
  if (b > (timer ? sizeof buffer / SUBSCRIPTION : op == FD_SEEK ? UINT32_MAX : sizeof buffer) ||
      (timer && b > sizeof events / 32))
    return -EINVAL;
  switch ((enum op)op) {
  case NOTHING:
    return 0;
  case CLOCK_TIME_GET:
    REPEAT(clock_time_get(a, 1, &z));
    return (int64_t)z;
  case RANDOM_GET:
    REPEAT(random_get(buffer, b));
    return 0;
  case ARGS_SIZES_GET:
    REPEAT(args_sizes_get(&x, &y));
    return x;
  case ENVIRON_GET:
    if ((error = environ_sizes_get(&x, &y))) return -error;
    if (x > sizeof events / 4 || y > sizeof buffer) return -ENOMEM;
    REPEAT(environ_get(events, buffer));
    return x;
  case ENVIRON_SIZES_GET:
    REPEAT(environ_sizes_get(&x, &y));
    return x;
  case FD_WRITE:
    return sequential(0, n, a, b);
  case FD_READ:
    return sequential(1, n, a, b);
  case FD_PWRITE:
    REPEAT(fd_pwrite(a, &iov, 1, 0, &x));
    return x;
  case FD_PREAD:
    REPEAT(fd_pread(a, &iov, 1, 0, &x));
    return x;
  case FD_SEEK:
    REPEAT(fd_seek(a, b, 0, &z));
    return (int64_t)z;
  case FD_FILESTAT_GET:
    REPEAT(fd_filestat_get(a, stat));
    return (int64_t)stat[4];
  case PATH_FILESTAT_GET:
    REPEAT(path_filestat_get(a, 1, path, b, stat));
    return (int64_t)stat[4];
  case PATH_OPEN:
    REPEAT((error = path_open(a, 1, path, b, 0, READ, 0, 0, &x)) ? error : fd_close(x));
    return 0;
  case FD_READDIR:
    for (uint32_t i = 0; i < n; i++)
      if ((total = listing(a, b)) < 0) return total;
    return total;
  case POLL_READY:
  case POLL_SLEEP:
    timers(b, op == POLL_READY ? 0 : a * 1000ull);
    REPEAT(poll_oneoff(buffer, events, b, &x));
    return x;
  case SCHED_YIELD:
    REPEAT(sched_yield());
    return 0;
  case STDOUT_WRITE:
    for (uint32_t i = 0; i < n; i++, total += x)
      if ((error = fd_write(1, &iov, 1, &x))) return -error;
    return total;
  case STDIN_READ:
    for (uint32_t i = 0; i < n; i++, total += x) {
      if ((error = fd_read(0, &iov, 1, &x))) return -error;
      if (!x) break;
    }
    return total;
  }
  return -EINVAL;
}
