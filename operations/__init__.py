"""What operators do with a stack: check what it needs, and return failed events to where they failed."""

import cli

cli.begin()
