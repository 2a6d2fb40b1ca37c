"""Everything that decides what an index will be, and how long it is kept before it is made anew."""

from typing import Literal

from pydantic import BaseModel, Field

Kind = Literal["flat", "pq", "ivf", "ivf_pq", "hnsw"]

Refined = Literal["int8", "float16", "float32"]
"""Numbers by which the best of what coarse codes have found are compared again."""


class IndexConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides what an index will be, and when it is built anew."""

    kind: Literal["auto", "flat", "pq", "ivf", "ivf_pq", "hnsw"] = Field(
        default="auto",
        description="flat looks at every vector; pq at a coarse code of every vector, then again "
        "at the best; ivf into the nearest lists; ivf_pq into the codes of the nearest lists; hnsw "
        "walks a graph. auto is flat up to `exact_below` flits, then what is cheapest to search of "
        "all that reach `goal`.",
    )
    goal: float = Field(
        default=0.97,
        gt=0.0,
        le=1.0,
        description="Recall@10 that an approximate index is tuned for, on flits held out of it.",
    )
    exact_below: int = Field(
        default=50_000, ge=0, description="Up to so many flits `auto` stays exact."
    )
    graph_below: int = Field(
        default=200_000,
        ge=0,
        description="Up to so many flits `auto` tries hnsw, which one thread builds: about a "
        "minute for 100,000 flits of 384 dimensions.",
    )
    most_mb: int = Field(
        default=4096, gt=0, description="`auto` leaves out kinds that would take more memory."
    )
    refine_by: Literal["auto", "int8", "float16", "float32"] = Field(
        default="auto",
        description="Numbers by which pq and ivf_pq compare the best again; auto: the smallest "
        "that can reach `goal`.",
    )
    refined: int = Field(
        default=0,
        ge=0,
        description="How many more than twice what is asked for are compared again (pq, ivf_pq); "
        "0: as many as `goal` needs.",
    )
    ivf_lists: int = Field(
        default=0, ge=0, description="Lists; 0: twice the square root of the number of vectors."
    )
    ivf_probes: int = Field(
        default=0, ge=0, description="Lists that a search visits; 0: as many as `goal` needs."
    )
    hnsw_links: int = Field(default=32, ge=2, description="Links of each vector in the graph.")
    hnsw_build_effort: int = Field(
        default=100, ge=1, description="Candidates that are looked at to place a vector."
    )
    hnsw_search_effort: int = Field(
        default=0, ge=0, description="Candidates that a search keeps; 0: as many as `goal` needs."
    )
    most_changed: float = Field(
        default=0.5,
        ge=0.0,
        description="Build anew once more than this share of what it was built of has been added "
        "or taken out.",
    )
    slack: float = Field(
        default=0.01,
        ge=0.0,
        description="Build anew once recall@10 is further below `goal` than this.",
    )
    seed: int = Field(default=0, ge=0, description="Seeds the lists, the codes and the tuning.")
