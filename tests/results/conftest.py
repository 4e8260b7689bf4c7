from toys import specification

__all__ = ["specification"]
