"""Where steps run: one after the other, in the process of their run.

So it is for the jobs, for what is materialised from the pages, and for what follows by itself.
"""

import dagster as dg

HERE = dg.in_process_executor
"""Steps in one process: on two cores the others lose more by starting than they win."""


@dg.definitions
def everywhere() -> dg.Definitions:
    """The executor of runs that belong to no job."""
    return dg.Definitions(executor=HERE)
