"""Writes the demo city as a city folder, which then comes in through the same doors as any other."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import shapely

from queries.demo.figures import FIGURE_COLUMNS, write_figures
from queries.demo.land import RADIUS, land
from queries.demo.life import cases, things
from queries.demo.lists import DUTY_COLUMNS, ITEM_COLUMNS, write_duty, write_items
from queries.demo.words import (
    BASIS,
    BASIS_ARRIVE,
    CATEGORIES,
    DEPARTMENTS,
    DISTRICTS,
    HANDLING,
    KINDS_EN,
    LIMITS,
    STATUS_WORDS,
    english,
    pairs,
)

ZONE = ZoneInfo("Asia/Shanghai")
LEVELS = (("district", "区", "District"), ("street", "街道", "Street"), ("community", "社区", "Community"), ("grid", "网格", "Grid"))


def make(folder: Path, grids: int = 5000, seed: int = 7, moment: datetime | None = None) -> Path:
    """Write the city into `folder` as it stands at `moment` (aware); the same seed and moment, the same city."""
    now = (moment or datetime.now(ZONE)).astimezone(ZONE).replace(second=0, microsecond=0)
    rng = np.random.default_rng(seed)
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    where = land(rng, grids, len(DISTRICTS))
    district_of = where.district[where.street[where.community]]
    distance = np.hypot(*where.centre.T) / RADIUS
    residents = np.maximum(40, rng.lognormal(np.log(900), 0.5, len(distance)) * np.exp(-0.7 * distance)).astype(int)
    roads = _areas(part, rng, where, residents, seed, now)
    write_items(part, now)
    weight = residents * rng.lognormal(0, 0.5, len(residents))
    hot = rng.choice(len(weight), max(6, len(weight) // 220), replace=False)
    weight[hot] *= rng.uniform(6, 16, len(hot))
    cases(rng, where.cells, weight, district_of, roads, now).write_parquet(part / "cases.parquet")
    for name, frame in zip(("sensors", "readings", "cameras"), things(rng, where.cells, now), strict=True):
        frame.write_parquet(part / f"{name}.parquet")
    water = {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"name": "云川江", "name_en": "Yunchuan River"},
                                                        "geometry": shapely.geometry.mapping(where.river)}]}
    (part / "water.geojson").write_text(json.dumps(water, ensure_ascii=False), "utf-8")
    (part / "city.toml").write_text(_toml(), "utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    return folder


def _areas(part: Path, rng: np.random.Generator, where, residents: np.ndarray, seed: int, now: datetime) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Write the four levels and the roster of posts; return an address for each cell."""
    homes = [where.district, where.street, where.community]
    districts = [f"9901{i + 1:02d}" for i in range(len(DISTRICTS))]
    codes: list[list[str]] = [districts]
    for home in homes:
        above, seen, made = codes[-1], dict.fromkeys(range(len(codes[-1])), 0), []
        for up in home:
            seen[int(up)] += 1
            made.append(f"{above[int(up)]}{seen[int(up)]:03d}")
        codes.append(made)
    streets, villages = pairs(rng, len(where.district)), pairs(rng, len(where.street))
    outer = np.array([int(c[-3:]) % 5 == 0 for c in codes[1]])
    names = [
        [(f"{n}区", f"{english(n)} District") for n in DISTRICTS],
        [(f"{n}镇", f"{english(n)} Town") if far else (f"{n}街道", f"{english(n)} Subdistrict") for n, far in zip(streets, outer, strict=True)],
        [(f"{n}社区", f"{english(n)} Community") for n in villages],
        [(f"{villages[int(c)]}第{code[-3:]}网格", f"{english(villages[int(c)])} Grid {code[-3:]}") for c, code in zip(where.community, codes[3], strict=True)],
    ]
    shapes = [where.cells]
    people = [residents]
    for home in (where.community, where.street, where.district):
        shapes.append(_joined(shapes[-1], home))
        people.append(np.bincount(home, people[-1]).astype(int))
    for i, (id_, _, _) in enumerate(LEVELS):
        gpd.GeoDataFrame(
            {"code": codes[i], "name": [n for n, _ in names[i]], "name_en": [e for _, e in names[i]], "residents": people[3 - i]},
            geometry=shapes[3 - i], crs=4326,
        ).to_parquet(part / f"{id_}.parquet")
    streets_at, grids_at = ({code: name for code, (name, _) in zip(codes[i], names[i], strict=True)} for i in (1, 3))
    # Its own chance, so that the roster changes nothing else of the city.
    write_duty(part, np.random.default_rng((seed, 1)), streets_at, grids_at)
    write_figures(part, np.random.default_rng((seed, 2)), codes[1], codes[0], now)
    road = rng.integers(1, 400, len(where.cells))
    return np.array([f"{names[1][int(where.street[c])][0]}{villages[int(c)]}路 {n} 号" for c, n in zip(where.community, road, strict=True)])


def _joined(shapes: np.ndarray, home: np.ndarray) -> np.ndarray:
    order = np.argsort(home, kind="stable")
    cuts = np.flatnonzero(np.diff(home[order])) + 1
    return np.array([shapely.coverage_union_all(part) for part in np.split(shapes[order], cuts)])


def _toml() -> str:
    lines = ['# The demo city. Made up: no place, code or case in it is real.', 'name = "云川市"', 'name_en = "Yunchuan"', 'code = "9901"',
             'timezone = "Asia/Shanghai"', 'language = "zh"', "demo = true", 'water = "water.geojson"', "", "[codes]", "nested = true", "",
             "[[levels]]", 'id = "city"', 'name = "全市"', 'name_en = "City"']
    for (id_, zh, en), length in zip(LEVELS, (6, 9, 12, 15), strict=True):
        lines += ["", "[[levels]]", f'id = "{id_}"', f'name = "{zh}"', f'name_en = "{en}"', f'file = "{id_}.parquet"', 'code = "code"',
                  'name_column = "name"', 'name_en_column = "name_en"', 'residents = "residents"', f"code_length = {length}"]
    lines += ["", "[statuses]", *(f'"{word}" = "{status}"' for word, status in STATUS_WORDS.items())]
    lines += ["", "[categories]", *(f'{c} = {{ name = "{v[0]}", name_en = "{v[1]}", match = "{v[0]}" }}' for c, v in CATEGORIES.items()),
              'other = { name = "其他", name_en = "Other" }']
    lines += ["", "[kinds]", *(f'"{zh}" = "{en}"' for zh, en in KINDS_EN.items())]
    lines += ["", "[departments]", *(f'{c} = {{ name = "{zh}", name_en = "{en}", match = ["{c}", "{zh}"] }}' for c, (zh, en) in DEPARTMENTS.items())]
    columns = {"no": "案件号", "category": "类别", "kind": "小类", "title": "描述", "address": "地址", "channel": "渠道", "department": "部门",
               "status": "状态", "urgent": "紧急", "reported_at": "上报时间", "filed_at": "立案时间", "due_at": "期限", "closed_at": "结案时间",
               "rework": "返工", "lon": "经度", "lat": "纬度"}
    lines += ["", "[[cases]]", 'id = "grid-cases"', 'title = "网格案件(演示)"', 'title_en = "Grid cases (demo)"', 'file = "cases.parquet"',
              "[cases.columns]", *(f'{k} = "{v}"' for k, v in columns.items())]
    for kind, id_, zh, en, fields in (
        ("sensors", "sensors", "传感器(演示)", "Sensors (demo)", {"code": "code", "name": "name", "kind": "kind", "lon": "lon", "lat": "lat"}),
        ("readings", "readings", "传感器读数(演示)", "Sensor readings (demo)", {"sensor": "sensor", "metric": "metric", "at": "at", "value": "value"}),
        ("cameras", "cameras", "摄像机(演示)", "Cameras (demo)", {"code": "code", "name": "name", "kind": "kind", "lon": "lon", "lat": "lat", "state": "state", "seen_at": "seen", "class": "class", "still": "still"}),
    ):
        lines += ["", f"[[{kind}]]", f'id = "{id_}"', f'title = "{zh}"', f'title_en = "{en}"', f'file = "{kind}.parquet"',
                  *(["every_s = 3600"] if kind == "readings" else []), f"[{kind}.columns]", *(f'{k} = "{v}"' for k, v in fields.items())]
    for kind, zh, en, fields in (("items", "事项清单(演示)", "Task list (demo)", ITEM_COLUMNS), ("duty", "值守岗位(演示)", "Duty roster (demo)", DUTY_COLUMNS),
                                 ("indicators", "部门指标数据(演示)", "Departments' figures (demo)", FIGURE_COLUMNS)):
        lines += ["", f"[[{kind}]]", f'id = "{kind}"', f'title = "{zh}"', f'title_en = "{en}"', f'file = "{kind}.csv"',
                  f"[{kind}.columns]", *(f'{k} = "{v}"' for k, v in fields.items())]
    return "\n".join(lines + _limits() + _alarms()) + "\n"


#: Rules of the demo: id, title, English, kind, sensor kind, metric, what stands in the rule, what to do, English, category.
ALARMS = (
    ("water", "水位超限", "Water above its limit", "threshold", "water_level", "water_level",
     "limits = { blue = 3.0, yellow = 3.3, orange = 3.7, red = 4.2 }\ndeadband = 0.15\noff_delay_s = 120", "通知街道带班到场，封闭低洼路段，启动排水", "Call the street lead to the spot, close the low road, start the pumps", "emergencies"),
    ("rain", "暴雨", "Rainstorm", "sum", "rain", "rain",
     'windows = [{ level = "blue", at = 50, hours = 12 }, { level = "yellow", at = 50, hours = 6 }, { level = "orange", at = 50, hours = 3 }, { level = "red", at = 100, hours = 3 }]',
     "按暴雨预警响应，巡查易涝点", "Respond as the rainstorm signal says, look at places that flood", "emergencies"),
    ("gas", "可燃气体泄漏", "Combustible gas", "threshold", "gas", "gas", "limits = { yellow = 10, orange = 20, red = 40 }\ndeadband = 2\non_delay_s = 30\noff_delay_s = 180",
     "通知燃气企业与应急值守，疏散周边", "Call the gas company and emergency duty, keep people away", "emergencies"),
    ("noise", "噪声超标", "Too loud", "threshold", "noise", "noise", "limits = { blue = 75, yellow = 85 }\ndeadband = 3\non_delay_s = 60\noff_delay_s = 300",
     "请网格员到场劝导", "Ask the grid worker to go there", "appearance"),
    ("smoke", "烟雾", "Smoke", "threshold", "smoke", "smoke", "limits = { orange = 0.15, red = 0.4 }\ndeadband = 0.03", "电话核实，必要时报 119", "Call to check; if need be call 119", "emergencies"),
    ("silent", "传感器失联", "Sensor silent", "silence", "", "", "limits = { blue = 5 }", "通知运维检查供电与网络", "Ask maintenance to look at power and network", ""),
    ("unusual", "同类案件异常增多", "Unusually many cases", "statistics", "", "", "limits = { blue = 100, yellow = 365 }", "请街道研判是否有共同原因", "Ask the street whether there is one cause", ""),
)


def _alarms() -> list[str]:
    lines: list[str] = []
    for id_, zh, en, kind, sensor, metric, more, action, action_en, category in ALARMS:
        lines += ["", "[[alarms]]", f'id = "{id_}"', f'title = "{zh}"', f'title_en = "{en}"', f'kind = "{kind}"']
        lines += [f'sensor_kind = "{sensor}"'] if sensor else []
        lines += [f'metric = "{metric}"'] if metric else []
        lines += [more, f'action = "{action}"', f'action_en = "{action_en}"', 'basis = "演示"']
        lines += [f'category = "{category}"'] if category else []
    return lines


def _limits() -> list[str]:
    """Return the calendar and the limits of city.toml; the hours of a category run through the night, as its cases' deadlines do."""
    lines = ["", "[calendar]", 'library = "china"', 'hours = ["09:00-12:00", "13:30-17:30"]']
    rows = [(stage, kind, "", urgent, amount, clock) for stage, kind, urgent, amount, clock in LIMITS]
    for code, words in CATEGORIES.items():
        rows += [("total", "", code, None, words[3], "urgent_hour"), ("handle", "", code, None, words[3] * HANDLING, "urgent_hour")]
    for stage, kind, category, urgent, amount, clock in rows:
        lines += ["", "[[limits]]", f'stage = "{stage}"']
        lines += [f'category = "{category}"'] if category else []
        lines += [f'kind = "{kind}"'] if kind else []
        lines += [] if urgent is None else [f"urgent = {str(urgent).lower()}"]
        lines += [f"amount = {amount:g}", f'clock = "{clock}"', f'basis = "{BASIS_ARRIVE if stage == "arrive" else BASIS}"']
    return lines
