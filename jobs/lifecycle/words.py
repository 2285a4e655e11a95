"""What people read of a job's life. The words are those of the lab's glossary: one word, one thing.

``STATE_WORDS`` are short, for chips and lists; ``headline`` makes the sentence on the job's own page.
"""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from jobs.lifecycle.states import Source, State, Verb
from jobs.lifecycle.table import Action

Sentence = str | Promise

STATE_WORDS: Mapping[State, Sentence] = {
    State.DRAFT: _("Prêt à envoyer"),
    State.NEEDS_CHANGES: _("À corriger – voici pourquoi"),
    State.SUBMITTED: _("Fichier reçu – un animateur va le regarder"),
    State.REJECTED: _("Refusé – voici pourquoi"),
    State.QUEUED: _("En attente"),
    State.SENDING: _("Ça démarre"),
    State.LOADED: _("Prêt sur la machine"),
    State.RUNNING: _("Ça imprime"),
    State.PAUSED: _("En pause"),
    State.STOPPING: _("Ça s’arrête"),
    State.FINISHED: _("Terminé – viens le chercher"),
    State.READY: _("Terminé – viens le chercher"),
    State.FAILED: _("Raté – on recommence ?"),
    State.CANCELLED: _("Annulé"),
    State.COLLECTED: _("Récupéré"),
}
CHECKING_FILE: Sentence = _("On vérifie le fichier")
CHECKING_MACHINE: Sentence = _("On vérifie la machine – un animateur regarde")
TO_CORRECT: Sentence = STATE_WORDS[State.NEEDS_CHANGES]
WORKING_WITHOUT_PRINTER: Sentence = _("Ça travaille")
# "Plateau vide, lancer", by the word of the machine's kind (``equipment.machines.guide``).
EMPTY_AND_START: Mapping[str, Sentence] = {
    "plate": _("Plateau vide, lancer"),
    "hoop": _("Cadre vide, lancer"),
    "mat": _("Tapis vide, lancer"),
}
MUST_BE_EMPTIED: Sentence = _("En attente – la machine doit être vidée")
MACHINE_BROKEN: Sentence = _("En attente – la machine est en panne")
NEEDS_SLICING: Sentence = _("À préparer par un animateur")
CANCELLED_BY: Mapping[str, Sentence] = {
    "by_owner": _("Annulé (par toi)"),
    "by_lab": _("Annulé (au fab lab)"),
    "cancelled_at_machine": _("Annulé (sur la machine)"),
}
CANCELLED_BY_OWNER: Sentence = _("Annulé par la personne")  # as others read it
PAUSED_HELP: Sentence = _("En pause – on a besoin d’un animateur")
SHELF: Sentence = _("Terminé – viens le chercher (étagère {shelf})")
PLACE: Sentence = _("En attente – {place}")
PLACE_AROUND: Sentence = _("En attente – {place}, vers {time}")

# Steps of a job's way, for the stepper on its page.
WAY: tuple[tuple[str, Sentence, frozenset[State]], ...] = (
    ("file", _("Fichier"), frozenset({State.DRAFT, State.NEEDS_CHANGES})),
    ("check", _("Accord"), frozenset({State.SUBMITTED, State.REJECTED})),
    ("queue", _("Attente"), frozenset({State.QUEUED})),
    (
        "make",
        _("Machine"),
        frozenset({State.SENDING, State.LOADED, State.RUNNING, State.PAUSED, State.STOPPING, State.FAILED}),
    ),
    ("collect", _("À prendre"), frozenset({State.FINISHED, State.READY, State.COLLECTED})),
)

# The seven reasons for which a file is refused or sent back (one fixed sentence each).
REASONS: Mapping[str, Sentence] = {
    "too_big": _("Trop grand pour la machine"),
    "too_long": _("Trop long pour aujourd’hui"),
    "not_solid": _("Le modèle a des trous ou des parties en l’air"),
    "unreadable": _("Fichier illisible"),
    "not_allowed_object": _("Objet non autorisé (arme, dangereux)"),
    "copyright": _("Droit d’auteur ou logo"),
    "talk": _("Parlons-en : viens voir un animateur"),
}
NEXT_STEPS: Mapping[str, Sentence] = {
    "too_big": _("Fais-le plus petit, ou choisis une autre machine."),
    "too_long": _("Reviens un autre jour, ou fais-le plus petit."),
    "not_solid": _("Répare le modèle, puis envoie-le encore."),
    "unreadable": _("Envoie un autre fichier."),
    "not_allowed_object": _("Choisis un autre objet."),
    "copyright": _("Choisis un modèle libre."),
    "talk": _("Un animateur t’attend au fab lab."),
}
# Why a try ended badly: codes that supervision writes, and the six that staff choose.
FAILURES: Mapping[str, Sentence] = {
    "connection": _("La machine n’a plus répondu."),
    "lost": _("La machine a redémarré pendant l’impression."),
    "firmware": _("La machine s’est arrêtée par sécurité."),
    "printer_error": _("La machine a signalé une erreur."),
    "never_started": _("La machine n’a pas démarré."),
    "storage_refused": _("La machine refuse le fichier."),
    "sending_failed": _("Le fichier n’est pas arrivé sur la machine."),
    "wrong_file": _("La machine imprimait un autre fichier."),
    "file_missing": _("Le fichier n’est plus sur la machine."),
    "file_differs": _("Le fichier sur la machine n’est pas le bon."),
    "not_sticking": _("Ça s’est décollé."),
    "filament": _("Il n’y avait plus de matière."),
    "spaghetti": _("Le fil part dans tous les sens."),
    "shifted": _("Les couches sont décalées."),
    "broken": _("La machine est en panne."),
    "thread_broke": _("Le fil a cassé."),
    "thread_nest": _("Un nid de fils dessous."),
    "needle_broke": _("L’aiguille a cassé."),
    "slipped": _("La matière a glissé."),
    "lifted": _("La matière s’est décollée."),
    "not_through": _("Pas coupé à fond."),
    "torn": _("La matière est déchirée."),
    "other": _("Autre raison."),
    "cancelled_at_machine": _("Quelqu’un a arrêté la machine sur place."),
    "asked": _("L’arrêt a été demandé."),
    "not_started_in_time": _("Personne ne l’a lancé à temps."),
    "closing": _("Le fab lab a fermé."),
    "cut_before": _("Un objet arrêté par la coupure passe avant."),
    "changed": _("Le fichier ou les réglages ont changé."),
    "file": _("Le fichier a changé."),
    "profile": _("Les réglages de la machine ont changé."),
    "settings": _("Les réglages ont changé."),
    "certificate": _("La formation n’est plus valable."),
    "person": _("Le compte est fermé."),
}
ACTION_WORDS: Mapping[Action, Sentence] = {
    Action.SUBMIT: _("Envoyer"),
    Action.SEND_BACK: _("À corriger"),
    Action.APPROVE: _("Valider"),
    Action.REJECT: _("Refuser"),
    Action.VOID: _("Reprendre la validation"),
    Action.RELEASE: _("Remettre en file"),
    Action.LOAD: _("Le fichier est sur la machine"),
    Action.START: _("Plateau vide, lancer"),
    Action.PAUSE: pgettext_lazy("button", "Pause"),
    Action.RESUME: _("Reprendre"),
    Action.ASK_STOP: _("Arrêter"),
    Action.STOPPED: _("C’est arrêté"),
    Action.FINISH: _("Ça s’est terminé"),
    Action.FAIL: _("Raté"),
    Action.REQUEUE: _("Relancer"),
    Action.COLLECT: _("Récupéré"),
    Action.CANCEL: _("Annuler"),
}
STOP_SENTENCE: Sentence = _("Appuie aussi sur le bouton de la machine.")
# The past, for the history.
HISTORY_WORDS: Mapping[str, Sentence] = {
    "create": _("Objet créé"),
    "change": _("Objet modifié"),
    "attach_file": _("Fichier machine ajouté"),
    "auto_start": _("Lancement automatique demandé"),
    "move": _("Place changée dans la file"),
    Action.SUBMIT: _("Envoyé à un animateur"),
    Action.SEND_BACK: _("À corriger"),
    Action.APPROVE: _("Validé"),
    Action.REJECT: _("Refusé"),
    Action.VOID: _("Validation reprise"),
    Action.CLAIM: _("Machine choisie"),
    Action.RELEASE: _("Remis en file"),
    Action.LOAD: _("Fichier sur la machine"),
    Action.START: _("Lancé"),
    Action.PAUSE: _("Mis en pause"),
    Action.RESUME: _("Repris"),
    Action.ASK_STOP: _("Arrêt demandé"),
    Action.STOPPED: _("Arrêté"),
    Action.FINISH: _("Terminé"),
    Action.FAIL: _("Raté"),
    Action.REQUEUE: _("Relancé"),
    Action.SHELVE: _("Posé sur l’étagère"),
    Action.COLLECT: _("Récupéré"),
    Action.CANCEL: _("Annulé"),
}
SOURCE_WORDS: Mapping[str, Sentence] = {
    Source.MACHINE: _("la machine"),
    Source.DISPATCHER: _("le fab lab"),
    Source.SYSTEM: _("le fab lab"),
    Source.POLICY: _("la règle du lieu"),
}
ASKED_WORDS: Mapping[str, Sentence] = {
    Verb.START: _("Lancement demandé"),
    Verb.PAUSE: _("Pause demandée"),
    Verb.RESUME: _("Reprise demandée"),
    Verb.STOP: _("Arrêt demandé"),
}

SENTENCES: Mapping[str, Sentence] = {
    "still_too_soon": _("Attends dix secondes entre deux images."),
    "not_found": _("Cette page n’existe pas, ou elle n’est pas pour toi."),
    "not_allowed": _("Tu ne peux pas faire ça ici. Demande à un animateur."),
    "wrong_state": _("Quelqu’un a été plus rapide. Regarde où en est l’objet."),
    "reason_missing": _("Dis pourquoi."),
    "preparation_not_ended": _("Le fichier n’est pas encore prêt. Attends un instant."),
    "needs_slicing": _("Il manque le fichier pour la machine. Un animateur l’ajoute."),
    "machine_files_not_allowed": _("Envoie un modèle. Un fichier machine demande une formation de plus."),
    "own_job": _("Un autre animateur doit valider ton objet."),
    "file_changed": _("Le fichier a changé depuis. Regarde-le encore."),
    "approval_void": _("Il faut valider cet objet encore une fois."),
    "may_have_started": _("La machine a peut-être commencé. Va la voir d’abord."),
    "machine_says_otherwise": _("La machine travaille encore. Arrête-la d’abord."),
    "no_attempts_left": _("Trois essais ont raté. Parlons-en avec un animateur."),
    "plate_to_clear": _("Vide d’abord le plateau de {machine}."),
    "machine_working": _("{machine} travaille encore."),
    "machine_unreachable": _("On n’entend pas {machine}. Va la voir."),
    "machine_out_of_order_now": _("{machine} est en panne."),
    "no_remote_start": _("Cette machine se lance seulement sur place."),
    "not_on_site": _("Dis d’abord « Je suis là »."),
    "closed_now": _("Le fab lab est fermé."),
    "nowhere_to_move": _("Choisis une place ou une machine."),
    "start_gap": _("Une machine vient de partir. Attends {seconds} s."),
    "moved_elsewhere": _("L’objet est maintenant pour une autre machine."),
    "already_started": _("Déjà lancé."),
    "plate_used_since": _("{machine} a servi depuis. Regarde encore : le plateau est-il vide ?"),
    "already_asked": _("Déjà demandé."),
    "already_claimed": _("L’objet est déjà sur une machine."),
    "file_bound": _("Ce fichier est déjà validé. Annule l’objet, puis envoie le nouveau."),
    "machine_taken": _("Un autre objet est déjà sur cette machine."),
    "machine_fed_by_line": _("{machine} reçoit ses fichiers toute seule."),
    "other_machine": _("Cet objet va sur une autre machine que {machine}."),
    "approved_just_now": _("Validé à l’instant. Attends {seconds} secondes."),
    "booked_by_other": _("Quelqu’un d’autre a réservé {machine} maintenant."),
    "lease_lost": _("Un autre programme s’occupe de cette machine."),
    "unknown_upload": _("Ce fichier n’existe pas."),
    "upload_refused": _("Ce fichier ne va sur aucune machine d’ici."),
    "unknown_machine": _("Choisis une machine de la liste."),
    "unknown_machine_model": _("Choisis un modèle de la liste."),
    "unknown_site": _("Choisis un lieu de la liste."),
    "unknown_booking": _("Cette réservation n’est pas la tienne."),
    "machine_takes_no_files": _("{machine} ne prend pas de fichier."),
    "not_a_machine_file": _("Il faut un fichier pour la machine : {formats}."),
    "copies_out_of_range": _("Entre 1 et {most} exemplaires."),
    "not_a_choice": _("Choisis dans la liste : {choices}."),
    "text_too_long": _("Écris plus court."),
    "unknown_field": _("Champ inconnu : {field}."),
    # messages to the owner
    "job_sent_back": _("« {title} » est à corriger. Regarde pourquoi."),
    "job_rejected": _("« {title} » est refusé. Regarde pourquoi."),
    "job_failed": _("« {title} » est raté. Un animateur regarde."),
    "job_ready": _("« {title} » est terminé. Viens le chercher."),
    "job_moved": _("« {title} » a changé de place : {reason}"),
    "job_moved_to_machine": _("« {title} » passe sur {machine} : {reason}"),
    "job_on_shelf": _("« {title} » t’attend sur l’étagère {shelf}."),
}


def reason_words(reason: str) -> str:
    """Return the sentence for a stored reason: one of our codes, or the words that somebody wrote."""
    return str(REASONS.get(reason) or FAILURES.get(reason) or reason)
