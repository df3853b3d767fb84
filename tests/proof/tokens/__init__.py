"""The attack `wrong-tokens` tries to get into the APIs without a valid token, or with another user's token.

It sends forged, expired, damaged and misplaced tokens, and tokens of other pools, clients and scopes, to every route of
both APIs. Each request must be rejected with the right status, and no response may contain another user's data. The
attack also reads other users' orders with valid tokens, under many spellings of ids and paths. The responses must equal
those for missing orders, so that they do not reveal which orders exist. If the emulator doesn't enforce a rule of AWS,
a test checks the resource graph instead. Run the attack alone with `make prove ATTACKS=wrong-tokens`.
"""
