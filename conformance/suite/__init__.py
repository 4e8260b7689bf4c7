"""The conformance tests: one file a chapter of the specification.

A test names the requirements that it decides, draws its examples with Hypothesis, and speaks to the implementation
through a :class:`conformance.protocol.session.Session` alone. Run it with ``keras-conformance run NAME`` or with
``pytest --pyargs conformance.suite --implementation NAME``; both give the same verdicts.
"""
