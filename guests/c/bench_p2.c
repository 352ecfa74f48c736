// Measured from outside: each operation is one WASI 0.2 call (or the named few) in a loop.
//
//   run(op, n, a, b) -> i64   does `op` n times; negative is a failure, else what the table says
//   path(string)              the path for the operations that take one
//
// No libc and no generated bindings: the calls are imported as the canonical ABI lowers them, results that do not fit
// into one value are written to `out`, and lists go into an arena that is emptied before each call.
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(name)))
#define FROM(interface, name) \
  __attribute__((import_module("wasi:" interface "@0.2.12"), import_name(name)))

typedef int32_t handle;
typedef uint32_t u32;
typedef uint64_t u64;

FROM("clocks/monotonic-clock", "now") u64 now(void);
FROM("clocks/monotonic-clock", "subscribe-duration") handle after(u64);
FROM("random/random", "get-random-bytes") void random_bytes(u64, void *);
FROM("random/random", "get-random-u64") u64 random_u64(void);
FROM("cli/environment", "get-environment") void environment(void *);
FROM("cli/stdin", "get-stdin") handle get_stdin(void);
FROM("cli/stdout", "get-stdout") handle get_stdout(void);

FROM("filesystem/preopens", "get-directories") void directories(void *);
#define FILES(name) FROM("filesystem/types", name)
FILES("[method]descriptor.read") void fd_read(handle, u64 length, u64 at, void *);
FILES("[method]descriptor.write") void fd_write(handle, const void *, u32, u64 at, void *);
FILES("[method]descriptor.read-via-stream") void reading(handle, u64 at, void *);
FILES("[method]descriptor.write-via-stream") void writing(handle, u64 at, void *);
FILES("[method]descriptor.open-at")
void open_at(handle, u32 how, const void *, u32, u32 open, u32 flags, void *);
FILES("[method]descriptor.stat") void fd_stat(handle, void *);
FILES("[method]descriptor.stat-at") void stat_at(handle, u32 how, const void *, u32, void *);
FILES("[method]descriptor.get-type") void get_type(handle, void *);
FILES("[method]descriptor.read-directory") void read_directory(handle, void *);
FILES("[method]directory-entry-stream.read-directory-entry") void next_entry(handle, void *);
FILES("[resource-drop]descriptor") void drop_descriptor(handle);
FILES("[resource-drop]directory-entry-stream") void drop_listing(handle);

#define STREAMS(name) FROM("io/streams", name)
STREAMS("[method]input-stream.read") void read(handle, u64, void *);
STREAMS("[method]input-stream.blocking-read") void blocking_read(handle, u64, void *);
STREAMS("[method]input-stream.subscribe") handle subscribe_in(handle);
STREAMS("[method]output-stream.check-write") void check_write(handle, void *);
STREAMS("[method]output-stream.write") void write(handle, const void *, u32, void *);
STREAMS("[method]output-stream.flush") void flush(handle, void *);
STREAMS("[method]output-stream.blocking-write-and-flush")
void write_and_flush(handle, const void *, u32, void *);
STREAMS("[method]output-stream.subscribe") handle subscribe_out(handle);
STREAMS("[resource-drop]input-stream") void drop_in(handle);
STREAMS("[resource-drop]output-stream") void drop_out(handle);

FROM("io/poll", "poll") void poll(const handle *, u32, void *);
FROM("io/poll", "[method]pollable.block") void block(handle);
FROM("io/poll", "[method]pollable.ready") int ready(handle);
FROM("io/poll", "[resource-drop]pollable") void drop_pollable(handle);

// An address: which of the two, port, four numbers, and what only the other kind has.
#define ADDRESS u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32
#define LOOPBACK(port) 0, port, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0
FROM("sockets/instance-network", "instance-network") handle instance_network(void);
FROM("sockets/tcp-create-socket", "create-tcp-socket") void create_tcp(int family, void *);
#define TCP(name) FROM("sockets/tcp", name)
TCP("[method]tcp-socket.start-connect") void start_connect(handle, handle, ADDRESS, void *);
TCP("[method]tcp-socket.finish-connect") void finish_connect(handle, void *);
TCP("[method]tcp-socket.subscribe") handle subscribe_tcp(handle);
TCP("[resource-drop]tcp-socket") void drop_tcp(handle);
FROM("sockets/udp-create-socket", "create-udp-socket") void create_udp(int family, void *);
#define UDP(name) FROM("sockets/udp", name)
UDP("[method]udp-socket.start-bind") void start_bind(handle, handle, ADDRESS, void *);
UDP("[method]udp-socket.finish-bind") void finish_bind(handle, void *);
UDP("[method]udp-socket.stream") void udp_stream(handle, u32 connects, ADDRESS, void *);
UDP("[method]incoming-datagram-stream.receive") void receive(handle, u64, void *);
UDP("[method]incoming-datagram-stream.subscribe") handle subscribe_incoming(handle);
UDP("[method]outgoing-datagram-stream.check-send") void check_send(handle, void *);
UDP("[method]outgoing-datagram-stream.send") void send(handle, const void *, u32, void *);
UDP("[method]outgoing-datagram-stream.subscribe") handle subscribe_outgoing(handle);
UDP("[resource-drop]udp-socket") void drop_udp(handle);
UDP("[resource-drop]incoming-datagram-stream") void drop_incoming(handle);
UDP("[resource-drop]outgoing-datagram-stream") void drop_outgoing(handle);

enum op {
  NOTHING = 0,           // the loop alone
  NOW = 1,               //
  RANDOM_U64 = 2,        //
  RANDOM_BYTES = 3,      // b: bytes
  ENVIRONMENT = 4,       //                              returns the number of variables
  OPEN = 5,              // the path; a: open flags, b: descriptor flags; returns the descriptor
  READ = 6,              // a: descriptor, b: bytes; from the start again after each 64 MiB
  WRITE = 7,             // a: descriptor, b: bytes; likewise
  STAT = 8,              // a: descriptor                returns the size
  GET_TYPE = 9,          // a: descriptor
  STAT_AT = 10,          // the path                     returns the size
  OPEN_AT = 11,          // the path; opens for reading and drops
  READ_DIRECTORY = 12,   // a: descriptor; a full listing, returns the entries
  STREAM_BLOCKING = 13,  // a: file, b: bytes; n blocking-reads, from the start again at the end
  STREAM_POLLED = 14,    // a: file, b: bytes; n reads that gave something, each with a block if it first gave nothing
  STREAM_FLUSHED = 15,   // a: file, b: bytes; n blocking-write-and-flush, from 0
  STREAM_CHECKED = 16,   // a: file, b: bytes; n times: check-write, write, a block if nothing is permitted
  STDOUT_CHECK = 17,     //
  STDOUT_WRITE = 18,     // b: bytes; check-write, write, flush
  STDOUT_FLUSHED = 19,   // b: bytes; blocking-write-and-flush
  STDOUT_SUBSCRIBE = 20, // subscribe, block, drop
  STDIN_READ = 21,       // b: bytes
  STDIN_BLOCKING = 22,   // b: bytes
  BLOCK = 23,            // on a clock that is past
  IS_READY = 24,         // the same
  SUBSCRIBE = 25,        // subscribe-duration of a ns, block, drop
  POLL = 26,             // b: clocks, one of them past; returns how many were ready in the last
  TCP_CONNECT = 27,      // a: port; connects and drops
  TCP_OPEN = 28,         // a: port; the connection of the operations below
  TCP_ECHO = 29,         // b: bytes, there and back
  TCP_SEND = 30,         // b: bytes; n chunks
  TCP_RECEIVE = 31,      // b: bytes; n MiB by blocking-reads
  UDP_OPEN = 32,         // a: port; the socket of the operations below
  UDP_ECHO = 33,         // b: bytes
  UDP_SEND = 34,         // a: how many datagrams a call at most, b: bytes; n datagrams
};

enum { REWIND = 64 << 20, WOULD_BLOCK = 8, CLOSED = 1 };
enum { FAILED = -1 };

static uint8_t arena[4 << 20] __attribute__((aligned(16)));
static u32 used;
static uint8_t buffer[1 << 20] __attribute__((aligned(16)));
static char path_[4096];
static u32 path_length;
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

static handle standard(int output) {
  static handle in = -1, to = -1;
  if (output) return to < 0 ? (to = get_stdout()) : to;
  return in < 0 ? (in = get_stdin()) : in;
}

static int64_t listing(handle from) {
  int64_t entries = 0;
  TRY(read_directory(from, &out));
  handle stream = (handle)out.w[1];
  for (;; entries++) {
    TRY(next_entry(stream, &out));
    if (!out.b[4]) break;
  }
  drop_listing(stream);
  return entries;
}

static int64_t from_file(int polled, u32 n, handle file, u32 size) {
  handle stream = -1, pollable = -1;
  for (u32 i = 0; i < n;) {
    if (stream < 0) {
      TRY(reading(file, 0, &out));
      stream = (handle)out.w[1];
      if (polled) pollable = subscribe_in(stream);
    }
    used = 0;
    if (polled) {
      read(stream, size, &out);
    } else {
      blocking_read(stream, size, &out);
    }
    if (!out.b[0]) {
      if (out.w[2]) {
        i++;
      } else {
        block(pollable);
      }
      continue;
    }
    if (out.b[4] != CLOSED) return FAILED;
    if (polled) drop_pollable(pollable);
    drop_in(stream);
    stream = -1;
  }
  if (stream >= 0) {
    if (polled) drop_pollable(pollable);
    drop_in(stream);
  }
  return 0;
}

// All of `size` bytes, never more than is permitted.
static int permitted(handle stream, handle pollable, u32 size) {
  const uint8_t *at = buffer;
  while (size) {
    TRY(check_write(stream, &out));
    u64 permit = out.q[1];
    if (!permit) {
      block(pollable);
      continue;
    }
    u32 now = permit < size ? (u32)permit : size;
    TRY(write(stream, at, now, &out));
    at += now, size -= now;
  }
  return 0;
}

static int64_t to_file(int flushed, u32 n, handle file, u32 size) {
  TRY(writing(file, 0, &out));
  handle stream = (handle)out.w[1], pollable = subscribe_out(stream);
  if (flushed) {
    REPEAT(TRY(write_and_flush(stream, buffer, size, &out)));
  } else {
    REPEAT(if (permitted(stream, pollable, size)) return FAILED);
  }
  drop_pollable(pollable);
  drop_out(stream);
  return 0;
}

static handle network(void) {
  static handle network = -1;
  return network < 0 ? (network = instance_network()) : network;
}

static handle tcp = -1, tcp_in = -1, tcp_out = -1, tcp_writable = -1;
static handle udp = -1, incoming = -1, outgoing = -1, receivable = -1, sendable = -1;

static int tcp_open(u32 port) {
  TRY(create_tcp(0, &out));
  tcp = (handle)out.w[1];
  TRY(start_connect(tcp, network(), LOOPBACK(port), &out));
  handle pollable = subscribe_tcp(tcp);
  for (;;) {
    finish_connect(tcp, &out);
    if (!out.b[0]) break;
    if (out.b[4] != WOULD_BLOCK) return FAILED;
    block(pollable);
  }
  drop_pollable(pollable);
  tcp_in = (handle)out.w[1], tcp_out = (handle)out.w[2];
  return 0;
}

static int udp_open(u32 port) {
  TRY(create_udp(0, &out));
  udp = (handle)out.w[1];
  TRY(start_bind(udp, network(), LOOPBACK(0), &out));
  do {
    finish_bind(udp, &out);
    if (out.b[0] && out.b[1] != WOULD_BLOCK) return FAILED;
  } while (out.b[0]);
  TRY(udp_stream(udp, 1, LOOPBACK(port), &out));
  incoming = (handle)out.w[1], outgoing = (handle)out.w[2];
  receivable = subscribe_incoming(incoming), sendable = subscribe_outgoing(outgoing);
  return 0;
}

// Sends `n` datagrams, `batch` a call at most, and waits for as many answers where they are wanted.
static int64_t datagrams(int answered, u32 n, u32 batch, u32 size) {
  enum { WORDS = 11, MOST = 64 };
  static u32 list[MOST * WORDS]; // data, then no address: the socket is connected
  if (batch > MOST) return FAILED;
  for (u32 i = 0; i < batch; i++) list[i * WORDS] = (u32)(uintptr_t)buffer, list[i * WORDS + 1] = size;
  for (u32 done = 0; done < n;) {
    TRY(check_send(outgoing, &out));
    u64 permit = out.q[1];
    if (!permit) {
      block(sendable);
      continue;
    }
    if (permit > batch) permit = batch;
    if (permit > n - done) permit = n - done;
    TRY(send(outgoing, list, (u32)permit, &out));
    u32 sent = (u32)out.q[1];
    done += sent;
    for (u32 back = 0; answered && back < sent;) {
      TRY(receive(incoming, sent - back, &out));
      back += out.w[2];
      if (!out.w[2]) block(receivable);
    }
  }
  return 0;
}

static int64_t polled(u32 n, u32 count) {
  static handle list[1024];
  if (!count || count > sizeof list / sizeof *list) return FAILED;
  for (u32 i = 0; i < count; i++) list[i] = after(i ? 3600000000000ull : 0);
  REPEAT(used = 0; poll(list, count, &out));
  u32 were = out.w[1];
  for (u32 i = 0; i < count; i++) drop_pollable(list[i]);
  return were;
}

EXPORT("run") int64_t run(u32 op, u32 n, u32 a, u32 b) {
  handle h = (handle)a, past;
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
  case WRITE: {
    u64 at = 0;
    for (u32 i = 0; i < n; i++) {
      if (op == READ) {
        TRY(fd_read(h, b, at, &out));
      } else {
        TRY(fd_write(h, buffer, b, at, &out));
      }
      at = at + b < REWIND ? at + b : 0;
    }
    return 0;
  }
  case STAT:
    REPEAT(TRY(fd_stat(h, &out)));
    return (int64_t)out.q[3];
  case GET_TYPE:
    REPEAT(TRY(get_type(h, &out)));
    return out.b[1];
  case STAT_AT:
    REPEAT(TRY(stat_at(dir(), 1, path_, path_length, &out)));
    return (int64_t)out.q[3];
  case OPEN_AT:
    REPEAT(TRY(open_at(dir(), 1, path_, path_length, 0, 1, &out)); drop_descriptor((handle)out.w[1]));
    return 0;
  case READ_DIRECTORY:
    REPEAT(if ((total = listing(h)) < 0) return total);
    return total;
  case STREAM_BLOCKING:
  case STREAM_POLLED:
    return from_file(op == STREAM_POLLED, n, h, b);
  case STREAM_FLUSHED:
  case STREAM_CHECKED:
    return to_file(op == STREAM_FLUSHED, n, h, b);
  case STDOUT_CHECK:
    h = standard(1);
    REPEAT(TRY(check_write(h, &out)));
    return 0;
  case STDOUT_WRITE:
    h = standard(1);
    REPEAT(TRY(check_write(h, &out)); TRY(write(h, buffer, b, &out)); TRY(flush(h, &out)));
    return 0;
  case STDOUT_FLUSHED:
    h = standard(1);
    REPEAT(TRY(write_and_flush(h, buffer, b, &out)));
    return 0;
  case STDOUT_SUBSCRIBE:
    h = standard(1);
    REPEAT(past = subscribe_out(h); block(past); drop_pollable(past));
    return 0;
  case STDIN_READ:
    h = standard(0);
    REPEAT(TRY(read(h, b, &out)); total += out.w[2]);
    return total;
  case STDIN_BLOCKING:
    h = standard(0);
    REPEAT(TRY(blocking_read(h, b, &out)); total += out.w[2]);
    return total;
  case BLOCK:
    past = after(0);
    REPEAT(block(past));
    drop_pollable(past);
    return 0;
  case IS_READY:
    past = after(0);
    REPEAT(total += ready(past));
    drop_pollable(past);
    return total;
  case SUBSCRIBE:
    REPEAT(past = after(a); block(past); drop_pollable(past));
    return 0;
  case POLL:
    return polled(n, b);
  case TCP_CONNECT:
    REPEAT(if (tcp_open(a)) return FAILED; drop_in(tcp_in); drop_out(tcp_out); drop_tcp(tcp));
    return 0;
  case TCP_OPEN:
    if (tcp_writable >= 0) drop_pollable(tcp_writable), drop_in(tcp_in), drop_out(tcp_out), drop_tcp(tcp);
    if (tcp_open(a)) return FAILED;
    tcp_writable = subscribe_out(tcp_out);
    return 0;
  case TCP_ECHO:
    for (u32 i = 0; i < n; i++) {
      TRY(write_and_flush(tcp_out, buffer, b, &out));
      for (u32 back = 0; back < b; back += out.w[2]) TRY(blocking_read(tcp_in, b - back, &out));
    }
    return 0;
  case TCP_SEND:
    REPEAT(if (permitted(tcp_out, tcp_writable, b)) return FAILED);
    return 0;
  case TCP_RECEIVE:
    while (total < (int64_t)n << 20) {
      TRY(blocking_read(tcp_in, b, &out));
      total += out.w[2];
    }
    return total;
  case UDP_OPEN:
    if (udp >= 0)
      drop_pollable(receivable), drop_pollable(sendable), drop_incoming(incoming), drop_outgoing(outgoing),
          drop_udp(udp);
    return udp_open(a);
  case UDP_ECHO:
    return datagrams(1, n, 1, b);
  case UDP_SEND:
    return datagrams(0, n, a, b);
  }
  return FAILED;
}
