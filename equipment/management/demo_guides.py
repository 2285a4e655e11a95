"""What people do by hand at the demonstration's machines, in the shape of ``equipment.machines.guide``."""

from typing import Any


def _said(code: str, fr: str, en: str, ar: str, drawing: str = "") -> dict[str, str]:
    row = {"code": code, "fr": fr, "en": en, "ar": ar}
    return {**row, "drawing": drawing} if drawing else row


_BROKEN = _said(
    "broken", "La machine est en panne.", "The machine is out of order.", "الآلة معطّلة.", "repair"
)
_OTHER = _said("other", "Autre raison.", "Another reason.", "سبب آخر.", "other")

PRINTER: dict[str, Any] = {
    "how_to": [
        _said("bed", "Vide le plateau et nettoie-le.", "Empty the plate and wipe it.", "أفرغ السطح ونظّفه."),
        _said("first", "Regarde la première couche.", "Watch the first layer.", "راقب الطبقة الأولى."),
    ],
    "checklist": [
        _said(
            "filament", "La bonne matière est dedans.", "The right material is in.", "المادة الصحيحة موجودة."
        ),
        _said("bed", "Le plateau est vide et propre.", "The plate is empty and clean.", "السطح فارغ ونظيف."),
    ],
    "failure_reasons": [
        _said("not_sticking", "Ça s’est décollé.", "It came off the plate.", "انفصل عن السطح.", "detached"),
        _said(
            "spaghetti",
            "Le fil part dans tous les sens.",
            "The strand goes everywhere.",
            "الخيط يتشتت في كل اتجاه.",
            "spaghetti",
        ),
        _said(
            "filament",
            "Il n’y avait plus de matière.",
            "The material ran out.",
            "نفدت المادة.",
            "no_material",
        ),
        _said(
            "shifted", "Les couches sont décalées.", "The layers are shifted.", "الطبقات منزاحة.", "shifted"
        ),
        _BROKEN,
        _OTHER,
    ],
    "plate_word": "plate",
}

EMBROIDERY: dict[str, Any] = {
    "how_to": [
        _said(
            "hoop",
            "Tends le tissu et le stabilisateur dans le cadre.",
            "Stretch fabric and stabiliser in the hoop.",
            "شدّ القماش والمثبّت في الإطار.",
        ),
        _said(
            "threads",
            "Change le fil quand la machine s’arrête.",
            "Change the thread when the machine stops.",
            "غيّر الخيط عندما تتوقف الآلة.",
        ),
        _said(
            "hands",
            "Garde les mains loin de l’aiguille.",
            "Keep your hands off the needle.",
            "أبعد يديك عن الإبرة.",
        ),
    ],
    "checklist": [
        _said("scrap", "Essai sur chute fait.", "Trial on scrap done.", "تمت التجربة على قطعة مهملة."),
        _said(
            "frame", "Le bon cadre est en place.", "The right hoop is in place.", "الإطار الصحيح في مكانه."
        ),
        _said("bobbin", "La canette est pleine.", "The bobbin is full.", "المكوك ممتلئ."),
        _said("free", "Le cadre bouge librement.", "The hoop moves freely.", "الإطار يتحرك بحرية."),
    ],
    "workpieces": [
        _said("tshirt", "T-shirt", "T-shirt", "قميص"),
        _said("cap", "Casquette", "Cap", "قبعة"),
        _said("bag", "Sac en tissu", "Cloth bag", "حقيبة قماش"),
        _said("patch", "Écusson", "Patch", "شارة"),
    ],
    "places": [
        _said("chest", "Devant, sur le cœur", "Front, on the heart", "الأمام، جهة القلب"),
        _said("middle", "Au milieu", "In the middle", "في الوسط"),
        _said("back", "Dans le dos", "On the back", "على الظهر"),
        _said("sleeve", "Sur la manche", "On the sleeve", "على الكم"),
    ],
    "frames": [
        _said("180x130", "Cadre 180 × 130", "Hoop 180 × 130", "إطار 180 × 130"),
        _said("100x100", "Cadre 100 × 100", "Hoop 100 × 100", "إطار 100 × 100"),
        _said("cap", "Cadre à casquette", "Cap hoop", "إطار القبعات"),
    ],
    "stabilisers": [
        _said("tear", "Stabilisateur à déchirer", "Tear-away stabiliser", "مثبّت يُمزّق"),
        _said("cut", "Stabilisateur à couper", "Cut-away stabiliser", "مثبّت يُقص"),
        _said("water", "Film qui fond à l’eau", "Film that melts in water", "غشاء يذوب في الماء"),
        _said("none", "Rien", "None", "بدون"),
    ],
    "failure_reasons": [
        _said("thread_broke", "Le fil a cassé.", "The thread broke.", "انقطع الخيط.", "no_material"),
        _said(
            "thread_nest",
            "Un nid de fils dessous.",
            "A nest of thread below.",
            "تشابكت الخيوط في الأسفل.",
            "spaghetti",
        ),
        _said("needle_broke", "L’aiguille a cassé.", "The needle broke.", "انكسرت الإبرة.", "needle"),
        _said("slipped", "Le tissu a glissé.", "The fabric slipped.", "انزلق القماش.", "shifted"),
        _BROKEN,
        _OTHER,
    ],
    "owner_operates": True,
    "plate_word": "hoop",
}

CUTTER: dict[str, Any] = {
    "how_to": [
        _said(
            "load",
            "Pose la matière bien droite sur le tapis.",
            "Lay the material straight on the mat.",
            "ضع المادة مستقيمة على اللوح.",
        ),
        _said("blade", "Ne touche pas la lame.", "Do not touch the blade.", "لا تلمس الشفرة."),
    ],
    "checklist": [
        _said("scrap", "Essai sur chute fait.", "Trial on scrap done.", "تمت التجربة على قطعة مهملة."),
        _said(
            "side",
            "La matière est du bon côté.",
            "The material lies the right way up.",
            "المادة على الوجه الصحيح.",
        ),
        _said(
            "blade",
            "La lame va pour cette matière.",
            "The blade suits this material.",
            "الشفرة مناسبة لهذه المادة.",
        ),
    ],
    "workpieces": [
        _said("sticker", "Autocollant", "Sticker", "ملصق"),
        _said("transfer", "Transfert pour textile", "Transfer for textile", "نقل على القماش"),
        _said("stencil", "Pochoir", "Stencil", "مفرّغ"),
    ],
    "frames": [
        _said("mat-30", "Tapis 30 cm", "Mat 30 cm", "لوح 30 سم"),
        _said("roll", "Rouleau, sans tapis", "Roll, without mat", "لفة بدون لوح"),
    ],
    "failure_reasons": [
        _said("lifted", "La matière s’est décollée.", "The material came off.", "انفصلت المادة.", "detached"),
        _said("not_through", "Pas coupé à fond.", "Not cut through.", "لم يُقطع بالكامل.", "clogged"),
        _said("torn", "La matière est déchirée.", "The material is torn.", "تمزقت المادة.", "spaghetti"),
        _said("slipped", "La matière a glissé.", "The material slipped.", "انزلقت المادة.", "shifted"),
        _BROKEN,
        _OTHER,
    ],
    "mirror": False,
    "mirror_for": ["transfer", "Flex"],  # ironed on upside down
    "owner_operates": True,
    "plate_word": "mat",
}
