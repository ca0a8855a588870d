"""``python -m asrnet.cli``."""

import sys

from asrnet.cli import main

sys.exit(main())
