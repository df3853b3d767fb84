"""Generates parts of the TypeScript client in clients/typescript."""
