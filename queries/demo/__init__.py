"""The demo city 云川市 (Yunchuan): a folder like any other, made from a seed. Nothing else knows of it.

It lies in the open sea at 125.6° E, 29.4° N and its codes begin with 99, which no real place has.
"""

from queries.demo.folder import make

__all__ = ["make"]
