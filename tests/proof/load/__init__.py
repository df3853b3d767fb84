"""Three load attacks that send many requests to the platform at the same time.

`stock-race` orders more units than there are in stock. Exactly the units in stock must be sold.

`many-orders` places many orders at the same moment. Each order must be confirmed or rejected. Each of its events and
analytics records must exist exactly once, and no email may be sent twice.

`repeated-keys` sends several requests with the same idempotency key at the same moment. One of these requests has
another body, and some keys are also used by another user. For each user, each key must create one order.

All three attacks share one stack on their own emulator. Run one attack alone with
`make prove ATTACKS=stock-race` (or `many-orders`, `repeated-keys`).
"""
