"""Ninety days of life in the demo city: when, where and what happened, and how long it took."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import shapely

from queries.demo.words import CATEGORIES, CHANNELS, STATUS_WORDS

DAYS = 90
#: Weights of the hours of a day and of Monday to Sunday.
HOURS = np.array([1, .6, .4, .3, .4, .8, 2, 5, 8, 9, 9, 8, 6, 6, 8, 9, 8, 7, 6, 5, 5, 4, 3, 2])
WEEK = np.array([1.12, 1.08, 1.05, 1.03, 1.05, .86, .81])
#: In this district, of cases reported in these days before today, handling took far longer.
BAD_DISTRICT, BAD_FROM, BAD_TO = 5, 21, 14


def cases(
    rng: np.random.Generator, cells: np.ndarray, weight: np.ndarray, district: np.ndarray, roads: np.ndarray, now: datetime
) -> pl.DataFrame:
    """Return the cases as the city's own system would hand them over: Chinese column words, local times."""
    start = (now - timedelta(days=DAYS - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    per_day = 1500 * (len(cells) / 5000) ** 0.5
    days = [start + timedelta(days=i) for i in range(DAYS)]
    count = rng.poisson([per_day * WEEK[d.weekday()] * (1 + 0.06 * np.sin(i / 9)) for i, d in enumerate(days)])
    day = np.repeat(np.arange(DAYS), count)
    n = len(day)
    second = rng.choice(24, n, p=HOURS / HOURS.sum()) * 3600 + rng.integers(0, 3600, n)
    reported = day * 86400.0 + second
    present = (now - start).total_seconds()
    keep = reported < present
    day, reported = day[keep], reported[keep]
    n = len(day)
    names = list(CATEGORIES)
    share = np.array([CATEGORIES[c][4] for c in names], float)
    kind = rng.choice(len(names), n, p=share / share.sum())
    place = rng.choice(len(cells), n, p=weight / weight.sum())
    limit = np.array([CATEGORIES[c][3] for c in names], float)[kind] * 3600
    took = limit * rng.lognormal(np.log(0.34), 0.62, n)
    ago = DAYS - 1 - day
    bad = (district[place] == BAD_DISTRICT) & (ago <= BAD_FROM) & (ago >= BAD_TO)
    took[bad] *= 2.7
    stuck = rng.random(n) < 0.004
    took[stuck] *= rng.uniform(8, 40, stuck.sum())
    rework = rng.random(n) < 0.035
    took[rework] *= 1.5
    filed = reported + rng.gamma(2, 600, n)
    ended = reported + np.maximum(took, 900)
    cancelled = rng.random(n) < 0.012
    ended[cancelled] = filed[cancelled] + rng.uniform(600, 7200, cancelled.sum())
    share_done = (present - reported) / (ended - reported)
    words = np.array(list(STATUS_WORDS))
    step = np.select([share_done < 0.04, share_done < 0.1, share_done < 0.22, share_done < 0.85, share_done < 1], [0, 1, 2, 3, 4], 5)
    step = np.where((step == 5) & cancelled, 6, step)
    over = step >= 5
    step = np.where((step > 0) & (filed > present), 0, step)
    lon, lat = _inside(rng, cells, place)
    lost, blind = rng.random(n) < 0.003, rng.random(n) < 0.002
    lon = np.where(lost, lon + 0.6, lon)
    what = np.array([CATEGORIES[names[k]][5][i % len(CATEGORIES[names[k]][5])] for k, i in zip(kind, rng.integers(0, 60, n), strict=True)])
    epoch = int(start.timestamp())

    def at(seconds: np.ndarray, known: np.ndarray) -> pl.Series:
        return pl.Series(np.round(seconds)).cast(pl.Int64).set(pl.Series(~known), None) + epoch

    all_ = np.ones(n, bool)
    return pl.DataFrame({
        "案件号": [f"YC{(start + timedelta(days=int(d))):%y%m%d}{i:06d}" for i, d in enumerate(day)],
        "类别": np.array([CATEGORIES[c][0] for c in names])[kind], "小类": what,
        "描述": pl.Series(what), "地址": roads[place],
        "渠道": rng.choice([c for c, _ in CHANNELS], n, p=[p for _, p in CHANNELS]),
        "部门": np.array([CATEGORIES[c][2] for c in names])[kind], "状态": words[step],
        "紧急": np.array(names)[kind] == "emergencies",
        "上报时间": at(reported, all_), "立案时间": at(filed, step > 0), "期限": at(filed + limit, (step > 0) & ~(step == 6)),
        "结案时间": at(ended, over), "返工": rework.astype(int) * over,
        "经度": pl.Series(np.round(lon, 6)).set(pl.Series(blind), None), "纬度": pl.Series(np.round(lat, 6)).set(pl.Series(blind), None),
    })


def things(rng: np.random.Generator, cells: np.ndarray, now: datetime) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return sensors, their readings of two days, and cameras."""
    kinds = (("水位", "water_level", 2.1, 0.25), ("烟感", "smoke", 0.02, 0.01), ("井盖倾角", "tilt", 1.2, 0.4), ("空气颗粒物", "pm25", 38.0, 9.0))
    n = max(40, len(cells) // 20)
    place = rng.choice(len(cells), n)
    lon, lat = _inside(rng, cells, place)
    kind = rng.integers(0, len(kinds), n)
    codes = [f"SN{i + 1:05d}" for i in range(n)]
    sensors = pl.DataFrame({"code": codes, "name": [f"{kinds[k][0]} {i + 1:04d}" for i, k in enumerate(kind)],
                            "kind": [kinds[k][1] for k in kind], "lon": lon.round(6), "lat": lat.round(6)})
    present = int(now.timestamp())
    rows = []
    for i, k in enumerate(kind):
        silent = 20 if rng.random() < 0.03 else 0  # hours since it was last heard
        hours = np.arange(48, silent, -1)
        at = present - hours * 3600 + int(rng.integers(0, 900))
        _, metric, mean, spread = kinds[k]
        value = np.abs(mean + spread * np.sin(at / 13751.0 + i) + rng.normal(0, spread / 3, len(at)))
        rows.append(pl.DataFrame({"sensor": [codes[i]] * len(at), "metric": [metric] * len(at), "at": at, "value": value.round(3)}))
    # Their own chance, so that the rest of the city stays what it is.
    more = np.random.default_rng((len(cells), 4))
    sensors, rows = _also(more, cells, present, sensors, rows)
    m = max(60, len(cells) // 10)
    place = rng.choice(len(cells), m)
    lon, lat = _inside(rng, cells, place)
    state = rng.choice(["online", "offline", "no_picture", "unknown"], m, p=[.93, .04, .02, .01])
    seen = present - np.where(state == "online", rng.integers(5, 300, m), rng.integers(3600, 864000, m))
    cameras = pl.DataFrame({"code": [f"CM{i + 1:05d}" for i in range(m)], "name": [f"公共摄像机 {i + 1:04d}" for i in range(m)],
                            "kind": rng.choice(["球机", "枪机"], m), "lon": lon.round(6), "lat": lat.round(6), "state": state, "seen": seen,
                            "class": more.choice(["重点公共区域", "重点行业", ""], m, p=[.45, .25, .3]), "still": [f"demo:CM{i + 1:05d}" for i in range(m)]})
    return sensors, pl.concat(rows), cameras


def _also(rng: np.random.Generator, cells: np.ndarray, present: int, sensors: pl.DataFrame, rows: list[pl.DataFrame]) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Return the sensors with rain gauges, gas and noise meters among them, and their readings of two days."""
    kinds = (("雨量", "rain", 0.0, 0.0), ("可燃气体", "gas", 1.2, 0.3), ("噪声", "noise", 52.0, 6.0))
    n = max(12, len(cells) // 80)
    place = rng.choice(len(cells), n)
    lon, lat = _inside(rng, cells, place)
    codes = [f"SX{i + 1:05d}" for i in range(n)]
    for i, code in enumerate(codes):
        _, metric, mean, spread = kinds[i % 3]
        at = present - np.arange(48, 0, -1) * 3600 + int(rng.integers(0, 900))
        value = np.abs(mean + spread * np.sin(at / 13751.0 + i) + rng.normal(0, spread / 3 + 1e-9, len(at))).round(3)
        rows.append(pl.DataFrame({"sensor": [code] * len(at), "metric": [metric] * len(at), "at": at, "value": value}))
    also = pl.DataFrame({"code": codes, "name": [f"{kinds[i % 3][0]} {i + 1:04d}" for i in range(n)], "kind": [kinds[i % 3][1] for i in range(n)],
                         "lon": lon.round(6), "lat": lat.round(6)})
    return pl.concat([sensors, also]), rows


def _inside(rng: np.random.Generator, cells: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a point in each named cell."""
    inner = shapely.point_on_surface(cells)
    x, y = shapely.get_x(inner)[place], shapely.get_y(inner)[place]
    box = shapely.bounds(cells)[place]
    open_ = np.ones(len(place), bool)
    for _ in range(5):
        some = np.flatnonzero(open_)
        px = rng.uniform(box[some, 0], box[some, 2])
        py = rng.uniform(box[some, 1], box[some, 3])
        good = shapely.contains_xy(cells[place[some]], px, py)
        x[some[good]], y[some[good]] = px[good], py[good]
        open_[some[good]] = False
    return x, y
