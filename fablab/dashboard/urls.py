"""Addresses of the pages. Each one has a row in the permission tests beside it."""

from django.urls import URLPattern, URLResolver, include, path

from fablab.dashboard import (
    at_machine,
    board,
    booking,
    bookings,
    connections,
    desk,
    files,
    home,
    machines,
    objects,
    people,
    signing,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("aide/", home.ask_for_help, name="ask-for-help"),
    path("donnees/", home.privacy, name="privacy"),
    path("lieu/", home.choose_site, name="site-choose"),
    path("langue/", include("django.conf.urls.i18n")),
    # coming in and going out
    path("connexion/", signing.sign_in, name="sign-in"),
    path("deconnexion/", signing.sign_out, name="sign-out"),
    path("compte/", signing.account, name="account"),
    # booking
    path("reserver/", booking.book, name="book"),
    path("reserver/<slug:kind>/", booking.book_kind, name="book-kind"),
    path("reserver/<slug:kind>/confirmer/", booking.book_confirm, name="book-confirm"),
    path("reservations/", bookings.bookings, name="bookings"),
    path("reservations/<str:booking_id>/", bookings.booking, name="booking"),
    path("reservations/<str:booking_id>/annuler/", bookings.booking_cancel, name="booking-cancel"),
    path("reservations/<str:booking_id>/agenda/", bookings.booking_agenda, name="booking-agenda"),
    # objects
    path("objets/", objects.jobs, name="jobs"),
    path("objets/nouveau/", objects.new, name="job-new"),
    path("objets/upload/", objects.upload, name="job-upload"),
    path("objets/<str:job_id>/", objects.job, name="job"),
    path("objets/<str:job_id>/reglages/", objects.change, name="job-settings"),
    path("objets/<str:job_id>/upload/", objects.other_file, name="job-file"),
    path("objets/<str:job_id>/faire/<str:action>/", objects.act, name="job-act"),
    path("objets/<str:job_id>/fichier/", files.source_file, name="job-source"),
    path("objets/<str:job_id>/fichier-machine/", files.machine_file, name="job-machine-file"),
    path("fichiers/<str:upload_id>/image/", files.upload_picture, name="upload-picture"),
    # deciding
    path("presence/", desk.presence, name="presence"),
    path("animateur/", desk.desk, name="desk"),
    path("animateur/<str:job_id>/", desk.desk_job, name="desk-job"),
    path("animateur/<str:job_id>/decider/", desk.decide, name="desk-decide"),
    path("animateur/<str:job_id>/revenir/", desk.undo, name="desk-undo"),
    path("animateur/<str:job_id>/reglages/", desk.settings, name="desk-settings"),
    path("animateur/<str:job_id>/upload/", desk.send_file, name="desk-file"),
    path("animateur/<str:job_id>/joindre/", desk.attach_file, name="desk-attach"),
    # machines
    path("machines/", board.board, name="board"),
    path("machines/ecran/", board.screen, name="board-screen"),
    path("machines/nouvelle/", connections.new, name="machine-new"),
    path("machines/nouvelle/essai/", connections.test, name="machine-new-test"),
    path("machines/<str:machine_id>/", machines.machine, name="machine"),
    path("machines/<str:machine_id>/faire/<str:action>/", machines.act, name="machine-act"),
    path("machines/<str:machine_id>/regler/<str:job_id>/", machines.settle, name="machine-settle"),
    path("machines/<str:machine_id>/regler/<str:job_id>/fini/", machines.settled, name="machine-settled"),
    path("machines/<str:machine_id>/connexion/", connections.edit, name="machine-edit"),
    path("machines/<str:machine_id>/connexion/essai/", connections.test, name="machine-test"),
    path("machines/<str:machine_id>/cle/", connections.key_page, name="machine-key"),
    path("machines/<str:machine_id>/cle/demander/", connections.key_request, name="machine-key-request"),
    path("machines/<str:machine_id>/cle/reponse/", connections.key_poll, name="machine-key-poll"),
    path("machines/<str:machine_id>/affiche/", at_machine.sheet, name="machine-sheet"),
    path("machines/<str:machine_id>/code.svg", at_machine.qr, name="machine-qr"),
    # at the machine, behind its code
    path("m/<str:machine_id>/", at_machine.at_machine, name="at-machine"),
    path("m/<str:machine_id>/panne/", at_machine.tell_fault, name="at-machine-fault"),
    path("m/<str:machine_id>/maintenant/", at_machine.use, name="at-machine-use"),
    path("m/<str:machine_id>/faire/<str:action>/", at_machine.act, name="at-machine-act"),
    # who may use what
    path("habilitations/", people.certificates, name="certificates"),
    path("habilitations/<str:person_id>/", people.certificate_grant, name="certificate-grant"),
    path("habilitations/<str:certificate_id>/retirer/", people.certificate_revoke, name="certificate-revoke"),
]
