"""The attack `poison-messages` gives the consumers messages that they can never process.

A poison message is a table row, an event or a queue message with invalid content. The attack mixes poison with valid
messages in the same batch. The valid messages must be processed, each poison message must wait in a failure queue with
its error, and `make redrive` must send the poison message back. In `make prove`, the attack also breaks each function
for a while. After the fix, a redrive must process the failed messages exactly once. Run the attack alone with `make
prove ATTACKS=poison-messages`.
"""
