"""What is in a model file, read without any library that could have written it, and without running anything in it."""

from conformance.inspecting.inspection import inspect
from conformance.inspecting.model import Inspection

__all__ = ["Inspection", "inspect"]
