"""What CPython as a component asks of a WASI host: probe.py's questions, and sockets.

Made by componentize-py, and run as `serve PORT`, `denied`, `random`, `fail`, `lines` or with the
arguments that probe.py expects, a writable `/`, and an echo server on the port that is in $ECHO.
"""

import asyncio
import encodings.idna
import http.server
import os
import random
import socket
import sys

import probe
from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import instance_network, monotonic_clock, poll, tcp_create_socket
from wit_world.imports.network import (
    ErrorCode,
    IpAddressFamily,
    IpSocketAddress_Ipv4,
    Ipv4SocketAddress,
)
from wit_world.imports.streams import StreamError_Closed
from wit_world.imports.tcp import ShutdownType

# Imported while the component is made, for a running one has no library to import from; the codec
# of names serves every connection.
probe.modules()
assert encodings.idna

MEGABYTE = bytes(range(256)) * 4096


def echo_port():
    return int(os.environ["ECHO"])


def tcp():
    """A blocking client, which sends no more than comes back."""
    with socket.create_connection(("127.0.0.1", echo_port())) as connection:
        assert connection.getpeername() == ("127.0.0.1", echo_port())
        for begin in range(0, len(MEGABYTE), 1 << 14):
            part = MEGABYTE[begin : begin + (1 << 14)]
            connection.sendall(part)
            back = b""
            while len(back) < len(part):
                back += connection.recv(1 << 16)
            assert back == part
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""


async def sends(host, port, content):
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(content)
    writer.write_eof()
    assert await reader.read() == content
    writer.close()
    await writer.wait_closed()


def tcp_at_once():
    async def main():
        clients = (sends("127.0.0.1", echo_port(), MEGABYTE[i:]) for i in range(10))
        await asyncio.wait_for(asyncio.gather(*clients), 60)

    asyncio.run(main())


def tcp_server():
    """Twenty clients of a server, all of them here, first of IPv4 and then of IPv6."""

    async def answer(reader, writer):
        while content := await reader.read(1 << 16):
            writer.write(content)
            await writer.drain()
        writer.close()

    async def main(family, host):
        listener = socket.socket(family)  # asyncio's own would set IPV6_V6ONLY, which WASI has not
        listener.bind((host, 0))
        port = listener.getsockname()[1]
        async with await asyncio.start_server(answer, sock=listener):
            clients = (sends(host, port, f"client {i} ".encode() * 5000) for i in range(20))
            await asyncio.wait_for(asyncio.gather(*clients), 60)

    asyncio.run(main(socket.AF_INET, "127.0.0.1"))
    asyncio.run(main(socket.AF_INET6, "::1"))


def tcp_errors():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # a port at which nobody listens
        try:
            socket.create_connection(bound.getsockname()).close()
        except ConnectionRefusedError:
            pass
        else:
            raise AssertionError("connected to nobody")
        bound.listen()
        bound.setblocking(False)
        try:
            bound.accept()
        except BlockingIOError:
            pass
        else:
            raise AssertionError("accepted nobody")
        with socket.socket() as second:
            try:
                second.bind(bound.getsockname())
            except OSError as error:
                assert "in use" in str(error), error
            else:
                raise AssertionError("bound a port twice")


def udp():
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two,
    ):
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        for i in range(100):
            two.sendto(f"datagram {i}".encode(), one.getsockname())
            assert one.recvfrom(100) == (f"datagram {i}".encode(), two.getsockname())


def names():
    found = {entry[4][0] for entry in socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)}
    assert found and found <= {"127.0.0.1", "::1"}, found


def events():
    """asyncio's timers and tasks."""

    async def main():
        order = []

        async def later(seconds, name):
            await asyncio.sleep(seconds)
            order.append(name)

        await asyncio.gather(later(0.06, "c"), later(0.02, "a"), later(0.04, "b"))
        assert order == ["a", "b", "c"], order
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 0.02)
        except TimeoutError:
            return
        raise AssertionError("an event that nobody sets came")

    asyncio.run(main())


def bindings():
    """The interfaces themselves, without the C library between."""
    network = instance_network.instance_network()
    address = Ipv4SocketAddress(port=echo_port(), address=(127, 0, 0, 1))
    client = tcp_create_socket.create_tcp_socket(IpAddressFamily.IPV4)
    ready = client.subscribe()
    try:
        client.finish_connect()
    except Err as error:
        assert error.value == ErrorCode.NOT_IN_PROGRESS, error.value
    client.start_connect(network, IpSocketAddress_Ipv4(address))
    while True:
        try:
            incoming, outgoing = client.finish_connect()
            break
        except Err as error:
            assert error.value == ErrorCode.WOULD_BLOCK, error.value
            ready.block()
    assert client.remote_address().value == address
    outgoing.blocking_write_and_flush(b"straight")
    arrived, late = incoming.subscribe(), monotonic_clock.subscribe_duration(30_000_000_000)
    assert poll.poll([late, arrived]) == [1]
    assert incoming.blocking_read(100) == b"straight"
    client.shutdown(ShutdownType.SEND)
    try:
        incoming.blocking_read(1)
    except Err as error:
        assert isinstance(error.value, StreamError_Closed), error.value
    else:
        raise AssertionError("something comes after the end")


def denied():
    """Without leave for the network: no address, no name."""

    def connect():
        socket.create_connection(("127.0.0.1", 80))

    def bind():
        socket.socket().bind(("127.0.0.1", 0))

    def send():
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"", ("127.0.0.1", 80))

    def look_up():
        socket.getaddrinfo("localhost", 80)

    for call in (connect, bind, send, look_up):
        try:
            call()
        except OSError as error:
            print(call.__name__, type(error).__name__)
        else:
            raise AssertionError(call.__name__)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files of `/`; what is posted comes back; a request for /quit ends it."""

    def do_POST(self):
        content = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self):
        if self.path != "/quit":
            return super().do_GET()
        self.server.quits = True
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def serve(port):
    with http.server.HTTPServer(("127.0.0.1", int(port)), Handler) as server:
        server.quits = False
        print("serving", flush=True)
        while not server.quits:
            server.handle_request()
    print("done")


class Run(exports.Run):
    def run(self):
        match sys.argv[1:]:
            case ["serve", port]:
                serve(port)
            case ["denied"]:
                denied()
            case ["random"]:
                print(random.getrandbits(128), os.urandom(16).hex())
            case ["fail"]:
                raise Err(None)
            case ["lines"]:
                probe.main()
            case _:
                for check in (
                    *(probe.tree, probe.files, probe.errors, probe.times, probe.randomness),
                    *(probe.temporary, probe.process, events, names, tcp, tcp_at_once),
                    *(tcp_server, tcp_errors, udp, bindings),
                ):
                    check()
                    print("ok", "python component", check.__name__, flush=True)
