"""Addresses of the pages. Each one has a row in the permission tests beside it."""

from django.urls import URLPattern, URLResolver, include, path

from fablab.dashboard import booking, bookings, files, home, objects, signing

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
    # deciding, machines (desk.py, board.py, machines.py)
]
