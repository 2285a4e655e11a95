"""The first page, asking for help, what is kept, and which place one looks at."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from equipment.sites.queries import site_for
from fablab.dashboard.requests import SITE_KEY, back, here, page, writes


@page
def home(request: HttpRequest) -> HttpResponseBase:
    """What this is, for who is not signed in; else one's own objects, booking and two things to do."""
    return render(request, "dashboard/home.html")


@page
def ask_for_help(request: HttpRequest) -> HttpResponseBase:
    """Who is at the place now, and comes when asked."""
    return render(request, "dashboard/help.html")


@page
def privacy(request: HttpRequest) -> HttpResponseBase:
    """Six plain sentences about what is kept (PRIV-12)."""
    return render(request, "dashboard/privacy.html")


@writes
def choose_site(request: HttpRequest) -> HttpResponseBase:
    """Look at another of one's places from now on."""
    request.session[SITE_KEY] = site_for(here(request).person, request.POST.get("site", "")).pk
    return back(request, reverse("home"))
