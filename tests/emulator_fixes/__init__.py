"""Tests of the corrections to the local emulator, one module for each correction.

A correction replaces a function of the emulator that behaves differently from AWS. Without a correction, its tests
fail.
"""
