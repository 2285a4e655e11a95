"""Addresses of the pages. Each one has a row in the permission tests beside it."""

from django.urls import URLPattern, URLResolver, include, path

from fablab.dashboard import bookings, home, objects, signing

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
    path("reserver/", bookings.book, name="book"),
    # objects
    path("objets/", objects.jobs, name="jobs"),
    # deciding, machines (desk.py, board.py, machines.py)
]
