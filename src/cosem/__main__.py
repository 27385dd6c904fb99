"""``python -m cosem``: the command line."""

import sys

from cosem.cli import main

if __name__ == "__main__":
    sys.exit(main())
