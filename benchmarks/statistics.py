"""Whether the intervals, tests and alarms of `llmops_lib` keep what they promise: runs `promises.py`.

python benchmarks/statistics.py ../shared/reference/data
"""

import importlib
import sys

if __name__ == "__main__":
    from promises import main

    main()
else:
    # Another script of this folder means Python's own module of that name, which this file hides from it.
    own = sys.path.pop(0)
    del sys.modules[__name__]
    sys.modules[__name__] = importlib.import_module(__name__)
    sys.path.insert(0, own)
