"""Dies before it says anything, as a library that cannot be imported would make it."""

import sys

from toy import complain

complain("ImportError: no library here")
sys.exit(3)
