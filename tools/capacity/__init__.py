"""`make capacity` calculates how many orders per second each AWS service on an order's way carries."""

import cli

cli.begin()
