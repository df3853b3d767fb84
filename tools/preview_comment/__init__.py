"""Writes the comment that a pull request gets about its preview, from the output of `pulumi preview --json`."""

import cli

cli.begin()
