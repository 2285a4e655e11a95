"""Every address that programs rely on."""

from django.urls import include, path, register_converter
from drf_spectacular.views import SpectacularJSONAPIView

from fablab.api import (
    arriving,
    at_machine,
    attempts,
    bookings,
    docs,
    errors,
    hands,
    health,
    jobs,
    machines,
    maintenance,
    open_use,
    outages,
    people,
    rota,
    series,
    sites,
    terms,
    uploads,
    waiting,
)


class IdConverter:
    """An opaque id. What cannot be one is an unknown address, so no strange sign reaches the database."""

    regex = "[0-9A-Za-z]{1,40}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return str(value)


register_converter(IdConverter, "id")

v1 = [
    path("me/", people.Me.as_view(), name="me"),
    path("me/erase/", people.EraseMe.as_view(), name="me-erase"),
    path("auth/token/", people.MakeToken.as_view(), name="token-make"),
    path("auth/tokens/", people.Tokens.as_view(), name="token-list"),
    path("auth/tokens/<id:token_id>/", people.TokenDetail.as_view(), name="token"),
    path("sites/", sites.Sites.as_view(), name="site-list"),
    path("sites/<id:site_id>/", sites.SiteDetail.as_view(), name="site"),
    path("sites/<id:site_id>/presence/", sites.Presence.as_view(), name="site-presence"),
    path("sites/<id:site_id>/open-use/", open_use.OpenUse.as_view(), name="site-open-use"),
    path("sites/<id:site_id>/queue/", sites.Queue.as_view(), name="site-queue"),
    path("sites/<id:site_id>/rota/", rota.Rota.as_view(), name="site-rota"),
    path("sites/<id:site_id>/rota/shifts/", rota.Shifts.as_view(), name="site-shift-list"),
    path("sites/<id:site_id>/rota/shifts/<id:shift_id>/", rota.ShiftDetail.as_view(), name="site-shift"),
    path("sites/<id:site_id>/rota/changes/", rota.Changes.as_view(), name="site-change-list"),
    path("sites/<id:site_id>/rota/changes/<id:change_id>/", rota.ChangeDetail.as_view(), name="site-change"),
    path("sites/<id:site_id>/worklist/", hands.Worklist.as_view(), name="site-worklist"),
    path("sites/<id:site_id>/worklist/take/", hands.TakeTask.as_view(), name="site-worklist-take"),
    path("sites/<id:site_id>/worklist/leave/", hands.LeaveTask.as_view(), name="site-worklist-leave"),
    path("sites/<id:site_id>/power-cuts/", hands.PowerCuts.as_view(), name="site-power-cut-list"),
    path("sites/<id:site_id>/power-cuts/<id:cut_id>/", hands.PowerCutDetail.as_view(), name="site-power-cut"),
    path("sites/<id:site_id>/closures/", outages.Closures.as_view(), name="site-closure-list"),
    path(
        "sites/<id:site_id>/closures/<id:closure_id>/", outages.ClosureDetail.as_view(), name="site-closure"
    ),
    path("sites/<id:site_id>/interruption/", hands.Interruption.as_view(), name="site-interruption"),
    path(
        "sites/<id:site_id>/interruption/settle/",
        hands.SettleInterruption.as_view(),
        name="site-interruption-settle",
    ),
    path("clock/", hands.Clock.as_view(), name="clock"),
    path("clock/confirm/", hands.ConfirmClock.as_view(), name="clock-confirm"),
    path("notices/", hands.Notices.as_view(), name="notice-list"),
    path("notices/<id:notice_id>/seen/", hands.SeenNotice.as_view(), name="notice-seen"),
    path("machine-models/", machines.MachineModels.as_view(), name="machine-model-list"),
    path("machines/", machines.Machines.as_view(), name="machine-list"),
    path("machines/<id:machine_id>/", machines.MachineDetail.as_view(), name="machine"),
    path("machines/<id:machine_id>/test-connection/", machines.TestConnection.as_view(), name="machine-test"),
    path("machines/<id:machine_id>/clear-plate/", machines.ClearPlate.as_view(), name="machine-clear-plate"),
    path(
        "machines/<id:machine_id>/out-of-order/", machines.OutOfOrder.as_view(), name="machine-out-of-order"
    ),
    path("machines/<id:machine_id>/back-in-service/", machines.BackInService.as_view(), name="machine-back"),
    path("machines/<id:machine_id>/free/", machines.Free.as_view(), name="machine-free"),
    path("machines/<id:machine_id>/terms/", terms.MachineTerms.as_view(), name="machine-terms"),
    path("sites/<id:site_id>/terms/<id:kind_id>/", terms.KindTerms.as_view(), name="site-terms"),
    path("machines/<id:machine_id>/next/", at_machine.Next.as_view(), name="machine-next"),
    path("machines/<id:machine_id>/use-now/", at_machine.UseNow.as_view(), name="machine-use-now"),
    path("machines/<id:machine_id>/report-fault/", at_machine.ReportFault.as_view(), name="machine-fault"),
    path("machines/<id:machine_id>/adopt-print/", at_machine.AdoptPrint.as_view(), name="machine-adopt"),
    path("machines/<id:machine_id>/disown-print/", at_machine.DisownPrint.as_view(), name="machine-disown"),
    *(
        path(f"machines/<id:machine_id>/{name}/", view.as_view(), name=f"machine-{name}")
        for name, view in at_machine.SAYINGS.items()
    ),
    path(
        "machines/<id:machine_id>/maintenance/",
        maintenance.MachineMaintenance.as_view(),
        name="machine-maintenance",
    ),
    path("machines/<id:machine_id>/outages/", outages.Outages.as_view(), name="machine-outage-list"),
    path("outages/<id:outage_id>/", outages.OutageDetail.as_view(), name="outage"),
    path("outages/<id:outage_id>/end/", outages.EndOutage.as_view(), name="outage-end"),
    path("outages/<id:outage_id>/expect-back/", outages.ExpectBack.as_view(), name="outage-expect"),
    path("outages/<id:outage_id>/photo/", outages.OutagePhoto.as_view(), name="outage-photo"),
    path("outages/<id:outage_id>/photo/upload/", outages.SendOutagePhoto.as_view(), name="outage-photo-send"),
    path("bookings/", bookings.Bookings.as_view(), name="booking-list"),
    path("bookings/<id:booking_id>/", bookings.BookingDetail.as_view(), name="booking"),
    path("bookings/<id:booking_id>/move/", bookings.MoveBooking.as_view(), name="booking-move"),
    path("bookings/<id:booking_id>/cancel/", bookings.CancelBooking.as_view(), name="booking-cancel"),
    path("bookings/<id:booking_id>/check-in/", bookings.CheckIn.as_view(), name="booking-check-in"),
    path("bookings/<id:booking_id>/finish/", bookings.Finish.as_view(), name="booking-finish"),
    path("series/", series.SeriesList.as_view(), name="series-list"),
    path("series/<id:series_id>/", series.SeriesDetail.as_view(), name="series"),
    path(
        "series/<id:series_id>/change-following/",
        series.ChangeFollowing.as_view(),
        name="series-change-following",
    ),
    path("series/<id:series_id>/end-following/", series.EndFollowing.as_view(), name="series-end-following"),
    path("bookings/<id:booking_id>/extend/", waiting.Extend.as_view(), name="booking-extend"),
    path("bookings/<id:booking_id>/excuse/", waiting.Excuse.as_view(), name="booking-excuse"),
    path("waiting/", waiting.Waiting.as_view(), name="waiting-list"),
    path("waiting/<id:entry_id>/", waiting.WaitingDetail.as_view(), name="waiting"),
    path("waiting/<id:entry_id>/leave/", waiting.LeaveWaiting.as_view(), name="waiting-leave"),
    path("waiting/<id:entry_id>/take/", waiting.TakeOffer.as_view(), name="waiting-take"),
    path("waiting/<id:entry_id>/decline/", waiting.DeclineOffer.as_view(), name="waiting-decline"),
    path("uploads/", uploads.Uploads.as_view(), name="upload-list"),
    path("uploads/resumable/", arriving.ArrivingFiles.as_view(), name="arriving-list"),
    path("uploads/resumable/<id:arriving_id>/", arriving.ArrivingFile.as_view(), name="arriving"),
    path(
        "uploads/resumable/<id:arriving_id>/finish/",
        arriving.FinishArriving.as_view(),
        name="arriving-finish",
    ),
    path("uploads/<id:upload_id>/", uploads.UploadDetail.as_view(), name="upload"),
    path("uploads/<id:upload_id>/file/", uploads.UploadFile.as_view(), name="upload-file"),
    path("uploads/<id:upload_id>/thumbnail/", uploads.UploadThumbnail.as_view(), name="upload-thumbnail"),
    path("attempts/<id:attempt_id>/samples/", attempts.Samples.as_view(), name="attempt-samples"),
    path("jobs/", jobs.Jobs.as_view(), name="job-list"),
    path("jobs/<id:job_id>/", jobs.JobDetail.as_view(), name="job"),
    path("jobs/<id:job_id>/events/", jobs.JobEvents.as_view(), name="job-events"),
    path("jobs/<id:job_id>/take/", at_machine.Take.as_view(), name="job-take"),
    path("jobs/<id:job_id>/move/", jobs.Move.as_view(), name="job-move"),
    path("jobs/<id:job_id>/machine-file/", jobs.MachineFile.as_view(), name="job-machine-file"),
    *(
        path(f"jobs/<id:job_id>/{name}/", view.as_view(), name=f"job-{name}")
        for name, view in jobs.PRESSES.items()
    ),
]

app_name = "api"
urlpatterns = [
    path("v1/", include(v1)),
    path("schema/", SpectacularJSONAPIView.as_view(), name="schema"),
    path("docs/", docs.page, name="docs"),
    path("<path:rest>", errors.unknown_address, name="unknown"),
]

# At the root, where monitors look.
health_addresses = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
]
