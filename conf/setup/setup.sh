#!/usr/bin/env bash
# Checks what the machine must bring, then hands over to install.py, with --runtime to runtime.py; --check stops
# before that.
# Only bash's own commands are used, so that the checks speak clearly on a bare machine.
set -euo pipefail

here="$(cd "${BASH_SOURCE[0]%/*}" && pwd)"
launcher="${LAUNCHER:-horovod}"
missing=0

say_missing() {
    printf 'setup: %s\n' "$1" >&2
    missing=1
}

find_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3.11 python3 python; do
        # ensurepip is a package of its own on Debian; without it a virtual environment has no pip.
        if "$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
            python="$candidate"
            return
        fi
    done
    say_missing "Python 3.11 with its venv module is needed and was not found: install it (Debian and Ubuntu: apt-get install python3.11 python3.11-venv) or name it with PYTHON=<file>."
}

check_java() {
    local java="${JAVA_HOME:+$JAVA_HOME/bin/}java" report major="none"
    if report="$("$java" -version 2>&1)" && [[ "$report" =~ version\ \"(1\.)?([0-9]+) ]]; then
        major="${BASH_REMATCH[2]}"
    fi
    # Spark 3.5 supports 8, 11 and 17; the project is tested on 17.
    [ "$major" = 17 ] || say_missing "Java 17 is needed and $major was found ($java): install it (Debian and Ubuntu: apt-get install openjdk-17-jre-headless) and put it on PATH or into JAVA_HOME."
}

check_compiler() {
    local compiler="${SEQUOIA_CXX:-g++}"
    # torch's headers are C++20: a g++ before version 10 is as good as none.
    "$compiler" -std=gnu++20 -x c++ -fsyntax-only - </dev/null 2>/dev/null ||
        say_missing "A C++20 compiler is needed to build Horovod and $compiler is missing or too old: install g++ 10 or newer (Debian and Ubuntu: apt-get install g++), or train without Horovod with LAUNCHER=torchrun."
}

check_cmake() {
    local report version="none"
    if report="$(cmake --version 2>/dev/null)" && [[ "$report" =~ version\ ([0-9]+\.[0-9]+) ]]; then
        version="${BASH_REMATCH[1]}"
    fi
    # Horovod's bundled Gloo declares a minimum that CMake 4 refuses.
    [[ "$version" == 3.* ]] ||
        say_missing "CMake 3 is needed to build Horovod and $version was found: install it (Debian and Ubuntu: apt-get install cmake), or train without Horovod with LAUNCHER=torchrun."
}

case "$launcher" in
horovod | torchrun | single) ;;
*) say_missing "LAUNCHER=$launcher is unknown: give horovod, torchrun or single." ;;
esac
find_python
check_java
if [ "$launcher" = horovod ]; then
    check_compiler
    check_cmake
fi
[ "$missing" = 0 ] || exit 2
case "${1:-}" in
--check) ;;
--runtime) exec "$python" "$here/runtime.py" ;;
*) exec "$python" "$here/install.py" "$launcher" ;;
esac
