"""The attack `generated-requests` sends generated requests and events to the platform, most of them invalid.

schemathesis generates requests from the OpenAPI documents. Hypothesis generates what a schema can't describe: broken
JSON, odd headers, tokens and raw API Gateway events. Most requests are sent to the functions in this process, and some
over HTTP to the emulator. The event consumers and workflow functions get generated events as well. No response may be
5xx or outside the API contract, and each event must be processed, or rejected with one of the error codes in
shared/errors.py. Run the attack alone with `make prove ATTACKS=generated-requests`.
"""
