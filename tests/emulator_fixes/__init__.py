"""Tests of the corrections, with one module for each. The tests fail without their correction."""
