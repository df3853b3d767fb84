"""The attack `aws-faults` makes each AWS call of the platform fail in each of the ways that plan.py lists.

On an emulator with the whole platform, the attack first runs scenarios, such as placing an order or creating a profile,
and records their AWS calls. Then it repeats the scenarios, each time with one fault at one call: for example an error
response, a lost response, a slow response or a killed process. Each order must still reach an allowed status exactly
once, by itself or after `make redrive`. No event may be lost, no stock may be oversold, and no message may remain in a
failure queue. Run the attack alone with `make prove ATTACKS=aws-faults`.
"""
