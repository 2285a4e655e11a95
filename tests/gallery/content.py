"""What the gallery shows: one lab on a busy afternoon, in French and Arabic."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language

ARABIC = {
    "Accueil": "البداية",
    "Réserver": "حجز",
    "Mes objets": "طلباتي",
    "Machines": "الآلات",
    "Ateliers": "الورش",
    "Moi": "أنا",
    "Bonjour Renard": "أهلًا رنار",
    "Le fab lab est ouvert jusqu’à 19 h.": "الفاب لاب مفتوح حتى الساعة 19:00.",
    "Libre": "متاحة",
    "Occupée": "مشغولة",
    "Occupée hors file": "مشغولة بعمل من خارج القائمة",
    "À vider": "يجب إفراغها",
    "Besoin d'aide": "تحتاج إلى مساعدة",
    "En panne": "معطّلة",
    "On vérifie la machine": "نتحقق من الآلة",
    "Imprimante 3D": "طابعة ثلاثية الأبعاد",
    "Brodeuse": "آلة تطريز",
    "Découpe vinyle": "آلة قص الفينيل",
    "Buse": "الفوهة",
    "Plateau": "السطح",
    "vers 15 h 45": "نحو الساعة 15:45",
    "Libre dès 16 h": "متاحة من الساعة 16:00",
    "Plateau vide": "السطح فارغ",
    "Plateau vide, lancer": "السطح فارغ، تشغيل",
    "Pause": "إيقاف مؤقت",
    "Arrêter": "إيقاف",
    "Appuie aussi sur le bouton de la machine.": "يجب أيضًا الضغط على زر الآلة.",
    "Réserver cette machine": "حجز هذه الآلة",
    "Porte-clés étoile": "حمالة مفاتيح نجمة",
    "Ça imprime": "الطباعة جارية",
    "En attente – 3e, vers 15 h 45": "في الانتظار – دورك 3، نحو الساعة 15:45",
    "Raté – on recommence ?": "لم ينجح – هل نعيد المحاولة؟",
    "Terminé – viens le chercher (étagère B)": "اكتمل – يمكنك استلامه (الرف B)",
    "À corriger – voici pourquoi": "يحتاج إلى تعديل – إليك السبب",
    "Fichier reçu – un animateur va le regarder": "وصلنا ملفك – سيطّلع عليه مشرف",
    "Refusé – voici pourquoi": "مرفوض – إليك السبب",
    "Trop grand pour la machine": "كبير جدًا على هذه الآلة",
    "Fichier": "الملف",
    "Accord": "الموافقة",
    "Attente": "الانتظار",
    "Machine": "الآلة",
    "Étagère": "الرف",
    "Choisis un créneau": "اختيار موعد",
    "mardi 24 novembre": "الثلاثاء 24 نوفمبر",
    "mercredi 25 novembre": "الأربعاء 25 نوفمبر",
    "Confirmer": "تأكيد",
    "Ton fichier": "ملفك",
    "Ton code": "رمزك",
    "Ton prénom ou un surnom": "اسمك أو لقب",
    "Il sert à t’appeler.": "نستعمله لمناداتك.",
    "Ce code ne marche pas.": "هذا الرمز غير صحيح.",
    "Rien ici pour le moment": "لا شيء هنا الآن",
    "Imprimer un objet": "طباعة طلب",
    "Réduis l’objet, ou choisis une autre machine.": "يمكن تصغيره أو اختيار آلة أخرى.",
    "Choisir une autre machine": "اختيار آلة أخرى",
    "Créneau annulé.": "أُلغي الموعد.",
    "Visites": "الزيارات",
    "Objets faits": "الطلبات المنجزة",
    "Heures utilisées": "ساعات الاستعمال",
    "Tu aides Renard 27": "تساعد رنار 27",
    "Terminer": "إنهاء",
    "Machines simulées, pour apprendre": "آلات محاكاة للتعلم",
}


def w(french: str) -> str:
    """Return the sentence in the gallery's language; English readers see the French one here."""
    return ARABIC.get(french, french) if get_language() == "ar" else french


def machines(at: datetime) -> list[dict[str, Any]]:
    """Return one machine in each state, some with orders for staff."""
    just_now, long_ago = at - timedelta(seconds=2), at - timedelta(seconds=40)
    clear = {"url": "#", "label": w("Plateau vide"), "icon": "check", "style": "primary"}
    heat = [
        {"label": w("Buse"), "actual": 205.4, "target": 210, "bind": "temperatures.nozzle"},
        {"label": w("Plateau"), "actual": 60, "target": 60, "bind": "temperatures.bed"},
    ]
    common = {"kind_label": w("Imprimante 3D"), "drawing": "printer", "picture_alt": "", "url": "#"}
    book = {"url": "#", "label": w("Réserver cette machine"), "icon": "calendar", "method": "get"}
    return [
        {**common, "id": "m1", "name": "Ada", "state": "free", "state_label": w("Libre"), "observed": True,
         "seen_at": just_now, "actions": [book]},
        {**common, "id": "m2", "name": "Grace", "state": "busy", "state_label": w("Occupée"),
         "observed": True,
         "seen_at": just_now, "percent": 42, "percent_bind": "current_job.progress.percent",
         "estimate_label": w("vers 15 h 45"), "temperatures": heat,
         "job": {"title": w("Porte-clés étoile"), "url": "#", "code": "A7K-2Q9"},
         "actions": [{"url": "#", "label": w("Pause"), "icon": "pause"},
                     {"url": "#", "label": w("Arrêter"), "icon": "stop", "style": "danger",
                      "note": w("Appuie aussi sur le bouton de la machine.")}]},
        {**common, "id": "m3", "name": "Katherine", "state": "needs_clearing", "state_label": w("À vider"),
         "observed": True, "seen_at": just_now, "actions": [clear]},
        {**common, "id": "m4", "name": "Hedy", "state": "busy", "state_label": w("Occupée"), "observed": True,
         "seen_at": long_ago, "percent": 73, "percent_bind": "current_job.progress.percent",
         "estimate_label": w("vers 15 h 45")},
        {**common, "id": "m5", "name": "Brodeuse 1", "kind_label": w("Brodeuse"), "drawing": "embroidery",
         "state": "needs_help", "state_label": w("Besoin d'aide")},
        {**common, "id": "m6", "name": "Marie", "state": "unreachable", "observed": True, "seen_at": long_ago,
         "state_label": w("On vérifie la machine")},
        {**common, "id": "m7", "name": "Découpe A", "kind_label": w("Découpe vinyle"), "drawing": "cutter",
         "state": "out_of_order", "state_label": w("En panne")},
        {**common, "id": "m8", "name": "Emmy", "state": "busy_elsewhere", "state_label": w("Occupée hors file"),
         "observed": True, "seen_at": just_now, "next_free_label": w("Libre dès 16 h")},
    ]  # fmt: skip


def jobs(at: datetime) -> list[dict[str, Any]]:
    """Return one person's objects."""
    title = w("Porte-clés étoile")
    pick = {"url": "#", "label": w("Choisir une autre machine"), "method": "get"}
    return [
        {"id": "j1", "title": title, "url": "#", "state": "running", "state_label": w("Ça imprime"),
         "live": True,
         "follow": True, "observed": True, "seen_at": at, "percent": 42, "percent_bind": "progress.percent",
         "estimate_label": w("vers 15 h 45"), "code": "A7K-2Q9", "drawing": "not_solid"},
        {"id": "j2", "title": title, "url": "#", "state": "queued", "drawing": "printer",
         "state_label": w("En attente – 3e, vers 15 h 45")},
        {"id": "j3", "title": title, "url": "#", "state": "needs_changes", "drawing": "too_big",
         "state_label": w("À corriger – voici pourquoi"), "detail": w("Trop grand pour la machine"),
         "actions": [pick]},
        {"id": "j4", "title": title, "url": "#", "state": "ready", "drawing": "empty_done",
         "state_label": w("Terminé – viens le chercher (étagère B)")},
        {"id": "j5", "title": title, "url": "#", "state": "failed", "drawing": "spaghetti",
         "state_label": w("Raté – on recommence ?")},
        {"id": "j6", "title": title, "url": "#", "state": "submitted", "drawing": "machine",
         "state_label": w("Fichier reçu – un animateur va le regarder")},
    ]  # fmt: skip


def everything() -> dict[str, Any]:
    """Return the whole context of the gallery page."""
    at = timezone.now()
    at_two = {"at": datetime(2026, 11, 24, 13, 30, tzinfo=UTC), "at_label": "14:30"}
    smaller = w("Réduis l’objet, ou choisis une autre machine.")
    slots = [{"value": str(hour), "label": f"{hour}:00 – {hour + 1}:00"} for hour in (10, 11, 14, 15, 16, 17)]
    slots[1]["checked"] = "yes"
    return {
        "site_name": "Fab lab Saint-Ouen",
        "nav": [
            {"url": "/", "label": w("Accueil"), "icon": "home", "current": True},
            {"url": "#", "label": w("Réserver"), "icon": "calendar"},
            {"url": "#", "label": w("Mes objets"), "icon": "box", "count": 3},
            {"url": "#", "label": w("Ateliers"), "icon": "workshop"},
            {"url": "#", "label": w("Moi"), "icon": "user"},
        ],
        "desk": {"label": w("Tu aides Renard 27"), "leave_url": "#", "leave_label": w("Terminer")},
        "demo": w("Machines simulées, pour apprendre"),
        "title": w("Bonjour Renard"),
        "intro": w("Le fab lab est ouvert jusqu’à 19 h."),
        "machines": machines(at),
        "jobs": jobs(at),
        "steps": [
            {"label": w("Fichier"), "state": "done"},
            {"label": w("Accord"), "state": "done"},
            {"label": w("Attente"), "state": "now"},
            {"label": w("Machine"), "state": "next"},
            {"label": w("Étagère"), "state": "next"},
        ],
        "events": [
            {"state": "submitted", "sentence": w("Fichier reçu – un animateur va le regarder"), **at_two},
            {"state": "running", "sentence": w("Ça imprime"), **at_two, "who": "Grace"},
            {"state": "failed", "sentence": w("Raté – on recommence ?"), **at_two},
        ],
        "days": [
            {"heading": w("mardi 24 novembre"), "slots": slots},
            {"heading": w("mercredi 25 novembre"), "slots": [dict(slot, checked="") for slot in slots[:3]]},
        ],
        "legend": w("Choisis un créneau"),
        "confirm": w("Confirmer"),
        "file": {"id": "file", "name": "file", "label": w("Ton fichier"),
                 "accepted_label": "STL, 3MF, G-code, DST, SVG",
                 "limit_label": "100 Mo", "accept": ".stl,.3mf,.gcode,.dst,.svg", "limit_bytes": 100_000_000},
        "name_field": {"id": "name", "name": "name", "label": w("Ton prénom ou un surnom"),
                       "help": w("Il sert à t’appeler.")},
        "code_field": {"id": "pin", "name": "pin", "type": "password", "label": w("Ton code"),
                       "error": w("Ce code ne marche pas.")},
        "problems": [{"sentence": w("Ce code ne marche pas."), "field_id": "pin"}],
        "findings": [
            {"severity": "blocks", "sentence": w("Trop grand pour la machine"), "next": smaller},
            {"severity": "ask", "sentence": w("Fichier reçu – un animateur va le regarder")},
            {"severity": "info", "sentence": w("Libre dès 16 h")},
        ],
        "refusal": {"code": "too_big", "sentence": w("Trop grand pour la machine"),
                    "next": smaller,
                    "action": {"url": "#", "label": w("Choisir une autre machine"), "method": "get",
                               "style": "primary"}},
        "undo": {"sentence": w("Créneau annulé."), "url": "#", "until": at + timedelta(seconds=10)},
        "size_mm": (42.4, 60, 24),
        "stats": [{"label": w("Visites"), "value": "1 248"}, {"label": w("Objets faits"), "value": "312"},
                  {"label": w("Heures utilisées"), "value": "940"}],
        "empty": w("Rien ici pour le moment"),
        "send": {"url": "#", "label": w("Imprimer un objet"), "icon": "upload", "method": "get",
                 "style": "primary", "large": True},
        "code_label": w("Ton code"),
    }  # fmt: skip
