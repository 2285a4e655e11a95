"""What the API answers about what needs a hand: the work list, power cuts, the clock, messages."""

from rest_framework import serializers as s

from fablab.api.out import NamedOut, Out, maybe, one_of
from fablab.core.witness import Why
from jobs.recovery.states import Now, Outcome
from jobs.worklist.states import Need


class JobNameOut(Out):
    id = s.CharField()
    number = s.IntegerField()
    title = s.CharField()


class HandlerOut(Out):
    id = s.CharField()
    name = s.CharField()
    until = s.DateTimeField()


class TaskOut(Out):
    key = s.CharField()
    need = one_of(Need)
    detail = s.CharField(help_text="A sentence in the caller's language.")
    since = maybe(s.DateTimeField)
    machine = maybe(NamedOut)
    job = maybe(JobNameOut)
    why = maybe(s.CharField)
    count = s.IntegerField()
    handled_by = maybe(HandlerOut)


class HandledOut(Out):
    key = s.CharField()
    until = maybe(s.DateTimeField)


class PowerCutOut(Out):
    id = s.CharField()
    start = s.DateTimeField()
    end = s.DateTimeField()
    reason = s.CharField(allow_blank=True)


class InterruptedOut(Out):
    job = JobNameOut()
    machine = NamedOut()
    percent = maybe(s.FloatField)
    now = one_of(Now)
    choices = s.ListField(child=one_of(Outcome))
    likely = one_of(Outcome, allow_null=True)


class InterruptionOut(Out):
    began_at = maybe(s.DateTimeField)
    noticed_at = maybe(s.DateTimeField)
    jobs = InterruptedOut(many=True)


class RefusedJobOut(Out):
    job = s.CharField()
    code = s.CharField()
    detail = s.CharField(help_text="A sentence in the caller's language.")


class SettledOut(Out):
    done = s.BooleanField(help_text="Nothing is left to decide.")
    refused = RefusedJobOut(many=True)
    missing = s.ListField(child=s.CharField(), help_text="Jobs that nothing was said of.")


class ClockOut(Out):
    at = s.DateTimeField()
    trusted = s.BooleanField()
    why = one_of(Why, allow_null=True)


class NoticeOut(Out):
    id = s.CharField()
    code = s.CharField()
    detail = s.CharField(help_text="A sentence in the caller's language.")
    params = s.DictField()
    link = maybe(s.CharField)
    at = s.DateTimeField()
