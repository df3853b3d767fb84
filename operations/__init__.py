"""Commands for operators of a stack: check its prerequisites, and redrive failed work."""

import cli

cli.begin()
