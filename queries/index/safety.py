"""社会安全度: are the things that were reported brought to an end, in time and for good?"""

from queries.index._dimension import VOLUME, Dimension, either, fed, lacking, made

DIMENSION = Dimension(
    id="safety", title={"zh": "社会安全度", "en": "Public safety"}, order=10, weight=20, basis="五个维度等权：未见官方权重",
    indicators=(
        lacking("SAF01", "万人治安类事件数", "Public-order events per 10k", *VOLUME), lacking("SAF02", "万人消防隐患数", "Fire hazards per 10k", *VOLUME),
        lacking("SAF03", "万人交通安全事件数", "Traffic-safety events per 10k", *VOLUME),
        lacking("SAF04", "万人生产与食药安全事件数", "Work, food and drug safety events per 10k", *VOLUME),
        made("SAF05", "结案率", "Closure rate", "应结案中已结案的 ÷ 应结案数", "Closed ÷ should close", 0.80, 1.00, "cases.due_closed", "cases.due", opens="overdue", mix=True),
        made("SAF06", "按期结案率", "On-time rate", "应结案中按期结案的 ÷ 应结案数", "Closed on time ÷ should close", 0.70, 1.00, "cases.due_on_time", "cases.due", opens="overdue", mix=True),
        either(made("SAF07", "紧急案件按期结案率", "Urgent cases on time", "紧急且按期结案的 ÷ 紧急且应结案的", "Urgent and on time ÷ urgent and due", 0.70, 1.00,
                    "cases.urgent_on_time", "cases.urgent_due", opens="overdue", basis="尺度同按期结案率：在 95%–100% 的尺度上，一个区的一两件紧急案件就占满量程"), "注明紧急的应结案件", "due cases that are marked as urgent"),
        made("SAF08", "返工率", "Rework rate", "核查未通过数 ÷ 核查数", "Failed checks ÷ checks", 0.05, 0.00, "failed", "checked", opens="rework"),
        fed("SAF09", "平均处置时长比", "Handling-time ratio", "用时之和 ÷ 时限之和（同一时钟）", "Time used ÷ time allowed, by the same clock", 1.0, 0.4, "ratio",
            why=("用时没有按时限所用的时钟（扣除挂起与非工作时段）累计", "the time used is not summed by the clock of the limit (without suspensions and nights)")),
    ),
)
