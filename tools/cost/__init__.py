"""`make cost` calculates what orders cost on AWS, from the resource graph and one recorded order."""

import cli

cli.begin()
