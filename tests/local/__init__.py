"""Tests of the local platform: emulator, deployment and commands."""
