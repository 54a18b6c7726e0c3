"""Opens one boundary file, whatever its format and encoding, and says what it declares about itself."""

from __future__ import annotations

import codecs
import difflib
import io
import json
import struct
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pyogrio

from queries.city.model import LevelSpec
from queries.errors import BoundaryError

#: A zipped file that unpacks to more than this, or more than so many times its size, is refused.
MOST_BYTES = 4 * 1024**3
MOST_RATIO = 300
TEXT = {".geojson", ".json"}
PARQUET = {".parquet", ".geoparquet"}


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The rows of a file as they came."""

    frame: gpd.GeoDataFrame
    crs: str | None  # as the file declares; None = not at all
    notes: list[tuple[str, str]]  # zh, en


def open_file(folder: Path, spec: LevelSpec) -> Opened:
    """Return all rows of a level's file. Raises BoundaryError that names the file and what to do."""
    path = find_file(folder, spec.file or "")
    if path.is_file() and path.stat().st_size == 0:
        raise BoundaryError(
            f"{path.name} is empty (0 bytes). Export the boundaries of {spec.id} again.",
            zh=f"{path.name} 是空文件（0 字节）。请重新导出 {spec.name} 的边界。",
        )
    notes: list[tuple[str, str]] = []
    with _said(path):
        suffix = path.suffix.lower()
        if suffix in PARQUET:
            frame = gpd.read_parquet(path)
            crs = None if frame.crs is None else frame.crs.to_string()
        elif suffix in TEXT:
            text, declared = _text(path, spec, notes)
            frame = _read(io.BytesIO(text), spec)
            # GDAL says EPSG:4326 of every GeoJSON; only what stands in the file is a declaration.
            crs = frame.crs.to_string() if declared and frame.crs is not None else None
        elif suffix == ".zip" or suffix == ".shp":
            frame = _shapefile(path, spec, notes)
            crs = None if frame.crs is None else frame.crs.to_string()
        else:
            frame = _read(path, spec)
            crs = None if frame.crs is None else frame.crs.to_string()
    if not isinstance(frame, gpd.GeoDataFrame) or frame._geometry_column_name is None:
        raise BoundaryError(
            f"{path.name} holds a table without shapes. Give the boundary file of {spec.id}.",
            zh=f"{path.name} 是没有图形的表。请提供 {spec.name} 的边界文件。",
        )
    if frame.empty:
        raise BoundaryError(
            f"{path.name} holds no area. Check the export, or its layer in city.toml.",
            zh=f"{path.name} 中没有区域。请核对导出结果或 city.toml 中的 layer。",
        )
    return Opened(frame=frame.reset_index(drop=True), crs=crs, notes=notes)


def find_file(folder: Path, name: str) -> Path:
    """Return the path of a file in the folder. Raises BoundaryError with the nearest name."""
    path = Path(folder) / name
    if path.exists():
        return path
    there = [p.name for p in sorted(path.parent.iterdir())] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, there, n=1, cutoff=0.0)
    hint = f" The nearest file there is {near[0]!r}." if near else ""
    raise BoundaryError(
        f"Boundary file {name!r} is not in {folder}.{hint}",
        zh=f"{folder} 中没有边界文件 {name!r}。" + (f"最接近的是 {near[0]!r}。" if near else ""),
    )


@contextmanager
def _said(path: Path) -> Iterator[None]:
    """Turn whatever the drivers raise into one sentence."""
    try:
        yield
    except BoundaryError:
        raise
    # The drivers (GDAL, Arrow, zipfile) have no common base for "this file is broken".
    except Exception as bad:
        first = str(bad).strip().splitlines()[0] if str(bad).strip() else type(bad).__name__
        raise BoundaryError(
            f"{path.name} cannot be read as boundaries ({first[:200]}). "
            "Give GeoJSON, GeoPackage, Shapefile (also zipped) or GeoParquet, and check that it is whole.",
            zh=f"{path.name} 无法作为边界读取（{first[:200]}）。请提供完整的 GeoJSON、TopoJSON、GeoPackage、Shapefile（可打包为 zip）或 GeoParquet。",
        ) from bad


def _read(source: Path | str | io.BytesIO, spec: LevelSpec, encoding: str | None = None) -> gpd.GeoDataFrame:
    layer = spec.layer
    with warnings.catch_warnings():
        # Said by ourselves, with the file's name: open rings, several layers, measured shapes.
        warnings.simplefilter("ignore")
        listed = [str(row[0]) for row in pyogrio.list_layers(source)]
        if layer is not None and layer not in listed:
            near = difflib.get_close_matches(layer, listed, n=1, cutoff=0.0)
            raise BoundaryError(
                f"{spec.file} has no layer {layer!r}. The nearest one is {near[0] if near else '(none)'!r}.",
                zh=f"{spec.file} 没有图层 {layer!r}，最接近的是 {near[0] if near else '（无）'!r}。",
            )
        if layer is None and len(listed) > 1:
            raise BoundaryError(
                f"{spec.file} has {len(listed)} layers ({', '.join(listed[:8])}). "
                f"Say which one in city.toml: layer = \"…\" of level {spec.id}.",
                zh=f"{spec.file} 有 {len(listed)} 个图层（{'、'.join(listed[:8])}）。请在 city.toml 的层级 {spec.id} 中写明 layer。",
            )
        if isinstance(source, io.BytesIO):
            source.seek(0)
        return pyogrio.read_dataframe(
            source, layer=layer, encoding=encoding, on_invalid="ignore", fid_as_index=False
        )


def _text(path: Path, spec: LevelSpec, notes: list[tuple[str, str]]) -> tuple[bytes, bool]:
    raw = path.read_bytes()
    encoding = spec.encoding
    if encoding is None and raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        encoding = "utf-16"
    try:
        text = raw.decode(encoding or "utf-8-sig")
    except (UnicodeDecodeError, LookupError):
        try:
            text = raw.decode("gb18030")
        except UnicodeDecodeError:
            raise BoundaryError(
                f"{path.name} is neither UTF-8 nor GB18030 text. Save it as UTF-8.",
                zh=f"{path.name} 既不是 UTF-8 也不是 GB18030 文本。请另存为 UTF-8。",
            ) from None
        notes.append(("文件不是 UTF-8，已按 GB18030 读取", "not UTF-8: read as GB18030"))
    try:
        head = json.loads(text)
    except (ValueError, RecursionError) as bad:
        raise BoundaryError(
            f"{path.name} is not valid GeoJSON: {bad}. The file may have been cut off; export it again.",
            zh=f"{path.name} 不是有效的 GeoJSON（{bad}）。文件可能不完整，请重新导出。",
        ) from None
    if not isinstance(head, dict) or head.get("type") not in ("FeatureCollection", "Feature"):
        raise BoundaryError(
            f"{path.name} is JSON but no GeoJSON FeatureCollection.",
            zh=f"{path.name} 是 JSON，但不是 GeoJSON FeatureCollection。",
        )
    return text.encode("utf-8"), "crs" in head


def _shapefile(path: Path, spec: LevelSpec, notes: list[tuple[str, str]]) -> gpd.GeoDataFrame:
    if path.suffix.lower() == ".shp":
        parts = {p.suffix.lower(): p.read_bytes() for p in path.parent.glob(f"{path.stem}.*")
                 if p.suffix.lower() in (".shp", ".dbf", ".cpg")}
        return _read(path, spec, _dbf_encoding(path.name, parts, spec, notes))
    with zipfile.ZipFile(path) as packed:
        infos = packed.infolist()
        total = sum(info.file_size for info in infos)
        if total > MOST_BYTES or total > MOST_RATIO * max(path.stat().st_size, 1_000_000):
            raise BoundaryError(
                f"{path.name} unpacks to {total:,} bytes, which no boundary file needs. It was not opened.",
                zh=f"{path.name} 解压后有 {total:,} 字节，疑似压缩炸弹，未打开。",
            )
        names = [info.filename for info in infos if info.filename.lower().endswith(".shp")]
        if spec.layer is not None:
            names = [name for name in names if Path(name).stem == spec.layer] or names
        if not names:
            inner = [i.filename for i in infos if Path(i.filename).suffix.lower() in (".gpkg", ".geojson", ".json")]
            if len(inner) == 1:
                return _read(f"/vsizip/{path.resolve()}/{inner[0]}", spec)
            raise BoundaryError(
                f"{path.name} holds no Shapefile. Pack .shp, .shx, .dbf and .prj together.",
                zh=f"{path.name} 中没有 Shapefile。请把 .shp、.shx、.dbf、.prj 打包在一起。",
            )
        if len(names) > 1:
            raise BoundaryError(
                f"{path.name} holds {len(names)} Shapefiles. Say which one in city.toml: "
                f"layer = \"{Path(names[0]).stem}\".",
                zh=f"{path.name} 中有 {len(names)} 个 Shapefile。请在 city.toml 中写明 layer = \"{Path(names[0]).stem}\"。",
            )
        stem = names[0][:-4]
        parts = {i.filename[len(stem):].lower(): packed.read(i) for i in infos
                 if i.filename[:-4] == stem and i.filename[-4:].lower() in (".shp", ".dbf", ".cpg")}
    encoding = _dbf_encoding(path.name, parts, spec, notes)
    return _read(f"/vsizip/{path.resolve()}/{names[0]}", spec.model_copy(update={"layer": None}), encoding)


def _dbf_encoding(
    name: str, parts: dict[str, bytes], spec: LevelSpec, notes: list[tuple[str, str]]
) -> str | None:
    """Return in which encoding a Shapefile's texts are; check on the way that it is whole."""
    shp, dbf = parts.get(".shp", b""), parts.get(".dbf")
    if len(shp) < 100 or len(shp) < 2 * struct.unpack(">i", shp[24:28])[0]:
        raise BoundaryError(
            f"{name} is cut off: its .shp is shorter than it says. Copy it again.",
            zh=f"{name} 不完整：.shp 比其声明的短。请重新复制。",
        )
    if dbf is None:
        raise BoundaryError(
            f"{name} lacks its .dbf file, which holds the codes. Copy it too.",
            zh=f"{name} 缺少存放编码的 .dbf 文件，请一并复制。",
        )
    rows, head, width = struct.unpack("<IHH", dbf[4:12])
    if len(dbf) < head + rows * width:
        raise BoundaryError(
            f"{name} is cut off: its .dbf is shorter than it says. Copy it again.",
            zh=f"{name} 不完整：.dbf 比其声明的短。请重新复制。",
        )
    said = spec.encoding or parts.get(".cpg", b"").decode("ascii", "ignore").strip().split("\0")[0]
    said = f"cp{said}" if said.isdigit() and said not in ("65001",) else said
    try:
        told = codecs.lookup("utf-8" if said == "65001" else said).name if said else None
    except LookupError:
        notes.append((f".cpg 中的编码 {said!r} 不认识，已自行判断", f"encoding {said!r} is not known: found out instead"))
        told = None
    if told not in (None, "utf-8"):
        return told
    try:
        dbf[head:head + rows * width].decode("utf-8")
    except UnicodeDecodeError:
        if told:
            notes.append(("声明为 UTF-8，实为 GB18030", "declared as UTF-8 but is GB18030: read as that"))
        return "gb18030"
    return "utf-8"
