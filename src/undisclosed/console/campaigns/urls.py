# SPDX-License-Identifier: Apache-2.0
"""The pages of campaigns."""

from django.urls import path

from undisclosed.console.campaigns import deciding, from_hold, sending, views, writing

app_name = "campaigns"
urlpatterns = [
    path("", views.campaigns, name="list"),
    path("new/", views.new, name="new"),
    path("from/<str:mailing_id>/", from_hold.make, name="from_hold"),
    path("<str:campaign_id>/", views.campaign, name="campaign"),
    path("<str:campaign_id>/progress/", views.progress, name="progress"),
    path("<str:campaign_id>/write/", writing.write, name="write"),
    path("<str:campaign_id>/write/preview/", writing.live_preview, name="live"),
    path("<str:campaign_id>/files/", writing.keep_file, name="keep_file"),
    path("<str:campaign_id>/files/<int:number>/", writing.open_file, name="open_file"),
    path(
        "<str:campaign_id>/files/<int:number>/remove/",
        writing.remove_file,
        name="remove_file",
    ),
    path("<str:campaign_id>/preview/", writing.preview, name="preview"),
    path("<str:campaign_id>/test/", writing.test, name="test"),
    path("<str:campaign_id>/check/", deciding.check, name="check"),
    path(
        "<str:campaign_id>/override/<slug:check>/", deciding.override, name="override"
    ),
    path("<str:campaign_id>/submit/", deciding.submit, name="submit"),
    path("<str:campaign_id>/approve/", deciding.approve, name="approve"),
    path("<str:campaign_id>/refuse/", deciding.refuse, name="refuse"),
    path("<str:campaign_id>/delegate/", deciding.delegate, name="delegate"),
    path("<str:campaign_id>/start/", sending.start, name="start"),
    path("<str:campaign_id>/schedule/", sending.schedule, name="schedule"),
    path("<str:campaign_id>/pause/", sending.pause, name="pause"),
    path("<str:campaign_id>/resume/", sending.resume, name="resume"),
    path("<str:campaign_id>/seeds/accept/", sending.accept_seeds, name="accept_seeds"),
    path("<str:campaign_id>/cancel/", sending.cancel, name="cancel"),
    path("<str:campaign_id>/proof/", sending.proof, name="proof"),
    path("<str:campaign_id>/doubt/<slug:how>/", sending.doubt, name="doubt"),
]
