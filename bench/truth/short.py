"""Two functions of half a microsecond, called by the million, one thrice as often.

Where a code object happens to lie in memory makes a call cheaper or dearer, a few percent where it
is a line: with a few more lines it evens out.
"""

from truth_clock import Truth, write


def work_thrice(x):
    x = (x * 3 + 1) % 7 * (x + 2) % 5
    x = (x * 5 + 3) % 11 * (x + 1) % 7
    x = (x * 7 + 2) % 13 * (x + 4) % 11
    x = (x * 2 + 5) % 17 * (x + 3) % 13
    return (x * 9 + 4) % 19 * (x + 5) % 17


def work_once(x):
    x = (x * 3 + 1) % 7 * (x + 2) % 5
    x = (x * 5 + 3) % 11 * (x + 1) % 7
    x = (x * 7 + 2) % 13 * (x + 4) % 11
    x = (x * 2 + 5) % 17 * (x + 3) % 13
    return (x * 9 + 4) % 19 * (x + 5) % 17


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
