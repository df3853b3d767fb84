"""The attack `outages` breaks a part of the platform for a while, repairs it, and then only waits.

Each outage is one that an operator or an accident can cause: a role without its policies, a function with a reserved
concurrency of 0, a release that cannot be imported or that hangs, or a queue without its policy. Customers place orders
during the outage. After the repair, nobody does anything. Each accepted order must still be confirmed or rejected. Each
of its analytics records and the email about the decision must exist exactly once. Only the failure queues of
`process_order` are allowed to contain messages. These messages need no redrive, because the sweep starts the
workflow of their orders. Run the attack alone with `make prove ATTACKS=outages`.
"""
