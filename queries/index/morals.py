"""德治建设度: are people heard, are their troubles solved, and solved near to them?"""

from queries.index._dimension import Dimension, lacking, made

DIMENSION = Dimension(
    id="morals", title={"zh": "德治建设度", "en": "Civic virtue"}, order=30, weight=20, basis="五个维度等权：未见官方权重",
    indicators=(
        made("MOR01", "群众满意率", "Satisfaction", "（满意 + 0.9 × 基本满意）÷ 有效回访数", "(satisfied + 0.9 × basically) ÷ valid call-backs", 0.70, 0.97, "satisfied 0.9*basic", "valid", opens="satisfied"),
        made("MOR02", "诉求解决率", "Solve rate", "已解决 ÷ 有效回访数", "Solved ÷ valid call-backs", 0.60, 0.97, "solved", "valid", opens="solved"),
        made("MOR03", "响应率", "Response rate", "已联系 ÷ 有效回访数", "Contacted ÷ valid call-backs", 0.90, 1.00, "contacted", "valid", opens="response"),
        made("MOR04", "网格内自行化解率", "Solved inside the grid", "自行处置数 ÷ 结案操作数", "Solved on the spot ÷ closes", 0.40, 0.85, "on_site", "closed"),
        made("MOR05", "重复诉求率", "Repeats", "并案数 ÷ 上报数", "Merged as repeats ÷ reported", 0.20, 0.02, "merged", "cases.reported", opens="repeat"),
        lacking("MOR06", "公众参与上报占比", "Public participation", "汇总未分上报渠道", "sums are not kept by channel"),
        lacking("MOR07", "主动发现率", "Found before complaint", "汇总未分上报渠道", "sums are not kept by channel"),
    ),
)
