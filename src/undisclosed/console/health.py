# SPDX-License-Identifier: Apache-2.0
"""Is the console alive? For load balancers and supervisors; tells nothing else."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe


@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """200 while the database answers, else 503; one word either way."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("away\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")
