"""Two functions of one multiplication, called by the million, one thrice as often."""

from truth_clock import Truth, write


def work_thrice(x):
    return (x * 3 + 1) % 7 * (x + 2) % 5


def work_once(x):
    return (x * 3 + 1) % 7 * (x + 2) % 5


def main():
    truth = Truth()
    calls = truth.shuffled([work_thrice, work_thrice, work_thrice, work_once] * 250)
    while truth.more():
        for function in calls:
            function(5)
        truth.count("work_thrice", 750)
        truth.count("work_once", 250)
    write(truth)


main()
