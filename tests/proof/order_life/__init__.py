"""The attack `order-life` runs random sequences of requests, deliveries and failures.

The real functions and the real workflow run in pytest's process with in-memory AWS services. Each function and
execution stops before each of its AWS calls. Hypothesis decides which function or execution continues, whether the
call fails, which process dies, and which event is delivered next. A model of the contracts checks every change to the
orders and the stock, every event and every response. Run the attack alone with `make prove ATTACKS=order-life`.
"""
