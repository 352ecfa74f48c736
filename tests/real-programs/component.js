// What StarlingMonkey as a component asks of a WASI host: its own globals, and the interfaces that
// its programs import. Made by componentize-js without http; run with a writable `/`. No sockets:
// what componentize-js writes for the resource `network` is not defined when it is needed.
import { getArguments, getEnvironment, initialCwd } from "wasi:cli/environment@0.2.12";
import { getStdin } from "wasi:cli/stdin@0.2.12";
import { getStdout } from "wasi:cli/stdout@0.2.12";
import { getTerminalStdout } from "wasi:cli/terminal-stdout@0.2.12";
import { exitWithCode } from "wasi:cli/exit@0.2.12";
import { now, resolution, subscribeDuration, subscribeInstant } from "wasi:clocks/monotonic-clock@0.2.12";
import { now as date } from "wasi:clocks/wall-clock@0.2.12";
import { getDirectories } from "wasi:filesystem/preopens@0.2.12";
import { poll } from "wasi:io/poll@0.2.12";
import { getRandomBytes, getRandomU64 } from "wasi:random/random@0.2.12";
import { insecureSeed } from "wasi:random/insecure-seed@0.2.12";

const text = (bytes) => new TextDecoder().decode(new Uint8Array(bytes));
const bytes = (string) => new TextEncoder().encode(string);

function same(got, want, what) {
  const json = (value) => JSON.stringify(value, (_, v) => (typeof v === "bigint" ? `${v}n` : v));
  if (json(got) !== json(want)) throw new Error(`${what}: expected ${json(want)}, got ${json(got)}`);
}

// What a call that must fail fails with.
function failure(call) {
  try {
    call();
  } catch (error) {
    return error.payload ?? error;
  }
  throw new Error(`did not fail: ${call}`);
}

// Reads to the end.
function readAll(stream) {
  let all = "";
  for (;;) {
    try {
      all += text(stream.blockingRead(65536n));
    } catch (error) {
      same((error.payload ?? error).tag, "closed", "the end");
      return all;
    }
  }
}

const checks = {
  environment() {
    same(getArguments().slice(1), ["one", "two words", "", "größe"], "arguments");
    same(new Map(getEnvironment()).get("PROBE"), "a=b c", "a variable");
    same(new Map(getEnvironment()).get("EMPTY"), "", "an empty variable");
    same(initialCwd(), undefined, "the directory at the start");
    same(readAll(getStdin()), "on stdin\n", "stdin");
    same(getTerminalStdout(), undefined, "a terminal");
  },

  files() {
    const [[root, name]] = getDirectories();
    same(name, "/", "the directory's name");
    root.createDirectoryAt("d");
    same(failure(() => root.createDirectoryAt("d")), "exist", "the same again");
    for (let i = 0; i < 300; i++) {
      const file = root.openAt({}, `d/${i}`, { create: true, exclusive: true }, { write: true });
      same(file.write(bytes(`file ${i}`), 0n), BigInt(bytes(`file ${i}`).length), "write");
    }
    const directory = root.openAt({}, "d", { directory: true }, { read: true });
    const entries = directory.readDirectory();
    const names = [];
    for (let entry; (entry = entries.readDirectoryEntry()); names.push(entry.name)) {
      same(entry.type, "regular-file", "an entry's type");
    }
    same(names.sort(), Array.from({ length: 300 }, (_, i) => `${i}`).sort(), "names");
    const file = directory.openAt({}, "7", {}, { read: true, write: true });
    same(readAll(file.readViaStream(0n)), "file 7", "what a stream reads");
    const end = file.appendViaStream();
    end.blockingWriteAndFlush(bytes(", and more"));
    same(text(file.read(100n, 0n)[0]), "file 7, and more", "what read reads");
    same(file.read(100n, 16n)[1], true, "the end");
    same(file.stat().size, 16n, "the size");
    root.renameAt("d/7", root, "moved");
    same(failure(() => directory.statAt({}, "7")), "no-entry", "the old name");
    same(failure(() => root.openAt({}, "../etc/passwd", {}, { read: true })), "not-permitted", "outside");
    root.symlinkAt("moved", "link");
    same(root.readlinkAt("link"), "moved", "a link");
    same(root.statAt({}, "link").type, "symbolic-link", "a link's type");
    same(root.statAt({ symlinkFollow: true }, "link").size, 16n, "what it leads to");
    same(root.openAt({}, "moved", {}, { read: true }).isSameObject(file), true, "the same file");
    for (const gone of ["link", "moved"]) root.unlinkFileAt(gone);
    same(failure(() => root.removeDirectoryAt("d")), "not-empty", "a full directory");
    for (const gone of names) if (gone !== "7") directory.unlinkFileAt(gone);
    root.removeDirectoryAt("d");
  },

  clocks() {
    same(date().seconds > 1_700_000_000n, true, "the date");
    same(resolution() > 0n, true, "resolution");
    const begin = now();
    const timers = [subscribeDuration(60_000_000_000n), subscribeInstant(begin + 30_000_000n)];
    same([...poll(timers)], [1], "the sooner of two timers");
    same(now() - begin >= 30_000_000n, true, "it waited");
    same(timers[0].ready(), false, "the later of two timers");
  },

  random() {
    const numbers = new Set(Array.from({ length: 1000 }, () => getRandomU64()));
    same(numbers.size, 1000, "numbers");
    same(getRandomBytes(100_000n).length, 100_000, "bytes");
    same(insecureSeed().length, 2, "seed");
  },

  async timers() {
    const order = [];
    const later = (time, name) => new Promise((done) => setTimeout(() => done(order.push(name)), time));
    const begin = performance.now();
    await Promise.all([later(60, "c"), later(20, "a"), later(40, "b")]);
    same(order, ["a", "b", "c"], "order");
    same(performance.now() - begin >= 59, true, "time");
    same(Date.now() > 1.7e12, true, "the date");
    let times = 0;
    await new Promise((done) => {
      const interval = setInterval(() => ++times === 3 && done(clearInterval(interval)), 5);
    });
    same(times, 3, "an interval");
  },

  globals() {
    const drawn = Array.from({ length: 1000 }, () => Math.random());
    same(new Set(drawn).size, 1000, "Math.random");
    same(crypto.getRandomValues(new Uint8Array(64)).some((byte) => byte !== 0), true, "crypto");
    same(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(crypto.randomUUID()), true, "a UUID");
    console.error("on stderr");
  },

  lines() {
    for (let i = 0; i < 10000; i++) console.log(`line ${i}`);
    getStdout().blockingWriteAndFlush(bytes("line 10000\n"));
  },
};

export const run = {
  async run() {
    if (getArguments()[1] === "random") return console.log(Math.random(), crypto.randomUUID());
    if (getArguments()[1] === "exit") exitWithCode(7);
    for (const name in checks) {
      await checks[name]();
      console.log(`ok starlingmonkey component ${name}`);
    }
  },
};
