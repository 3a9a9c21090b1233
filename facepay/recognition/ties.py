"""Who is really the most similar where packed rows leave it open: read again at full precision.

How far packing may turn a score is known for each row. Where more than one subject could be first, their
references are asked of whoever owns them and compared in float64. Ranks after the first keep packed scores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from facepay.types import Probe, Reference, SubjectId

Originals = Callable[[Sequence[SubjectId]], Sequence[Reference]]
"""Every reference of a few subjects as it was enrolled, in memory of its own that is overwritten after use.

Where it cannot read them it returns fewer and raises nothing; the packed order stays.
"""

MOST_TIED = 16
"""More subjects than this so close together are not read: by the margin of any policy none of them wins."""


def settle(tied: Sequence[SubjectId], probe: Probe, originals: Originals) -> Mapping[SubjectId, float]:
    """The true score of each tied subject; nothing where not all could be read."""
    if not 1 < len(tied) <= MOST_TIED:
        return {}
    references = originals(tied)
    exact: dict[SubjectId, float] = {}
    wide = probe.features.astype(np.float64)
    for reference in references:
        if reference.model == probe.model:
            score = float(reference.features.astype(np.float64) @ wide)
            exact[reference.subject] = max(score, exact.get(reference.subject, -np.inf))
        reference.features[:] = 0.0
    return exact if exact.keys() >= {*tied} else {}
