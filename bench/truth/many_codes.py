"""20,000 code objects with one of two names, called in turn; one sort does twice the work."""

from truth_clock import UNIT, Truth, write

CODES = 20000
SOURCE = """def {name}(n):
    for _ in range(n):
        pass
"""


def make(number):
    name = "work_twice" if number % 2 else "work_once"
    names = {}
    exec(compile(SOURCE.format(name=name), "made_%d.py" % number, "exec"), names)
    return names[name]


def main():
    functions = [make(number) for number in range(CODES)]
    truth = Truth()
    while True:
        for function in functions:
            twice = function.__name__ == "work_twice"
            truth.call(function.__name__, function, UNIT if twice else UNIT // 2)
            if not truth.more():
                write(truth)
                return


main()
