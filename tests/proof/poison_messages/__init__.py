"""The attack `poison-messages` gives the consumers messages that they can never process.

A poison message is a table row, an event or a queue message with invalid content. The attack puts poison messages and
valid messages into the same batches. The valid messages must be processed. Each poison message must wait in a failure
queue with its error. `make redrive` must send it back to the function or queue where it failed, unless its content is
unreadable. In `make prove`, the attack also breaks each function for a while. After the fix and a redrive, each failed
message must be processed exactly once. Run the attack alone with `make prove ATTACKS=poison-messages`.
"""
