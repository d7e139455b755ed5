#!/bin/sh
# Records the logs of this folder anew, with what the readers find in them:
#   record_all.sh PYTHON_04 PYTHON_06 PYPY_7 PYPY_8
# Each argument is a command: interpreters with vmprof 0.4.18.1 and 0.6.0, and PyPys.
# A libunwind.so must be found by dlopen for the native frames of vmprof.
set -eu
cd "$(dirname "$0")"
python_04=$1 python_06=$2 pypy_7=$3 pypy_8=$4
here=$PWD raw=$(mktemp -d)
trap 'rm -rf "$raw"' EXIT
chmod 755 "$raw" # a PyPy in another root file system has the same /tmp
cp record.py "$raw"

record() { # COMMAND NAME SECONDS OPTIONS
    command=$1 name=$2 seconds=$3
    shift 3
    $command "$raw/record.py" "$raw/$name" "$seconds" "$@"
    case $name in
    pypy-8.0_plain)
        $python_06 trim.py "$raw/$name" "$raw/trimmed"
        gzip -9 -n -c "$raw/trimmed" >"$name.vmprof"
        ;;
    pypy-*) $python_06 trim.py "$raw/$name" "$name.vmprof" ;;
    *) cp "$raw/$name" "$name.vmprof" ;;
    esac
}

for version in 4 6; do
    [ $version = 4 ] && python=$python_04 || python=$python_06
    record "$python" vmprof-0.${version}_plain 0.2 native=0
    record "$python" vmprof-0.${version}_lines 0.2 native=0 lines=1
    record "$python" vmprof-0.${version}_memory 0.2 native=0 memory=1
    record "$python" vmprof-0.${version}_native 0.2 native=1
    record "$python" vmprof-0.${version}_all 0.05 native=1 lines=1 memory=1 real_time=1
done
record "$pypy_7" pypy-7.3_plain 0.2
record "$pypy_7" pypy-7.3_memory 0.2 memory=1
record "$pypy_8" pypy-8.0_plain 0.2
record "$pypy_8" pypy-8.0_memory 0.2 memory=1
record "$pypy_8" pypy-8.0_native 0.2 native=1
record "$pypy_8" pypy-8.0_real 0.05 real_time=1
$python_06 make.py
cd "$here"
for log in *.vmprof; do
    case $log in
    vmprof-0.4*) python=$python_04 ;;
    made-v0* | made-v1-pypy* | *big-endian* | *double*) continue ;; # make.py says what is in these
    *) python=$python_06 ;;
    esac
    $python expect.py "$log" >"${log%.vmprof}.json"
done
$python_06 expect.py vmprof-0.6_plain.vmprof 0.003 >gaps.json
