"""Tests of what a person types first: make, and the commands of the README."""
