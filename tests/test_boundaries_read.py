"""Boundary files in every format and every state of disrepair."""

from __future__ import annotations

import zipfile

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from queries.boundaries import read_areas
from queries.city.doors import wgs84_to_gcj02
from queries.clock import day_bucket
from queries.errors import BoundaryError
from tests.boundary_cities import area, box, city, frame, level, read, reasons, two_by_two, write


def one_level(folder, rows, file="district.geojson", crs="EPSG:4326", **more):
    found = rows if isinstance(rows, gpd.GeoDataFrame) else frame(rows, crs)
    if file.endswith(".parquet"):
        found.to_parquet(folder / file)
    elif file.endswith(".zip"):
        found.to_file(folder / "inner.shp", driver="ESRI Shapefile", encoding=more.pop("written", "utf-8"))
        with zipfile.ZipFile(folder / file, "w", zipfile.ZIP_DEFLATED) as packed:
            for part in folder.glob("inner.*"):
                if more.get("without") != part.suffix:
                    packed.write(part, part.name)
                part.unlink()
        more.pop("without", None)
    else:
        found.to_file(folder / file)
    return read_areas(city(level("district", file, **more)), folder)


SQUARES = [area("D1", box(0, 0, 4, 2), "C"), area("D2", box(4, 0, 8, 2), "C")]


@pytest.mark.parametrize("file", ["a.geojson", "a.gpkg", "a.shp", "a.zip", "a.parquet"])
def test_same_areas_come_out_of_every_format(tmp_path, file):
    found = one_level(tmp_path, SQUARES, file)

    assert found.areas["code"].tolist() == ["D1", "D2"]
    assert found.areas["name"].tolist() == ["区域D1", "区域D2"]
    assert found.areas["geometry"][0].equals(box(0, 0, 4, 2))
    assert found.refusals == []


@pytest.mark.parametrize("without", ["", ".cpg"])
def test_shapefile_in_gb18030_reads_with_and_without_its_cpg(tmp_path, without):
    found = one_level(tmp_path, SQUARES, "a.zip", written="gb18030", without=without)

    assert found.areas["name"].tolist() == ["区域D1", "区域D2"]


def test_geojson_in_gb18030_is_read_and_said(tmp_path):
    one_level(tmp_path, SQUARES)
    path = tmp_path / "district.geojson"
    path.write_bytes(path.read_text("utf-8").encode("gb18030"))

    found = read_areas(city(level("district", path.name)), tmp_path)

    assert found.areas["name"].tolist() == ["区域D1", "区域D2"]
    assert ("doubted", "not UTF-8: read as GB18030") in reasons(found)


@pytest.mark.parametrize("crs", ["EPSG:4490", "EPSG:4545", "EPSG:32647"])
def test_declared_crs_of_the_file_is_honoured(tmp_path, crs):
    found = one_level(tmp_path, frame(SQUARES).to_crs(crs), "a.gpkg")

    assert shapely.hausdorff_distance(found.areas["geometry"][0], box(0, 0, 4, 2)) < 1e-5


def test_gcj02_is_converted_at_the_door(tmp_path):
    def offset(points):
        return pd.DataFrame(dict(zip("xy", wgs84_to_gcj02(points[:, 0], points[:, 1]), strict=True))).to_numpy()

    moved = [{**row, "geometry": shapely.transform(row["geometry"], offset)} for row in SQUARES]

    frame(moved).to_file(tmp_path / "g.geojson")
    found = read_areas(city(level("district", "g.geojson", crs="GCJ-02")), tmp_path)

    assert shapely.hausdorff_distance(found.areas["geometry"][0], box(0, 0, 4, 2)) < 1e-5
    assert found.refusals == []


def test_crs_in_city_toml_wins_over_the_file_and_is_said(tmp_path):
    wrong = frame(SQUARES).to_crs("EPSG:32647").set_crs("EPSG:32648", allow_override=True)

    wrong.to_file(tmp_path / "w.gpkg")
    found = read_areas(city(level("district", "w.gpkg", crs="EPSG:32647")), tmp_path)

    assert shapely.hausdorff_distance(found.areas["geometry"][0], box(0, 0, 4, 2)) < 1e-5
    assert any(grade == "doubted" and "another system" in reason for grade, reason in reasons(found))


def test_metres_that_claim_to_be_degrees_are_refused_with_advice(tmp_path):
    metres = frame(SQUARES).to_crs("EPSG:32647").set_crs("EPSG:4326", allow_override=True)

    with pytest.raises(BoundaryError, match=r"district\.geojson.*no degrees.*city\.toml.*crs ="):
        one_level(tmp_path, metres)


def test_metres_without_any_crs_are_refused_with_advice(tmp_path):
    metres = frame(SQUARES).to_crs("EPSG:32647").set_crs(None, allow_override=True)

    with pytest.raises(BoundaryError, match="names no coordinate system.*crs ="):
        one_level(tmp_path, metres, "a.parquet")


def test_latitude_first_is_put_right_and_said(tmp_path):
    turned = [{**row, "geometry": shapely.transform(row["geometry"], lambda p: p[:, ::-1])} for row in SQUARES]

    found = one_level(tmp_path, turned)

    assert found.areas["geometry"][0].equals(box(0, 0, 4, 2))
    assert any("latitude first" in reason for _, reason in reasons(found))


def test_one_level_with_latitude_first_is_found_by_the_levels_above(tmp_path):
    def west(points):
        return points - [171.0, -12.0]  # near Boston both orders are possible degrees

    frames = {name: one.set_geometry(shapely.transform(one.geometry.array, west), crs=4326)
              for name, one in two_by_two().items()}
    right = frames["grid"].geometry.iloc[0]
    frames["grid"] = frames["grid"].set_geometry(
        shapely.transform(frames["grid"].geometry.array, lambda p: p[:, ::-1]), crs=4326
    )

    found = read(tmp_path, frames)

    first = found.areas.loc[found.areas["code"] == "G11", "geometry"].iloc[0]
    assert shapely.hausdorff_distance(first, right) < 1e-6
    assert any("whole file has latitude first" in reason for _, reason in reasons(found))


def test_a_level_that_lies_elsewhere_is_an_error_that_names_it(tmp_path):
    frames = two_by_two()
    frames["grid"] = frames["grid"].set_geometry(frames["grid"].geometry.translate(20, 10))

    with pytest.raises(BoundaryError, match=r"grid\.geojson.*level grid.*Check its crs"):
        read(tmp_path, frames)


def test_self_intersection_is_repaired_and_doubted(tmp_path):
    bow = shapely.Polygon([(100, 30), (100.02, 30.02), (100.02, 30), (100, 30.02)])

    found = one_level(tmp_path, [area("D1", bow, "C"), SQUARES[1]])

    assert found.areas["code"].tolist() == ["D1", "D2"]
    assert found.areas["geometry"].array[0].is_valid
    assert found.areas["geometry"].array[0].area == pytest.approx(0.0002)
    assert ("doubted", "shape repaired: Self-intersection") in reasons(found)


def test_collection_becomes_polygons_and_holes_stay(tmp_path):
    holed = box(0, 0, 4, 2).difference(box(1, 0.5, 2, 1.5))
    mixed = shapely.GeometryCollection([holed, shapely.LineString([(100, 30), (100.01, 30)])])

    found = one_level(tmp_path, [area("D1", mixed, "C")])

    assert found.areas["geometry"][0].equals(holed)


@pytest.mark.parametrize(
    ("shape", "why"),
    [
        (None, "has no shape"),
        (shapely.Polygon(), "has no shape"),
        (shapely.Point(100, 30), "its shape is a Point, not a polygon"),
        (shapely.LineString([(100, 30), (101, 30)]), "its shape is a LineString, not a polygon"),
    ],
)
def test_what_is_no_area_is_refused_with_its_row(tmp_path, shape, why):
    found = one_level(tmp_path, [*SQUARES, area("D3", shape, "C")], "a.parquet")

    (refusal,) = found.refusals
    assert (refusal.row, refusal.grade, refusal.reason_en, refusal.value) == (3, "refused", why, "D3")
    assert (found.levels[1].read, found.levels[1].kept) == (3, 2)


def test_second_area_of_a_code_is_refused_but_not_a_later_version(tmp_path):
    rows = [
        area("D1", box(0, 0, 4, 2), "C", since="2020-01-01", until="2024-01-01"),
        area("D1", box(0, 0, 5, 2), "C", since="2024-01-01", until=None),
        area("D1", box(0, 0, 3, 2), "C", since="2022-01-01", until=None),
    ]

    found = one_level(tmp_path, rows, valid_from="since", valid_to="until")

    assert found.areas["row"].tolist() == [1, 2]
    assert [(r.row, r.reason_en) for r in found.refusals] == [(3, "the code is already used by row 1")]


def test_codes_are_text_whatever_the_column_was(tmp_path):
    rows = [area(110101.0, box(0, 0, 4, 2)), area(110102.0, box(4, 0, 8, 2))]

    found = one_level(tmp_path, rows, "a.gpkg")

    assert found.areas["code"].tolist() == ["110101", "110102"]


def test_number_column_gets_its_leading_zeros_back_and_odd_lengths_are_doubted(tmp_path):
    rows = [area(1001, box(0, 0, 4, 2)), area(1234567, box(4, 0, 8, 2))]

    found = one_level(tmp_path, rows, "a.gpkg", code_length=6)

    assert found.areas["code"].tolist() == ["001001", "1234567"]
    assert reasons(found) == [("doubted", "the code has 7 places, not 6")]


def test_blank_code_is_refused(tmp_path):
    found = one_level(tmp_path, [SQUARES[0], area("  ", box(4, 0, 8, 2))])

    assert reasons(found) == [("refused", "has no code")]


def test_code_that_does_not_begin_with_its_parents_is_doubted(tmp_path):
    frames = {
        "district": frame([area("C1", box(0, 0, 4, 2)), area("C2", box(4, 0, 8, 2))]),
        "street": frame([area("C101", box(0, 0, 4, 2), "C1"), area("X", box(4, 0, 8, 2), "C2")]),
    }

    found = read(tmp_path, frames, codes={"nested": True})

    assert reasons(found) == [("doubted", "its code does not begin with its parent's, C2")]
    assert len(found.trees[0].rows) == 4


def test_digits_outside_the_range_of_a_level_are_doubted(tmp_path):
    types = [{"level": "district", "digits": (2, 3), "first": 1, "last": 99, "name": "区"}]

    write(tmp_path, {"district": frame([area("A01", box(0, 0, 4, 2)), area("A00", box(4, 0, 8, 2))])})
    found = read_areas(city(level("district", "district.geojson"), codes={"types": types}), tmp_path)

    assert [(r.value, r.grade) for r in found.refusals] == [("A00", "doubted")]


def test_parent_by_prefix_also_of_codes_padded_with_zeros(tmp_path):
    frames = {
        "district": frame([area("110101000000", box(0, 0, 4, 2)), area("110102000000", box(4, 0, 8, 2))]),
        "street": frame([area("110101001000", box(0, 0, 4, 2)), area("110102007000", box(4, 0, 8, 2))]),
    }
    levels = [{**one, "parent": "prefix"} for one in write(tmp_path, frames)]

    found = read_areas(city(*levels, codes={"nested": True}).model_copy(update={"code": "110100"}), tmp_path)

    assert found.trees[0].parent.tolist() == [-1, -1, 0, 1]
    assert found.refusals == []


def test_parent_by_greatest_overlap(tmp_path):
    frames = two_by_two()
    levels = [{**one, "parent": "contains"} for one in write(tmp_path, frames)]

    found = read_areas(city(*levels), tmp_path)
    by_column = read(tmp_path, frames)

    assert found.trees[0].parent.tolist() == by_column.trees[0].parent.tolist()


def test_orphan_is_hung_where_it_lies_and_doubted(tmp_path):
    frames = two_by_two()
    frames["grid"].loc[0, "parent"] = "nowhere"

    found = read(tmp_path, frames)

    (refusal,) = found.refusals
    assert (refusal.grade, refusal.value) == ("doubted", "G11")
    assert refusal.reason_en == "its parent is unknown: put under S1, where it lies"


def test_child_that_is_older_than_its_parent_is_told_apart_from_an_orphan(tmp_path):
    frames = two_by_two()
    frames["street"]["since"] = "2020-01-01"
    frames["street"].loc[0, "since"] = "2025-01-01"
    frames["grid"]["since"] = "2020-01-01"
    levels = [{**one, "valid_from": "since"} if one["id"] in ("street", "grid") else one for one in write(tmp_path, frames)]

    found = read_areas(city(*levels), tmp_path)

    said = {reason.split(":")[0].split(" and ")[0] for _, reason in reasons(found)}
    assert said == {"its parent does not hold on all of its days (valid_from, valid_to)"}


def test_area_that_nothing_holds_on_some_of_its_days_is_left_out_on_these_and_not_refused(tmp_path):
    frames = {
        "ward": frame([area("1", box(0, 0, 4, 2)), area("2", box(4, 0, 8, 2))]),
        "precinct": frame([area("11", box(0, 0, 2, 2), "1"), area("21", box(4, 0, 6, 2), "2"), area("99", box(50, 0, 51, 2), "2")]),
    }
    frames["ward"]["since"] = ["2025-01-01", "2020-01-01"]
    frames["precinct"]["since"] = "2020-01-01"
    levels = [{**one, "parent": "contains", "valid_from": "since"} for one in write(tmp_path, frames)]

    found = read_areas(city(*levels), tmp_path)

    told = {(r.grade, r.value, r.reason_en) for r in found.refusals}
    assert told == {("doubted", "11", "on some of its days: lies in no area above it; it is left out on these"), ("refused", "99", "lies in no area above it")}
    assert [len(tree.rows) for tree in found.trees] == [2, 4]


def test_orphan_that_lies_nowhere_is_refused(tmp_path):
    frames = two_by_two()
    frames["grid"].loc[len(frames["grid"])] = {**area("G99", box(50, 50, 51, 51), "nowhere")}

    found = read(tmp_path, frames)

    assert reasons(found) == [("refused", "its parent is unknown and it lies in no area above it")]
    assert len(found.trees[0].rows) == 22


def test_code_that_a_level_above_uses_too_is_told_apart(tmp_path):
    frames = {
        "ward": frame([area("1", box(0, 0, 4, 2)), area("2", box(4, 0, 8, 2))]),
        "precinct": frame([area("1", box(0, 0, 2, 2), "1"), area("2", box(4, 0, 6, 2), "2"), area("3", box(2, 0, 4, 2), "1")]),
    }

    found = read(tmp_path, frames)

    assert found.areas["code"].tolist() == ["1", "2", "precinct:1", "precinct:2", "3"]
    assert found.trees[0].parent.tolist() == [-1, -1, 0, 1, 0]


def test_bad_residents_are_unknown_and_never_zero(tmp_path):
    rows = [area("D1", box(0, 0, 4, 2), people="many"), area("D2", box(4, 0, 8, 2), people="1200"),
            area("D3", box(8, 0, 9, 2), people=None)]

    found = one_level(tmp_path, rows, residents="people")

    assert [None if pd.isna(r) else r for r in found.areas["residents"]] == [None, 1200, None]
    assert reasons(found) == [("doubted", "residents is not a usable number")]


@pytest.mark.parametrize("spelling", ["2024-03-01", "2024/3/1", "20240301", "2024年3月1日", "2024-03-01T00:00:00"])
def test_days_of_validity_in_every_usual_spelling(tmp_path, spelling):
    found = one_level(tmp_path, [area("D1", box(0, 0, 4, 2), since=spelling)], valid_from="since", valid_to="9999-12-31")

    assert found.areas["valid_from"].tolist() == [day_bucket(pd.Timestamp("2024-03-01").date())]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.geojson", b"", "empty"),
        ("a.geojson", b'{"type": "FeatureCollection", "features": [{"type": "Fea', "cut off"),
        ("a.geojson", b"\x00\xff\xfe\x80" * 50, "neither UTF-8 nor GB18030|valid GeoJSON"),
        ("a.geojson", b'{"type": "FeatureCollection", "features": []}', "no area|cannot be read"),
        ("a.geojson", b'{"a": 1}', "no GeoJSON"),
        ("a.gpkg", b"rubbish" * 99, "cannot be read"),
        ("a.parquet", b"rubbish" * 99, "cannot be read"),
        ("a.zip", b"rubbish" * 99, "cannot be read"),
        ("a.shp", b"rubbish" * 99, "cut off"),
    ],
)
def test_unusable_file_is_one_sentence_with_its_name(tmp_path, name, content, why):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(BoundaryError, match=why) as told:
        read_areas(city(level("district", name)), tmp_path)

    assert name in str(told.value)


def test_half_a_shapefile_is_refused(tmp_path):
    frame(SQUARES).to_file(tmp_path / "a.shp")
    whole = (tmp_path / "a.shp").read_bytes()
    (tmp_path / "a.shp").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(BoundaryError, match="cut off"):
        read_areas(city(level("district", "a.shp")), tmp_path)


def test_zip_bomb_is_not_opened(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.shp", b"\0" * 400_000_000)

    with pytest.raises(BoundaryError, match="unpacks to 400,000,000 bytes"):
        read_areas(city(level("district", "a.zip")), tmp_path)


def test_wrong_names_are_answered_with_the_nearest(tmp_path):
    one_level(tmp_path, SQUARES)

    with pytest.raises(BoundaryError, match=r"nearest file there is 'district\.geojson'"):
        read_areas(city(level("district", "distrikt.geojson")), tmp_path)
    with pytest.raises(BoundaryError, match="no column 'kode'.*nearest one is 'code'"):
        read_areas(city(level("district", "district.geojson", code="kode")), tmp_path)


def test_layer_of_a_geopackage_must_be_named_when_there_are_several(tmp_path):
    frame(SQUARES).to_file(tmp_path / "a.gpkg", layer="one")
    frame(SQUARES[:1]).to_file(tmp_path / "a.gpkg", layer="two")

    with pytest.raises(BoundaryError, match="2 layers.*layer ="):
        read_areas(city(level("district", "a.gpkg")), tmp_path)
    with pytest.raises(BoundaryError, match="no layer 'too'.*nearest one is 'two'"):
        read_areas(city(level("district", "a.gpkg", layer="too")), tmp_path)
    assert len(read_areas(city(level("district", "a.gpkg", layer="two")), tmp_path).areas) == 1
