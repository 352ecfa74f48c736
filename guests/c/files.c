// What an open file does: opening, reading, writing, positions, sizes, times.
// Wants a writable directory at `/`.
#define CHECK_SCRATCH
#define _GNU_SOURCE
#include "check.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <time.h>

static void create(void) {
  int fd;
  struct stat st;
  ERR(open("f", O_RDONLY), ENOENT);
  ERR(open("f", O_WRONLY | O_TRUNC), ENOENT);
  ERR(open("none/f", O_CREAT | O_WRONLY, 0666), ENOENT);
  OK(fd = open("f", O_CREAT | O_RDWR, 0666));
  OK(fstat(fd, &st));
  EQ(st.st_size, 0);
  EQ(write(fd, "kept", 4), 4);
  OK(close(fd));
  OK(fd = open("f", O_CREAT | O_WRONLY, 0666)); // creating what exists keeps it
  OK(close(fd));
  EQ(holds("f", "kept"), 1);
  ERR(open("f/below", O_CREAT | O_WRONLY, 0666), ENOTDIR);
}

static void exclusive(void) {
  int fd;
  OK(fd = open("f", O_CREAT | O_EXCL | O_WRONLY, 0666));
  OK(close(fd));
  ERR(open("f", O_CREAT | O_EXCL | O_WRONLY, 0666), EEXIST);
  OK(mkdir("d", 0777));
  ERR(open("d", O_CREAT | O_EXCL | O_WRONLY, 0666), EEXIST);
  // a symlink is never followed, not even one that leads nowhere
  OK(symlink("nowhere", "l"));
  ERR(open("l", O_CREAT | O_EXCL | O_WRONLY, 0666), EEXIST);
  ERR(open("nowhere", O_RDONLY), ENOENT);
}

static void truncate_on_open(void) {
  int reader, fd;
  struct stat st;
  char byte;
  OK(put("f", "something"));
  OK(reader = open("f", O_RDONLY));
  OK(fd = open("f", O_WRONLY | O_TRUNC));
  OK(fstat(reader, &st)); // one file, however many times it is open
  EQ(st.st_size, 0);
  EQ(read(reader, &byte, 1), 0);
  EQ(write(fd, "x", 1), 1);
  EQ(read(reader, &byte, 1), 1);
  EQ(byte, 'x');
  OK(close(fd));
  OK(close(reader));
}

static void append(void) {
  int fd;
  OK(put("f", "one"));
  OK(fd = open("f", O_WRONLY | O_APPEND));
  EQ(write(fd, "two", 3), 3);
  EQ(lseek(fd, 0, SEEK_CUR), 6);
  EQ(lseek(fd, 0, SEEK_SET), 0);
  EQ(write(fd, "three", 5), 5); // at the end, wherever the position was
  EQ(lseek(fd, 0, SEEK_CUR), 11);
  OK(close(fd));
  EQ(holds("f", "onetwothree"), 1);

  // another writer may have moved the end
  int first, second;
  OK(first = open("f", O_WRONLY | O_APPEND | O_TRUNC));
  OK(second = open("f", O_WRONLY | O_APPEND));
  EQ(write(first, "a", 1), 1);
  EQ(write(second, "b", 1), 1);
  EQ(write(first, "c", 1), 1);
  OK(close(first));
  OK(close(second));
  EQ(holds("f", "abc"), 1);
}

static void flags(void) {
  int fd;
  OK(put("f", "one"));
  OK(fd = open("f", O_RDWR));
  EQ(fcntl(fd, F_GETFL) & (O_APPEND | O_ACCMODE), O_RDWR);
  OK(fcntl(fd, F_SETFL, O_APPEND));
  EQ(fcntl(fd, F_GETFL) & O_APPEND, O_APPEND);
  EQ(write(fd, "two", 3), 3);
  OK(fcntl(fd, F_SETFL, 0));
  EQ(fcntl(fd, F_GETFL) & O_APPEND, 0);
  EQ(lseek(fd, 0, SEEK_SET), 0);
  EQ(write(fd, "ONE", 3), 3);
  OK(close(fd));
  EQ(holds("f", "ONEtwo"), 1);
}

static void read_write(void) {
  int fd;
  char got[16] = {0};
  OK(fd = open("f", O_CREAT | O_RDWR, 0666));
  EQ(write(fd, "hello, world", 12), 12);
  EQ(write(fd, "", 0), 0);
  EQ(read(fd, got, sizeof got), 0); // the position is at the end
  EQ(lseek(fd, 7, SEEK_SET), 7);
  EQ(read(fd, got, 0), 0);
  EQ(read(fd, got, sizeof got), 5); // short: the end comes first
  BYTES(got, "world", 5);
  EQ(lseek(fd, 0, SEEK_SET), 0);
  EQ(write(fd, "H", 1), 1); // overwrites, inserts nothing
  EQ(read(fd, got, 4), 4);
  BYTES(got, "ello", 4);
  OK(close(fd));
  EQ(holds("f", "Hello, world"), 1);
}

static void access_mode(void) {
  int fd;
  char byte;
  OK(put("f", "text"));
  OK(fd = open("f", O_RDONLY));
  ERR(write(fd, "x", 1), EBADF, ENOTCAPABLE);
  ERR(ftruncate(fd, 0), EINVAL, EBADF, ENOTCAPABLE);
  OK(close(fd));
  OK(fd = open("f", O_WRONLY));
  ERR(read(fd, &byte, 1), EBADF, ENOTCAPABLE);
  ERR(pread(fd, &byte, 1, 0), EBADF, ENOTCAPABLE);
  OK(close(fd));
  EQ(holds("f", "text"), 1);
}

static void big(void) { // more than any one buffer on the way
  enum { SIZE = 3 * 1024 * 1024 + 17 };
  char *out = malloc(SIZE), *in = malloc(SIZE);
  int fd;
  TRUE(out && in);
  for (size_t i = 0; i < SIZE; i++) out[i] = (char)(i * 2654435761u >> 13);
  OK(fd = open("f", O_CREAT | O_RDWR, 0666));
  for (ssize_t done = 0, n; done < SIZE; done += n) {
    OK(n = write(fd, out + done, SIZE - done));
    TRUE(n > 0);
  }
  OK(lseek(fd, 0, SEEK_SET));
  for (ssize_t done = 0, n; done < SIZE; done += n) {
    OK(n = read(fd, in + done, SIZE - done));
    TRUE(n > 0);
  }
  TRUE(memcmp(in, out, SIZE) == 0);
  OK(close(fd));
  free(in);
  free(out);
}

static void positioned(void) {
  int fd;
  char got[8] = {0};
  OK(fd = open("f", O_CREAT | O_RDWR, 0666));
  EQ(write(fd, "0123456789", 10), 10);
  EQ(lseek(fd, 3, SEEK_SET), 3);
  EQ(pread(fd, got, 4, 5), 4);
  BYTES(got, "5678", 4);
  EQ(pread(fd, got, 8, 8), 2);
  EQ(pread(fd, got, 8, 10), 0);
  EQ(pread(fd, got, 8, 1000), 0);
  EQ(pwrite(fd, "ab", 2, 1), 2);
  EQ(pwrite(fd, "end", 3, 12), 3); // leaves a hole of two bytes
  EQ(lseek(fd, 0, SEEK_CUR), 3);   // none of these moves the position
  EQ(pread(fd, got, 8, 9), 6);
  BYTES(got, "9\0\0end", 6);
  ERR(pread(fd, got, 1, -1), EINVAL);
  ERR(pwrite(fd, got, 1, -1), EINVAL);
  OK(close(fd));
}

static void vectors(void) {
  int fd;
  char a[3], b[5], c[10];
  struct iovec out[] = {{"one", 3}, {"", 0}, {"two", 3}, {"three", 5}};
  struct iovec in[] = {{a, sizeof a}, {b, 0}, {b, sizeof b}, {c, sizeof c}};
  OK(fd = open("f", O_CREAT | O_RDWR, 0666));
  EQ(writev(fd, out, 4), 11);
  EQ(lseek(fd, 0, SEEK_CUR), 11);
  EQ(lseek(fd, 0, SEEK_SET), 0);
  EQ(readv(fd, in, 4), 11); // the last one is only begun
  BYTES(a, "one", 3);
  BYTES(b, "twoth", 5);
  BYTES(c, "ree", 3);
  EQ(readv(fd, in, 4), 0);
  EQ(preadv(fd, in, 3, 3), 8);
  BYTES(a, "two", 3);
  BYTES(b, "three", 5);
  EQ(pwritev(fd, out, 3, 5), 6);
  EQ(lseek(fd, 0, SEEK_CUR), 11);
  OK(close(fd));
  EQ(holds("f", "onetwonetwo"), 1);

  char bytes[64], back[64];
  struct iovec many[64];
  for (int i = 0; i < 64; i++) bytes[i] = (char)('!' + i), many[i] = (struct iovec){bytes + i, 1};
  OK(fd = open("g", O_CREAT | O_RDWR, 0666));
  EQ(writev(fd, many, 64), 64);
  EQ(pread(fd, back, 64, 0), 64);
  BYTES(back, bytes, 64);
  OK(close(fd));
}

static void seek(void) {
  int fd;
  struct stat st;
  OK(put("f", "0123456789"));
  OK(fd = open("f", O_RDWR));
  EQ(lseek(fd, 0, SEEK_END), 10);
  EQ(lseek(fd, -3, SEEK_END), 7);
  EQ(lseek(fd, -2, SEEK_CUR), 5);
  EQ(lseek(fd, 0, SEEK_CUR), 5);
  ERR(lseek(fd, -6, SEEK_CUR), EINVAL);
  ERR(lseek(fd, -11, SEEK_END), EINVAL);
  ERR(lseek(fd, -1, SEEK_SET), EINVAL);
  EQ(lseek(fd, 0, SEEK_CUR), 5); // what failed moved nothing
  EQ(lseek(fd, 100, SEEK_END), 110);
  OK(fstat(fd, &st));
  EQ(st.st_size, 10); // seeking alone does not grow a file
  char byte;
  EQ(read(fd, &byte, 1), 0);
  OK(lseek(fd, 1, SEEK_SET));
  ERR(lseek(fd, INT64_MAX, SEEK_CUR), EOVERFLOW, EINVAL);
  OK(close(fd));
}

static void seek_from_nowhere(void) {
  int fd;
  OK(fd = open("f", O_CREAT | O_RDWR, 0666));
  ERR(lseek(fd, 0, 77), EINVAL);
  OK(close(fd));
}

static void resize(void) {
  int fd;
  struct stat st;
  char got[8];
  OK(put("f", "0123456789"));
  OK(fd = open("f", O_RDWR));
  OK(lseek(fd, 8, SEEK_SET));
  OK(ftruncate(fd, 4));
  OK(fstat(fd, &st));
  EQ(st.st_size, 4);
  EQ(lseek(fd, 0, SEEK_CUR), 8); // the position stays
  OK(ftruncate(fd, 8));
  EQ(pread(fd, got, 8, 0), 8);
  BYTES(got, "0123\0\0\0\0", 8); // what was cut off does not come back
  ERR(ftruncate(fd, -1), EINVAL);
  OK(close(fd));
  OK(truncate("f", 2));
  EQ(holds("f", "01"), 1);
  ERR(truncate("none", 2), ENOENT);
}

static void sparse(void) {
  enum { HOLE = 1024 * 1024 };
  int fd;
  struct stat st;
  char got[64];
  OK(fd = open("f", O_CREAT | O_RDWR, 0666));
  EQ(lseek(fd, HOLE, SEEK_SET), HOLE);
  EQ(write(fd, "x", 1), 1);
  OK(fstat(fd, &st));
  EQ(st.st_size, HOLE + 1);
  EQ(pread(fd, got, 64, HOLE - 63), 64);
  for (int i = 0; i < 63; i++) EQ(got[i], 0);
  EQ(got[63], 'x');
  OK(close(fd));
}

static void large(void) { // offsets beyond 32 bits
  const off_t far = (off_t)5 << 30;
  int fd;
  struct stat st;
  char byte = 0;
  OK(fd = open("f", O_CREAT | O_RDWR, 0666));
  OK(ftruncate(fd, far));
  OK(fstat(fd, &st));
  EQ(st.st_size, far);
  EQ(pwrite(fd, "x", 1, far), 1);
  EQ(lseek(fd, 0, SEEK_END), far + 1);
  EQ(lseek(fd, -1, SEEK_CUR), far);
  EQ(read(fd, &byte, 1), 1);
  EQ(byte, 'x');
  OK(close(fd));
}

static void status(void) {
  int fd;
  struct stat a, b;
  time_t now = time(NULL);
  OK(put("f", "12345"));
  OK(fd = open("f", O_RDONLY));
  OK(stat("f", &a));
  OK(fstat(fd, &b));
  TRUE(S_ISREG(a.st_mode));
  EQ(a.st_size, 5);
  EQ(a.st_nlink, 1);
  TRUE(a.st_ino != 0);
  EQ(a.st_ino, b.st_ino);
  EQ(a.st_dev, b.st_dev);
  EQ(a.st_size, b.st_size);
  EQ(a.st_mtim.tv_sec, b.st_mtim.tv_sec);
  EQ(a.st_mtim.tv_nsec, b.st_mtim.tv_nsec);
  TRUE(a.st_mtim.tv_sec >= now - 5 && a.st_mtim.tv_sec <= now + 60);
  OK(put("g", ""));
  OK(stat("g", &b));
  TRUE(a.st_ino != b.st_ino);
  OK(stat(".", &b));
  TRUE(S_ISDIR(b.st_mode));
  ERR(stat("none", &b), ENOENT);
  ERR(stat("f/below", &b), ENOTDIR);
  OK(close(fd));
}

static int before(struct timespec a, struct timespec b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

static void pause_a_little(void) { // longer than the grain of a file system's timestamps
  nanosleep(&(struct timespec){0, 30 * 1000 * 1000}, NULL);
}

static void times_move(void) {
  int fd;
  struct stat a, b;
  OK(put("f", "1"));
  OK(stat("f", &a));
  pause_a_little();
  OK(fd = open("f", O_WRONLY));
  EQ(write(fd, "2", 1), 1);
  OK(close(fd));
  OK(stat("f", &b));
  TRUE(before(a.st_mtim, b.st_mtim));
  TRUE(before(a.st_ctim, b.st_ctim));
  pause_a_little();
  OK(link("f", "g")); // changes the file's status, not its content
  OK(stat("f", &a));
  TRUE(before(b.st_ctim, a.st_ctim));
  EQ(before(b.st_mtim, a.st_mtim), 0);
  OK(stat(".", &a));
  pause_a_little();
  OK(unlink("g"));
  OK(stat(".", &b));
  TRUE(before(a.st_mtim, b.st_mtim)); // a directory's content is its names
}

static void set_times(void) {
  int fd;
  struct stat st;
  struct timespec t[2] = {{1000000000, 123456789}, {1234567890, 987654321}};
  OK(put("f", "1"));
  OK(utimensat(AT_FDCWD, "f", t, 0));
  OK(stat("f", &st));
  EQ(st.st_atim.tv_sec, 1000000000);
  EQ(st.st_atim.tv_nsec, 123456789);
  EQ(st.st_mtim.tv_sec, 1234567890);
  EQ(st.st_mtim.tv_nsec, 987654321);

  t[0].tv_nsec = UTIME_OMIT, t[1] = (struct timespec){5, 6};
  OK(utimensat(AT_FDCWD, "f", t, 0));
  OK(stat("f", &st));
  EQ(st.st_atim.tv_sec, 1000000000);
  EQ(st.st_mtim.tv_sec, 5);
  EQ(st.st_mtim.tv_nsec, 6);

  time_t now = time(NULL);
  t[0].tv_nsec = UTIME_NOW;
  OK(fd = open("f", O_RDWR));
  OK(futimens(fd, t));
  OK(fstat(fd, &st));
  TRUE(st.st_atim.tv_sec >= now - 5 && st.st_atim.tv_sec <= now + 60);
  EQ(st.st_mtim.tv_sec, 5);
  OK(close(fd));
  ERR(utimensat(AT_FDCWD, "none", NULL, 0), ENOENT);
}

// The call below futimens(), since some versions of wasi-libc take no NULL and neither UTIME_NOW nor
// UTIME_OMIT as the second time.
__attribute__((import_module("wasi_snapshot_preview1"), import_name("fd_filestat_set_times"))) int
fd_filestat_set_times(int fd, uint64_t accessed, uint64_t modified, int which);

static void set_times_directly(void) {
  enum { ATIM = 1, ATIM_NOW = 2, MTIM = 4, MTIM_NOW = 8 };
  int fd;
  struct stat st;
  time_t now = time(NULL);
  OK(fd = open("f", O_CREAT | O_RDWR, 0666));
  EQ(fd_filestat_set_times(fd, 7000000008, 9000000010, ATIM | MTIM), 0);
  EQ(fd_filestat_set_times(fd, 1, 2, 0), 0); // asks for nothing
  EQ(fd_filestat_set_times(fd, 1, 2, ATIM | ATIM_NOW), EINVAL);
  EQ(fd_filestat_set_times(fd, 1, 2, MTIM | MTIM_NOW), EINVAL);
  OK(fstat(fd, &st));
  EQ(st.st_atim.tv_sec, 7);
  EQ(st.st_atim.tv_nsec, 8);
  EQ(st.st_mtim.tv_sec, 9);
  EQ(st.st_mtim.tv_nsec, 10);
  EQ(fd_filestat_set_times(fd, 3000000004, 0, ATIM), 0);
  OK(fstat(fd, &st));
  EQ(st.st_atim.tv_sec, 3);
  EQ(st.st_mtim.tv_sec, 9);
  EQ(fd_filestat_set_times(fd, 5000000006, 0, ATIM | MTIM_NOW), 0);
  OK(fstat(fd, &st));
  EQ(st.st_atim.tv_sec, 5);
  EQ(st.st_atim.tv_nsec, 6);
  TRUE(st.st_mtim.tv_sec >= now - 5 && st.st_mtim.tv_sec <= now + 60);
  EQ(fd_filestat_set_times(fd, 0, 0, ATIM_NOW | MTIM_NOW), 0);
  OK(fstat(fd, &st));
  TRUE(st.st_atim.tv_sec >= now - 5 && st.st_mtim.tv_sec >= now - 5);
  OK(close(fd));
}

static void closed(void) {
  int fd;
  char byte = 0;
  struct stat st;
  OK(put("f", "1"));
  OK(fd = open("f", O_RDWR));
  OK(close(fd));
  const int bad[] = {fd, 1000000, -1};
  for (int i = 0; i < 3; i++) {
    ERR(read(bad[i], &byte, 1), EBADF);
    ERR(write(bad[i], &byte, 1), EBADF);
    ERR(pread(bad[i], &byte, 1, 0), EBADF);
    ERR(lseek(bad[i], 0, SEEK_SET), EBADF);
    ERR(fstat(bad[i], &st), EBADF);
    ERR(ftruncate(bad[i], 0), EBADF);
    ERR(fsync(bad[i]), EBADF);
    ERR(fcntl(bad[i], F_GETFL), EBADF);
    ERR(close(bad[i]), EBADF);
  }
  int again;
  OK(again = open("f", O_RDWR));
  EQ(again, fd); // the lowest number that is free
  OK(close(again));
}

static void sync_and_hints(void) {
  int fd;
  OK(fd = open("f", O_CREAT | O_RDWR, 0666));
  EQ(write(fd, "text", 4), 4);
  OK(fsync(fd));
  OK(fdatasync(fd));
  const int hints[] = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
                       POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
  for (int i = 0; i < 6; i++) EQ(posix_fadvise(fd, 0, 4, hints[i]), 0);
  EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED), 0); // to the end
  EQ(posix_fadvise(1000000, 0, 4, POSIX_FADV_NORMAL), EBADF);
  OK(close(fd));
  EQ(holds("f", "text"), 1);
}

static void allocate(void) {
  int fd;
  struct stat st;
  char got[8];
  OK(put("f", "text"));
  OK(fd = open("f", O_RDWR));
  int error = posix_fallocate(fd, 2, 6);
  OK(fstat(fd, &st));
  if (error == ENOTSUP) { // not every file system can: then nothing may have changed
    EQ(st.st_size, 4);
  } else {
    EQ(error, 0);
    EQ(st.st_size, 8);
    EQ(pread(fd, got, 8, 0), 8);
    BYTES(got, "text\0\0\0\0", 8);
    EQ(posix_fallocate(fd, 0, 2), 0); // never makes it smaller
    OK(fstat(fd, &st));
    EQ(st.st_size, 8);
  }
  OK(close(fd));
  EQ(posix_fallocate(1000000, 0, 1), EBADF);
}

static const check_t checks[] = {
    {"create", create},
    {"exclusive", exclusive},
    {"truncate-on-open", truncate_on_open},
    {"append", append},
    {"flags", flags},
    {"read-write", read_write},
    {"access-mode", access_mode},
    {"big", big},
    {"positioned", positioned},
    {"vectors", vectors},
    {"seek", seek},
    {"seek-from-nowhere", seek_from_nowhere},
    {"resize", resize},
    {"sparse", sparse},
    {"large", large},
    {"status", status},
    {"times-move", times_move},
    {"set-times", set_times},
    {"set-times-directly", set_times_directly},
    {"closed", closed},
    {"sync-and-hints", sync_and_hints},
    {"allocate", allocate},
};

int main(int argc, char **argv) { return CHECK_MAIN(checks, argc > 1 ? argv[1] : NULL); }
