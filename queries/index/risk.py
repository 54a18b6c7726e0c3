"""风险监测: are hazards put right before they hurt?"""

from queries.index._dimension import VOLUME, Dimension, either, fed, lacking, made

DIMENSION = Dimension(
    id="risk", title={"zh": "风险监测", "en": "Risk watch"}, order=50, weight=20, basis="五个维度等权：未见官方权重",
    indicators=(
        fed("RSK01", "预警处置及时率", "Warnings handled on time", "时限内处置的预警 ÷ 应处置的", "Handled in time ÷ warnings due", 0.70, 1.00),
        lacking("RSK02", "红橙预警密度", "Red and orange warnings per 10k", *VOLUME),
        fed("RSK03", "高风险网格占比", "High-risk grids", "月末红橙网格 ÷ 网格", "Grids red or orange at the end of the month ÷ grids", 0.20, 0.00),
        made("RSK04", "隐患整改率", "Hazards put right", "消防、房屋安全、突发事件应结的中已结的 ÷ 应结的", "Fire, buildings, emergencies: closed ÷ due", 0.70, 1.00,
             "cases.due_closed@fire,buildings,emergencies", "cases.due@fire,buildings,emergencies", opens="overdue", mix=True),
        fed("RSK05", "预警提前量", "Lead time", "预警到事件的小时中位数", "Median hours from warning to event", 0, 24, "value"),
        fed("RSK06", "漏警率", "Missed events", "事前无预警的重大事件 ÷ 重大事件", "Serious events without a warning ÷ serious events", 0.80, 0.20),
        either(made("RSK07", "重复风险点占比", "Recurring risk points", "截至期末九十天内三次以上报警的点 ÷ 有报警的点", "Points with three alarms or more in the 90 days to the period's end ÷ points with any", 0.30, 0.05,
                    "alarms.often", "alarms.points"), "有报警的传感器", "sensors with alarms"),
    ),
)
