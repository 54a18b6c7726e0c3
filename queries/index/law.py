"""法治建设度: are disputes settled, is work handed out by the rules, do departments come when called?"""

from queries.index._dimension import Dimension, fed, made

DIMENSION = Dimension(
    id="law", title={"zh": "法治建设度", "en": "Rule of law"}, order=20, weight=20, basis="五个维度等权：未见官方权重",
    indicators=(
        made("LAW01", "矛盾纠纷化解率", "Disputes settled", "应结的纠纷中已结的 ÷ 应结的纠纷", "Settled ÷ disputes due", 0.80, 0.98, "cases.due_closed@disputes", "cases.due@disputes", opens="overdue"),
        made("LAW02", "依法分派准确率", "Correct first dispatch", "1 − 首派被退回数 ÷ 首次派遣数", "1 − first dispatches returned ÷ first dispatches", 0.85, 0.98,
             "first_dispatched", "first_dispatched", "first_returned", opens="first_dispatch"),
        made("LAW03", "部门报到及时率", "Departments in time", "按时报到数 ÷ 哨数", "Arrived in time ÷ whistles", 0.80, 1.00, "arrived_on_time", "whistles", opens="arrival"),
        made("LAW04", "执法类案件按期办结率", "Enforcement on time", "秩序、市容、广告类按期结案的 ÷ 应结案的", "Order, appearance and advertising: on time ÷ due", 0.70, 1.00,
             "cases.due_on_time@order,appearance,advertising", "cases.due@order,appearance,advertising", opens="overdue", mix=True),
        made("LAW05", "清单外任务占比", "Unlisted tasks", "清单外被拒派遣 ÷（派遣 + 清单外被拒）", "Refused: not on the list ÷ (dispatched + refused)", 0.10, 0.00, "refused", "dispatched refused"),
        fed("LAW06", "申诉改判率", "Appeals overturned", "改判的申诉 ÷ 已决的申诉", "Appeals upheld ÷ appeals decided", 0.40, 0.05),
        made("LAW07", "强制结案占比", "Forced closes", "强制结案数 ÷ 结案操作数", "Forced closes ÷ closes", 0.05, 0.00, "forced", "closed", opens="forced"),
    ),
)
