"""What a run found out: verdicts, the results document, and what follows from both.

Data runs one way: a record a test (:mod:`records`) → a verdict a unit (:mod:`units`), with expected failures told apart
(:mod:`expectations`) and follow-up failures marked (:mod:`blocked`) by :mod:`judge` → the document (:mod:`model`) → the
table and the list of what was not expected (:mod:`table`).
"""
