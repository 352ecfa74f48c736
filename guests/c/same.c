// Prints what may differ from one run to the next: both clocks, randomness, and what the directory / tells of itself,
// before and after sleeping for an hour, twice, and changing it. Wants a writable directory at /.
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void must(int failed, const char *what) {
  if (failed) {
    perror(what);
    exit(1);
  }
}

static struct timespec clocks(void) {
  struct timespec wall, monotonic;
  must(clock_gettime(CLOCK_REALTIME, &wall), "clock_gettime");
  must(clock_gettime(CLOCK_MONOTONIC, &monotonic), "clock_gettime");
  printf("wall %lld.%09ld monotonic %lld.%09ld\n", wall.tv_sec, wall.tv_nsec, monotonic.tv_sec, monotonic.tv_nsec);
  return wall;
}

static void chance(void) {
  unsigned char bytes[16];
  must(getentropy(bytes, sizeof bytes), "getentropy");
  for (size_t i = 0; i < sizeof bytes; i++) printf("%02x", bytes[i]);
  printf("\n");
}

static void list(const char *path) {
  DIR *dir = opendir(path);
  must(!dir, path);
  for (struct dirent *entry; (entry = readdir(dir));) {
    struct stat s;
    if (strcmp(entry->d_name, "..") == 0) continue;
    must(fstatat(dirfd(dir), entry->d_name, &s, AT_SYMLINK_NOFOLLOW), entry->d_name);
    printf("%s %llu: %llu %llu %d %llu %lld %lld.%09ld %lld.%09ld %lld.%09ld\n", entry->d_name, entry->d_ino, s.st_dev,
           s.st_ino, entry->d_type, s.st_nlink, s.st_size, s.st_atim.tv_sec, s.st_atim.tv_nsec, s.st_mtim.tv_sec,
           s.st_mtim.tv_nsec, s.st_ctim.tv_sec, s.st_ctim.tv_nsec);
  }
  closedir(dir);
}

int main(void) {
  struct timespec wall = clocks(), hour = {.tv_sec = 3600};
  chance();
  list("/");

  must(clock_nanosleep(CLOCK_MONOTONIC, 0, &hour, NULL), "clock_nanosleep");
  clocks();
  int file = open("/new", O_RDWR | O_CREAT, 0666);
  must(file < 0 || write(file, "text", 4) != 4, "/new");
  must(link("/new", "/newer") || rename("/a", "/z"), "/newer");

  wall.tv_sec += 7200;
  must(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &wall, NULL), "clock_nanosleep");
  clocks();
  must(unlink("/b") || mkdir("/dir/sub", 0777) || symlink("new", "/link"), "/dir/sub");
  list("/");
  list("/dir");
  chance();
  close(file);
}
