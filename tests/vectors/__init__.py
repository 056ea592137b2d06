"""Reference numbers of the statistics: how each kind of vector is computed with the library.

`LLMOPS_STATS_VECTORS` names another file of the same schema; its data is looked for beside it and beside
the file of the project.
"""
