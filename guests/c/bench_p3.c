// Measured from outside: each operation is one WASI 0.3 call (or the named few) in a loop.
//
//   run(op, n, a, b) -> i64   does `op` n times; negative is a failure, else what the table says
//   path(string)              the path for the operations that take one
//
// No libc and no generated bindings: the calls are imported as the canonical ABI lowers them, results that do not fit
// into one value are written to `out`, and lists go into an arena that is emptied before each call. What the standard
// calls `async` is called in the synchronous way, which waits, unless the table says "started": then the call is a task
// that is waited for if it goes on. Reads and writes of streams are always such.
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(name)))
#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define FROM(interface, name) IMPORT("wasi:" interface "@0.3.2", name)

typedef int32_t handle;
typedef int32_t code; // of an operation that may go on: BLOCKED, or a count and how it ended
typedef uint32_t u32;
typedef uint64_t u64;

FROM("clocks/monotonic-clock", "now") u64 now(void);
FROM("clocks/monotonic-clock", "wait-for") void wait_for(u64);
FROM("clocks/monotonic-clock", "[async-lower]wait-for") u32 start_wait_for(u64);
FROM("random/random", "get-random-bytes") void random_bytes(u64, void *);
FROM("random/random", "get-random-u64") u64 random_u64(void);
FROM("cli/environment", "get-environment") void environment(void *);
FROM("cli/stdin", "read-via-stream") void read_stdin(void *);
FROM("cli/stdout", "write-via-stream") handle write_stdout(handle);
FROM("cli/stdout", "[future-drop-readable-1]write-via-stream") void drop_told(handle);
FROM("cli/stdin", "[future-drop-readable-1]read-via-stream") void drop_heard(handle);

FROM("filesystem/preopens", "get-directories") void directories(void *);
#define FILES(name) FROM("filesystem/types", name)
FILES("[method]descriptor.read-via-stream") void reading(handle, u64 at, void *);
FILES("[method]descriptor.write-via-stream") handle writing(handle, handle, u64 at);
FILES("[method]descriptor.open-at")
void open_at(handle, u32 how, const void *, u32, u32 open, u32 flags, void *);
FILES("[method]descriptor.stat") void fd_stat(handle, void *);
FILES("[async-lower][method]descriptor.stat") u32 start_fd_stat(handle, void *);
FILES("[method]descriptor.stat-at") void stat_at(handle, u32 how, const void *, u32, void *);
FILES("[method]descriptor.get-type") void get_type(handle, void *);
FILES("[method]descriptor.read-directory") void read_directory(handle, void *);
FILES("[resource-drop]descriptor") void drop_descriptor(handle);

// Streams of bytes are of one type, wherever they come from.
FILES("[async-lower][stream-read-0][method]descriptor.read-via-stream") code read(handle, void *, u32);
FILES("[stream-cancel-read-0][method]descriptor.read-via-stream") code cancel_read(handle);
FILES("[stream-drop-readable-0][method]descriptor.read-via-stream") void drop_reader(handle);
FILES("[stream-new-0][method]descriptor.write-via-stream") u64 new_stream(void);
FILES("[async-lower][stream-write-0][method]descriptor.write-via-stream") code write(handle, const void *, u32);
FILES("[stream-drop-writable-0][method]descriptor.write-via-stream") void drop_writer(handle);
FILES("[async-lower][stream-read-0][method]descriptor.read-directory") code read_entries(handle, void *, u32);
FILES("[stream-drop-readable-0][method]descriptor.read-directory") void drop_entries(handle);
FILES("[async-lower][future-read-1][method]descriptor.write-via-stream") code read_written(handle, void *);
FILES("[future-drop-readable-1][method]descriptor.write-via-stream") void drop_written(handle);

// An address: which of the two, port, four numbers, and what only the other kind has.
#define ADDRESS u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32
#define LOOPBACK(port) 0, port, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0
#define NO_ADDRESS 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define SOCKETS(name) FROM("sockets/types", name)
SOCKETS("[static]tcp-socket.create") void create_tcp(int family, void *);
SOCKETS("[method]tcp-socket.connect") void connect_tcp(handle, ADDRESS, void *);
SOCKETS("[method]tcp-socket.send") handle send_tcp(handle, handle);
SOCKETS("[method]tcp-socket.receive") void receive_tcp(handle, void *);
SOCKETS("[resource-drop]tcp-socket") void drop_tcp(handle);
SOCKETS("[future-drop-readable-1][method]tcp-socket.send") void drop_sent(handle);
SOCKETS("[static]udp-socket.create") void create_udp(int family, void *);
SOCKETS("[method]udp-socket.connect") void connect_udp(handle, ADDRESS, void *);
SOCKETS("[method]udp-socket.send") void send_udp(handle, const void *, u32, u32 to_some, ADDRESS, void *);
SOCKETS("[method]udp-socket.receive") void receive_udp(handle, void *);
SOCKETS("[resource-drop]udp-socket") void drop_udp(handle);

#define ROOT(name) IMPORT("$root", name)
ROOT("[waitable-set-new]") handle new_set(void);
ROOT("[waitable-set-wait]") u32 wait_in(handle set, void *event);
ROOT("[waitable-join]") void join(handle, handle set);
ROOT("[subtask-drop]") void drop_task(handle);

enum op {
  NOTHING = 0,         // the loop alone
  NOW = 1,             //
  RANDOM_U64 = 2,      //
  RANDOM_BYTES = 3,    // b: bytes
  ENVIRONMENT = 4,     //                              returns the number of variables
  OPEN = 5,            // the path; a: open flags, b: descriptor flags; returns the descriptor
  READ = 6,            // a: file, b: bytes; n times so many by so many at most, from the start again at the end
  WRITE = 7,           // a: file, b: bytes; n times so many, to one stream from 0, until they are there
  STAT = 8,            // a: descriptor                returns the size
  GET_TYPE = 9,        // a: descriptor
  STAT_AT = 10,        // the path                     returns the size
  OPEN_AT = 11,        // the path; opens for reading and drops
  READ_DIRECTORY = 12, // a: descriptor, b: room for how many entries a read; a full listing, returns the entries
  WAIT_FOR = 13,       // a: nanoseconds
  STARTED_WAIT = 14,   // the same, started
  STARTED_STAT = 15,   // a: descriptor, started
  TIMERS = 16,         // a: nanoseconds; n waits, all at once
  STDOUT_WRITE = 17,   // b: bytes; n times so many, to one stream
  STDIN_READ = 18,     // b: bytes; n reads of one stream, returns the bytes
  TCP_CONNECT = 19,    // a: port; connects and drops
  TCP_OPEN = 20,       // a: port; the connection of the operations below
  TCP_ECHO = 21,       // b: bytes, there and back
  TCP_SEND = 22,       // b: bytes; n times so many
  TCP_READ = 23,       // b: bytes; n reads, returns the bytes
  TCP_CANCEL = 24,     // n reads of a connection where nothing comes, each of which is given up
  UDP_OPEN = 25,       // a: port; the socket of the operation below
  UDP_ECHO = 26,       // b: bytes
  STREAM = 27,         // a: file, b: bytes; makes a stream, reads once, and drops it
  TCP_RECEIVE = 28,    // b: bytes; reads n MiB, returns the bytes
};

enum { BLOCKED = -1, COMPLETED = 0, DROPPED = 1 };  // how an operation of a stream ended: the low four bits
enum { RETURNED = 2 };                              // how far a task is: likewise
enum { FAILED = -1, ENTRY = 24, MOST_ENTRIES = 4096 };

static uint8_t arena[4 << 20] __attribute__((aligned(16)));
static u32 used;
static uint8_t buffer[1 << 20] __attribute__((aligned(16)));
static char path_[4096];
static u32 path_length;
static u32 event[2];
// A result: whether it is an error is told by its first byte; what follows stands at its own alignment.
static union {
  uint8_t b[128];
  u32 w[32];
  u64 q[16];
} out;

EXPORT("cabi_realloc") void *cabi_realloc(void *old, u32 old_size, u32 align, u32 size) {
  (void)old, (void)old_size, (void)align;
  u32 at = (used + 15) & ~15u;
  if (size > sizeof arena || at > sizeof arena - size) __builtin_trap();
  used = at + size;
  return arena + at;
}

EXPORT("path") void set_path(const char *at, u32 length) {
  if (length > sizeof path_) __builtin_trap();
  __builtin_memcpy(path_, at, length);
  path_length = length;
  used = 0;
}

// One call, into an empty arena; out of the function if it failed.
#define TRY(call)                  \
  do {                             \
    used = 0;                      \
    call;                          \
    if (out.b[0]) return FAILED;   \
  } while (0)

#define REPEAT(...)                                     \
  do {                                                  \
    for (u32 i_ = 0; i_ < n; i_++) {                    \
      __VA_ARGS__;                                      \
    }                                                   \
  } while (0)

static handle dir(void) {
  static handle first = -1;
  if (first < 0) {
    directories(&out);
    __builtin_memcpy(&first, (void *)(uintptr_t)out.w[0], sizeof first);
  }
  return first;
}

static handle set(void) {
  static handle one = -1;
  return one < 0 ? (one = new_set()) : one;
}

// What became of an operation of a stream or a future.
static code ended(handle of, code now) {
  if (now != BLOCKED) return now;
  join(of, set());
  wait_in(set(), event);
  join(of, 0);
  return (code)event[1];
}

// Waits for a task that was started.
static void finish(u32 started) {
  if ((started & 15) == RETURNED) return;
  handle task = (handle)(started >> 4);
  join(task, set());
  do {
    wait_in(set(), event);
  } while (event[1] != RETURNED);
  join(task, 0);
  drop_task(task);
}

static int64_t listing(handle from, u32 room) {
  static uint8_t entries[MOST_ENTRIES * ENTRY] __attribute__((aligned(16)));
  if (!room || room > MOST_ENTRIES) return FAILED;
  read_directory(from, &out);
  handle stream = (handle)out.w[0], done = (handle)out.w[1];
  int64_t total = 0;
  for (code got = 0; (got & 15) == COMPLETED; total += (u32)got >> 4) {
    used = 0;
    got = ended(stream, read_entries(stream, entries, room));
  }
  drop_entries(stream);
  drop_written(done);
  return total;
}

// All of `size` bytes; whether the other end took them.
static int put(handle stream, u32 size) {
  for (const uint8_t *at = buffer; size;) {
    code wrote = ended(stream, write(stream, at, size));
    if ((wrote & 15) != COMPLETED) return FAILED;
    at += (u32)wrote >> 4, size -= (u32)wrote >> 4;
  }
  return 0;
}

static int64_t to_file(u32 n, handle file, u32 size) {
  u64 ends = new_stream();
  handle writer = (handle)(ends >> 32), written = writing(file, (handle)ends, 0);
  REPEAT(if (put(writer, size)) return FAILED);
  drop_writer(writer);
  ended(written, read_written(written, &out));
  drop_written(written);
  return out.b[0] ? FAILED : 0;
}

// Counts bytes: some hosts give less at a time than there is room for.
static int64_t from_file(u64 total, handle file, u32 size) {
  while (total) {
    reading(file, 0, &out);
    handle stream = (handle)out.w[0], done = (handle)out.w[1];
    u64 before = total;
    code got = 0;
    while (total && (got & 15) == COMPLETED) {
      got = ended(stream, read(stream, buffer, total < size ? (u32)total : size));
      total -= (u32)got >> 4;
    }
    drop_reader(stream);
    drop_written(done);
    if (total == before) return FAILED;
  }
  return 0;
}

static int64_t to_stdout(u32 n, u32 size) {
  u64 ends = new_stream();
  handle writer = (handle)(ends >> 32), told = write_stdout((handle)ends);
  REPEAT(if (put(writer, size)) return FAILED);
  drop_writer(writer);
  drop_told(told);
  return 0;
}

static int64_t reads(handle stream, u32 n, u32 size) {
  int64_t total = 0;
  for (u32 i = 0; i < n; i++) {
    code got = ended(stream, read(stream, buffer, size));
    if ((got & 15) != COMPLETED) return FAILED;
    total += (u32)got >> 4;
  }
  return total;
}

static int64_t timers(u32 n, u64 nanoseconds) {
  u32 going = 0;
  for (u32 i = 0; i < n; i++) {
    u32 started = start_wait_for(nanoseconds);
    if ((started & 15) == RETURNED) continue;
    join((handle)(started >> 4), set());
    going++;
  }
  while (going) {
    wait_in(set(), event);
    if (event[1] != RETURNED) continue;
    join((handle)event[0], 0);
    drop_task((handle)event[0]);
    going--;
  }
  return 0;
}

static handle tcp = -1, tcp_in, tcp_received, tcp_out, tcp_sent;
static handle udp = -1;

static int tcp_open(u32 port) {
  TRY(create_tcp(0, &out));
  tcp = (handle)out.w[1];
  TRY(connect_tcp(tcp, LOOPBACK(port), &out));
  u64 ends = new_stream();
  tcp_out = (handle)(ends >> 32), tcp_sent = send_tcp(tcp, (handle)ends);
  receive_tcp(tcp, &out);
  tcp_in = (handle)out.w[0], tcp_received = (handle)out.w[1];
  return 0;
}

static void tcp_close(void) {
  if (tcp < 0) return;
  drop_reader(tcp_in), drop_sent(tcp_received), drop_writer(tcp_out), drop_sent(tcp_sent), drop_tcp(tcp);
  tcp = -1;
}

static int64_t udp_open(u32 port) {
  if (udp >= 0) drop_udp(udp);
  TRY(create_udp(0, &out));
  udp = (handle)out.w[1];
  TRY(connect_udp(udp, LOOPBACK(port), &out));
  return 0;
}

EXPORT("run") int64_t run(u32 op, u32 n, u32 a, u32 b) {
  handle h = (handle)a;
  int64_t total = 0;
  if (op != OPEN && b > sizeof buffer) return FAILED;
  // Memory that nobody has written may be one page of zeroes over and over, or a huge one: not the same for each host.
  if (!buffer[0]) __builtin_memset(buffer, 7, sizeof buffer);
  switch ((enum op)op) {
  case NOTHING:
    return 0;
  case NOW:
    REPEAT(total |= (int64_t)now());
    return total;
  case RANDOM_U64:
    REPEAT(total ^= (int64_t)random_u64());
    return total & INT64_MAX;
  case RANDOM_BYTES:
    REPEAT(used = 0; random_bytes(b, &out));
    return out.w[1];
  case ENVIRONMENT:
    REPEAT(used = 0; environment(&out));
    return out.w[1];
  case OPEN:
    TRY(open_at(dir(), 1, path_, path_length, a, b, &out));
    return out.w[1];
  case READ:
    return from_file((u64)n * b, h, b);
  case WRITE:
    return to_file(n, h, b);
  case STAT:
    REPEAT(TRY(fd_stat(h, &out)));
    return (int64_t)out.q[4];
  case STARTED_STAT:
    REPEAT(TRY(finish(start_fd_stat(h, &out))));
    return (int64_t)out.q[4];
  case GET_TYPE:
    REPEAT(TRY(get_type(h, &out)));
    return out.b[4];
  case STAT_AT:
    REPEAT(TRY(stat_at(dir(), 1, path_, path_length, &out)));
    return (int64_t)out.q[4];
  case OPEN_AT:
    REPEAT(TRY(open_at(dir(), 1, path_, path_length, 0, 1, &out)); drop_descriptor((handle)out.w[1]));
    return 0;
  case READ_DIRECTORY:
    REPEAT(if ((total = listing(h, b)) < 0) return total);
    return total;
  case WAIT_FOR:
    REPEAT(wait_for(a));
    return 0;
  case STARTED_WAIT:
    REPEAT(finish(start_wait_for(a)));
    return 0;
  case TIMERS:
    return timers(n, a);
  case STDOUT_WRITE:
    return to_stdout(n, b);
  case STDIN_READ: {
    static handle stream = -1;
    if (stream < 0) {
      read_stdin(&out);
      stream = (handle)out.w[0];
      drop_heard((handle)out.w[1]);
    }
    return reads(stream, n, b);
  }
  case TCP_CONNECT:
    tcp_close();
    REPEAT(if (tcp_open(a)) return FAILED; tcp_close());
    return 0;
  case TCP_OPEN:
    tcp_close();
    return tcp_open(a);
  case TCP_ECHO:
    for (u32 i = 0; i < n; i++) {
      if (put(tcp_out, b)) return FAILED;
      for (u32 back = 0; back < b;) {
        code got = ended(tcp_in, read(tcp_in, buffer, b - back));
        if ((got & 15) != COMPLETED) return FAILED;
        back += (u32)got >> 4;
      }
    }
    return 0;
  case TCP_SEND:
    REPEAT(if (put(tcp_out, b)) return FAILED);
    return 0;
  case TCP_READ:
    return reads(tcp_in, n, b);
  case TCP_RECEIVE:
    while (total < (int64_t)n << 20) {
      int64_t more = reads(tcp_in, 1, b);
      if (more < 0) return more;
      total += more;
    }
    return total;
  case TCP_CANCEL:
    REPEAT(if (read(tcp_in, buffer, 1) != BLOCKED) return FAILED; cancel_read(tcp_in));
    return 0;
  case UDP_OPEN:
    return udp_open(a);
  case UDP_ECHO:
    REPEAT(TRY(send_udp(udp, buffer, b, 0, NO_ADDRESS, &out)); TRY(receive_udp(udp, &out)));
    return 0;
  case STREAM:
    REPEAT(if (from_file(b, h, b)) return FAILED);
    return 0;
  }
  return FAILED;
}
