"""What the terminal can say about itself without ground truth and without naming anybody.

`monitor` counts and times, `rates` sums that up for the console, `drift` compares what the camera saw lately
with what it saw first, and `drift_file` carries that over a restart.
"""

from facepay.monitoring.drift import BINS, DRIFT_ALARM, TOGETHER, WINDOW, Watched, population_stability_index
from facepay.monitoring.drift_file import DriftFile
from facepay.monitoring.monitor import STAGES, Monitor
from facepay.monitoring.rates import Rates, StageTime

__all__ = [
    "BINS",
    "DRIFT_ALARM",
    "STAGES",
    "TOGETHER",
    "WINDOW",
    "DriftFile",
    "Monitor",
    "Rates",
    "StageTime",
    "Watched",
    "population_stability_index",
]
