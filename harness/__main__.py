"""`python -m harness` is the command `claims`, wherever another `claims` comes first on the path."""

import sys

from harness.cli.main import main

sys.exit(main())
