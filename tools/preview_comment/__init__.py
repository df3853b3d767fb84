"""Writes the comment that a pull request gets about its preview, from what `pulumi preview --json` prints."""

import cli

cli.begin()
