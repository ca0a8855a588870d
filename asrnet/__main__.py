"""``python -m asrnet``."""

import sys

# An interrupt may arrive before main() guards itself against one.
try:
    from asrnet.cli import main

    code = main()
except KeyboardInterrupt:
    code = 1

sys.exit(code)
