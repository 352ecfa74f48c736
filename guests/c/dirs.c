// What a directory does: making, removing, listing, renaming, and how paths are walked.
// Wants a writable directory at `/`.
#define CHECK_SCRATCH
#define _GNU_SOURCE
#include "check.h"

#include <stdlib.h>

static void make_and_remove(void) {
  struct stat st;
  OK(mkdir("d", 0777));
  OK(stat("d", &st));
  TRUE(S_ISDIR(st.st_mode));
  ERR(mkdir("d", 0777), EEXIST);
  ERR(mkdir("none/d", 0777), ENOENT);
  OK(put("f", ""));
  ERR(mkdir("f", 0777), EEXIST);
  ERR(mkdir("f/d", 0777), ENOTDIR);
  ERR(mkdir(".", 0777), EEXIST);
  OK(put("d/f", ""));
  ERR(rmdir("d"), ENOTEMPTY, EEXIST);
  OK(unlink("d/f"));
  OK(rmdir("d"));
  ERR(rmdir("d"), ENOENT);
  ERR(rmdir("f"), ENOTDIR);
  ERR(stat("d", &st), ENOENT);
}

static void unlink_is_for_files(void) {
  OK(mkdir("d", 0777));
  ERR(unlink("d"), EISDIR, EPERM);
  ERR(unlink("none"), ENOENT);
  OK(put("f", ""));
  ERR(unlink("f/below"), ENOTDIR);
  OK(unlink("f"));
  ERR(unlink("f"), ENOENT);
  OK(mkdir("r", 0777));
  OK(put("g", ""));
  OK(remove("r")); // remove() takes either
  OK(remove("g"));
  ERR(remove("g"), ENOENT);
}

static void open_directory(void) {
  int fd;
  char byte;
  OK(mkdir("d", 0777));
  OK(put("f", ""));
  ERR(open("d", O_WRONLY), EISDIR);
  ERR(open("d", O_RDWR), EISDIR);
  ERR(open("d", O_WRONLY | O_CREAT, 0666), EISDIR);
  ERR(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
  OK(fd = open("d", O_RDONLY | O_DIRECTORY));
  ERR(read(fd, &byte, 1), EISDIR, EBADF, ENOTCAPABLE);
  ERR(write(fd, "x", 1), EISDIR, EBADF, ENOTCAPABLE);
  OK(close(fd));
  OK(fd = open("d", O_RDONLY)); // O_DIRECTORY insists, it does not permit
  OK(close(fd));
}

static void relative_to_fd(void) {
  int d, fd;
  struct stat st;
  OK(mkdir("d", 0777));
  OK(d = open("d", O_RDONLY | O_DIRECTORY));
  OK(mkdirat(d, "sub", 0777));
  OK(fd = openat(d, "sub/f", O_CREAT | O_WRONLY, 0666));
  OK(close(fd));
  OK(fstatat(d, "sub/f", &st, 0));
  TRUE(S_ISREG(st.st_mode));
  OK(renameat(d, "sub/f", d, "g"));
  OK(faccessat(d, "g", F_OK, 0));
  ERR(faccessat(d, "sub/f", F_OK, 0), ENOENT);
  OK(unlinkat(d, "g", 0));
  ERR(unlinkat(d, "sub", 0), EISDIR, EPERM);
  OK(unlinkat(d, "sub", AT_REMOVEDIR));
  // a directory that was opened is a grant of its own: its parent is outside
  ERR(fstatat(d, "..", &st, 0), REFUSED);
  ERR(openat(d, "../new", O_CREAT | O_WRONLY, 0666), REFUSED);
  ERR(openat(d, "", O_RDONLY), ENOENT);
  OK(close(d));
  ERR(openat(d, "x", O_RDONLY), EBADF);
  OK(fd = open("f", O_CREAT | O_RDWR, 0666));
  ERR(openat(fd, "x", O_RDONLY), ENOTDIR, ENOTCAPABLE, EBADF);
  OK(close(fd));
}

static void list(void) {
  enum { FILES = 1000 };
  char seen[FILES] = {0}, name[64];
  int dots = 0, dirs = 0, others = 0;
  struct stat st;
  OK(mkdir("d", 0777));
  OK(mkdir("d/sub", 0777));
  for (int i = 0; i < FILES; i++) {
    snprintf(name, sizeof name, "d/a-name-of-middling-length-%d", i);
    OK(put(name, ""));
  }
  DIR *dir = opendir("d");
  TRUE(dir);
  errno = 0;
  for (struct dirent *entry; (entry = readdir(dir));) {
    int number;
    if (!strcmp(entry->d_name, ".")) {
      dots |= 1;
      TRUE(entry->d_type == DT_DIR);
    } else if (!strcmp(entry->d_name, "..")) {
      dots |= 2;
    } else if (!strcmp(entry->d_name, "sub")) {
      dirs++;
      TRUE(entry->d_type == DT_DIR);
    } else if (sscanf(entry->d_name, "a-name-of-middling-length-%d", &number) == 1) {
      TRUE(number >= 0 && number < FILES);
      EQ(seen[number]++, 0);
      TRUE(entry->d_type == DT_REG);
      if (number % 100 == 0) {
        OK(fstatat(dirfd(dir), entry->d_name, &st, 0));
        EQ(entry->d_ino, st.st_ino);
      }
    } else {
      others++;
    }
  }
  EQ(errno, 0);
  OK(closedir(dir));
  EQ(dots, 3);
  EQ(dirs, 1);
  EQ(others, 0);
  for (int i = 0; i < FILES; i++) EQ(seen[i], 1);
}

static int entries(DIR *dir) {
  int count = 0;
  while (readdir(dir)) count++;
  return count;
}

static void rewind_sees_new_names(void) {
  OK(mkdir("d", 0777));
  OK(put("d/a", ""));
  DIR *dir = opendir("d");
  TRUE(dir);
  EQ(entries(dir), 3);
  EQ(entries(dir), 0); // the end stays the end
  OK(put("d/b", ""));
  OK(unlink("d/a"));
  OK(put("d/c", ""));
  rewinddir(dir);
  EQ(entries(dir), 4);
  OK(closedir(dir));
}

static void tell_and_seek(void) {
  enum { FILES = 300 };
  char name[32];
  long at[FILES + 3];
  char *names[FILES + 3];
  int count = 0;
  OK(mkdir("d", 0777));
  for (int i = 0; i < FILES; i++) {
    snprintf(name, sizeof name, "d/%d", i);
    OK(put(name, ""));
  }
  DIR *dir = opendir("d");
  TRUE(dir);
  for (;;) {
    at[count] = telldir(dir);
    struct dirent *entry = readdir(dir);
    if (!entry) break;
    TRUE(count < FILES + 2);
    names[count++] = strdup(entry->d_name);
  }
  EQ(count, FILES + 2);
  for (int i = count - 1; i >= 0; i -= 7) { // backwards, each position leads to its entry again
    seekdir(dir, at[i]);
    struct dirent *entry = readdir(dir);
    TRUE(entry && !strcmp(entry->d_name, names[i]));
  }
  seekdir(dir, at[count]);
  TRUE(readdir(dir) == NULL);
  OK(closedir(dir));
}

static void list_empty(void) {
  OK(mkdir("d", 0777));
  DIR *dir = opendir("d");
  TRUE(dir);
  EQ(entries(dir), 2);
  OK(closedir(dir));
  ERR(opendir("none") ? 0 : -1, ENOENT);
  OK(put("f", ""));
  ERR(opendir("f") ? 0 : -1, ENOTDIR);
}

static void rename_files(void) {
  struct stat a, b;
  OK(put("f", "f"));
  OK(stat("f", &a));
  OK(rename("f", "g"));
  ERR(stat("f", &b), ENOENT);
  OK(stat("g", &b));
  EQ(a.st_ino, b.st_ino);
  OK(put("f", "other"));
  OK(rename("f", "g")); // replaces
  EQ(holds("g", "other"), 1);
  ERR(stat("f", &b), ENOENT);
  OK(rename("g", "g"));
  EQ(holds("g", "other"), 1);
  ERR(rename("none", "g"), ENOENT);
  ERR(rename("g", "none/g"), ENOENT);
  ERR(rename("g/x", "y"), ENOTDIR);
  OK(link("g", "same"));
  OK(rename("g", "same")); // two names of one file: nothing happens
  OK(stat("g", &a));
  OK(stat("same", &b));
  EQ(a.st_ino, b.st_ino);
  EQ(holds("same", "other"), 1);
}

static void rename_directories(void) {
  OK(put("f", "f"));
  OK(mkdir("d", 0777));
  OK(mkdir("empty", 0777));
  OK(mkdir("full", 0777));
  OK(put("full/f", "inside"));
  ERR(rename("f", "d"), EISDIR);
  ERR(rename("d", "f"), ENOTDIR);
  ERR(rename("d", "full"), ENOTEMPTY, EEXIST);
  ERR(rename("full", "full/below"), EINVAL);
  OK(rename("full", "empty")); // an empty directory is replaced
  EQ(holds("empty/f", "inside"), 1);
  ERR(open("full", O_RDONLY), ENOENT);
  OK(rename("empty", "d/moved"));
  EQ(holds("d/moved/f", "inside"), 1);
}

static void rename_keeps_open_files(void) {
  int fd;
  char got[8];
  OK(mkdir("d", 0777));
  OK(put("d/f", "one"));
  OK(put("g", "two"));
  OK(fd = open("g", O_RDONLY));
  OK(rename("d/f", "g"));
  EQ(read(fd, got, 8), 3);
  BYTES(got, "two", 3); // what was open is still the old file
  OK(close(fd));
  OK(fd = open("d", O_RDONLY | O_DIRECTORY));
  OK(rename("d", "e"));
  int below;
  OK(below = openat(fd, "new", O_CREAT | O_WRONLY, 0666));
  OK(close(below));
  OK(close(fd));
  EQ(holds("e/new", ""), 1);
}

static void dots(void) {
  OK(mkdir("a", 0777));
  OK(mkdir("a/b", 0777));
  OK(put("a/f", "text"));
  EQ(holds("a/./f", "text"), 1);
  EQ(holds("./a//f", "text"), 1);
  EQ(holds("a/b/../f", "text"), 1);
  EQ(holds("a/b/../../a/b/./../f", "text"), 1);
  ERR(open("a/none/../f", O_RDONLY), ENOENT); // walked, not folded away
  ERR(open("a/f/../f", O_RDONLY), ENOTDIR);
  ERR(rmdir("a/."), EINVAL);
  ERR(rmdir("a/b/.."), ENOTEMPTY, EEXIST, EINVAL);
  ERR(unlink("a/.."), EISDIR, EPERM, EBUSY, ENOTEMPTY);
}

static void no_way_out(void) { // `..` above the directory that was granted
  struct stat st;
  OK(put("f", "text"));
  OK(mkdir("d", 0777));
  ERR(open("/..", O_RDONLY | O_DIRECTORY), REFUSED);
  ERR(open("/../etc/passwd", O_RDONLY), REFUSED);
  ERR(open("d/../../../x", O_RDONLY), REFUSED);
  ERR(open("../../x", O_CREAT | O_WRONLY, 0666), REFUSED);
  ERR(stat("../..", &st), REFUSED);
  ERR(lstat("../../x", &st), REFUSED);
  ERR(mkdir("../../x", 0777), REFUSED);
  ERR(rmdir("../../x"), REFUSED);
  ERR(unlink("../../x"), REFUSED);
  ERR(rename("f", "../../x"), REFUSED);
  ERR(rename("../../x", "f"), REFUSED);
  ERR(link("f", "../../x"), REFUSED);
  ERR(link("../../x", "g"), REFUSED);
  ERR(symlink("f", "../../x"), REFUSED);
  ERR(readlink("../../x", (char[8]){0}, 8), REFUSED);
  ERR(utimensat(AT_FDCWD, "../../x", NULL, 0), REFUSED);
  // out and in again is out, too
  ERR(open("../../scratch-no-way-out/f", O_RDONLY), REFUSED);
  EQ(holds("f", "text"), 1);
}

static void trailing_slashes(void) {
  struct stat st;
  int fd;
  OK(mkdir("d/", 0777));
  OK(put("f", "text"));
  OK(stat("d/", &st));
  OK(stat("d//", &st));
  ERR(stat("f/", &st), ENOTDIR);
  ERR(lstat("f/", &st), ENOTDIR);
  ERR(stat("f/.", &st), ENOTDIR);
  ERR(open("f/", O_RDONLY), ENOTDIR);
  ERR(open("new/", O_CREAT | O_WRONLY, 0666), EISDIR, ENOENT, ENOTDIR, EINVAL);
  ERR(stat("new", &st), ENOENT);
  OK(fd = open("d/", O_RDONLY | O_DIRECTORY));
  OK(close(fd));
  ERR(unlink("f/"), ENOTDIR);
  ERR(rename("f", "new/"), ENOTDIR, ENOENT);
  ERR(rename("f/", "new"), ENOTDIR);
  ERR(link("f", "new/"), ENOTDIR, ENOENT);
  ERR(link("f/", "new"), ENOTDIR);
  ERR(rmdir("f/"), ENOTDIR);
  OK(rename("d/", "e/"));
  OK(rmdir("e/"));
  EQ(holds("f", "text"), 1);
}

static void names(void) {
  static const char *const good[] = {
      "with space", "ünïcödé-名前-🦀", "-dash", "...", "new\nline", "back\\slash", "a:b*c?\"<>|", "~"};
  struct stat st;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    OK(put(good[i], "text"));
    EQ(holds(good[i], "text"), 1);
    int found = 0;
    DIR *dir = opendir(".");
    TRUE(dir);
    for (struct dirent *entry; (entry = readdir(dir));) found |= !strcmp(entry->d_name, good[i]);
    OK(closedir(dir));
    TRUE(found);
    OK(unlink(good[i]));
  }
  char name[301];
  memset(name, 'n', sizeof name);
  name[255] = 0;
  OK(put(name, "text")); // the longest name there may be
  EQ(holds(name, "text"), 1);
  DIR *dir = opendir(".");
  TRUE(dir);
  EQ(entries(dir), 3);
  OK(closedir(dir));
  name[255] = 'n', name[300] = 0;
  ERR(open(name, O_RDONLY), ENAMETOOLONG);
  ERR(open(name, O_CREAT | O_WRONLY, 0666), ENAMETOOLONG);
  ERR(stat(name, &st), ENAMETOOLONG);
  ERR(mkdir(name, 0777), ENAMETOOLONG);
}

static void case_matters(void) {
  OK(put("name", "small"));
  OK(put("Name", "large"));
  EQ(holds("name", "small"), 1);
  EQ(holds("Name", "large"), 1);
}

static void deep(void) {
  enum { DEPTH = 200 };
  char path[DEPTH * 5 + 8] = "";
  struct stat st;
  for (int i = 0; i < DEPTH; i++) {
    strcat(path, i ? "/deep" : "deep");
    OK(mkdir(path, 0777));
  }
  strcat(path, "/f");
  OK(put(path, "text"));
  EQ(holds(path, "text"), 1);
  path[strlen(path) - 2] = 0;
  OK(stat(path, &st));
  TRUE(S_ISDIR(st.st_mode));
}

static const check_t checks[] = {
    {"make-and-remove", make_and_remove},
    {"unlink-is-for-files", unlink_is_for_files},
    {"open-directory", open_directory},
    {"relative-to-fd", relative_to_fd},
    {"list", list},
    {"list-empty", list_empty},
    {"rewind-sees-new-names", rewind_sees_new_names},
    {"tell-and-seek", tell_and_seek},
    {"rename-files", rename_files},
    {"rename-directories", rename_directories},
    {"rename-keeps-open-files", rename_keeps_open_files},
    {"dots", dots},
    {"no-way-out", no_way_out},
    {"trailing-slashes", trailing_slashes},
    {"names", names},
    {"case-matters", case_matters},
    {"deep", deep},
};

int main(int argc, char **argv) { return CHECK_MAIN(checks, argc > 1 ? argv[1] : NULL); }
