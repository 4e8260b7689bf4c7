"""One's own models across implementations: does each of them load this file, and do they agree on what is in it?

The way of a model: `finding` (which files are models) → `evidence` (what the file says of itself, by the witness) →
`loading` (each implementation loads it, is asked for all it holds, and runs it) → `fidelity` (is that what the file
says?) and `agreement` (is it what the others have?) → a `record`, a line of the results file (`results`), which a
`baseline` can be compared with. `examination` does this for one model, `pool` for thousands.
"""
