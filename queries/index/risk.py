"""风险监测: are hazards put right before they hurt?"""

from queries.index._dimension import VOLUME, WARNINGS, Dimension, lacking, made

DIMENSION = Dimension(
    id="risk", title={"zh": "风险监测", "en": "Risk watch"}, order=50, weight=20, basis="五个维度等权：未见官方权重",
    indicators=(
        lacking("RSK01", "预警处置及时率", "Warnings handled on time", *WARNINGS), lacking("RSK02", "红橙预警密度", "Red and orange warnings per 10k", *VOLUME),
        lacking("RSK03", "高风险网格占比", "High-risk grids", *WARNINGS),
        made("RSK04", "隐患整改率", "Hazards put right", "消防、房屋安全、突发事件应结的中已结的 ÷ 应结的", "Fire, buildings, emergencies: closed ÷ due", 0.70, 1.00,
             "cases.due_closed@fire,buildings,emergencies", "cases.due@fire,buildings,emergencies", opens="overdue"),
        lacking("RSK05", "预警提前量", "Lead time", *WARNINGS), lacking("RSK06", "漏警率", "Missed events", *WARNINGS), lacking("RSK07", "重复风险点占比", "Recurring risk points", *WARNINGS),
    ),
)
