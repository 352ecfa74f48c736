// A server as an embedder would start it: finds the directories and the listeners it was given,
// serves one connection, writes down what it did, and ends.
//
// The descriptors from 3 on are the preopened directories; the LISTEN_FDS after them are
// listeners. Everything that arrives is sent back until the peer says that it is done.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wasi/api.h>

// An older libc has no accept() and a newer one has it under another signature: the import itself
// is the same for both.
__attribute__((import_module("wasi_snapshot_preview1"), import_name("sock_accept"))) int32_t
sock_accept(int32_t fd, int32_t flags, int32_t *connection);

static void die(const char *format, ...) {
  va_list rest;
  va_start(rest, format);
  fputs("serve: ", stderr);
  vfprintf(stderr, format, rest);
  fputc('\n', stderr);
  exit(1);
}

static void must(int error, const char *what) {
  if (error) die("%s: %s", what, strerror(error));
}

static void wait_for(int fd, short events) {
  struct pollfd wait = {fd, events, 0};
  if (poll(&wait, 1, 30000) != 1) die("nothing happened on descriptor %d for 30 s", fd);
  if (wait.revents & (POLLERR | POLLNVAL)) die("descriptor %d is in trouble", fd);
}

static void expect_type(int fd, __wasi_filetype_t type) {
  __wasi_fdstat_t stat;
  must(__wasi_fd_fdstat_get(fd, &stat), "fd_fdstat_get");
  if (stat.fs_filetype != type)
    die("descriptor %d: expected file type %d, got %d", fd, type, stat.fs_filetype);
}

static int accept_one(int listener) {
  int32_t connection, error;
  do {
    wait_for(listener, POLLRDNORM);
    error = sock_accept(listener, __WASI_FDFLAGS_NONBLOCK, &connection);
  } while (error == EAGAIN || error == ECONNABORTED); // the peer may be gone again
  must(error, "sock_accept");
  return connection;
}

static size_t receive(int fd, char *bytes, size_t size, __wasi_riflags_t how) {
  __wasi_iovec_t iov = {(uint8_t *)bytes, size};
  __wasi_roflags_t flags;
  __wasi_size_t got;
  for (;;) {
    int error = __wasi_sock_recv(fd, &iov, 1, how, &got, &flags);
    if (!error) return got;
    if (error != EAGAIN) die("sock_recv: %s", strerror(error));
    wait_for(fd, POLLRDNORM);
  }
}

static void send_all(int fd, const char *bytes, size_t size) {
  while (size) {
    __wasi_ciovec_t iov = {(const uint8_t *)bytes, size};
    __wasi_size_t sent;
    int error = __wasi_sock_send(fd, &iov, 1, 0, &sent);
    if (error && error != EAGAIN) die("sock_send: %s", strerror(error));
    if (error)
      wait_for(fd, POLLWRNORM);
    else
      bytes += sent, size -= sent;
  }
}

static size_t echo(int fd) {
  static char bytes[16384];
  char ahead[16];
  size_t total = 0;
  for (;;) {
    size_t peeked = receive(fd, ahead, sizeof ahead, __WASI_RIFLAGS_RECV_PEEK);
    size_t got = receive(fd, bytes, sizeof bytes, 0);
    if (got < peeked || memcmp(bytes, ahead, peeked)) die("peeking took bytes away");
    if (!got) return total;
    send_all(fd, bytes, got);
    total += got;
  }
}

int main(void) {
  const char *count = getenv("LISTEN_FDS");
  int directories = 0;
  __wasi_prestat_t prestat;
  if (!count || atoi(count) < 1) die("LISTEN_FDS names no listener");
  while (__wasi_fd_prestat_get(3 + directories, &prestat) == 0) directories++;
  if (!directories) die("no directory is preopened");
  expect_type(3, __WASI_FILETYPE_DIRECTORY);
  int listener = 3 + directories;
  for (int i = 0; i < atoi(count); i++) expect_type(listener + i, __WASI_FILETYPE_SOCKET_STREAM);
  must(__wasi_fd_fdstat_set_flags(listener, __WASI_FDFLAGS_NONBLOCK), "fd_fdstat_set_flags");

  puts("listening");
  fflush(stdout);
  int connection = accept_one(listener);
  expect_type(connection, __WASI_FILETYPE_SOCKET_STREAM);
  size_t total = echo(connection);
  must(__wasi_sock_shutdown(connection, __WASI_SDFLAGS_WR), "sock_shutdown");
  if (close(connection) || close(listener)) die("close: %s", strerror(errno));

  char line[64];
  int size = snprintf(line, sizeof line, "served %zu bytes\n", total);
  int log = openat(3, "serve.log", O_CREAT | O_APPEND | O_WRONLY, 0666);
  if (log < 0 || write(log, line, size) != size || close(log)) die("log: %s", strerror(errno));
  return 0;
}
