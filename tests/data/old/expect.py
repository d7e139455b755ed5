"""Prints as JSON what an old reader finds in a log: expect.py LOG [MAX_SAMPLE_GAP]

Runs under an interpreter that has vmprof 0.4.18.1 or 0.6.0. Functions are told by
their names, so that two code objects of one name are one function, as ours has it;
blocks of machine code of PyPy (AssemblerCode) are left out.
"""

import json
import sys

import vmprof
from vmprof.reader import AssemblerCode


def name(stats, addr):
    return stats.adr_dict.get(addr, "<unknown code>")


def frames(stats, trace):
    """(addr, line or None) of each frame, outermost first."""
    if not stats.profile_lines:
        return [(addr, None) for addr in trace if not isinstance(addr, AssemblerCode)]
    return [(trace[i], -trace[i + 1]) for i in range(0, len(trace), 2)]


def rows(node):
    """The tree as [depth, name, count, meta, lines] in pre-order, children by name and count."""
    lines = {line: hits for line, hits in node.lines.items() if line}
    result = [[0, node.name, node.count, node.meta, sorted(lines.items())]]
    for child in sorted(node.children.values(), key=lambda c: (c.name, c.count)):
        result += [[row[0] + 1, *row[1:]] for row in rows(child)]
    return result


def main():
    gap = [float(word) for word in sys.argv[2:]]
    stats = vmprof.read_profile(sys.argv[1], *gap)
    functions, leaves = {}, {}
    for trace, weight, *_ in stats.profiles:
        for found in {name(stats, addr) for addr, _ in frames(stats, trace)}:
            functions[found] = functions.get(found, 0) + weight
        if trace:
            found = name(stats, frames(stats, trace)[-1][0])
            leaves[found] = leaves.get(found, 0) + weight
    result = {
        "interp": stats.interp,
        "meta": stats.meta,
        "samples": len(stats.profiles),
        "periods": sum(profile[1] for profile in stats.profiles),
        "lost_time": getattr(stats, "lost_time", 0.0),
        "runtime_us": stats.get_runtime_in_microseconds(),
        "threads": sorted({profile[2] for profile in stats.profiles}),
        "memory_kb": sum(profile[3] for profile in stats.profiles),
        "functions": functions,
        "leaves": leaves,
        "tree": rows(stats.get_tree()) if any(profile[0] for profile in stats.profiles) else [],
    }
    json.dump(result, sys.stdout, indent=1, sort_keys=True)
    print()


main()
