"""The attack `order-life` runs random sequences of requests, deliveries and failures.

The real functions and the real workflow run in this process with in-memory AWS services. Each function and execution
stops before each of its AWS calls. Hypothesis decides which function or execution continues, whether the call fails,
which process dies, and which event is delivered next. After each step, the orders, the stock, the events and the
responses must be what a model of the contracts allows. Run the attack alone with `make prove ATTACKS=order-life`.
"""
