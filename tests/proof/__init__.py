"""Attacks that try to break the platform's guarantees.

`make prove` runs all attacks in full and writes a report with one line for each attack. `make test` runs a small sample
of each attack. `make prove ATTACKS=stock-race,canaries` runs only these attacks. Each folder contains one attack, or
several related attacks, and rows.py lists the attacks' names.
"""
