"""`make capacity` calculates how many orders per second each AWS service on an order's path can carry."""

import cli

cli.begin()
