"""Broken implementations: the suite must catch each of them, and name the right requirement.

==============  ====================================================================================================
``mutant``      what a mutant is: a name, the requirements it breaks, the function of the reference it replaces
``faults``      all of them, by the kind of fault
``patching``    putting a fault in the place of the right function, and telling whether it was ever called
``adapter``     the reference's adapter with a fault in it, in this process or as a program
``selection``   which tests a mutant is tried with
``trial``       a mutant against its tests, and what came of it
``pool``        trials side by side, each in a process of its own
==============  ====================================================================================================

The fault always sits in the implementation, never in a verdict: what is tried is the suite as users run it.
"""
