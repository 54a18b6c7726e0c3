"""city.toml: what it may say, and what is told to one who mistypes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from queries.city import read_city
from queries.errors import CityFileError

GOOD = """
name = "测试市"
name_en = "Testville"
code = "990100"
language = "zh"

[codes]
nested = true

[[levels]]
id = "city"
name = "市"

[[levels]]
id = "district"
name = "区"
file = "districts.geojson"
code = "code"
valid_from = 2024-01-01

[statuses]
"完成" = "closed"

[categories.trash]
name = "垃圾"
name_en = "Rubbish"
match = ["垃圾*", "rubbish"]

[[cases]]
id = "hotline"
file = "cases.csv"
[cases.columns]
no = "编号"
reported_at = ["上报时间", "时间"]
"""


def _read(folder: Path, text: str):
    (folder / "city.toml").write_text(text, "utf-8")
    return read_city(folder)


def _told(folder: Path, old: str, new: str) -> str:
    assert old in GOOD
    with pytest.raises(CityFileError) as bad:
        _read(folder, GOOD.replace(old, new))
    return str(bad.value)


def test_good_file_is_read_with_its_defaults(tmp_path: Path):
    city = _read(tmp_path, GOOD)

    assert city.timezone == "Asia/Shanghai"
    assert city.cases[0].file == ["cases.csv"]
    assert city.cases[0].columns == {"no": ["编号"], "reported_at": ["上报时间", "时间"]}
    assert city.cases[0].crs == "EPSG:4326"
    assert city.levels[1].valid_from == "2024-01-01"
    assert city.parent_rule(1) == "prefix"


@pytest.mark.parametrize(("old", "new", "words"), [
    ("name_en = \"Testville\"", "nam_en = 'x'", ["line 3", "nam_en", "'name_en'"]),
    ("file = \"cases.csv\"", "fille = 'x.csv'", ["line 31", "cases[0].fille", "'file'"]),
    ("code = \"code\"", "cod = 'code'", ["line 18", "levels[1].cod", "'code'"]),
    ("no = \"编号\"", "categori = '编号'", ["line 32", "'categori' is no field of cases", "'category'"]),
    ("no = \"编号\"", "title = '编号'", ["lacks 'no'"]),
    ("= \"closed\"", "= 'finished'", ["line 21", "'finished' is no standard status word"]),
    ("language = \"zh\"", "timezone = 'Asia/Shanghei'", ["line 5", "'Asia/Shanghai'"]),
    ("language = \"zh\"", "language = 'fr'", ["line 5", "language"]),
    ("id = \"hotline\"", "id = 'hotline'\ncrs = 'EPSG:99'", ["cases[0].crs", "EPSG:4490", "line 31"]),
    ("id = \"district\"", "id = 'city'", ["levels[1].id", "used twice"]),
    ("file = \"districts.geojson\"", "", ["levels[1]", "needs both"]),
    ("code = \"990100\"", "", ["code is missing"]),
    ("nested = true", "nested = maybe", ["line 8", "TOML"]),
])
def test_mistake_is_told_with_its_place_and_the_nearest_known_word(tmp_path: Path, old: str, new: str, words: list[str]):
    told = _told(tmp_path, old, new)

    assert "city.toml" in told
    for word in words:
        assert word in told


def test_folder_without_a_city_file_is_told(tmp_path: Path):
    with pytest.raises(CityFileError, match="needs a file named city.toml"):
        read_city(tmp_path)


def test_city_file_in_another_encoding_is_told(tmp_path: Path):
    (tmp_path / "city.toml").write_bytes(GOOD.encode("gb18030"))
    with pytest.raises(CityFileError, match="Save it as UTF-8"):
        read_city(tmp_path)


def test_boston_settings_are_good():
    city = read_city(Path(__file__).parent / "cities" / "boston")

    assert [level.id for level in city.levels] == ["city", "district", "subdistrict", "community", "grid"]
    assert [spec.id for spec in city.cases] == ["official", "open311"]
    assert all(words.name and words.name_en for words in city.categories.values())
