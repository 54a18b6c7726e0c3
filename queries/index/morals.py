"""德治建设度: are people heard, are their troubles solved, and solved near to them?"""

from queries.index._dimension import Dimension, either, made

#: What must be known for shares of who found a case.
ORIGIN = ("渠道可辨来源的上报", "reports whose channel tells who found them")

DIMENSION = Dimension(
    id="morals", title={"zh": "德治建设度", "en": "Civic virtue"}, order=30, weight=20, basis="五个维度等权：未见官方权重",
    indicators=(
        made("MOR01", "群众满意率", "Satisfaction", "（满意 + 0.9 × 基本满意）÷ 有效回访数", "(satisfied + 0.9 × basically) ÷ valid call-backs", 0.70, 0.97, "satisfied 0.9*basic", "valid", opens="satisfied"),
        made("MOR02", "诉求解决率", "Solve rate", "已解决 ÷ 有效回访数", "Solved ÷ valid call-backs", 0.60, 0.97, "solved", "valid", opens="solved"),
        made("MOR03", "响应率", "Response rate", "已联系 ÷ 有效回访数", "Contacted ÷ valid call-backs", 0.90, 1.00, "contacted", "valid", opens="response"),
        made("MOR04", "网格内自行化解率", "Solved inside the grid", "自行处置数 ÷ 结案操作数", "Solved on the spot ÷ closes", 0.40, 0.85, "on_site", "closed"),
        made("MOR05", "重复诉求率", "Repeats", "并案数 ÷ 上报数", "Merged as repeats ÷ reported", 0.20, 0.02, "merged", "cases.reported", opens="repeat"),
        either(made("MOR06", "公众参与上报占比", "Public participation", "居民与志愿者上报 ÷ 来源已知的上报", "Reports by residents and volunteers ÷ reports of known origin", 0.05, 0.40,
                    "cases.public", "cases.found cases.called cases.public"), *ORIGIN),
        either(made("MOR07", "主动发现率", "Found before complaint", "网格与感知发现 ÷（发现 + 同类热线）", "Found by grid or sensor ÷ (found + hotline of the same kind)", 0.30, 0.80,
                    "cases.found", "cases.found cases.called"), *ORIGIN, alike=True),
    ),
)
