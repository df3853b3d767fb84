"""Attacks that try to break the platform's guarantees.

`make prove` runs every attack with its full number of requests, and writes a report with one line for each attack.
`make test` runs a small sample of each attack. `make prove ATTACKS=stock-race,canaries` runs only the two attacks
`stock-race` and `canaries`. Each folder contains one attack, or several related attacks. rows.py lists all attacks by
name.
"""
