"""Django's own application, for servers that speak WSGI; pages only, nothing live."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fablab.settings")

application = get_wsgi_application()
