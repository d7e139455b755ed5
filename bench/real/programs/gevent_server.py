"""gevent's web server, and clients of the standard library made cooperative."""

from gevent import monkey

monkey.patch_all()

import threading  # noqa: E402
import urllib.request  # noqa: E402

import gevent  # noqa: E402
from gevent.pool import Pool  # noqa: E402
from gevent.pywsgi import WSGIServer  # noqa: E402


def application(environ, start_response):
    n = int(environ["PATH_INFO"].strip("/"))
    start_response("200 OK", [("Content-Type", "text/plain")])
    gevent.sleep(0)
    return [str(sum(i * i % 7 for i in range(n))).encode()]


def fetch(n):
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/{n}") as response:
        return int(response.read())


server = WSGIServer(("127.0.0.1", 0), application, log=None)
server.start()
print(sum(Pool(10).map(fetch, range(5000, 5300))))
in_threads = []
threads = [threading.Thread(target=lambda: in_threads.append(fetch(9000))) for _ in range(20)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sum(in_threads))
print(gevent.get_hub().threadpool.apply(sum, (range(1000),)))
server.stop()
