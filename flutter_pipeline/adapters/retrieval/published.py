"""What others published by the same protocols, to stand beside what is measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """A row of a published table."""

    method: str
    hits: float
    """HR@10 on Beauty, Recall@20 on Gowalla."""
    ndcg: float
    source: str


_S3REC = "Zhou et al. 2020"
_RECBOLE = "RecBole re-runs"
_BARS = "BARS leaderboard"

PUBLISHED: dict[str, tuple[Published, ...]] = {
    "beauty": (
        Published("PopRec", 0.0152, 0.0068, _S3REC),
        Published("GRU4Rec", 0.0283, 0.0137, _S3REC),
        Published("Caser", 0.0347, 0.0176, _S3REC),
        Published("BERT4Rec", 0.0347, 0.0170, _S3REC),
        Published("FDSA", 0.0407, 0.0208, _S3REC),
        Published("HGN", 0.0512, 0.0266, _S3REC),
        Published("SASRec", 0.0605, 0.0318, _S3REC),
        Published("S3-Rec", 0.0647, 0.0327, _S3REC),
        Published("TIGER", 0.0648, 0.0384, "Rajput et al. 2023"),
        Published("SASRec, cross-entropy", 0.0848, 0.0432, _RECBOLE),
        Published("FEARec", 0.0854, 0.0433, _RECBOLE),
        Published("LightSANs", 0.0861, 0.0444, _RECBOLE),
    ),
    "gowalla": (
        Published("ItemCF", 0.1570, 0.1214, _BARS),
        Published("MF-BPR", 0.1627, 0.1378, _BARS),
        Published("MultVAE", 0.1641, 0.1335, _BARS),
        Published("EASE", 0.1765, 0.1467, _BARS),
        Published("LightGCN", 0.1820, 0.1547, _BARS),
        Published("GF-CF", 0.1849, 0.1518, _BARS),
        Published("UltraGCN", 0.1862, 0.1580, _BARS),
        Published("SimpleX", 0.1872, 0.1557, _BARS),
        Published("BSPM-EM", 0.1920, 0.1597, _BARS),
        Published("NESCL", 0.1917, 0.1617, _BARS),
    ),
}
"""By set, worst first."""
