// What QuickJS as a component asks of a WASI host. Made by componentize-qjs, which has no globals
// for the world outside: everything is imported. Run with a writable `/` and an echo server on the
// port that is in $ECHO.
import environment from "wasi:cli/environment@0.2.12";
import exit from "wasi:cli/exit@0.2.12";
import stdin from "wasi:cli/stdin@0.2.12";
import stdout from "wasi:cli/stdout@0.2.12";
import clock from "wasi:clocks/monotonic-clock@0.2.12";
import preopens from "wasi:filesystem/preopens@0.2.12";
import io from "wasi:io/poll@0.2.12";
import random from "wasi:random/random@0.2.12";
import network from "wasi:sockets/instance-network@0.2.12";
import tcp from "wasi:sockets/tcp-create-socket@0.2.12";

const bytes = (string) => Uint8Array.from(string, (c) => c.charCodeAt(0));
const text = (bytes) => String.fromCharCode(...bytes);
const print = (line) => stdout.getStdout().blockingWriteAndFlush(bytes(line + "\n"));

function same(got, want, what) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
  if (a !== b) throw new Error(`${what}: expected ${b}, got ${a}`);
}

// What a call that must fail fails with.
function failure(call) {
  try {
    call();
  } catch (error) {
    return error.payload ?? error.message;
  }
  throw new Error(`did not fail: ${call}`);
}

const checks = {
  environment() {
    same(environment.getArguments().slice(1), ["one", "two words"], "arguments");
    same(new Map(environment.getEnvironment()).get("PROBE"), "a=b c", "a variable");
    const input = stdin.getStdin();
    same(text(input.blockingRead(100)), "on stdin\n", "stdin");
    same(failure(() => input.blockingRead(100)).tag, "closed", "its end");
  },

  files() {
    const [[root]] = preopens.getDirectories();
    const file = root.openAt({}, "file", { create: true }, { read: true, write: true });
    const stream = file.writeViaStream(0);
    for (let i = 0; i < 1000; i++) stream.blockingWriteAndFlush(bytes(`line ${i}\n`));
    same(file.stat().size, 8890, "size");
    same(text(file.read(100, 8881)[0]), "line 999\n", "the last line");
    const back = file.readViaStream(0);
    same([back.skip(7), text(back.blockingRead(7))], [7, "line 1\n"], "the second line");
    same(failure(() => root.openAt({}, "none", {}, { read: true })), "no-entry", "what is not there");
    root.unlinkFileAt("file");
  },

  clock() {
    const begin = clock.now();
    const timers = [clock.subscribeDuration(60e9), clock.subscribeDuration(30e6)];
    same([...io.poll(timers)], [1], "the sooner of two timers");
    same(clock.now() - begin >= 30e6, true, "it waited");
  },

  random() {
    same(random.getRandomBytes(100_000).length, 100_000, "bytes");
    const numbers = new Set(Array.from({ length: 1000 }, () => text(random.getRandomBytes(16))));
    same(numbers.size, 1000, "numbers");
  },

  tcp() {
    const port = Number(new Map(environment.getEnvironment()).get("ECHO"));
    const client = tcp.createTcpSocket("ipv4");
    same(failure(() => client.finishConnect()), "not-in-progress", "the end of no connecting");
    const address = { tag: "ipv4", val: { port, address: [127, 0, 0, 1] } };
    client.startConnect(network.instanceNetwork(), address);
    client.subscribe().block();
    const [incoming, outgoing] = client.finishConnect();
    same(client.remoteAddress(), address, "the peer");
    for (let i = 0; i < 100; i++) {
      const part = `part ${i} `.repeat(300);
      outgoing.blockingWriteAndFlush(bytes(part));
      let back = "";
      while (back.length < part.length) back += text(incoming.blockingRead(4096));
      same(back, part, "what came back");
    }
    client.shutdown("send");
    same(failure(() => incoming.blockingRead(1)).tag, "closed", "the end");
  },
};

export const run = {
  run() {
    if (environment.getArguments()[1] === "exit") exit.exitWithCode(7);
    for (const name in checks) {
      try {
        checks[name]();
      } catch (error) {
        print(`${name}: ${error}`);
        throw error;
      }
      print(`ok quickjs component ${name}`);
    }
  },
};
