"""Tiny: a small language with a lexer, a parser, an optimizer, and two ways to run a program.

    python tinylang.py [ROUNDS]             run the programs at the end of this file
    python -m vmprof tinylang.py            the same, and see where the time goes

The main thread compiles each program to bytecode and runs it on a stack machine. A second thread,
"checker", runs every fifth of them by walking the syntax tree. Both must print the same.

It is one long file on purpose: a program to be profiled that one can copy and run anywhere.
"""

from __future__ import annotations

import queue
import re
import sys
import threading
import zlib

# ----------------------------------------------------------------------------- lexer

TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<text>"[^"]*")
      | (?P<name>[A-Za-z_]\w*)
      | (?P<sign><=|>=|==|!=|&&|\|\||[-+*/%<>=!(){}\[\],;])""",
    re.VERBOSE,
)
KEYWORDS = {"let", "fn", "if", "else", "while", "return", "print", "true", "false"}


class TinyError(Exception):
    """The program is wrong; the text says where."""


def tokens(source):
    """Yield (kind, text, line) of a program, and at last an end token."""
    at, line = 0, 1
    while at < len(source):
        match = TOKEN.match(source, at)
        if match is None:
            raise TinyError(f"line {line}: what is {source[at]!r}?")
        kind, text = match.lastgroup, match.group()
        if kind == "name" and text in KEYWORDS:
            kind = "keyword"
        if kind != "space":
            yield kind, text, line
        line += text.count("\n")
        at = match.end()
    yield "end", "", line


# ----------------------------------------------------------------------------- syntax tree


class Node:
    """A node of the syntax tree; `fields` names its attributes, in the order of the constructor."""

    fields = ()

    def __init__(self, *values):
        for name, value in zip(self.fields, values):
            setattr(self, name, value)


def node(name, *fields):
    return type(name, (Node,), {"fields": fields, "__slots__": fields})


Constant = node("Constant", "value")
Variable = node("Variable", "name")
Binary = node("Binary", "sign", "left", "right")
Unary = node("Unary", "sign", "operand")
Logic = node("Logic", "sign", "left", "right")
Call = node("Call", "name", "arguments")
Index = node("Index", "target", "index")
List = node("List", "items")
Let = node("Let", "name", "value")
Assign = node("Assign", "target", "value")
If = node("If", "condition", "then", "otherwise")
While = node("While", "condition", "body")
Return = node("Return", "value")
Print = node("Print", "value")
Function = node("Function", "name", "parameters", "body")
Expression = node("Expression", "value")

POWER = {
    "||": 1,
    "&&": 2,
    "==": 3,
    "!=": 3,
    "<": 4,
    "<=": 4,
    ">": 4,
    ">=": 4,
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
    "%": 6,
}


class Parser:
    """Statements by recursive descent, expressions by the powers of their signs."""

    def __init__(self, source):
        self._tokens = tokens(source)
        self._advance()

    def program(self):
        statements = []
        while self._kind != "end":
            statements.append(self._statement())
        return statements

    def _advance(self):
        self._kind, self._text, self._line = next(self._tokens)

    def _accept(self, text):
        if self._text == text and self._kind in ("sign", "keyword"):
            self._advance()
            return True
        return False

    def _expect(self, text):
        if not self._accept(text):
            raise TinyError(f"line {self._line}: {text!r} expected, not {self._text!r}")

    def _name(self):
        if self._kind != "name":
            raise TinyError(f"line {self._line}: a name expected, not {self._text!r}")
        name = self._text
        self._advance()
        return name

    def _block(self):
        self._expect("{")
        statements = []
        while not self._accept("}"):
            statements.append(self._statement())
        return statements

    def _statement(self):
        if self._kind == "keyword":
            method = getattr(self, f"_parse_{self._text}", None)
            if method is not None:
                self._advance()
                return method()
        value = self._expression()
        if self._accept("="):
            if not isinstance(value, (Variable, Index)):
                raise TinyError(f"line {self._line}: nothing to assign to")
            value = Assign(value, self._expression())
        else:
            value = Expression(value)
        self._expect(";")
        return value

    def _parse_let(self):
        name = self._name()
        self._expect("=")
        value = self._expression()
        self._expect(";")
        return Let(name, value)

    def _parse_fn(self):
        name = self._name()
        self._expect("(")
        parameters = []
        while not self._accept(")"):
            parameters.append(self._name())
            if self._text != ")":
                self._expect(",")
        return Function(name, parameters, self._block())

    def _parse_if(self):
        condition = self._expression()
        then = self._block()
        otherwise = []
        if self._accept("else"):
            otherwise = [self._parse_if()] if self._accept("if") else self._block()
        return If(condition, then, otherwise)

    def _parse_while(self):
        return While(self._expression(), self._block())

    def _parse_return(self):
        value = self._expression()
        self._expect(";")
        return Return(value)

    def _parse_print(self):
        value = self._expression()
        self._expect(";")
        return Print(value)

    def _expression(self, power=0):
        left = self._operand()
        while self._kind == "sign" and POWER.get(self._text, 0) > power:
            sign = self._text
            self._advance()
            right = self._expression(POWER[sign])
            left = (Logic if sign in ("&&", "||") else Binary)(sign, left, right)
        return left

    def _operand(self):
        kind, text = self._kind, self._text
        self._advance()
        if kind == "number":
            value = Constant(float(text) if "." in text else int(text))
        elif kind == "text":
            value = Constant(text[1:-1])
        elif text in ("true", "false"):
            value = Constant(text == "true")
        elif kind == "name":
            value = Call(text, self._list(")")) if self._accept("(") else Variable(text)
        elif text == "(":
            value = self._expression()
            self._expect(")")
        elif text == "[":
            value = List(self._list("]"))
        elif text in ("-", "!"):
            return Unary(text, self._expression(7))
        else:
            raise TinyError(f"line {self._line}: an expression expected, not {text!r}")
        while self._accept("["):
            value = Index(value, self._expression())
            self._expect("]")
        return value

    def _list(self, end):
        items = []
        while not self._accept(end):
            items.append(self._expression())
            if self._text != end:
                self._expect(",")
        return items


# ----------------------------------------------------------------------------- optimizer


class Optimizer:
    """Computes what is constant, bottom up, and drops branches that are never taken."""

    def visit(self, item):
        if isinstance(item, list):
            return [kept for one in item if (kept := self.visit(one)) is not None]
        if not isinstance(item, Node):
            return item
        for name in item.fields:
            setattr(item, name, self.visit(getattr(item, name)))
        method = getattr(self, f"_visit_{type(item).__name__}", None)
        return item if method is None else method(item)

    def _visit_Binary(self, item):
        if isinstance(item.left, Constant) and isinstance(item.right, Constant):
            return Constant(apply_binary(item.sign, item.left.value, item.right.value))
        return item

    def _visit_Unary(self, item):
        if isinstance(item.operand, Constant):
            return Constant(apply_unary(item.sign, item.operand.value))
        return item

    def _visit_While(self, item):
        never = isinstance(item.condition, Constant) and not item.condition.value
        return None if never else item


def divide(a, b):
    return a // b if isinstance(a, int) and isinstance(b, int) else a / b


BINARY = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": divide,
    "%": lambda a, b: a % b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


def apply_binary(sign, left, right):
    return BINARY[sign](left, right)


def apply_unary(sign, operand):
    return -operand if sign == "-" else not operand


def push(target, item):
    target.append(item)
    return item


BUILTINS = {"len": len, "push": push, "str": str, "int": int, "abs": abs}


# ----------------------------------------------------------------------------- compiler


class Code:
    """Bytecode of one function: a list of (operation, argument)."""

    def __init__(self, name, parameters):
        self.name = name
        self.parameters = parameters
        self.operations = []

    def emit(self, operation, argument=None):
        self.operations.append((operation, argument))
        return len(self.operations) - 1

    def patch(self, at):
        """Let the jump at `at` lead to what comes next."""
        self.operations[at] = (self.operations[at][0], len(self.operations))


class Compiler:
    """Syntax tree to bytecode; functions go into `codes`."""

    def __init__(self):
        self.codes = {}

    def compile(self, statements):
        main = Code("main", [])
        self._block(statements, main)
        main.emit("push", None)
        main.emit("return")
        return main

    def _block(self, statements, code):
        for statement in statements:
            getattr(self, f"_compile_{type(statement).__name__}")(statement, code)

    def _value(self, item, code):
        getattr(self, f"_compile_{type(item).__name__}")(item, code)

    def _compile_Constant(self, item, code):
        code.emit("push", item.value)

    def _compile_Variable(self, item, code):
        code.emit("load", item.name)

    def _compile_Binary(self, item, code):
        self._value(item.left, code)
        self._value(item.right, code)
        code.emit("binary", BINARY[item.sign])

    def _compile_Unary(self, item, code):
        self._value(item.operand, code)
        code.emit("unary", item.sign)

    def _compile_Logic(self, item, code):
        self._value(item.left, code)
        jump = code.emit("keep_if_true" if item.sign == "||" else "keep_if_false")
        self._value(item.right, code)
        code.patch(jump)

    def _compile_Call(self, item, code):
        for argument in item.arguments:
            self._value(argument, code)
        operation = "call_builtin" if item.name in BUILTINS else "call"
        code.emit(operation, (item.name, len(item.arguments)))

    def _compile_Index(self, item, code):
        self._value(item.target, code)
        self._value(item.index, code)
        code.emit("index")

    def _compile_List(self, item, code):
        for one in item.items:
            self._value(one, code)
        code.emit("list", len(item.items))

    def _compile_Let(self, item, code):
        self._value(item.value, code)
        code.emit("declare", item.name)

    def _compile_Assign(self, item, code):
        if isinstance(item.target, Index):
            self._value(item.target.target, code)
            self._value(item.target.index, code)
            self._value(item.value, code)
            code.emit("store_index")
        else:
            self._value(item.value, code)
            code.emit("store", item.target.name)

    def _compile_If(self, item, code):
        self._value(item.condition, code)
        to_else = code.emit("jump_if_false")
        self._block(item.then, code)
        to_end = code.emit("jump")
        code.patch(to_else)
        self._block(item.otherwise, code)
        code.patch(to_end)

    def _compile_While(self, item, code):
        start = len(code.operations)
        self._value(item.condition, code)
        to_end = code.emit("jump_if_false")
        self._block(item.body, code)
        code.emit("jump", start)
        code.patch(to_end)

    def _compile_Return(self, item, code):
        self._value(item.value, code)
        code.emit("return")

    def _compile_Print(self, item, code):
        self._value(item.value, code)
        code.emit("print")

    def _compile_Function(self, item, code):
        body = Code(item.name, item.parameters)
        self._block(item.body, body)
        body.emit("push", None)
        body.emit("return")
        self.codes[item.name] = body

    def _compile_Expression(self, item, code):
        self._value(item.value, code)
        code.emit("pop")


# ----------------------------------------------------------------------------- machine


class Machine:
    """Runs bytecode on one stack of values and one of frames."""

    def __init__(self, codes):
        self._codes = codes
        self._stack = []
        self._globals = {}
        self._locals = self._globals
        self._frames = []
        self._operations = []
        self._at = 0
        self.printed = []
        self._table = {
            name[4:]: getattr(self, name) for name in dir(self) if name.startswith("_do_")
        }

    def run(self, main):
        self._operations = main.operations
        table = self._table
        while self._operations is not None:
            operation, argument = self._operations[self._at]
            self._at += 1
            table[operation](argument)
        return self.printed

    def _do_push(self, value):
        self._stack.append(value)

    def _do_pop(self, _):
        self._stack.pop()

    def _do_load(self, name):
        scope = self._locals
        self._stack.append(scope[name] if name in scope else self._globals[name])

    def _do_declare(self, name):
        self._locals[name] = self._stack.pop()

    def _do_store(self, name):
        scope = self._locals if name in self._locals else self._globals
        if name not in scope:
            raise TinyError(f"{name} was never declared")
        scope[name] = self._stack.pop()

    def _do_binary(self, function):
        right = self._stack.pop()
        self._stack[-1] = function(self._stack[-1], right)

    def _do_unary(self, sign):
        self._stack[-1] = apply_unary(sign, self._stack[-1])

    def _do_index(self, _):
        index = self._stack.pop()
        self._stack[-1] = self._stack[-1][index]

    def _do_store_index(self, _):
        value, index, target = self._stack.pop(), self._stack.pop(), self._stack.pop()
        target[index] = value

    def _do_list(self, count):
        start = len(self._stack) - count
        self._stack[start:] = [self._stack[start:]]

    def _do_jump(self, to):
        self._at = to

    def _do_jump_if_false(self, to):
        if not self._stack.pop():
            self._at = to

    def _do_keep_if_true(self, to):
        if self._stack[-1]:
            self._at = to
        else:
            self._stack.pop()

    def _do_keep_if_false(self, to):
        if not self._stack[-1]:
            self._at = to
        else:
            self._stack.pop()

    def _take(self, count):
        start = len(self._stack) - count
        arguments = self._stack[start:]
        del self._stack[start:]
        return arguments

    def _do_call_builtin(self, call):
        name, count = call
        self._stack.append(BUILTINS[name](*self._take(count)))

    def _do_call(self, call):
        name, count = call
        code = self._codes[name]
        self._frames.append((self._operations, self._at, self._locals))
        self._locals = dict(zip(code.parameters, self._take(count)))
        self._operations, self._at = code.operations, 0

    def _do_return(self, _):
        if self._frames:
            self._operations, self._at, self._locals = self._frames.pop()
        else:
            self._operations = None

    def _do_print(self, _):
        self.printed.append(str(self._stack.pop()))


# ----------------------------------------------------------------------------- tree walker


class Returned(Exception):
    """Carries the value of a return statement to the call."""


class Walker:
    """Runs a program on its syntax tree; statements yield what they print."""

    def __init__(self, statements):
        self._statements = statements
        self._functions = {one.name: one for one in statements if isinstance(one, Function)}
        self._globals = {}

    def lines(self):
        yield from self._block(self._statements, self._globals)

    def _block(self, statements, scope):
        for statement in statements:
            yield from getattr(self, f"_run_{type(statement).__name__}")(statement, scope)

    def _run_Let(self, item, scope):
        scope[item.name] = self._value(item.value, scope)
        yield from ()

    def _run_Assign(self, item, scope):
        value = self._value(item.value, scope)
        if isinstance(item.target, Index):
            target = self._value(item.target.target, scope)
            target[self._value(item.target.index, scope)] = value
        else:
            name = item.target.name
            (scope if name in scope else self._globals)[name] = value
        yield from ()

    def _run_If(self, item, scope):
        branch = item.then if self._value(item.condition, scope) else item.otherwise
        yield from self._block(branch, scope)

    def _run_While(self, item, scope):
        while self._value(item.condition, scope):
            yield from self._block(item.body, scope)

    def _run_Return(self, item, scope):
        raise Returned(self._value(item.value, scope))
        yield

    def _run_Print(self, item, scope):
        yield str(self._value(item.value, scope))

    def _run_Function(self, item, scope):
        yield from ()

    def _run_Expression(self, item, scope):
        self._value(item.value, scope)
        yield from ()

    def _value(self, item, scope):
        return getattr(self, f"_evaluate_{type(item).__name__}")(item, scope)

    def _evaluate_Constant(self, item, scope):
        return item.value

    def _evaluate_Variable(self, item, scope):
        return scope[item.name] if item.name in scope else self._globals[item.name]

    def _evaluate_Binary(self, item, scope):
        return apply_binary(
            item.sign, self._value(item.left, scope), self._value(item.right, scope)
        )

    def _evaluate_Unary(self, item, scope):
        return apply_unary(item.sign, self._value(item.operand, scope))

    def _evaluate_Logic(self, item, scope):
        left = self._value(item.left, scope)
        decided = left if item.sign == "||" else not left
        return left if decided else self._value(item.right, scope)

    def _evaluate_Index(self, item, scope):
        return self._value(item.target, scope)[self._value(item.index, scope)]

    def _evaluate_List(self, item, scope):
        return [self._value(one, scope) for one in item.items]

    def _evaluate_Call(self, item, scope):
        arguments = [self._value(one, scope) for one in item.arguments]
        if item.name in BUILTINS:
            return BUILTINS[item.name](*arguments)
        function = self._functions[item.name]
        inner = dict(zip(function.parameters, arguments))
        try:
            for line in self._block(function.body, inner):
                raise TinyError(f"{item.name} prints {line!r}: only the main program may")
        except Returned as returned:
            return returned.args[0]
        return None


# ----------------------------------------------------------------------------- programs

QUEENS = """
fn safe(row, column, columns) {
    let other = 0;
    while other < row {
        let distance = row - other;
        if columns[other] == column || abs(columns[other] - column) == distance { return false; }
        other = other + 1;
    }
    return true;
}
fn place(row, size, columns) {
    if row == size { return 1; }
    let found = 0;
    let column = 0;
    while column < size {
        if safe(row, column, columns) {
            columns[row] = column;
            found = found + place(row + 1, size, columns);
        }
        column = column + 1;
    }
    return found;
}
let size = SIZE;
let columns = [];
while len(columns) < size { push(columns, 0 - 1); }
print "queens " + str(size) + ": " + str(place(0, size, columns));
"""

PRIMES = """
fn sieve(limit) {
    let crossed = [];
    while len(crossed) <= limit { push(crossed, false); }
    let primes = [];
    let n = 2;
    while n <= limit {
        if !crossed[n] {
            push(primes, n);
            let multiple = n * n;
            while multiple <= limit { crossed[multiple] = true; multiple = multiple + n; }
        }
        n = n + 1;
    }
    return primes;
}
let primes = sieve(SIZE * 200 + 2 * 3);
print "primes: " + str(len(primes)) + ", the last " + str(primes[len(primes) - 1]);
"""

MANDELBROT = """
fn depth(a, b, limit) {
    let x = 0.0; let y = 0.0; let n = 0;
    while n < limit && x * x + y * y < 4.0 {
        let t = x * x - y * y + a;
        y = 2.0 * x * y + b;
        x = t;
        n = n + 1;
    }
    return n;
}
let row = 0;
while row < SIZE {
    let line = "";
    let column = 0;
    while column < SIZE * 3 {
        let n = depth(column * 3.0 / (SIZE * 3) - 2.2, row * 2.4 / SIZE - 1.2, 24);
        if n >= 24 { line = line + "#"; } else if n > 5 { line = line + "+"; }
        else { line = line + "."; }
        column = column + 1;
    }
    print line;
    row = row + 1;
}
"""

SORTING = """
let seed = SIZE;
fn random(limit) { seed = (seed * 1103515245 + 12345) % 2147483648; return seed / 65536 % limit; }
fn sort(items, low, high) {
    if low >= high { return 0; }
    let pivot = items[(low + high) / 2];
    let left = low; let right = high;
    while left <= right {
        while items[left] < pivot { left = left + 1; }
        while items[right] > pivot { right = right - 1; }
        if left <= right {
            let kept = items[left];
            items[left] = items[right];
            items[right] = kept;
            left = left + 1;
            right = right - 1;
        }
    }
    return 1 + sort(items, low, right) + sort(items, left, high);
}
let items = [];
while len(items) < SIZE * 60 { push(items, random(1000)); }
let parts = sort(items, 0, len(items) - 1);
let n = 1;
let ordered = true;
while n < len(items) { ordered = ordered && items[n - 1] <= items[n]; n = n + 1; }
print "sorted " + str(len(items)) + " in " + str(parts) + " parts: " + str(ordered);
"""

PROGRAMS = (
    ("queens", QUEENS, 6),
    ("primes", PRIMES, 9),
    ("mandelbrot", MANDELBROT, 11),
    ("sorting", SORTING, 10),
)
ROUNDS = 48


def compile_program(source):
    """Source text to (bytecode of the main program, bytecode of its functions)."""
    statements = Optimizer().visit(Parser(source).program())
    compiler = Compiler()
    return compiler.compile(statements), compiler.codes


def run_on_machine(source):
    main, codes = compile_program(source)
    return Machine(codes).run(main)


def run_on_tree(source):
    return list(Walker(Parser(source).program()).lines())


def check(jobs, failures):
    """The second thread: run what comes, until None does, and compare."""
    while (job := jobs.get()) is not None:
        name, source, printed = job
        if run_on_tree(source) != printed:
            failures.append(name)


def main(rounds):
    jobs, failures, checked, checksum = queue.Queue(), [], 0, 0
    checker = threading.Thread(target=check, args=(jobs, failures), name="checker")
    checker.start()
    count = 0
    for round_number in range(rounds):
        for name, template, size in PROGRAMS:
            source = template.replace("SIZE", str(size + round_number % 2))
            printed = run_on_machine(source)
            checksum = zlib.crc32("\n".join(printed).encode(), checksum)
            if count % 5 == 0:
                jobs.put((name, source, printed))
                checked += 1
            if round_number == 0:
                print("\n".join(printed))
            count += 1
    jobs.put(None)
    checker.join()
    print(f"{count} programs run, {checked} checked, {len(failures)} differ")
    print(f"checksum {checksum:08x}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
