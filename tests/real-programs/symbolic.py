"""A package of several hundred files, where they cannot be changed: run as `python.wasm /symbolic.py` with a `/`
that holds the packages sympy and mpmath beside this file. Prints what there is in the end, file by file."""

import os
import sys

import sympy

x = sympy.Symbol("x")
assert sympy.integrate(sympy.exp(-(x**2)), (x, -sympy.oo, sympy.oo)) == sympy.sqrt(sympy.pi)
assert sympy.factor(x**4 - 1) == (x - 1) * (x + 1) * (x**2 + 1)
assert sympy.dsolve(sympy.Function("f")(x).diff(x) - 1).rhs.diff(x) == 1
assert str(sympy.pi.evalf(50)).endswith("3993751")

files = [getattr(module, "__file__", None) or "" for module in sys.modules.values()]
used = [file for file in files if file.startswith(("/sympy/", "/mpmath/"))]
assert len(used) > 300, len(used)

# what importing wrote beside them is no less there than they are
assert os.path.exists(sympy.__cached__), sympy.__cached__
with open("/answer", "w") as file:
    file.write("42")
with open("/mpmath/__init__.py", "a") as file:
    file.write("# more\n")
os.remove("/sympy/abc.py")
os.rename("/sympy/release.py", "/released.py")

for path, directories, files in os.walk("/"):
    # Python's own library is in the program
    if path == "/":
        directories[:] = ["sympy", "mpmath"]
    for name in files:
        print(os.path.join(path, name))
