"""How the driver talks to an implementation: JSON-RPC 2.0, one message a line, with a supervised process.

operations.json       the contract: every operation with the schemas of its params and result
message.schema.json   the same as one JSON Schema of whole messages, for authors of adapters
schemas               the checks of messages against them
encoding              arrays and values (one encoding for both ends: conformance.adapters.encoding)
errors                what can go wrong, each with whose fault it is
process, transport    an adapter in its own process, under limits; or in this one
results               what operations answer, as values
session               a typed method for each operation
"""
