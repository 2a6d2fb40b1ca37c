"""How likely a flit is looked at by its place in the feed, learnt from what was logged.

A bird reacts to what it looked at: chance(reaction) = looks(place) x appeal(flit), the position
based model. Both sides are fitted by turns, every flit with an appeal of its own (the E and M step
of Wang et al. 2018, section 3.3, with the flit in place of a regression), so places are compared by
what the same flits did there: without an intervention, and although good flits stand higher.
Knows no features and no rankers.
"""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from flutter_pipeline.birds.history import Engagements
from flutter_pipeline.contracts.tables import ACTIONS

Curve = NDArray[np.float64]
"""Shape (places + 1,): chance that a place is looked at over that of place 1; [0] is 1."""

IMPRESSION = ACTIONS.index("impression")


class ExaminationConfig(BaseModel, frozen=True, extra="forbid"):
    """How the curve is fitted."""

    rounds: int = Field(default=30, gt=0, description="Times that both sides are fitted.")
    prior_shown: float = Field(
        default=5.0, gt=0, description="Showings at the mean appeal that a flit starts with."
    )
    min_shown: int = Field(
        default=100, gt=0, description="Showings below which a place takes the curve before it."
    )
    lowest: float = Field(
        default=0.1,
        gt=0,
        le=1,
        description="The curve is clipped here, so no like weighs more than its inverse.",
    )


def examination_curve(engagements: Engagements, config: ExaminationConfig) -> Curve:
    """The curve that ``engagements`` show; all 1 where no place was noted.

    It falls with the place, is 1 at the first and never below ``lowest``.
    """
    shown, flit, reacted = _showings(engagements)
    if len(shown) == 0:
        return np.ones(1)
    n_places = int(shown.max()) + 1
    times = np.bincount(shown, minlength=n_places).astype(np.float64)
    hits = np.bincount(shown, weights=reacted, minlength=n_places)
    own_hits = np.bincount(flit, weights=reacted)
    mean = max(float(reacted.mean()), 1e-9)
    looks = np.ones(n_places)
    for _ in range(config.rounds):
        expected = np.bincount(flit, weights=looks[shown])
        appeal = (own_hits + config.prior_shown * mean) / (expected + config.prior_shown)
        seen = np.bincount(shown, weights=appeal[flit], minlength=n_places)
        looks = _falling(
            np.divide(hits, seen, out=np.ones(n_places), where=seen > 0), times, config
        )
        mean = float(own_hits.sum() / max(looks[shown].sum(), 1e-9))
    return looks


def weights_of_places(places: NDArray, curve: Curve) -> NDArray[np.float32]:
    """What a like at each place counts: the inverse of the curve, with a mean of 1.

    Inverse propensities (Joachims, Swaminathan & Schnabel 2017, section 4). A place past the curve
    counts as its last; an unknown one (0) as the first does before the mean is taken out.
    """
    if len(places) == 0:
        return np.zeros(0, dtype=np.float32)
    inverse = 1 / curve[np.minimum(places, len(curve) - 1)]
    return (inverse / inverse.mean()).astype(np.float32)


def _showings(engagements: Engagements) -> tuple[NDArray, NDArray, NDArray]:
    """Place, numbered flit, and whether there was a reaction, of each logged showing."""
    width = np.int64(engagements.flit.max(initial=0) + 1)
    key = engagements.bird * width + engagements.flit
    is_shown = (engagements.action == IMPRESSION) & (engagements.position > 0)
    _, first = np.unique(key[is_shown], return_index=True)
    rows = np.flatnonzero(is_shown)[first]
    reacted = np.isin(key[rows], key[engagements.action != IMPRESSION])
    flit = np.unique(engagements.flit[rows], return_inverse=True)[1]
    return engagements.position[rows].astype(np.int64), flit, reacted


def _falling(raw: Curve, times: Curve, config: ExaminationConfig) -> Curve:
    """``raw`` made to fall, over its first place, clipped; [0] is 1."""
    from sklearn.isotonic import IsotonicRegression  # late, since it takes seconds

    enough = np.flatnonzero(times >= config.min_shown)
    enough = enough[enough > 0]
    if len(enough) == 0:
        return np.ones(len(raw))
    fitted = IsotonicRegression(increasing=False).fit_transform(
        enough, raw[enough], sample_weight=times[enough]
    )
    place = np.searchsorted(enough, np.arange(len(raw)), side="right") - 1
    curve = np.asarray(fitted)[np.maximum(place, 0)]
    top = curve[1] if len(curve) > 1 else curve[0]
    if top <= 0:
        return np.ones(len(raw))
    curve = np.clip(curve / top, config.lowest, 1)
    curve[0] = 1
    return curve
