"""A Django project in one file."""

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.template import Context, Engine
from django.urls import path

settings.configure(
    ROOT_URLCONF=__name__,
    SECRET_KEY="not a secret",
    ALLOWED_HOSTS=["*"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    LOGGING_CONFIG=None,
)
django.setup()
TABLE = Engine().from_string(
    "<table>{% for row in rows %}<tr>{% for x in row %}<td>{{ x|floatformat:2 }}</td>{% endfor %}"
    "</tr>{% endfor %}</table>"
)


def index(request):
    return HttpResponse("hello")


def table(request, n):
    return HttpResponse(
        TABLE.render(Context({"rows": [[i * j / 7 for i in range(10)] for j in range(n)]}))
    )


urlpatterns = [path("", index), path("table/<int:n>", table)]
application = get_wsgi_application()
