"""gunicorn's configuration: each worker is sampled, as docs/usage.md would have it."""

import os


def post_fork(server, worker):
    if "REAL_LOG" in os.environ:
        import vmprof

        worker.vmprof_log = open(os.environ["REAL_LOG"], "wb", buffering=0)
        vmprof.enable(worker.vmprof_log.fileno(), float(os.environ["REAL_PERIOD"]))


def worker_exit(server, worker):
    if "REAL_LOG" in os.environ:
        import vmprof

        vmprof.disable()
        worker.vmprof_log.close()
