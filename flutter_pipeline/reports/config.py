"""What decides how a report is made; which figures it shows is decided by what was measured."""

from typing import Literal

from pydantic import BaseModel, Field

Projection = Literal["pca", "tsne", "umap"]


class ReportConfig(BaseModel, frozen=True, extra="forbid"):
    """How a report is made, and how many are kept."""

    projection: Projection = Field(
        default="pca",
        description="How vectors become points of the map: pca at once; tsne and umap (an extra, "
        "`pip install umap-learn`) keep neighbours together, and take longer.",
    )
    map_flits: int = Field(
        default=2000, ge=10, description="Flits on the map, at most: the newest."
    )
    feeds: int = Field(default=12, ge=0, description="Example feeds.")
    curve_flits: int = Field(
        default=2000, ge=0, description="Flits that recall against speed is measured on, at most."
    )
    judged_birds: int = Field(
        default=500, ge=1, description="Birds whose candidates tell the calibration, at most."
    )
    keep: int = Field(default=30, ge=1, description="Reports that are kept, the newest.")
    seed: int = Field(default=0, ge=0, description="Seeds the map, and the choice of examples.")
