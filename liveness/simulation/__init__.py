"""Attack simulators that ship: what cannot be had without a laboratory, honestly labelled as simulated.

Rates measured with them are never error rates on attacks (APCER); they show that a part does what it
is built for, and that it still does tomorrow.
"""
