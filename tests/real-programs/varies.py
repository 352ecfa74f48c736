"""Prints what is another in each run: time, chance, and what files say of themselves."""

import os
import random
import sys
import time

began = time.monotonic_ns()
print(time.time_ns(), began)
print(os.urandom(16).hex(), random.random(), hash("a string"))
time.sleep(0.2)
print(time.monotonic_ns() - began)
for name in os.listdir("/"):
    about = os.stat("/" + name)
    print(name, about.st_ino, about.st_mtime_ns, about.st_size)
with open("/written", "w") as file:
    file.write(f"{time.time()} {random.random()}\n" * 1000)
with open("/written") as file:
    print(hash(file.read()))
print(sys.argv, dict(os.environ), sys.stdin.readline())
