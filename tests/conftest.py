"""What every test may use: it puts this folder on the path, for ``from fakes.outside import Outside``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
