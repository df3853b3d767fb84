"""Tests that each release reads what another release wrote, because data outlast the functions."""
