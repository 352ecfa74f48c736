// What names do for one another: hard links, symlinks, and files without a name.
// Wants a writable directory at `/`.
#define CHECK_SCRATCH
#define _GNU_SOURCE
#include "check.h"

#include <limits.h>
#include <stdlib.h>

static void hard(void) {
  struct stat a, b;
  OK(put("f", "text"));
  OK(link("f", "g"));
  OK(stat("f", &a));
  OK(stat("g", &b));
  EQ(a.st_ino, b.st_ino);
  EQ(a.st_nlink, 2);
  OK(put("g", "changed"));
  EQ(holds("f", "changed"), 1);
  OK(unlink("f"));
  EQ(holds("g", "changed"), 1);
  OK(stat("g", &a));
  EQ(a.st_nlink, 1);
}

static void hard_errors(void) {
  OK(put("f", ""));
  OK(put("g", ""));
  OK(mkdir("d", 0777));
  ERR(link("f", "g"), EEXIST);
  ERR(link("f", "f"), EEXIST);
  ERR(link("f", "d"), EEXIST);
  ERR(link("none", "h"), ENOENT);
  ERR(link("f", "none/h"), ENOENT);
  ERR(link("d", "e"), EPERM);
  ERR(link("f/x", "h"), ENOTDIR);
}

static void hard_to_symlink(void) { // the link itself gets the name, not what it leads to
  struct stat st;
  OK(put("f", "text"));
  OK(symlink("f", "l"));
  OK(link("l", "m"));
  OK(lstat("m", &st));
  TRUE(S_ISLNK(st.st_mode));
  EQ(st.st_nlink, 2);
}

static void soft(void) {
  struct stat st;
  OK(mkdir("d", 0777));
  OK(put("d/f", "text"));
  OK(symlink("d/f", "l"));
  OK(lstat("l", &st));
  TRUE(S_ISLNK(st.st_mode));
  EQ(st.st_size, 3); // the length of what it says
  OK(stat("l", &st));
  TRUE(S_ISREG(st.st_mode));
  EQ(holds("l", "text"), 1);
  OK(put("l", "changed")); // writes through it
  EQ(holds("d/f", "changed"), 1);
  OK(symlink("d", "k"));
  EQ(holds("k/f", "changed"), 1);
  OK(symlink("f", "d/beside")); // relative to where the link is
  EQ(holds("d/beside", "changed"), 1);
  OK(symlink("../l", "d/up"));
  EQ(holds("d/up", "changed"), 1);
  ERR(symlink("x", "l"), EEXIST);
  ERR(symlink("x", "d"), EEXIST);
  ERR(symlink("x", "none/l"), ENOENT);
  OK(unlink("l")); // the link goes, the file stays
  EQ(holds("d/f", "changed"), 1);
  OK(rename("k", "j"));
  OK(lstat("j", &st));
  TRUE(S_ISLNK(st.st_mode));
}

static void read_link(void) {
  char got[32];
  OK(symlink("some/where", "l"));
  EQ(readlink("l", got, sizeof got), 10);
  BYTES(got, "some/where", 10);
  memset(got, '#', sizeof got);
  EQ(readlink("l", got, 4), 4); // cut off to what there is room for, without a word
  BYTES(got, "some####", 8);
  EQ(readlink("l", got, 10), 10);
  BYTES(got, "some/where####", 14);
  OK(put("f", ""));
  ERR(readlink("f", got, sizeof got), EINVAL);
  ERR(readlink(".", got, sizeof got), EINVAL);
  ERR(readlink("none", got, sizeof got), ENOENT);
  ERR(readlink("f/x", got, sizeof got), ENOTDIR);
}

static void no_follow(void) {
  OK(put("f", "text"));
  OK(symlink("f", "l"));
  ERR(open("l", O_RDONLY | O_NOFOLLOW), ELOOP);
  ERR(open("l", O_WRONLY | O_TRUNC | O_NOFOLLOW), ELOOP);
  EQ(holds("f", "text"), 1);
  OK(mkdir("d", 0777));
  OK(symlink("d", "k"));
  ERR(open("k", O_RDONLY | O_DIRECTORY | O_NOFOLLOW), ENOTDIR, ELOOP);
  int fd;
  OK(fd = open("k", O_RDONLY | O_DIRECTORY));
  OK(close(fd));
}

static void loops(void) {
  struct stat st;
  OK(symlink("self", "self"));
  OK(symlink("b", "a"));
  OK(symlink("a", "b"));
  static const char *const names[] = {"self", "a", "b", "self/x", "a/x"};
  for (int i = 0; i < 5; i++) {
    ERR(open(names[i], O_RDONLY), ELOOP);
    ERR(stat(names[i], &st), ELOOP);
  }
  ERR(open("a", O_CREAT | O_WRONLY, 0666), ELOOP);
  OK(lstat("self", &st));
  OK(unlink("self"));
}

static void chain(void) { // long, but it ends
  char from[16], to[16];
  OK(put("link-0", "text"));
  for (int i = 1; i <= 30; i++) {
    snprintf(from, sizeof from, "link-%d", i);
    snprintf(to, sizeof to, "link-%d", i - 1);
    OK(symlink(to, from));
  }
  EQ(holds("link-30", "text"), 1);
}

static void dangling(void) {
  int fd;
  struct stat st;
  OK(symlink("none", "l"));
  ERR(open("l", O_RDONLY), ENOENT);
  ERR(stat("l", &st), ENOENT);
  OK(lstat("l", &st));
  ERR(mkdir("l", 0777), EEXIST);
  OK(fd = open("l", O_CREAT | O_WRONLY, 0666)); // creates what it names
  EQ(write(fd, "text", 4), 4);
  OK(close(fd));
  OK(lstat("l", &st));
  TRUE(S_ISLNK(st.st_mode));
  EQ(holds("none", "text"), 1);
}

static void outwards(void) { // a link may say anything; following it out is refused
  static const char *const outside[] = {"../..", "../../x", "../../etc/passwd", "d/../../../x"};
  struct stat st;
  OK(mkdir("d", 0777));
  for (int i = 0; i < 4; i++) {
    OK(symlink(outside[i], "l"));
    ERR(open("l", O_RDONLY), REFUSED);
    ERR(open("l", O_CREAT | O_WRONLY, 0666), REFUSED);
    ERR(stat("l", &st), REFUSED);
    ERR(open("l/x", O_RDONLY), REFUSED);
    ERR(mkdir("l/x", 0777), REFUSED);
    ERR(rename("d", "l/x"), REFUSED);
    OK(lstat("l", &st));
    OK(unlink("l"));
  }
}

static void absolute(void) { // the guest's root is not the host's: such a link leads nowhere
  struct stat st;
  if (symlink("/etc/passwd", "l") != 0) {
    TRUE(errno == EPERM || errno == ENOTCAPABLE);
    return;
  }
  ERR(open("l", O_RDONLY), REFUSED);
  ERR(stat("l", &st), REFUSED);
  ERR(open("l", O_CREAT | O_WRONLY, 0666), REFUSED);
  OK(lstat("l", &st));
}

static void trailing_slash(void) { // insists on what the link leads to
  struct stat st;
  OK(mkdir("d", 0777));
  OK(put("f", ""));
  OK(symlink("d", "to-dir"));
  OK(symlink("f", "to-file"));
  OK(symlink("none", "to-none"));
  OK(lstat("to-dir/", &st));
  TRUE(S_ISDIR(st.st_mode));
  ERR(stat("to-file/", &st), ENOTDIR);
  ERR(open("to-file/", O_RDONLY), ENOTDIR);
  ERR(open("to-none/", O_RDONLY), ENOENT);
  ERR(readlink("to-dir/", (char[8]){0}, 8), EINVAL);
  ERR(unlink("to-dir/"), ENOTDIR, EISDIR, EPERM);
  ERR(rmdir("to-dir/"), ENOTDIR);
  ERR(rmdir("to-dir"), ENOTDIR);
  ERR(unlink("to-file/"), ENOTDIR);
  OK(lstat("to-dir", &st));
  TRUE(S_ISLNK(st.st_mode));
}

static void listed(void) {
  OK(symlink("x", "l"));
  int found = 0;
  DIR *dir = opendir(".");
  TRUE(dir);
  for (struct dirent *entry; (entry = readdir(dir));)
    if (!strcmp(entry->d_name, "l")) {
      found++;
      TRUE(entry->d_type == DT_LNK);
    }
  OK(closedir(dir));
  EQ(found, 1);
}

static void set_times_of_link(void) {
  struct stat st;
  struct timespec t[2] = {{11, 0}, {12, 0}};
  OK(put("f", "1"));
  OK(symlink("f", "l"));
  OK(utimensat(AT_FDCWD, "l", t, AT_SYMLINK_NOFOLLOW));
  OK(lstat("l", &st));
  EQ(st.st_mtim.tv_sec, 12);
  OK(stat("l", &st));
  TRUE(st.st_mtim.tv_sec != 12);
  OK(utimensat(AT_FDCWD, "l", t, 0));
  OK(stat("f", &st));
  EQ(st.st_mtim.tv_sec, 12);
}

static void unlinked_lives_on(void) {
  int fd;
  char got[8];
  struct stat st;
  OK(put("f", "alive"));
  OK(fd = open("f", O_RDWR));
  OK(unlink("f"));
  ERR(open("f", O_RDONLY), ENOENT);
  EQ(read(fd, got, 8), 5);
  BYTES(got, "alive", 5);
  EQ(pwrite(fd, "A", 1, 0), 1);
  OK(fstat(fd, &st));
  EQ(st.st_nlink, 0);
  EQ(st.st_size, 5);
  OK(put("f", "another")); // the name is free again
  EQ(pread(fd, got, 8, 0), 5);
  BYTES(got, "Alive", 5);
  OK(close(fd));
}

static const check_t checks[] = {
    {"hard", hard},
    {"hard-errors", hard_errors},
    {"hard-to-symlink", hard_to_symlink},
    {"soft", soft},
    {"read-link", read_link},
    {"no-follow", no_follow},
    {"loops", loops},
    {"chain", chain},
    {"dangling", dangling},
    {"outwards", outwards},
    {"absolute", absolute},
    {"trailing-slash", trailing_slash},
    {"listed", listed},
    {"set-times-of-link", set_times_of_link},
    {"unlinked-lives-on", unlinked_lives_on},
};

int main(int argc, char **argv) { return CHECK_MAIN(checks, argc > 1 ? argv[1] : NULL); }
