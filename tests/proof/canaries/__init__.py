"""The attack `canaries` searches everything that the platform stores or logs for data that must not be there.

A canary is a unique word that stands for one kind of data, for example a name or a token. The attack sends canaries in
every input of both APIs, in valid, invalid and forged requests, and causes failures while canaries are being processed.
Then it reads every table, queue, log, trace and bucket. Each kind of data must be only in places where docs/data.md
allows it, and no input may forge a line of a log. Run the attack alone with `make prove ATTACKS=canaries`.
"""
