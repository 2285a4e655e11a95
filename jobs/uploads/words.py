"""What people read about a file: one sentence for each finding, one next step for each public reason.

The seven reasons' sentences stand in REQUIREMENTS 1.3; here a finding says what exactly, with its numbers.
"""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from fablab.core.words import say
from jobs.inspection.codes import reason_of
from jobs.inspection.findings import Finding, Reason

Sentence = str | Promise

SENTENCES: Mapping[str, Sentence] = {
    # the file as a whole
    "empty_file": _("Le fichier est vide."),
    "unknown_format": _("On ne connaît pas ce type de fichier : .{ending}"),
    "wrong_content": _("Ce n’est pas un vrai fichier .{ending}."),
    "misleading_name": _("Le nom du fichier est trompeur. Donne-lui un nom simple."),
    "unreadable": _("On n’arrive pas à lire ce fichier."),
    "truncated": _("Il manque la fin du fichier."),
    "trailing_data": _("Il y a autre chose à la fin du fichier."),
    # a model
    "count_wrong": _("Le fichier annonce {announced} triangles. Il en contient {found}."),
    "no_triangle": _("Il n’y a pas de forme dans ce fichier."),
    "too_many_triangles": _("Le modèle est trop détaillé : {triangles} triangles, au plus {most}."),
    "not_finite": _("Le modèle contient des points impossibles."),
    "numbers_absurd": _("Les tailles du modèle n’ont pas de sens."),
    "flat": _("Le modèle est tout plat."),
    "open_mesh": _("Le modèle a des trous."),
    "floating_parts": _("Le modèle a {parts} parties séparées."),
    "very_small": _("Le modèle est tout petit."),
    "normals_mixed": _("Des faces étaient à l’envers. On les a retournées."),
    "inside_out": _("Le modèle était à l’envers. On l’a retourné."),
    # a machine file
    "not_gcode": _("Ce n’est pas un fichier pour une imprimante 3D."),
    "binary_bytes": _("La ligne {line} n’est pas du texte."),
    "line_too_long": _("La ligne {line} est trop longue."),
    "line_unreadable": _("On ne comprend pas la ligne {line}."),
    "line_ambiguous": _("La ligne {line} peut se lire de deux façons."),
    "checksum_wrong": _("La ligne {line} est abîmée."),
    "nothing_printed": _("Ce fichier n’imprime rien."),
    "command_refused": _("La commande {command} est interdite (ligne {line})."),
    "macro_refused": _("La commande {command} est interdite (ligne {line})."),
    "host_command": _("La commande {command} est interdite (ligne {line})."),
    "moves_before_homing": _("La machine bougerait avant de se repérer (ligne {line})."),
    "cold_extrusion": _("La machine pousserait la matière à froid (ligne {line})."),
    "heater_left_on": _("À la fin, la machine resterait chaude."),
    "command_asked": _("Un animateur regarde la commande {command} (ligne {line})."),
    "command_unknown": _("On ne connaît pas la commande {command} (ligne {line})."),
    "pause_inside": _("Le fichier demande une pause (ligne {line})."),
    "tool_change": _("Le fichier change d’outil (ligne {line})."),
    "factor_extreme": _("Un réglage est très inhabituel : {percent} % (ligne {line})."),
    "long_wait": _("Le fichier attend {seconds} s (ligne {line})."),
    "no_fan": _("Le ventilateur reste arrêté."),
    "time_missing": _("Le fichier ne dit pas combien de temps il faut."),
    "time_doubtful": _("La durée annoncée semble fausse."),
    "slicer_unknown": _("On ne sait pas quel logiciel a fait ce fichier."),
    "secrets_inside": _("Le fichier contenait une clé secrète. On l’a enlevée."),
    # embroidery
    "data_damaged": _("Le fichier est abîmé."),
    "no_stitch": _("Il n’y a pas de points de broderie dans ce fichier."),
    "few_stitches": _("Il y a très peu de points : {stitches}."),
    "header_differs": _("Le fichier annonce {announced} points. Il en contient {found}."),
    "sequins_inside": _("Le motif pose des paillettes."),
    "stitch_too_long": _("Un point est très long : {length_mm} mm."),
    "stitches_dense": _("Les points sont très serrés : {points} par mm²."),
    "colours_untold": _("Le fichier ne dit pas les couleurs des fils."),
    # lines for a blade
    "nothing_to_cut": _("Il n’y a rien à découper dans ce fichier."),
    "too_many_lines": _("Le dessin est trop détaillé."),
    "device_command": _("Le fichier veut commander la machine (ligne {line})."),
    "text_inside": _("Le dessin contient du texte."),
    "path_broken": _("Des tracés sont abîmés : {paths}."),
    "picture_inside": _("Une image du dessin ne sera pas découpée."),
    "scale_assumed": _("Taille à vérifier : {width_mm} × {height_mm} mm."),
    "outside_reference": _("Le dessin va chercher un autre fichier."),
    "script_inside": _("Le dessin contient un programme."),
    "mirrored": _("On le découpe à l’envers, comme dans un miroir."),
    "several_tools": _("Le fichier utilise {tools} outils."),
    # this file on this machine model
    "too_big_for_frames": _("Trop grand : {width_mm} × {height_mm} mm. Cadre : {frame} mm."),
    "frame_too_small": _("Le motif ne tient pas dans le cadre {frame}."),
    "frame_needed": _("Le cadre qu’il faut : {frame}."),
    "fits_frame_turned": _("Il faut tourner le motif pour le cadre {frame}."),
    "start_outside_frame": _("Le motif commence loin de son milieu."),
    "too_many_stitches": _("Trop de points : {stitches}, au plus {most}."),
    "too_many_colours": _("Beaucoup de couleurs : {colours}. La machine en tient {most}."),
    "outside_sheet": _("Le tracé sort de la zone de découpe."),
    "too_big": _("Trop grand : {size_mm} mm, au plus {most_mm} mm."),
    "outside_bed": _("L’objet sort du plateau (ligne {line})."),
    "below_bed": _("La machine toucherait le plateau (ligne {line})."),
    "nozzle_too_hot": _("La buse serait trop chaude : {celsius} °C, au plus {most} °C."),
    "bed_too_hot": _("Le plateau serait trop chaud : {celsius} °C, au plus {most} °C."),
    "chamber_too_hot": _("La machine serait trop chaude : {celsius} °C, au plus {most} °C."),
    "format_not_accepted": _("Cette machine ne prend pas ce type de fichier."),
    "material_missing": _("Le fichier est fait pour une autre matière : {kind}."),
    "too_fast": _("Le fichier va très vite : {mm_s} mm/s, au plus {most} mm/s."),
    "nozzle_differs": _("Le fichier est fait pour une buse de {file_mm} mm."),
    # what came of preparing it
    "to_digitise": _("Un animateur en fait un fichier pour la machine."),
    "needs_preparation": _("On le prépare pour la machine."),
    "fits_turned": _("On le tourne pour qu’il tienne."),
    "slicer_missing": _("Un animateur prépare le fichier pour la machine."),
    "slicing_failed": _("On n’arrive pas à préparer cet objet."),
    "plate_too_small": _("Il n’y a pas la place pour {copies} exemplaires."),
    "settings_unsuitable": _("Ce réglage ne va pas avec cette machine."),
    # receiving it
    "too_large": _("Le fichier est trop lourd : au plus {most_mb} Mo."),
    "storage_full": _("Il n’y a plus de place ici. Demande à un animateur."),
    "file_missing": _("Choisis d’abord un fichier."),
    "file_damaged": _("Le fichier est arrivé abîmé. Envoie-le encore."),
    "too_many_arriving": _("Trop d’envois commencés. Attends dix minutes."),
    "arriving_busy": _("Ce fichier est déjà en train d’arriver."),
    "arriving_moved_on": _("L’envoi continue après {offset} octets."),
    "arriving_too_long": _("Le fichier est plus long qu’annoncé."),
    "arriving_incomplete": _("Le fichier n’est pas encore arrivé en entier."),
}

NEXT_STEPS: Mapping[Reason, Sentence] = {
    Reason.TOO_BIG: _("Fais-le plus petit, ou choisis une autre machine."),
    Reason.TOO_LONG: _("Reviens un autre jour, ou fais-le plus petit."),
    Reason.NOT_SOLID: _("Répare le modèle, puis envoie-le encore."),
    Reason.UNREADABLE: _("Envoie un autre fichier."),
    Reason.NOT_ALLOWED: _("Envoie le modèle, on prépare le fichier ici."),
    Reason.COPYRIGHT: _("Choisis un modèle libre."),
    Reason.TALK: _("Un animateur t’attend au fab lab."),
}

# Where the reason alone would send people the wrong way.
NEXT_STEPS_OF_CODES: Mapping[str, Sentence] = {
    "data_damaged": _("Exporte-le à nouveau."),
    "no_stitch": _("Exporte-le à nouveau."),
    "nothing_to_cut": _("Dessine des contours, puis exporte à nouveau."),
    "too_many_lines": _("Simplifie-le, puis envoie-le."),
    "device_command": _("Envoie plutôt le dessin."),
    "text_inside": _("Transforme le texte en tracé, puis renvoie-le."),
    "outside_sheet": _("Envoie plutôt le dessin."),
    "path_broken": _("Regarde l’image, puis exporte à nouveau."),
    "outside_reference": _("Mets tout dans le dessin, puis exporte à nouveau."),
    "script_inside": _("Exporte-le à nouveau, plus simple."),
    "frame_too_small": _("Choisis un autre cadre."),
    "colours_untold": _("Choisis les fils devant la machine."),
}

SEVERITY_WORDS: Mapping[str, Sentence] = {
    "blocks": _("À corriger"),
    "ask": _("Un animateur regarde"),
    "info": _("Bon à savoir"),
}


def say_finding(finding: Finding) -> str:
    """Return the finding's sentence in the reader's language."""
    return say(finding.code, finding.params)


def next_step(finding: Finding) -> str:
    """Return what to do about it; empty when there is nothing to do."""
    own = NEXT_STEPS_OF_CODES.get(finding.code)
    if own is not None:
        return str(own)
    reason = reason_of(finding.code)
    return str(NEXT_STEPS[reason]) if reason is not None else ""
