"""What a case, a sensor, a reading, a camera, an item or a post looks like inside, whatever its source called it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import polars as pl

from queries import clock
from queries.city.dates import DateReader, DayOrder
from queries.city.model import CAMERA_STATES, City, TableSpec
from queries.city.points import Extent, PointReader
from queries.city.sieve import Sieve
from queries.city.spans import read_span
from queries.city.values import Matcher, key, mapped, numbers, truths
from queries.loop.steps import STATUSES

#: Chinese words for the standard statuses that need no entry in city.toml.
_STATUS_WORDS = {
    "reported": ("采集", "上报", "已上报", "待受理"), "filed": ("立案", "已立案", "受理", "已受理"),
    "dispatched": ("派遣", "已派遣", "派单"), "handling": ("处置", "处置中", "处理中", "办理中"),
    "verifying": ("核查", "核查中", "待核查"), "verified": ("待结案", "核查通过"),
    "suspended": ("挂起", "已挂起", "暂停"), "hung": ("挂账",), "closed": ("结案", "已结案", "办结", "已办结"),
    "cancelled": ("不予立案", "作废", "已作废"),
}
_CAMERA_WORDS = {
    "online": ("在线", "on", "1", "true", "正常", "ok"), "offline": ("离线", "off", "0", "false", "断线", "故障"),
    "no_picture": ("无图像", "黑屏", "无画面", "视频丢失"), "unknown": ("未知",),
}
#: Whose work an item is, and which post answers for an area; another post keeps its own word.
_TO_WORDS = {"department": ("部门", "部门事项"), "grid": ("网格", "网格事项", "入格")}
_POST_WORDS = {"grid_worker": ("网格员", "专职网格员", "网格岗"), "street_lead": ("街道带班", "街道值班", "带班领导")}
_CLASS_WORDS = {"key_area": ("重点公共区域", "重点区域", "一类"), "key_trade": ("重点行业", "重点行业领域", "二类")}
_GRAIN_WORDS = {"day": ("日", "天"), "month": ("月", "月度"), "quarter": ("季", "季度"), "half": ("半年",), "year": ("年", "年度")}
_LAST_YEAR = 2100
#: No key is longer: an index of PostgreSQL takes 2,700 bytes at most.
_LONGEST = 200


@dataclass
class Shaper:
    """Brings the picked text columns of one table into our shape, chunk after chunk."""

    city: City
    spec: TableSpec
    extent: Extent | None = None
    now: int = field(default_factory=lambda: clock.stamp(clock.now()))

    def __post_init__(self) -> None:
        self._dates: dict[str, DateReader] = {}
        self._points = PointReader(crs=self.spec.crs, extent=self.extent or self.city.extent)
        self._categories = Matcher({code: words.match for code, words in self.city.categories.items()})
        self._departments = Matcher({code: words.match for code, words in self.city.departments.items()})
        self._states = Matcher({
            state: [*(w for w, s in self.city.camera_states.items() if s == state), *_CAMERA_WORDS[state]]
            for state in CAMERA_STATES
        })
        own = {key(word): status for word, status in self.spec.statuses.items()}
        whole = {key(word): status for word, status in self.city.statuses.items()}
        usual = {key(w): status for status in STATUSES for w in (status, *_STATUS_WORDS[status])}
        self._status = usual | whole | own

    def shape(self, kind: str, cells: pl.DataFrame, sieve: Sieve) -> pl.DataFrame:
        """Return the chunk in the shape of its kind; rows that must not load are marked in the sieve."""
        return getattr(self, f"_{kind}")(cells, sieve)

    def _cases(self, cells: pl.DataFrame, sieve: Sieve) -> pl.DataFrame:
        no = self._code(cells, "no", sieve, "案件号", "case number")
        reported = self._moment(cells, "reported_at", sieve, required=True)
        category = self._category(cells, sieve)
        status = cells["status"]
        words = mapped(status, lambda word: self._status.get(key(word)))
        sieve.refuse(status.is_not_null() & words.is_null(), "status", status,
                     "状态词未在 city.toml 的 statuses 中登记", "the status word is not in the statuses of city.toml")
        filed = self._moment(cells, "filed_at", sieve)
        due = self._moment(cells, "due_at", sieve, future=True)
        closed = self._moment(cells, "closed_at", sieve)
        updated = self._moment(cells, "updated_at", sieve)
        frame = pl.DataFrame({
            "no": no, "category": category, "department": self._department(cells["department"]), "status": words,
            "reported_at": reported, "filed_at": filed, "due_at": due, "closed_at": closed, "updated_at": updated,
        })
        frame = self._settle(frame, cells, sieve)
        lon, lat = self._points.read(cells["lon"], cells["lat"], sieve)
        urgent, unread = truths(cells["urgent"])
        sieve.doubt(unread, "urgent", cells["urgent"], "不是“是/否”", "neither yes nor no")
        return frame.with_columns(
            *(cells[name].fill_null("") for name in ("kind", "title", "address", "channel")),
            urgent.fill_null(False).alias("urgent"), self._rework(cells["rework"], sieve), lon, lat, cells["area_code"],
        ).select(
            "no", "category", "kind", "title", "address", "channel", "department", "status", "urgent", "reported_at",
            "filed_at", "due_at", "closed_at", "rework", "lon", "lat", "area_code",
        )

    def _settle(self, frame: pl.DataFrame, cells: pl.DataFrame, sieve: Sieve) -> pl.DataFrame:
        """Bring status and dates into agreement, and doubt what contradicts itself."""
        if "status" in self.spec.columns:
            sieve.doubt(frame["status"].is_null(), "status", None, "没有状态，按日期推断", "no status given; inferred from the dates")
        closed, filed = pl.col("closed_at"), pl.col("filed_at")
        inferred = pl.when(closed.is_not_null()).then(pl.lit("closed")).when(filed.is_not_null()).then(pl.lit("filed"))
        frame = frame.with_columns(pl.coalesce("status", inferred.otherwise(pl.lit("reported"))).alias("status"))
        over = pl.col("status").is_in(["closed", "cancelled"])
        frame = frame.with_columns(pl.when(over).then(pl.coalesce("closed_at", "updated_at")).otherwise(closed).alias("closed_at"))
        early = frame.select(
            open_=~over & closed.is_not_null(), closed=over & (closed < pl.col("reported_at")),
            due=pl.col("due_at") < pl.col("reported_at"), filed=filed < pl.col("reported_at"),
        )
        told = cells["closed_at"] if "closed_at" in self.spec.columns else cells["updated_at"]
        sieve.doubt(early["open_"], "closed_at", cells["closed_at"],
                    "案件未结案却有结案时间，未采用该时间", "the case is not closed yet has a closing time; the time is not used")
        sieve.doubt(early["closed"], "closed_at", told, "结案早于上报", "closed before it was reported")
        sieve.doubt(early["due"], "due_at", cells["due_at"], "期限早于上报", "due before it was reported")
        sieve.doubt(early["filed"], "filed_at", cells["filed_at"], "立案早于上报", "filed before it was reported")
        return frame.with_columns(pl.when(over).then(closed).alias("closed_at"))

    def _sensors(self, cells: pl.DataFrame, sieve: Sieve) -> pl.DataFrame:
        frame = self._placed(cells, sieve)
        kinds = cells["kind"]
        sieve.hint(kinds.is_not_null() & ~kinds.is_in(list(self.city.kinds_of_sensors)), "kind", kinds,
                   "传感器类型未在 city.toml 的 sensor_kinds 中登记，其读数须带指标名，且不作核对",
                   "kinds that are not in the sensor_kinds of city.toml: their readings must name a metric and are not checked")
        every, bad = numbers(cells["every_s"])
        bad = bad | (every <= 0)
        sieve.doubt(bad, "every_s", cells["every_s"], "间隔不是正数", "the interval is no positive number")
        every = pl.select(pl.when(~bad.fill_null(False)).then(every)).to_series().cast(pl.Int64, strict=False)
        return frame.with_columns(every.fill_null(self.spec.every_s).alias("every_s") if self.spec.every_s else every.alias("every_s"))

    def _cameras(self, cells: pl.DataFrame, sieve: Sieve) -> pl.DataFrame:
        frame = self._placed(cells, sieve)
        state = mapped(cells["state"], self._states)
        sieve.doubt(cells["state"].is_not_null() & state.is_null(), "state", cells["state"],
                    "状态词未知，按“未知”处理", "the state word is not known; taken for unknown")
        seen = self._moment(cells, "seen_at", sieve)
        classes = mapped(cells["class"], Matcher(_CLASS_WORDS))
        sieve.doubt(cells["class"].is_not_null() & classes.is_null(), "class", cells["class"],
                    "摄像机类别未知，未采用", "the class of the camera is not known; not used")
        gateway = cells["gateway"].fill_null("")
        strange = ~gateway.is_in(["", *self.city.gateways])
        sieve.doubt(strange, "gateway", cells["gateway"], "视频网关未在 city.toml 的 gateways 中登记，未采用", "the gateway is not in the gateways of city.toml; not used")
        return frame.with_columns(
            state.fill_null("unknown").alias("state"), seen, classes.fill_null("").alias("class"),
            cells["stream"].fill_null(""), cells["still"].fill_null(""), pl.select(pl.when(~strange).then(gateway).otherwise(pl.lit("")).alias("gateway")).to_series(), cells["live"].fill_null(""))

    def _readings(self, cells: pl.DataFrame, sieve: Sieve) -> pl.DataFrame:
        value, bad = numbers(cells["value"])
        sieve.refuse(bad, "value", cells["value"], "读数不是数字", "the reading is no number")
        sieve.refuse(value.is_null(), "value", cells["value"], "没有读数", "there is no reading")
        sieve.refuse(cells["metric"].str.len_chars() > _LONGEST, "metric", cells["metric"],
                     f"指标名超过 {_LONGEST} 个字符", f"the metric's name is longer than {_LONGEST} characters")
        return pl.DataFrame({
            "sensor": self._code(cells, "sensor", sieve, "传感器编号", "sensor code"), "metric": cells["metric"].fill_null(""),
            "at": self._moment(cells, "at", sieve, required=True), "value": value, "unit": cells["unit"].fill_null(""),
        })

    def _items(self, cells: pl.DataFrame, sieve: Sieve) -> pl.DataFrame:
        for name, zh, en in (("title", "名称", "title"), ("department", "部门", "department"), ("basis", "依据", "basis")):
            sieve.refuse(cells[name].is_null(), name, None, f"缺少{zh}", f"the {en} is missing")
        category = mapped(cells["category"], self._categories)
        sieve.refuse(cells["category"].is_not_null() & category.is_null(), "category", cells["category"],
                     "类别词未在 city.toml 的 categories 中登记", "the category word is not in the categories of city.toml")
        to = mapped(cells["to"], Matcher(_TO_WORDS))
        sieve.refuse(cells["to"].is_not_null() & to.is_null(), "to", cells["to"],
                     "既不是部门事项也不是网格事项", "work neither for a department nor for a grid")
        temporary, unread = truths(cells["temporary"])
        sieve.refuse(unread, "temporary", cells["temporary"], "不是“是/否”", "neither yes nor no")
        begins, ends = (self._moment(cells, name, sieve, future=True) for name in ("valid_from", "valid_to"))
        sieve.refuse(temporary.fill_null(False) & ends.is_null(), "valid_to", cells["valid_to"],
                     "临时事项没有写明截止日期", "a temporary item must say when it ends")
        sieve.refuse(ends <= begins, "valid_to", cells["valid_to"], "截止不晚于起始", "it ends before it begins")
        return pl.DataFrame([
            self._code(cells, "code", sieve, "事项编码", "code"), cells["title"], cells["title_en"].fill_null(""),
            self._department(cells["department"]).alias("department"), category.fill_null("").alias("category"),
            to.fill_null("department").alias("to"), cells["content"].fill_null(""), cells["basis"],
            temporary.fill_null(False).alias("temporary"), begins, ends,
        ])

    def _duty(self, cells: pl.DataFrame, sieve: Sieve) -> pl.DataFrame:
        for name, zh, en in (("area_code", "区域编码", "area code"), ("post", "岗位类别", "kind of post"), ("shown", "岗位名称", "post's name")):
            sieve.refuse(cells[name].is_null(), name, None, f"缺少{zh}", f"the {en} is missing")
        known = Matcher(_POST_WORDS)
        post = mapped(cells["post"], lambda word: known(word) or word)
        return pl.DataFrame([cells["area_code"], post.alias("post"), cells["shown"], cells["phone"].fill_null("")])

    def _indicators(self, cells: pl.DataFrame, sieve: Sieve) -> pl.DataFrame:
        for name, zh, en in (("indicator", "指标编号", "indicator's id"), ("area_code", "区域编码", "area code"), ("period", "时期", "period")):
            sieve.refuse(cells[name].is_null(), name, None, f"缺少{zh}", f"the {en} is missing")
        grain = mapped(cells["grain"], Matcher(_GRAIN_WORDS))
        sieve.refuse(cells["grain"].is_not_null() & grain.is_null(), "grain", cells["grain"], "应为日、月、季、半年或年", "write day, month, quarter, half or year")
        both = pl.DataFrame({"period": cells["period"], "grain": grain}).unique().rows()
        read = {pair: read_span(pair[0], pair[1] or "") if pair[0] else None for pair in both}
        spans = [read[pair] for pair in zip(cells["period"].to_list(), grain.to_list(), strict=True)]
        unread = pl.Series([span is None for span in spans])
        sieve.refuse(unread, "period", cells["period"], "时期无法识别，请写成 2026、2026-10、2026Q3 或 2026-10-31", "the period cannot be read; write 2026, 2026-10, 2026Q3 or 2026-10-31")
        first, last = (pl.Series(name, [None if span is None else clock.day_bucket(span[k]) for span in spans], pl.Int64) for k, name in enumerate(("first", "last")))
        sieve.refuse(last > clock.day_bucket(clock.moment(self.now).date()), "period", cells["period"], "时期尚未结束", "the period is not over")
        amounts = {}
        for name in ("numerator", "denominator", "value", "weight"):
            amounts[name], bad = numbers(cells[name])
            sieve.refuse(bad, name, cells[name], "不是有限的数", "is no finite number")
        top, under, value, weight = amounts.values()
        sieve.refuse(top < 0, "numerator", cells["numerator"], "分子为负", "the numerator is negative")
        sieve.refuse(under <= 0, "denominator", cells["denominator"], "分母须大于零；未知请留空", "a denominator must be above zero; leave it empty when it is not known")
        sieve.refuse(weight <= 0, "weight", cells["weight"], "权重须大于零", "a weight must be above zero")
        sieve.refuse(top.is_null() != under.is_null(), "denominator", cells["denominator"], "分子与分母须同时给出", "numerator and denominator go together")
        sieve.refuse(top.is_null() & value.is_null(), "value", None, "既无分子分母，也无数值", "there are neither numerator and denominator nor a value")
        pair = top.is_not_null() & under.is_not_null()
        kept = {name: pl.select(pl.when(pair if name in ("numerator", "denominator") else ~pair).then(column)).to_series().alias(name) for name, column in amounts.items()}
        return pl.DataFrame([cells["indicator"], cells["area_code"], first, last, *kept.values(), cells["source"].fill_null("").alias("said")])

    def _placed(self, cells: pl.DataFrame, sieve: Sieve) -> pl.DataFrame:
        code = self._code(cells, "code", sieve, "编号", "code")
        lon, lat = self._points.read(cells["lon"], cells["lat"], sieve)
        name = pl.select(pl.coalesce(cells["name"], code)).to_series().alias("name")
        return pl.DataFrame([code, name, cells["kind"].fill_null(""), lon, lat, cells["area_code"]])

    def _code(self, cells: pl.DataFrame, name: str, sieve: Sieve, zh: str, en: str) -> pl.Series:
        sieve.refuse(cells[name].is_null(), name, None, f"缺少{zh}", f"the {en} is missing")
        sieve.refuse(cells[name].str.len_chars() > _LONGEST, name, cells[name], f"{zh}超过 {_LONGEST} 个字符",
                     f"the {en} is longer than {_LONGEST} characters")
        return (self.spec.no_prefix + cells[name]).alias(name) if self.spec.no_prefix else cells[name]

    def _category(self, cells: pl.DataFrame, sieve: Sieve) -> pl.Series:
        words, city = cells["category"], self.city
        known = mapped(words, self._categories)
        if city.automatic_categories:
            return pl.select(pl.coalesce(known, words.str.slice(0, _LONGEST), pl.lit("other")).alias("category")).to_series()
        lost = words.is_not_null() & known.is_null()
        if "other" in city.categories or not city.categories:
            if city.categories:
                sieve.hint(lost, "category", words, "类别词未登记，归入“其他”", "category words that city.toml does not name count as other")
            return known.fill_null("other").alias("category")
        sieve.refuse(lost, "category", words, "类别词未在 city.toml 的 categories 中登记", "the category word is not in the categories of city.toml")
        sieve.refuse(words.is_null(), "category", None, "没有类别", "the category is missing")
        return known.alias("category")

    def _department(self, words: pl.Series) -> pl.Series:
        return mapped(words, lambda word: self._departments(word) or word[:_LONGEST])

    def _rework(self, words: pl.Series, sieve: Sieve) -> pl.Series:
        times, bad = numbers(words)
        if bad.any():
            yes, _ = truths(words)
            times = pl.select(pl.coalesce(times, yes.cast(pl.Float64))).to_series()
        bad = words.is_not_null() & ~times.is_between(0, 1000).fill_null(False)
        sieve.doubt(bad, "rework", words, "返工次数无法识别，按 0 计", "the rework count cannot be read; taken for 0")
        kept = pl.select(pl.when(~bad).then(times)).to_series()
        return kept.fill_null(0).cast(pl.Int16).alias("rework")

    def _moment(
        self, cells: pl.DataFrame, name: str, sieve: Sieve, *, required: bool = False, future: bool = False
    ) -> pl.Series:
        """Return a column of UTC seconds; what is unreadable or out of range is refused or doubted."""
        column = cells[name]
        if not required and column.null_count() == len(column):
            return pl.Series(name, [None], pl.Int64).new_from_index(0, len(column))
        read = self._reader(name).read(column)
        judge = sieve.refuse if required else sieve.doubt
        last = clock.stamp(clock.moment(0).replace(year=_LAST_YEAR + 1)) if future else self.now + int(timedelta(days=1).total_seconds())
        if required:
            judge(column.is_null(), name, None, "缺少时间", "the time is missing")
        judge(read.unread, name, column, "时间无法识别", "the time cannot be read")
        judge(read.seconds < 0, name, column, "时间早于 1970 年", "the time is before 1970")
        late = ("时间晚于 2100 年", "the time is after 2100") if future else ("时间在未来", "the time is in the future")
        judge(read.seconds >= last, name, column, *late)
        sieve.doubt(read.guessed, name, column, "日月顺序或时刻不确定，为推测值",
                    "day and month (or the hour, when clocks change) are not sure; guessed")
        fine = read.seconds.is_between(0, last - 1)
        return pl.select(pl.when(fine).then(read.seconds).alias(name)).to_series()

    def _reader(self, name: str) -> DateReader:
        if name not in self._dates:
            zone = self.spec.time_zone or self.city.timezone
            # Where nothing else tells, North America writes the month first and the rest the day.
            usual = not zone.startswith(("America/New", "America/Chi", "America/Den", "America/Los", "America/Det", "US/"))
            self._dates[name] = DateReader(
                self.city.zone if zone == self.city.timezone else type(self.city.zone)(zone),
                tuple(form for form in self.spec.time_format if form != "auto"),
                DayOrder(declared=self.spec.day_first, usual=usual),
            )
        return self._dates[name]
