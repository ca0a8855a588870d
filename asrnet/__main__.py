"""``python -m asrnet``."""

import sys

from asrnet.cli import main

sys.exit(main())
