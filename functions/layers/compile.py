"""Compiles each module in a zip file to a .pyc file. Usage: compile.py SOURCES.zip CODE.zip.

The byte code is for the Python version that runs this script. CODE.zip contains no sources, because Python imports a
.pyc file without its source. The byte code contains assert statements and line numbers. It contains no docstrings: they
would be a quarter of its size, and no Lambda function reads them.
"""

import ast
import importlib.util
import marshal
import sys
import zipfile

# This header marks a .pyc file as hash-based and unchecked (PEP 552). Python imports such a file without comparing it
# with its source, which the archive does not contain.
HEADER = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little")
WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def without_docstrings(source: bytes, path: str) -> ast.Module:
    """Return the syntax tree of `source` without its docstrings."""
    tree = ast.parse(source, path)
    for node in ast.walk(tree):
        if isinstance(node, WITH_DOCSTRING) and ast.get_docstring(node, clean=False) is not None:
            docstring = node.body.pop(0)
            if not node.body and not isinstance(node, ast.Module):
                node.body.append(ast.copy_location(ast.Pass(), docstring))
    return tree


with zipfile.ZipFile(sys.argv[1]) as sources, zipfile.ZipFile(sys.argv[2], "w") as code:
    for name in sorted(sources.namelist()):
        # Tracebacks show the path that is compiled into the code. Lambda extracts layers to /opt, so the path starts
        # with /opt.
        source, path = sources.read(name), f"/opt/{name}"
        compiled = compile(without_docstrings(source, path), path, "exec", dont_inherit=True)
        code.writestr(f"{name}c", HEADER + importlib.util.source_hash(source) + marshal.dumps(compiled))
