"""Long work: its result, its failure and its end are reported."""

from mnuts_dashboards.widgets.background import Cancelled, Job


def test_a_job_reports_result_failure_and_cancel():
    reported = []

    def run(work):
        return Job(work, done=reported.append, failed=reported.append, progress=reported.append)

    run(lambda progress: progress(0.5) or "made").start()
    assert reported == [0.5, "made"]
    run(lambda progress: 1 / 0).start()
    assert isinstance(reported[-1], ZeroDivisionError)
    job = run(lambda progress: progress(0.1))
    job.cancel()
    job.start()
    assert isinstance(reported[-1], Cancelled)
