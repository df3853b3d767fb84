"""Tests of the corrections to the local emulator, one module for each correction.

A correction replaces a function of the emulator that behaves differently from AWS. The tests of a correction fail if
the correction is missing.
"""
