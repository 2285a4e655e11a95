"""UX-3: embroidery files get the right verdict, a plain French sentence and a next step."""

from pathlib import Path

import pytest
from django.utils import translation

from jobs.inspection import registry
from jobs.inspection.findings import Severity
from jobs.inspection.judge import judge
from jobs.uploads.words import next_step, say_finding
from tests.samples import find

# file, verdict, the sentence beside it
VERDICTS = [
    ("badge.dst", "good", "Le cadre qu’il faut : 100 × 100."),
    ("badge.pes", "good", "Le cadre qu’il faut : 100 × 100."),
    ("badge_v6.pes", "good", "Le cadre qu’il faut : 100 × 100."),
    ("large.pes", "good", "Le cadre qu’il faut : 180 × 130."),
    ("single.dst", "good", "Le fichier ne dit pas les couleurs des fils."),
    ("walk_0.dst", "good", "Le fichier ne dit pas les couleurs des fils."),
    ("tall.dst", "asked", "Il faut tourner le motif pour le cadre 180 × 130."),
    ("few.dst", "asked", "Il y a très peu de points : 8."),
    ("colourful.dst", "asked", "Beaucoup de couleurs : 12. La machine en tient 9."),
    ("long.pes", "asked", "Un point est très long : 30 mm."),
    ("cut.dst", "refused", "Il manque la fin du fichier."),
    ("cut.pes", "refused", "Il manque la fin du fichier."),
    ("header_only.dst", "refused", "Il manque la fin du fichier."),
    ("damaged.pes", "refused", "Le fichier est abîmé."),
    ("empty.pes", "refused", "Le fichier est vide."),
    ("page.dst", "refused", "Ce n’est pas un vrai fichier .dst."),
    ("tajima.pes", "refused", "Ce n’est pas un vrai fichier .pes."),
    ("brother.dst", "refused", "Ce n’est pas un vrai fichier .dst."),
    ("janome.jef", "refused", "On ne connaît pas ce type de fichier : .jef"),
    ("wide.dst", "refused", "Trop grand : 190 × 60 mm. Cadre : 180 × 130 mm."),
    ("square.dst", "refused", "Trop grand : 150 × 150 mm. Cadre : 180 × 130 mm."),
    ("many.dst", "refused", "Trop de points : 65280, au plus 60000."),
    ("no_stitch.dst", "refused", "Il n’y a pas de points de broderie dans ce fichier."),
]


@pytest.mark.parametrize(("name", "verdict", "sentence"), VERDICTS, ids=[row[0] for row in VERDICTS])
def test_a_file_gets_its_verdict_and_its_sentence(
    name: str, verdict: str, sentence: str, tmp_path: Path
) -> None:
    sample = find(name)
    path = tmp_path / "stored"
    path.write_bytes(sample.data)
    report = registry.read(path, name)
    findings = (*report.findings, *judge(report, sample.machine))
    weights = {one.severity for one in findings}
    told = "refused" if Severity.BLOCKS in weights else "asked" if Severity.ASK in weights else "good"
    with translation.override("fr"):
        sentences = [say_finding(one) for one in findings]
        steps = [next_step(one) for one in findings if one.severity is not Severity.INFO]
    assert told == verdict
    assert sentence in sentences
    assert all(steps)
