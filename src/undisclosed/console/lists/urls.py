# SPDX-License-Identifier: Apache-2.0
"""The pages of lists and of suppressions."""

from django.urls import path

from undisclosed.console.lists import paper, reading, suppressed, uploading, views

app_name = "lists"
urlpatterns = [
    path("", views.lists, name="list"),
    path("new/", views.new, name="new"),
    path("suppressions/", suppressed.suppressions, name="suppressions"),
    path("suppressions/<int:number>/lift/", suppressed.lift, name="lift"),
    path("files/<str:upload_id>/", uploading.upload, name="upload"),
    path("files/<str:upload_id>/progress/", uploading.progress, name="progress"),
    path("files/<str:upload_id>/problems.csv", uploading.problems, name="problems"),
    path("files/<str:upload_id>/import/", uploading.confirm, name="import"),
    path("files/<str:upload_id>/choose/", uploading.choose, name="choose"),
    path("files/<str:upload_id>/discard/", uploading.discard, name="discard"),
    path("<str:list_id>/", views.one, name="one"),
    path("<str:list_id>/upload/", uploading.receive, name="receive"),
    path("<str:list_id>/rows/", reading.rows, name="rows"),
    path("<str:list_id>/export/", reading.export, name="export"),
    path("<str:list_id>/call-sheet/", paper.call_sheet, name="call_sheet"),
    path("<str:list_id>/letters/", paper.letters, name="letters"),
    path("<str:list_id>/destroy/", views.destroy, name="destroy"),
]
