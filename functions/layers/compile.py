"""Compiles every .py file in one ZIP archive to a .pyc file in another, with the Python version that runs this script.

The archives are /sources.zip and /code.zip unless two arguments name others.

Python imports these .pyc files without their sources. They contain no docstrings, which would be a quarter of their
size and which no function reads. Assertions and line numbers are kept.
"""

import ast
import importlib.util
import marshal
import sys
import zipfile

# PEP 552: an unchecked hash-based .pyc. The archives contain no sources and no timestamps to check against.
HEADER = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little")
SOURCES, CODE = sys.argv[1:3] if len(sys.argv) > 2 else ("/sources.zip", "/code.zip")  # noqa: PLR2004
WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def undocumented(source: bytes, path: str) -> ast.Module:
    """Return the syntax tree of `source` without docstrings."""
    tree = ast.parse(source, path)
    for node in ast.walk(tree):
        if isinstance(node, WITH_DOCSTRING) and ast.get_docstring(node, clean=False) is not None:
            documentation = node.body.pop(0)
            if not node.body and not isinstance(node, ast.Module):
                node.body.append(ast.copy_location(ast.Pass(), documentation))
    return tree


with zipfile.ZipFile(SOURCES) as sources, zipfile.ZipFile(CODE, "w") as code:
    for name in sorted(name for name in sources.namelist() if name.endswith(".py")):
        source, path = sources.read(name), f"/opt/{name}"
        compiled = compile(undocumented(source, path), path, "exec", dont_inherit=True)
        code.writestr(f"{name}c", HEADER + importlib.util.source_hash(source) + marshal.dumps(compiled))
