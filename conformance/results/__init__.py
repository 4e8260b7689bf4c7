"""What a run found out: verdicts, the results document, and what follows from both.

Data runs one way: a record a test (:mod:`records`) → a verdict a unit (:mod:`units`), with expected failures told apart
(:mod:`expectations`) and follow-up failures marked (:mod:`blocked`) by :mod:`judge` → the document (:mod:`model`) → the
table and the list of what was not expected (:mod:`table`).

Documents are read again by those who decide or report: only whole ones of this suite (:mod:`admission`); judged with the
expectations of today (:mod:`gate`, for people :mod:`gate_table`), compared with earlier ones (:mod:`changes`), the
expectations brought up to date (:mod:`upkeep`, :mod:`expectations_text`); put into other forms (``report_*``).
"""
