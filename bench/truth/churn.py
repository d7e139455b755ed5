"""Code objects that are made, called once and thrown away, so that addresses are used again."""

from truth_clock import UNIT, Truth, write

SOURCE = """def {name}(n):
    for _ in range(n):
        pass
"""


def make(name):
    names = {}
    exec(compile(SOURCE.format(name=name), "made.py", "exec"), names)
    return names[name]


def main():
    truth = Truth()
    while truth.more():
        for name, n in truth.shuffled([("work_thrice", 3 * UNIT), ("work_once", UNIT)]):
            truth.call(name, make(name), n)
    write(truth)


main()
