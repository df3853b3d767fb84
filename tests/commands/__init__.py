"""Tests of the commands that a user types first: make, and the commands in the README."""
