"""One side of the HDF5 benchmark: a line on stdin is a path, the answer the seconds ``load_model`` took.

``python side.py LIBRARY``; runs in the library's interpreter, needs nothing but it, and answers "ready" first.
"""

import importlib
import os
import sys
import time


def main():
    """Answer until stdin ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    library = importlib.import_module(sys.argv[1])
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        path = line.rstrip("\n")
        start = time.perf_counter()
        model = library.models.load_model(path)
        taken = time.perf_counter() - start
        del model
        print(taken, file=answers, flush=True)


if __name__ == "__main__":
    main()
