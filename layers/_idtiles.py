"""Id tiles: pictures whose pixel value is the dense number of the area there; 0 = no area.

Drawn once for a boundary version and level, kept on disk under its hash, coloured in the browser.
Where areas overlap the smallest is on top, as in the placing rule.
"""

from __future__ import annotations

import io
import os
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import shapely
from PIL import Image, ImageDraw

from queries import places
from queries.settings import Settings
from queries.store import Store

SIZE = 256
DEEPEST = 20
#: Lines are thinned to this part of a pixel.
THIN = 0.35
#: Areas smaller than this many pixels are single pixels.
SPECK = 1.2
_HELD = 6

Numbered = Iterable[tuple[int, bytes]]


@dataclass(frozen=True, kw_only=True)
class Thinned:
    """Outlines of one zoom: rings in unit mercator, flat, and their search tree."""

    coords: np.ndarray
    rings: np.ndarray
    parts: np.ndarray
    dense: np.ndarray
    boxes: np.ndarray
    tree: shapely.STRtree


def mercator(lonlat: np.ndarray) -> np.ndarray:
    """Return unit web mercator (0..1 from north-west) of degrees."""
    lat = np.clip(lonlat[:, 1], -85.0511, 85.0511)
    y = 0.5 - np.arcsinh(np.tan(np.radians(lat))) / (2 * np.pi)
    return np.column_stack([lonlat[:, 0] / 360 + 0.5, y])


class TileSet:
    """The tiles of one level of one boundary version."""

    def __init__(self, numbered: Numbered) -> None:
        """Hold the outlines of (dense number, WKB in EPSG:4326)."""
        pairs = list(numbered)
        shapes = shapely.transform(shapely.from_wkb([wkb for _, wkb in pairs]), mercator)
        polygons, owner = shapely.get_parts(np.asarray(shapes, object), return_index=True)
        dense = np.array([number for number, _ in pairs], np.int64)[owner] if len(pairs) else np.zeros(0, np.int64)
        # Large ones first, so that an enclave is drawn into its hole.
        whole = shapely.area(shapes)[owner] if len(pairs) else np.zeros(0)
        order = np.argsort(-whole, kind="stable")
        self.polygons, self.dense = polygons[order], dense[order]
        self._held: OrderedDict[int, Thinned] = OrderedDict()
        self._lock = threading.Lock()

    def png(self, z: int, x: int, y: int) -> bytes:
        """Return one tile as a PNG whose RGB is the number, red the highest byte."""
        numbers = self.numbers(z, x, y).astype(np.uint32)
        rgb = np.stack([numbers >> 16 & 255, numbers >> 8 & 255, numbers & 255], -1).astype(np.uint8)
        out = io.BytesIO()
        Image.fromarray(rgb, "RGB").save(out, "PNG", compress_level=6)
        return out.getvalue()

    def numbers(self, z: int, x: int, y: int) -> np.ndarray:
        """Return one tile as numbers, row by row."""
        held = self._thinned(z)
        scale = SIZE * 2.0**z
        edge = 1.5 / scale
        west, north, side = x / 2**z, y / 2**z, 1 / 2**z
        hit = np.sort(held.tree.query(shapely.box(west - edge, north - edge, west + side + edge, north + side + edge)))
        image = Image.new("I", (SIZE, SIZE), 0)
        if not len(hit):
            return np.asarray(image)
        extent = (held.boxes[hit, 2:] - held.boxes[hit, :2]).max(1) * scale
        large = hit[extent >= SPECK]
        pen = ImageDraw.Draw(image)
        corner = np.array([west, north])
        for i in large:
            number = int(held.dense[i])
            for k in range(held.parts[i], held.parts[i + 1]):
                ring = (held.coords[held.rings[k]:held.rings[k + 1]] - corner) * scale - 0.5
                pen.polygon(ring.ravel().tolist(), fill=number if k == held.parts[i] else 0)
        drawn = np.array(image)
        small = hit[extent < SPECK]
        if len(small):
            middle = ((held.boxes[small, :2] + held.boxes[small, 2:]) / 2 - corner) * scale
            at = np.floor(middle).astype(int)
            inside = ((at >= 0) & (at < SIZE)).all(1)
            drawn[at[inside, 1], at[inside, 0]] = held.dense[small[inside]]
        return drawn

    def _thinned(self, z: int) -> Thinned:
        with self._lock:
            if z in self._held:
                self._held.move_to_end(z)
                return self._held[z]
            thin = shapely.simplify(self.polygons, THIN / (SIZE * 2.0**z), preserve_topology=True)
            kind, coords, offsets = shapely.to_ragged_array(thin) if len(thin) else (None, np.zeros((0, 2)), None)
            if offsets is None:
                rings, parts = np.zeros(1, int), np.zeros(1, int)
            else:
                rings, parts = offsets[0], offsets[1]
            made = Thinned(coords=coords, rings=rings, parts=parts, dense=self.dense,
                           boxes=shapely.bounds(thin).reshape(-1, 4), tree=shapely.STRtree(thin))
            self._held[z] = made
            while len(self._held) > _HELD:
                self._held.popitem(last=False)
            return made


class Tiles:
    """All tile sets of a database, with their pictures on disk."""

    def __init__(self, store: Store, settings: Settings) -> None:
        """Draw from `store`, keep under settings.data_dir/tiles."""
        self.store = store
        self.folder = settings.data_dir / "tiles"
        self._sets: OrderedDict[tuple[str, int], TileSet] = OrderedDict()
        self._lock = threading.Lock()

    def png(self, tree_hash: str, level: int, z: int, x: int, y: int) -> bytes | None:
        """Return a tile, from disk if it was drawn before; None if there is no such tree or tile."""
        if not (tree_hash.isalnum() and 0 <= z <= DEEPEST and 0 <= x < 2**z and 0 <= y < 2**z and level >= 0):
            return None
        path = self.folder / tree_hash / str(level) / str(z) / str(x) / f"{y}.png"
        if path.is_file():
            return path.read_bytes()
        held = self._set(tree_hash, level)
        if held is None:
            return None
        picture = held.png(z, x, y)
        _keep(path, picture)
        return picture

    def _set(self, tree_hash: str, level: int) -> TileSet | None:
        with self._lock:
            if (tree_hash, level) not in self._sets:
                with self.store.read() as connection:
                    trees = [t for t in places.trees(connection) if t.hash == tree_hash]
                    if not trees:
                        return None
                    shapes = places.shapes(connection, trees[0].tree_id, level)
                    self._sets[tree_hash, level] = TileSet((s.dense, s.wkb) for s in shapes)
                while len(self._sets) > 8:
                    self._sets.popitem(last=False)
            return self._sets[tree_hash, level]


def bake(store: Store, settings: Settings, zooms: Iterable[int] | None = None) -> int:
    """Draw the tiles of every level of the newest boundaries ahead of time; return how many.

    Without `zooms`: the zoom at which the whole city fits a screen, and the next one.
    """
    tiles = Tiles(store, settings)
    with store.read() as connection:
        newest = places.trees(connection)[-1]
        numbers = [level.level for level in places.levels(connection)]
        whole = places.root(connection, newest.valid_from or places.day(None) or _today())
    if whole.bbox is None:
        return 0
    west, south, east, north = whole.bbox
    corners = mercator(np.array([[west, north], [east, south]]))
    fit = int(np.clip(np.floor(np.log2(3 / max(1e-9, (corners[1] - corners[0]).max()))), 0, DEEPEST - 1))
    drawn = 0
    for z in zooms if zooms is not None else (fit, fit + 1):
        first, last = np.floor(corners * 2**z).astype(int)
        for level in numbers:
            for x in range(first[0], last[0] + 1):
                for y in range(first[1], last[1] + 1):
                    drawn += tiles.png(newest.hash, level, int(z), x, y) is not None
    return drawn


def _keep(path: Path, picture: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two requests may draw the same tile; a reader never sees half of one.
    part = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    part.write_bytes(picture)
    part.replace(path)


def _today() -> date:
    from queries.clock import now

    return now().date()
