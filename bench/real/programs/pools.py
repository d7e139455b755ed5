"""A multiprocessing.Pool and the executors of concurrent.futures; argv[1]: how processes start."""

import concurrent.futures
import multiprocessing
import sys
import threading


def work(n):
    return sum(i * i % 7 for i in range(n))


def named(n):
    return threading.current_thread().name[:6], work(n)


def fails(n):
    raise ValueError(n)


def main():
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(3) as pool:
        print(sum(pool.map(work, range(20_000, 20_030))))
        print(sorted(pool.imap_unordered(work, range(100, 110))))
        try:
            pool.apply(fails, (3,))
        except ValueError as error:
            print("raised", error)
        pool.close()
        pool.join()
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        print(sum(pool.map(work, range(30_000, 30_020))))
    with concurrent.futures.ThreadPoolExecutor(4, thread_name_prefix="worker") as pool:
        print(sorted(set(pool.map(named, [20_000] * 40))))
    process = context.Process(target=sys.exit, args=(7,))
    process.start()
    process.join()
    print("exit code", process.exitcode)
    process = context.Process(target=work, args=(10**9,))
    process.start()
    process.terminate()
    process.join()
    print("exit code", process.exitcode)


if __name__ == "__main__":
    main()
