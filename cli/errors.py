"""Describes errors of the operating system in one line, with the file, the error and a remedy."""

from __future__ import annotations

import errno
import os
import shlex
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

_MEND: Final = "fix the cause, then run the command again"
_FULL: Final = "free some disk space, then run the command again"
_FILES: Final = "raise the limit of open files, for example with `ulimit -n 4096`, then run the command again"
_PROCESSES: Final = "close other programs, or raise the limit (`ulimit -u`), then run the command again"
_REMEDIES: Final = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
    errno.EAGAIN: _PROCESSES,
    errno.ENOMEM: _PROCESSES,
    errno.ENAMETOOLONG: "move the checkout to a directory with a shorter path",
    errno.EROFS: "run the command in a writable copy of the checkout",
    errno.ENOENT: "check that the file exists, then run the command again",
    errno.EIO: "check the disk, then run the command again",
}
_CHECKOUT: Final = Path(__file__).resolve().parent.parent
_FORBIDDEN: Final = (errno.EACCES, errno.EPERM)
_IN_THE_WAY: Final = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ELOOP)


@contextmanager
def naming(path: Path) -> Generator[None]:
    """Add `path` to each OSError of the `with` block that has no file name. For example, a write error has none."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def described(error: OSError) -> str:
    """Return one line that describes an error of the operating system: the file, the error and the remedy."""
    got = error.strerror or str(error) or type(error).__name__
    # For a failed link or rename, `filename` is the source, and `filename2` is the target that could not be written.
    # The message therefore shows `filename2` if it exists.
    name: Any = error.filename2 or error.filename
    # For a failed operation on a file descriptor, `filename` is the descriptor's number. The message leaves the number
    # out, because it would not help the user.
    if not name or isinstance(name, int):
        remedy = _REMEDIES.get(error.errno or 0, _MEND)
        return f"the operating system: {got}. Remedy: {remedy}"
    path = Path(os.fsdecode(name))
    return f"{path}: {got}. Remedy: {_remedy(error.errno or 0, path)}"


def _remedy(number: int, path: Path) -> str:
    found = next(each for each in (path, *path.absolute().parents) if os.path.lexists(each))
    folder = found if found.is_dir() else found.parent
    # The suggested remedy must not change files outside of the checkout. `path` can be outside, because a symbolic link
    # or an argument can point to any file.
    own = found.is_relative_to(_CHECKOUT)
    if number in _FORBIDDEN:
        quoted = shlex.quote(str(folder))
        if own:
            return f'become the owner of the directory: sudo chown -R "$(id -u)" {quoted} && chmod -R u+rwX {quoted}'
        return f"get access to {quoted}, then run the command again"
    if number in _IN_THE_WAY:
        quoted = shlex.quote(str(found))
        if own:
            return f"rename the existing path: mv {quoted} {shlex.quote(f'{found}.old')}"
        return f"choose a path other than {quoted}, then run the command again"
    return _REMEDIES.get(number, _MEND)
