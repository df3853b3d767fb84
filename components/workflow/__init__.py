"""The order workflow: two Step Functions state machines, and the functions that the state machines invoke."""
