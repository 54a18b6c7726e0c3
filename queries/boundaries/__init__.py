"""The boundary tree: files in, tree versions in the database, and where a point lies in it."""

from queries.boundaries.areas import AreasRead, read_areas
from queries.boundaries.locate import Locator, Placed
from queries.boundaries.numbers import HIGH
from queries.boundaries.parents import TreePlan
from queries.boundaries.read import LevelRead
from queries.boundaries.topology import Topology, topology_report
from queries.boundaries.tree import TreesChange, TreesWritten, plan_trees, write_trees

__all__ = [
    "HIGH", "AreasRead", "LevelRead", "Locator", "Placed", "Topology", "TreePlan", "TreesChange",
    "TreesWritten", "plan_trees", "read_areas", "topology_report", "write_trees",
]
