"""One module for each correction of the emulator: its tests fail without it."""
