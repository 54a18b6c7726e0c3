"""The words of the demo city: made-up names, and the kinds of things that happen in any city."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

DISTRICTS = ("云中", "望川", "临江", "青岚", "石埠", "南浦", "东屿", "西塘", "北麓")
_FIRST = "云望临青石永和安福文德景春丰华明锦秀长清金玉白红新"
_LAST = "岚川浦屿塘麓桥亭渡洲坪岗苑溪湾泉台垣"

#: code: (zh, en, department, limit in hours, weight, kinds)
CATEGORIES: dict[str, tuple[str, str, str, int, float, tuple[str, ...]]] = {
    "appearance": ("市容环境", "City appearance", "urban", 24, 24, ("暴露垃圾", "道路不洁", "乱堆物料", "积存渣土", "沿街晾挂")),
    "order": ("街面秩序", "Street order", "urban", 12, 18, ("占道经营", "店外经营", "非机动车乱停放", "占道废品收购")),
    "utilities": ("公用设施", "Public utilities", "works", 72, 10, ("井盖破损", "路灯不亮", "雨箅堵塞", "通信箱破损")),
    "roads": ("道路交通", "Roads and traffic", "transport", 72, 10, ("路面坑洼", "护栏损坏", "标线不清", "信号灯故障")),
    "greening": ("园林绿化", "Greening", "parks", 96, 6, ("树木倒伏", "绿地脏乱", "行道树缺株")),
    "advertising": ("宣传广告", "Advertising", "urban", 48, 7, ("乱张贴小广告", "广告牌破损", "违规横幅")),
    "construction": ("施工管理", "Construction", "housing", 48, 5, ("施工扬尘", "夜间施工", "围挡不规范")),
    "fire": ("消防安全", "Fire safety", "emergency", 24, 6, ("消防通道堵塞", "飞线充电", "灭火器过期", "楼道堆物")),
    "disputes": ("矛盾纠纷", "Disputes", "justice", 168, 5, ("噪声扰民", "邻里漏水", "物业服务", "停车纠纷")),
    "buildings": ("房屋安全", "Building safety", "housing", 120, 3, ("外墙脱落", "违规搭建", "房屋渗漏")),
    "water": ("水务环保", "Water and environment", "ecology", 48, 4, ("河道漂浮物", "污水外溢", "油烟扰民")),
    "emergencies": ("突发事件", "Emergencies", "emergency", 4, 2, ("道路积水", "水管爆裂", "路面塌陷", "燃气异味")),
}
KINDS_EN = {
    "暴露垃圾": "Exposed litter", "道路不洁": "Dirty road", "乱堆物料": "Heaped materials", "积存渣土": "Heaped soil", "沿街晾挂": "Washing hung on the street",
    "占道经营": "Trading on the road", "店外经营": "Trading outside the shop", "非机动车乱停放": "Bicycles parked anywhere", "占道废品收购": "Scrap buying on the road",
    "井盖破损": "Broken manhole cover", "路灯不亮": "Street light out", "雨箅堵塞": "Blocked drain", "通信箱破损": "Broken telecom box",
    "路面坑洼": "Pothole", "护栏损坏": "Broken guard rail", "标线不清": "Worn road marking", "信号灯故障": "Traffic light fault",
    "树木倒伏": "Fallen tree", "绿地脏乱": "Untidy green", "行道树缺株": "Missing street tree",
    "乱张贴小广告": "Illegal small bills", "广告牌破损": "Broken billboard", "违规横幅": "Unlawful banner",
    "施工扬尘": "Construction dust", "夜间施工": "Building at night", "围挡不规范": "Faulty hoarding",
    "消防通道堵塞": "Blocked fire lane", "飞线充电": "Charging by hanging cable", "灭火器过期": "Expired extinguisher", "楼道堆物": "Things left in a stairway",
    "噪声扰民": "Noise", "邻里漏水": "Leak between neighbours", "物业服务": "Property service", "停车纠纷": "Parking dispute",
    "外墙脱落": "Falling facade", "违规搭建": "Unlawful building", "房屋渗漏": "Leaking house",
    "河道漂浮物": "Floating rubbish in a river", "污水外溢": "Sewage overflow", "油烟扰民": "Kitchen fumes",
    "道路积水": "Flooded road", "水管爆裂": "Burst water pipe", "路面塌陷": "Road collapse", "燃气异味": "Smell of gas",
}
DEPARTMENTS = {
    "urban": ("城市管理局", "Urban Management"), "works": ("市政公用局", "Public Works"),
    "transport": ("交通运输局", "Transport"), "parks": ("园林局", "Parks"), "housing": ("住房建设局", "Housing and Construction"),
    "emergency": ("应急管理局", "Emergency Management"), "justice": ("司法局", "Justice"), "ecology": ("生态环境局", "Ecology"),
}
CHANNELS = (("网格员上报", 0.55), ("12345 热线", 0.2), ("公众上报", 0.12), ("视频发现", 0.09), ("传感器", 0.04))
STATUSES = ("reported", "filed", "dispatched", "handling", "verifying", "closed", "cancelled")
STATUS_WORDS = {"采集": "reported", "立案": "filed", "派遣": "dispatched", "处置": "handling", "核查": "verifying", "结案": "closed", "作废": "cancelled"}

#: (stage, kind, urgent, amount, clock): limits that hold for every category, and those of emergencies and whistles.
LIMITS: tuple[tuple[str, str, bool | None, float, str], ...] = (
    ("file", "", None, 0.5, "work_hour"), ("dispatch", "", None, 1, "work_hour"), ("accept", "", None, 2, "work_hour"),
    ("verify", "", None, 1, "work_day"), ("close", "", None, 1, "work_day"),
    ("file", "", True, 0.25, "urgent_hour"), ("dispatch", "", True, 0.25, "urgent_hour"), ("accept", "", True, 0.5, "urgent_hour"),
    ("verify", "", True, 4, "urgent_hour"), ("close", "", True, 4, "urgent_hour"),
    ("arrive", "emergency", None, 0.5, "urgent_hour"), ("arrive", "joint", None, 1, "work_day"), ("arrive", "demand", None, 1, "work_day"),
)
#: Of a category's hours, the part that is for handling; the rest is for the stages around it.
HANDLING = 0.75
#: What the limits of a made-up city stand on: a kind of source, never a real paper.
BASIS = "示例：参照各地数字城管立案结案规范"
BASIS_ARRIVE = "示例：参照各地吹哨报到工作规则"
BASIS_LIST = "示例：虚构的职责事项清单，不是真实文件"
BASIS_TEMPORARY = "示例：虚构的专项工作通知，到期自动退出"

#: (category, department, zh, en): work that a second department shares, and work that grids do themselves.
SHARED = (
    ("construction", "ecology", "施工扬尘监测", "Dust from construction sites"),
    ("buildings", "urban", "违规搭建查处", "Unlawful building"),
    ("fire", "urban", "占用消防通道的摊点清理", "Stalls in fire lanes"),
    ("order", "transport", "非机动车停放秩序", "Parking of bicycles"),
    ("water", "works", "排水管网疏通", "Clearing of drains"),
    ("emergencies", "works", "管网与路面抢修", "Emergency repair of pipes and roads"),
    ("emergencies", "transport", "突发事件交通疏导", "Traffic at emergencies"),
    ("greening", "works", "影响市政设施的树木处置", "Trees that endanger utilities"),
)
GRID_ITEMS = (
    ("appearance", "urban", "零星垃圾清理", "Small litter"),
    ("advertising", "urban", "小广告清除", "Removal of small bills"),
    ("disputes", "justice", "邻里纠纷初步调解", "First mediation between neighbours"),
    ("fire", "emergency", "楼道堆物劝导", "Talking about things left in stairways"),
)
#: (category, department, zh, en, first day, first day without it), both counted from today.
TEMPORARY = (
    ("emergencies", "ecology", "汛期积水点巡查", "Patrol of places that flood", -30, 60),
    ("order", "emergency", "大型活动周边秩序保障", "Order around a large event", -5, 9),
    ("appearance", "parks", "春季绿地环境整治", "Spring cleaning of green land", -80, -20),
)


def pairs(rng: np.random.Generator, n: int) -> list[str]:
    """Return n different two-character names; beyond the pairs that exist, with a number."""
    every = [a + b for a in _FIRST for b in _LAST]
    order = rng.permutation(len(every))
    return [every[order[i % len(every)]] + (_number(i // len(every)) if i >= len(every) else "") for i in range(n)]


def _number(n: int) -> str:
    digits = "零一二三四五六七八九"
    if n < 10:
        return digits[n]
    tens, ones = divmod(n, 10)
    return ("" if tens == 1 else _number(tens) if tens > 9 else digits[tens]) + "十" + (digits[ones] if ones else "")


@lru_cache(maxsize=65_536)
def english(name: str) -> str:
    """Return a Chinese name in pinyin, written as one word."""
    from pypinyin import (
        lazy_pinyin,  # its dictionary is read for a second, and a server that only starts again needs it not
    )

    return "".join(lazy_pinyin(name)).capitalize()
