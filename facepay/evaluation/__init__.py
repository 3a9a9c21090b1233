"""Error rates that anyone can repeat: comparisons, intervals, calibration, fairness and the report.

Every rate carries the counts behind it and a 95 % interval; where nothing was observed it carries the
upper bound that the sample supports. Nothing in this package shows or stores a picture of a person.
"""
