"""What CPython asks of a WASI host: run as `python.wasm /probe.py [lines]` with a writable `/`."""

import importlib
import os
import sys

MODULES = """
abc argparse array ast asyncio base64 binascii bisect calendar codecs collections configparser
contextlib copy csv dataclasses datetime decimal difflib dis email enum errno fnmatch fractions
functools gc getopt glob gzip hashlib heapq hmac html http.client inspect io ipaddress itertools
json keyword linecache locale logging math mimetypes numbers operator os pathlib pickle pkgutil
platform posixpath pprint queue random re reprlib secrets select shelve shlex shutil signal socket
sqlite3.dbapi2 stat statistics string struct subprocess sys sysconfig tarfile tempfile textwrap
threading time timeit token tokenize tomllib trace traceback types typing unicodedata unittest
urllib.parse uuid warnings weakref xml.etree.ElementTree zipfile zlib zoneinfo
""".split()


def modules():
    # a build may lack what needs a foreign library; not what is Python alone
    optional = {"sqlite3.dbapi2", "zlib", "gzip", "zipfile"}
    missing = []
    for name in MODULES:
        try:
            importlib.import_module(name)
        except ImportError as error:
            if name not in optional:
                missing.append(f"{name}: {error}")
    assert not missing, missing


def tree():
    from pathlib import Path
    import shutil

    root = Path("/tree")
    shutil.rmtree(root, ignore_errors=True)
    expected = set()
    for i in range(10):
        for j in range(10):
            below = root / f"dir-{i}" / f"sub-{j}"
            below.mkdir(parents=True)
            for k in range(5):
                (below / f"file-{k}").write_text(f"{i} {j} {k}\n")
                expected.add(str(below / f"file-{k}"))
    found = {os.path.join(at, name) for at, _, names in os.walk(root) for name in names}
    assert found == expected, (len(found), len(expected))
    assert len(list(root.rglob("file-3"))) == 100
    assert sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) == 500 * 6
    os.rename(root / "dir-0", root / "moved")
    assert (root / "moved/sub-9/file-4").read_text() == "0 9 4\n"
    shutil.copytree(root / "moved", root / "copied")
    assert len(os.listdir(root / "copied")) == 10
    shutil.rmtree(root)
    assert not root.exists()


def files():
    with open("/file", "wb+") as file:
        file.write(bytes(range(256)) * 4096)
        file.seek(-256, os.SEEK_END)
        assert file.read() == bytes(range(256))
        file.truncate(1000)
        assert file.seek(0, os.SEEK_END) == 1000
    with open("/file", "a") as file:
        file.write("the end")
    assert os.stat("/file").st_size == 1007
    os.utime("/file", ns=(1_000_000_000_123_456_789, 1_234_567_890_987_654_321))
    assert os.stat("/file").st_atime_ns == 1_000_000_000_123_456_789
    assert os.stat("/file").st_mtime_ns == 1_234_567_890_987_654_321
    os.symlink("file", "/link")
    assert os.readlink("/link") == "file" and os.path.islink("/link")
    with os.scandir("/") as entries:
        kinds = {entry.name: (entry.is_symlink(), entry.is_file(), entry.inode()) for entry in entries}
    assert kinds["link"][:2] == (True, True), kinds["link"]
    assert kinds["file"][2] == os.stat("/file").st_ino
    os.link("/file", "/again")
    assert os.stat("/file").st_nlink == 2 and os.path.samefile("/file", "/again")
    for name in ("/link", "/again"):
        os.remove(name)
    os.replace("/file", "/other")
    os.unlink("/other")


def errors():
    os.mkdir("/d")
    open("/d/f", "x").close()
    for expected, call in (
        (FileNotFoundError, lambda: open("/none")),
        (FileExistsError, lambda: open("/d/f", "x")),
        (IsADirectoryError, lambda: open("/d", "w")),
        (NotADirectoryError, lambda: os.listdir("/d/f")),
        (OSError, lambda: os.rmdir("/d")),
        (OSError, lambda: open("/../../etc/passwd")),
    ):
        try:
            call()
        except expected:
            continue
        raise AssertionError(f"expected {expected}")
    os.remove("/d/f")
    os.rmdir("/d")


def times():
    import time

    assert time.time() > 1_700_000_000
    begin = time.monotonic()
    time.sleep(0.05)
    assert 0.05 <= time.monotonic() - begin < 5
    assert time.monotonic_ns() <= time.monotonic_ns()


def randomness():
    import random
    import secrets

    assert len({secrets.token_hex(16) for _ in range(1000)}) == 1000
    assert os.urandom(32) != os.urandom(32) and len(os.urandom(100_000)) == 100_000
    assert 4500 < sum(random.random() < 0.5 for _ in range(10_000)) < 5500


def temporary():
    import tempfile

    os.makedirs("/tmp", exist_ok=True)
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        with tempfile.NamedTemporaryFile(dir=name) as file:
            file.write(b"text")
            file.flush()
            assert os.listdir(name) == [os.path.basename(file.name)]
        assert os.listdir(name) == []
    os.rmdir("/tmp")


def process():
    assert sys.argv[1:] == ["one", "two words", "", "größe"], sys.argv
    assert os.environ["PROBE"] == "a=b c" and os.environ["EMPTY"] == ""
    assert sys.stdin.read() == "on stdin\n"


def main():
    if sys.argv[1:2] == ["lines"]:
        for i in range(100_000):
            print("line", i)
        return
    for check in (modules, tree, files, errors, times, randomness, temporary, process):
        check()
        print("ok", "python", check.__name__, flush=True)


if __name__ == "__main__":
    main()
