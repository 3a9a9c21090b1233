"""One file a question; each prints a table and writes JSON and a figure. `python -m benchmarks` runs all.

Those that run models take the pack `commerce` where `FACEPAY_MODELS` names a folder of weights;
`FACEPAY_RECOGNITION_PACK` names another. `payment_latency` and `against` take `research`.
"""

import os

if os.environ.get("FACEPAY_MODELS"):
    os.environ.setdefault("FACEPAY_RECOGNITION_PACK", "commerce")
