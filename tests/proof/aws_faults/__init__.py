"""The attack `aws-faults` makes every AWS call of the platform fail in every way that AWS can fail.

The attack first records all AWS calls that one order, profile or product causes, on an emulator with the whole
platform. Then it repeats each of these scenarios with exactly one fault at one call: for example an error response, a
lost response, a slow response or a killed process. Each order must still reach an allowed status exactly once, by
itself or after `make redrive`. No event may be lost, no stock may be oversold, and no message may remain in a failure
queue. Run the attack alone with `make prove ATTACKS=aws-faults`.
"""
