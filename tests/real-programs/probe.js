// What QuickJS's `std` and `os` modules ask of a WASI host: `qjs --std /probe.js` with a writable `/`.
function same(got, want, what) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
  if (a !== b) throw new Error(`${what}: expected ${b}, got ${a}`);
}

const checks = {
  files() {
    const file = std.open("/file", "w+");
    for (let i = 0; i < 1000; i++) file.printf("line %d\n", i);
    file.seek(0, std.SEEK_SET);
    same(file.getline(), "line 0", "first line");
    file.seek(-9, std.SEEK_END);
    same(file.getline(), "line 999", "last line");
    same(file.eof(), false, "eof before the end");
    same(file.getline(), null, "line after the end");
    file.close();
    same(std.loadFile("/file").split("\n").length, 1001, "lines");
    same(std.open("/none", "r"), null, "opening what is not there");
    same(os.remove("/file"), 0, "remove");
  },

  descriptors() {
    const fd = os.open("/raw", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666);
    const bytes = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);
    same(os.write(fd, bytes.buffer, 0, 8), 8, "write");
    same(os.seek(fd, 2, std.SEEK_SET), 2, "seek");
    const back = new Uint8Array(8);
    same(os.read(fd, back.buffer, 0, 8), 6, "read");
    same([...back], [3, 4, 5, 6, 7, 8, 0, 0], "what was read");
    same(os.close(fd), 0, "close");
    same(os.close(fd) < 0, true, "closing twice");
    same(os.open("/raw", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666) < 0, true, "exclusive");
    const appending = os.open("/raw", os.O_WRONLY | os.O_APPEND);
    same(os.write(appending, bytes.buffer, 0, 2), 2, "append");
    os.close(appending);
    same(os.stat("/raw")[0].size, 10, "size");
    same(os.remove("/raw"), 0, "remove");
  },

  directories() {
    same(os.mkdir("/d", 0o777), 0, "mkdir");
    for (let i = 0; i < 300; i++) std.open(`/d/${i}`, "w").close();
    const [names, error] = os.readdir("/d");
    same(error, 0, "readdir");
    const wanted = [".", "..", ...Array.from({ length: 300 }, (_, i) => `${i}`)];
    same(names.sort(), wanted.sort(), "names");
    same(os.rename("/d/0", "/d/renamed"), 0, "rename");
    const [stat] = os.stat("/d/renamed");
    same(stat.mode & os.S_IFMT, os.S_IFREG, "a file's type");
    same(os.stat("/d")[0].mode & os.S_IFMT, os.S_IFDIR, "a directory's type");
    same(os.stat("/d/0")[0], null, "the old name");
    same(os.utimes("/d/renamed", 1e12, 1.2e12), 0, "utimes");
    same(os.stat("/d/renamed")[0].mtime, 1.2e12, "mtime");
    for (const name of os.readdir("/d")[0]) if (name[0] !== ".") os.remove(`/d/${name}`);
    same(os.remove("/d"), 0, "removing the directory");
  },

  environment() {
    same(std.getenv("PROBE"), "a=b c", "a variable");
    same(std.getenv("NONE"), undefined, "none");
    same(scriptArgs.slice(1), ["one", "two words"], "arguments");
    same(std.in.readAsString(), "on stdin\n", "stdin");
  },

  time() {
    same(Date.now() > 1.7e12, true, "the date");
    const begin = os.now();
    os.sleep(30);
    same(os.now() - begin >= 30, true, "sleep");
  },

  lines() {
    for (let i = 0; i < 100000; i++) std.out.puts(`line ${i}\n`);
    std.out.flush();
  },
};

for (const name in checks) {
  checks[name]();
  std.out.puts(`ok quickjs ${name}\n`);
}

// the last one waits, and ends by itself
const begin = os.now();
os.setTimeout(() => {
  same(os.now() - begin >= 30, true, "timer");
  std.out.puts("ok quickjs timer\n");
}, 30);
