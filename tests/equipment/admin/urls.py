"""All pages, and the installation's admin as it stands on a private address."""

from django.contrib import admin
from django.urls import path

from fablab.urls import urlpatterns as public

urlpatterns = [path("admin/", admin.site.urls), *public]
