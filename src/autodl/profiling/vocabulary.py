"""Words in column names that tell what a column is for, in several languages."""

from __future__ import annotations

from autodl.profiling.words import plain


def _words(text: str) -> frozenset[str]:
    return frozenset(plain(w) for w in text.split())


GENERIC_NAMES = _words("""
    target label labels class y outcome response dependent ground_truth groundtruth truth is_target
    ziel zielvariable zielgröße klasse etikett ergebnis cible classe étiquette résultat objetivo clase etiqueta
    resultado alvo rótulo obiettivo etichetta risultato doel doelvariabele klas cel klasa etykieta hedef sınıf etiket
    sonuç mål klass цель метка класс таргет целевая 目标 目标变量 标签 类别 结果 目標 標籤 目的変数 ラベル クラス 正解
    타깃 타겟 라벨 레이블 클래스 목표
""")
"""Names that say "this is what is predicted"."""

TOPIC_NAMES = _words("""
    price churn churned exited attrition survived survival default defaulted fraud is_fraud diagnosis sentiment spam
    species income salary sales revenue charges cost rating quality score strength yield demand cancelled canceled
    converted conversion clicked click purchased purchase subscribed approved loan_status readmitted malignant
    disease died death failure failed success result status grade risk consumption rings medv rent saleprice value
    type category preis umsatz kündigung gekündigt kosten betrug verkauf gehalt prix ventes fraude coût désabonnement
    revenu précio precio ventas abandono coste preço vendas custo prezzo vendite costo prijs verkoop omzet cena fiyat
    satış цена продажи отток доход 价格 售价 房价 销量 流失 是否流失 欺诈 收入 価格 売上 解約 生存 가격 매출 이탈
""")
"""Names of things that people usually want to predict; a weaker sign."""

DESCRIPTIONS = _words("type category status grade class")
"""Names of targets that are as often words of a feature: they count less alone, and nothing in a longer name."""

CLASS_WORDS = _words("class label type category species digit cluster segment kind code status klasse classe")
"""Whole numbers under such a name are names of groups."""

NUMBER_WORDS = _words("""
    count number num n quantity age year years days months hours score rating quality rank level price cost amount
    total sum grade size length duration rings points
""")
"""Whole numbers under such a name are quantities."""

KEY_WORDS = _words("id key uuid guid kennung nummer identifiant identificador codigo")
"""The column holds keys."""

ENTITY_WORDS = _words("""
    customer client patient user account person member household machine device subject student employee store shop
    vehicle session kunde cliente paciente utilisateur participant respondent driver player athlete
""")
"""Whoever several rows may belong to."""

PART_WORDS = _words("engine unit")
"""The same only where they are counted, for they are measured as well."""

COUNTING_WORDS = _words("no nr nbr num number code name")
"""Beside a word for somebody, as in ``patient_nbr``, they make a key of it."""

BIRTH_WORDS = _words("dob birth birthdate birthday born geburtsdatum naissance")
"""A date of birth orders persons, not the rows."""

EARLIER_WORDS = _words("previous prior last past before pre prev p initial planned expected scheduled estimated")
"""The column speaks of an earlier occasion or of a forecast."""

AFTERWARDS = (
    "duration", "outcome", "result", "closed", "closing", "close date", "resolved", "resolution", "completed",
    "completion", "finished", "ended", "end date", "end time", "cancelled", "canceled", "cancellation", "cancel date",
    "churn date", "churn reason", "exit date", "exit reason", "termination", "terminated", "discharge", "discharged",
    "death", "died", "deceased", "survival time", "total paid", "total payment", "total pymnt", "recoveries",
    "recovered", "collection", "charged off", "chargeoff", "refund", "refunded", "returned", "delivered",
    "delivery date", "paid at", "payment date", "final", "actual", "post", "after", "feedback", "verdict", "approved",
    "rejected", "settled", "settlement", "claim paid", "payout", "last payment", "dauer", "ergebnis", "beendet",
    "abgeschlossen", "gekündigt", "kündigungsdatum", "durée", "résultat", "terminé", "clôturé", "duración",
    "resultado", "terminado", "cerrado", "finalizado", "durata", "risultato", "chiuso", "duração", "encerrado",
    "结果", "时长", "结束时间", "完成时间", "关闭时间", "期間", "終了日", "完了日",
)  # fmt: skip
"""Words and word pairs of columns that are often written down only after the outcome is known."""

MAIL_AND_POSTS = _words("code codes number office offices town box address city id ids type title text length count")
"""After "post" these speak of mail or of a message, not of a time."""
