"""The reference's readers under fire: ``python -m fuzz`` and ``python -m fuzz damage``.

========== =========================================================================================================
cases      the files of a case, and small models to begin with: golden files, and what the reference writes
readers    a table of the readers: what each reads, which seeds it takes, which mutations fit its format
mutations  what is done to a case: bytes, and the parts of a format (JSON, messages, tables, zip members, HDF5 objects)
damage     what happens to files in the world: cut, a bit turned over, files swapped or missing
judge      one case read: right, refused, or a finding
worker     many cases in a process of its own, which the kernel ends if one takes too long
run        the workers of a run, what they found, and how to see it again
libraries  the same damage to the files of real libraries, counted: ``python -m fuzz libraries``
========== =========================================================================================================

A reader must either refuse with ``LoadError`` or give values; within 2 s of CPU and in memory of ten times the file and
200 MB; and where a checksum covers what was changed, the values must be those that were saved.
"""
