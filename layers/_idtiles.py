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
from PIL import Image

from queries import outlines, places
from queries.settings import Settings
from queries.store import Store

SIZE = 256
DEEPEST = 20
#: Lines are thinned to this part of a pixel.
THIN = 0.35
#: Areas smaller than this many pixels are single pixels.
SPECK = 1.2
#: Up to so many corners an area on average, thinning would cost more than it saves.
PLAIN = 20
_HELD = 6

Numbered = Iterable[tuple[int, bytes]]


@dataclass(frozen=True, kw_only=True)
class Outlines:
    """Outlines of one zoom in unit mercator, flat: corners, where rings begin, where polygons begin, their boxes."""

    corners: np.ndarray
    rings: np.ndarray
    parts: np.ndarray
    boxes: np.ndarray
    thinned: bool


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
        shapes = shapely.from_wkb([wkb for _, wkb in pairs])
        polygons, owner = shapely.get_parts(np.asarray(shapes, object), return_index=True)
        # Large ones first, so that an enclave is drawn over what surrounds it.
        order = np.argsort(-shapely.area(shapes)[owner], kind="stable") if len(pairs) else np.zeros(0, int)
        polygons, owner = polygons[order], owner[order]
        self.dense = np.array([number for number, _ in pairs], np.int64)[owner]
        plain = int(shapely.get_num_coordinates(polygons).sum()) <= PLAIN * len(polygons)
        # Outlines of few corners have nothing to lose: all zooms share them as they are.
        self._plain = _flat(polygons) if plain else None
        self._polygons = None if plain else shapely.transform(polygons, mercator)
        self._held: OrderedDict[int, Outlines] = OrderedDict()
        self._lock = threading.Lock()

    def picture(self, z: int, x: int, y: int) -> bytes:
        """Return one tile as a lossless WebP whose RGB is the number, red the highest byte: a third smaller than a PNG."""
        numbers = self.numbers(z, x, y).astype(np.uint32)
        rgb = np.stack([numbers >> 16 & 255, numbers >> 8 & 255, numbers & 255], -1).astype(np.uint8)
        out = io.BytesIO()
        Image.fromarray(rgb, "RGB").save(out, "WEBP", lossless=True, method=4, quality=75)
        return out.getvalue()

    def numbers(self, z: int, x: int, y: int) -> np.ndarray:
        """Return one tile as numbers, row by row: each pixel is the area that holds its middle."""
        held = self._outlines(z)
        scale = SIZE * 2.0**z
        corner = np.array([x, y]) / 2**z
        near, far = corner - 1.5 / scale, corner + (SIZE + 1.5) / scale
        west, north, east, south = held.boxes
        hit = np.flatnonzero((west <= far[0]) & (east >= near[0]) & (north <= far[1]) & (south >= near[1]))
        drawn = np.zeros(SIZE * SIZE, np.int64)
        if len(hit):
            boxes = (held.boxes[:, hit].T - np.tile(corner, 2)) * scale
            speck = (boxes[:, 2:] - boxes[:, :2]).min(1) < SPECK
            whole = (boxes[:, 2:] - boxes[:, :2]).max(1) >= SPECK
            _fill(drawn, held, hit[whole], self.dense, corner, scale)
            at = np.floor((boxes[speck, :2] + boxes[speck, 2:]) / 2).astype(int)
            inside = ((at >= 0) & (at < SIZE)).all(1)
            drawn[at[inside, 1] * SIZE + at[inside, 0]] = self.dense[hit[speck][inside]]
        drawn = drawn.reshape(SIZE, SIZE)
        return _mended(drawn) if held.thinned else drawn

    def _outlines(self, z: int) -> Outlines:
        if self._plain is not None:
            return self._plain
        with self._lock:
            if z not in self._held:
                self._held[z] = _flat(shapely.simplify(self._polygons, THIN / (SIZE * 2.0**z), preserve_topology=True), thinned=True)
                while len(self._held) > _HELD:
                    self._held.popitem(last=False)
            self._held.move_to_end(z)
            return self._held[z]


def _flat(polygons: np.ndarray, thinned: bool = False) -> Outlines:
    if not len(polygons):
        none = np.zeros(1, int)
        return Outlines(corners=np.zeros((0, 2)), rings=none, parts=none, boxes=np.zeros((4, 0)), thinned=thinned)
    _, corners, (rings, parts) = shapely.to_ragged_array(polygons)
    corners = corners if thinned else mercator(corners)
    first = rings[parts[:-1]]  # an empty polygon has no corners: its box meets nothing
    empty = rings[parts[1:]] == first
    low = np.minimum.reduceat(corners, np.minimum(first, len(corners) - 1))
    high = np.maximum.reduceat(corners, np.minimum(first, len(corners) - 1))
    boxes = np.ascontiguousarray(np.where(empty[:, None], np.nan, np.hstack([low, high])).T)
    return Outlines(corners=corners, rings=rings, parts=parts, boxes=boxes, thinned=thinned)


def _fill(drawn: np.ndarray, held: Outlines, hit: np.ndarray, dense: np.ndarray, corner: np.ndarray, scale: float) -> None:
    """Paint polygons into a flat picture: along each row of pixels, from every odd crossing of an outline to the next."""
    ring, of_ring = _ranges(held.parts[hit], held.parts[hit + 1])
    at, of_edge = _ranges(held.rings[ring], held.rings[ring + 1] - 1)
    owner = of_ring[of_edge]
    x0, y0 = ((held.corners[at] - corner) * scale).T
    x1, y1 = ((held.corners[at + 1] - corner) * scale).T
    top = np.clip(np.ceil(np.minimum(y0, y1) - 0.5), 0, SIZE).astype(int)
    end = np.clip(np.ceil(np.maximum(y0, y1) - 0.5), 0, SIZE).astype(int)
    row, edge = _ranges(top, end)
    x = x0[edge] + (row + 0.5 - y0[edge]) * (x1[edge] - x0[edge]) / (y1[edge] - y0[edge])
    line = owner[edge] * SIZE + row
    order = np.lexsort((x, line))
    line, x = line[order], np.clip(np.ceil(x[order] - 0.5), 0, SIZE).astype(int)
    pixel, span = _ranges(x[::2], x[1::2])
    # Of several areas in one pixel the last stays, which is the smallest.
    drawn[line[::2][span] % SIZE * SIZE + pixel] = dense[hit[line[::2][span] // SIZE]]


def _ranges(start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return all whole numbers from each start to before its end, and which range each belongs to."""
    n = np.maximum(end - start, 0)
    which = np.repeat(np.arange(len(n)), n)
    return np.arange(len(which)) - (np.cumsum(n) - n)[which] + start[which], which


def _mended(drawn: np.ndarray) -> np.ndarray:
    # Neighbours are thinned each by itself, so a pixel's middle may fall between them.
    for axis in (0, 1):
        one, other = np.roll(drawn, 1, axis), np.roll(drawn, -1, axis)
        gap = (drawn == 0) & (one != 0) & (other != 0)
        gap[[0, -1]] = gap[:, [0, -1]] = False
        drawn = np.where(gap, one, drawn)
    return drawn


class Tiles:
    """All tile sets of a database, with their pictures on disk."""

    def __init__(self, store: Store, settings: Settings) -> None:
        """Draw from `store`, keep under settings.data_dir/tiles."""
        self.store = store
        self.folder = settings.data_dir / "tiles"
        self._sets: OrderedDict[tuple[str, int], TileSet] = OrderedDict()
        self._lock = threading.Lock()
        # A map asks for two dozen at once; as many threads in turn for the interpreter would only hinder each other.
        self._brush = threading.Semaphore(2)

    def picture(self, tree_hash: str, level: int, z: int, x: int, y: int) -> bytes | None:
        """Return a tile, from disk if it was drawn before; None if there is no such tree or tile."""
        if not (tree_hash.isalnum() and 0 <= z <= DEEPEST and 0 <= x < 2**z and 0 <= y < 2**z and level >= 0):
            return None
        path = self.folder / tree_hash / str(level) / str(z) / str(x) / f"{y}.webp"
        if path.is_file():
            return path.read_bytes()
        held = self._set(tree_hash, level)
        if held is None:
            return None
        with self._brush:
            picture = held.picture(z, x, y)
        _keep(path, picture)
        return picture

    def _set(self, tree_hash: str, level: int) -> TileSet | None:
        with self._lock:
            if (tree_hash, level) not in self._sets:
                with self.store.read() as connection:
                    trees = [t for t in places.trees(connection) if t.hash == tree_hash]
                    if not trees:
                        return None
                    self._sets[tree_hash, level] = TileSet(outlines.numbered_shapes(connection, trees[0].tree_id, level))
                while len(self._sets) > 8:
                    self._sets.popitem(last=False)
            return self._sets[tree_hash, level]


def bake(tiles: Tiles, zooms: Iterable[int] | None = None) -> int:
    """Draw the tiles of every level of the newest boundaries ahead of time; return how many.

    Without `zooms`: the zoom at which the whole city fits a screen, and the next one.
    """
    with tiles.store.read() as connection:
        known = places.trees(connection)
        if not known:
            return 0
        newest = known[-1]
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
                    drawn += tiles.picture(newest.hash, level, int(z), x, y) is not None
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
