"""Generates the tables and figures of the documents from the recorded graphs: `make generate`."""
