"""Tests of the package `cli`, which all commands share."""
