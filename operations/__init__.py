"""Commands for the operators of a stack, for example to check its prerequisites or to redrive failed work."""

import cli

cli.begin()
