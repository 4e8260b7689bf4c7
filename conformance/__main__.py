"""``python -m conformance``: the same as ``keras-conformance``."""

from conformance.cli import main

if __name__ == "__main__":
    main()
