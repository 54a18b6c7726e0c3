"""Finds rows of one table that name the same thing: the later one counts, the earlier one is said."""

from __future__ import annotations

import polars as pl

from queries.city.sieve import Sieve

#: What makes two rows speak of the same thing.
KEYS = {"cases": ("no",), "sensors": ("code",), "cameras": ("code",), "readings": ("sensor", "metric", "at"),
        "items": ("code",), "duty": ("area_code", "post"), "indicators": ("indicator", "area_code", "first", "last")}


class Twins:
    """The keys that occur more than once in a table, in one chunk or far apart."""

    def __init__(self) -> None:
        """Begin with no key known."""
        self._keys: list[pl.Series] = []
        self._left: dict[int, int] = {}

    def learn(self, keys: pl.Series) -> None:
        """Take the keys of one chunk."""
        self._keys.append(keys.drop_nulls().hash())

    def sift(self, frame: pl.DataFrame, cells: pl.DataFrame, key: tuple[str, ...], sieve: Sieve) -> None:
        """Mark in the sieve each row that a later one of the same key replaces."""
        self._far(cells[key[0]], sieve)
        good = frame.with_columns(sieve.good.alias("__good__")).with_row_index("__at__").filter("__good__")
        early = good.filter(~pl.struct(key).is_last_distinct())
        if not early.height:
            return
        if "hash" in frame.columns:
            last = good.filter(pl.struct(key).is_last_distinct()).select(*key, pl.col("hash").alias("__last__"))
            early = early.join(last, on=list(key), how="left", maintain_order="left")
            same = early.filter(pl.col("hash") == pl.col("__last__"))
        else:
            same = early.clear()
        self._out(early.filter(~pl.col("__at__").is_in(same["__at__"].to_list()))["__at__"], frame, key, sieve)
        sieve.drop(same["__at__"])

    def _far(self, keys: pl.Series, sieve: Sieve) -> None:
        """Refuse the rows whose key comes again in a later chunk."""
        if self._keys:
            every = pl.concat(self._keys) if len(self._keys) > 1 else pl.Series([], dtype=pl.UInt64)
            self._keys = []
            self._left = dict(every.filter(every.is_duplicated()).value_counts().iter_rows())
        if not self._left:
            return
        hashes = keys.hash()
        seen = hashes.filter(keys.is_not_null() & hashes.is_in(list(self._left)))
        later: list[int] = []
        for value, count in seen.value_counts().iter_rows():
            self._left[value] -= count
            if self._left[value] > 0:
                later.append(value)
        if later:
            sieve.refuse(keys.is_not_null() & hashes.is_in(later), "no", keys,
                         "编号重复，以后面的行为准", "duplicate: a later row of the table has the same number and counts")

    @staticmethod
    def _out(at: pl.Series, frame: pl.DataFrame, key: tuple[str, ...], sieve: Sieve) -> None:
        if not len(at):
            return
        mask = pl.Series([False]).new_from_index(0, frame.height).scatter(at, True)
        told = frame.select(pl.concat_str([pl.col(name).cast(pl.String) for name in key], separator=" ")).to_series()
        sieve.refuse(mask, key[0], told, "编号重复，以后面的行为准",
                     "duplicate: a later row of the file has the same number and counts")
