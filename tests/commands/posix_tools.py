"""Command line tools that accept only the options of POSIX.

Tests use them to find commands that need GNU options. macOS, Alpine and small images lack these options.
"""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import Final

# The options that POSIX.1-2017 defines for each tool, in the format of the shell's getopts.
OPTIONS: Final = {
    "awk": "F:f:v:",
    "basename": "",
    "cat": "u",
    "chmod": "R",
    "cmp": "ls",
    "cp": "fiHLPpR",
    "cut": "b:c:d:f:ns",
    "date": "u",
    "diff": "befrC:U:cu",
    "dirname": "",
    "env": "i",
    "expand": "t:",
    "expr": "",
    "find": "HL",
    "grep": "EFce:f:ilnqsvx",
    "head": "n:",
    "id": "Ggnru",
    "kill": "ls:0123456789",
    "ln": "fsLP",
    "ls": "ACFHLRSacdfgiklmnopqrstux1",
    "mkdir": "pm:",
    "mv": "fi",
    "od": "A:bcdj:N:ost:vx",
    "paste": "d:s",
    "ps": "AaedfG:g:lno:p:t:U:u:",
    "pwd": "LP",
    "rm": "fiRr",
    "rmdir": "p",
    "sed": "ne:f:",
    "sh": "abCefhimnuvxc:o:s",
    "sleep": "",
    "sort": "bCcdfik:mno:rt:u",
    "tail": "c:fn:",
    "tee": "ai",
    "touch": "acd:mr:t:",
    "tr": "cCds",
    "uname": "amnrsv",
    "uniq": "cdf:s:u",
    "wc": "clmw",
    "xargs": "0E:I:L:n:prs:tx",
}
_WRAPPER: Final = """#!/bin/sh
while getopts :{options} option; do
    case $option in [?:]) echo "{name}: POSIX has no option -$OPTARG" >&2; exit 64 ;; esac
done
{patterns}exec {command} "$@"
"""
# GNU tools support some escape sequences in regular expressions that POSIX does not define. This code refuses them.
_PATTERNS: Final = """case $* in
*\\\\[tsSwWbB+?\\|\\<\\>]*) echo "{name}: POSIX has no such escape: $*" >&2; exit 64 ;;
esac
"""


def make(folder: Path) -> Path:
    """Fill `folder` with make and with tools that refuse options that POSIX does not define. Return `folder`."""
    folder.mkdir()
    for name, options in OPTIONS.items():
        tool = folder / name
        patterns = _PATTERNS.format(name=name) if name in ("sed", "grep") else ""
        tool.write_text(
            _WRAPPER.format(options=options, name=name, patterns=patterns, command=shlex.quote(_where(name)))
        )
        tool.chmod(0o755)
    (folder / "make").symlink_to(_where("make"))
    return folder


def _where(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not on the PATH. Remedy: install this POSIX tool")
    return found
