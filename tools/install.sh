#!/bin/sh
# The Makefile calls this script to install into .venv. The Makefile lists the variables that this script must not
# inherit.
#
#   install.sh whole                     succeeds if .venv is complete and contains uv
#   install.sh venv PYTHON UV_VERSION    creates .venv with PYTHON, or with a Python that it finds if PYTHON is empty
#   install.sh packages REQUIREMENTS     installs the packages of a lock file
#   install.sh node FOLDER DIRECTORY     installs the npm packages that FOLDER/package-lock.json pins into DIRECTORY
set -eu
bin=.venv/bin
version=$(cat .python-version)
# This file exists until .venv is complete. If it still exists, the next `make` creates .venv again.
unfinished=.venv/unfinished
room="free 1 GB of disk space there, and run make as a user who may write there"
reach="check the network, the proxy and the package index (PIP_INDEX_URL, UV_DEFAULT_INDEX), then run make again"

# attempt WHAT REMEDY COMMAND...: runs a command and hides its output. If the command fails, the error message contains
# the first output line with an error, which tells the failure, and the last line, which tells the cause.
attempt() {
    what=$1 remedy=$2
    shift 2
    said=$("$@" 2>&1) || {
        said=$(printf '%s\n' "$said" | awk '
            /^Traceback/ { next }
            first == "" || (/rror/ && first !~ /rror/) { first = $0 }
            { last = $0 }
            END { print first == last ? last : first " " last }' | tr -s ' ')
        printf 'error: %s: %s. Remedy: %s.\n' "$what" "${said%.}" "$remedy" >&2
        exit 1
    }
}

# alone PYTHON ARGUMENTS...: runs this script with ARGUMENTS, and waits until no other make runs it. The operating
# system releases the lock when the process ends, even if it is killed. Without locks, as on some network file systems,
# the script runs at once.
alone() {
    python=$1
    shift
    exec "$python" -c '
import fcntl, os, sys
lock = os.open(sys.argv[1], os.O_RDONLY)
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    sys.stderr.write("Another make installs into this .venv. Waiting until it has ended.\n")
    fcntl.flock(lock, fcntl.LOCK_EX)
except OSError:
    pass
os.set_inheritable(lock, True)
os.execv("/bin/sh", ["sh"] + sys.argv[1:])' "$0" "$@"
}

# Scripts in .venv contain absolute paths, so a moved checkout needs a new .venv. make calls this function before it
# removes variables from the environment. Python must therefore ignore its variables, and -I ignores all except these
# two.
is_whole() {
    unset PYTHONEXECUTABLE __PYVENV_LAUNCHER__
    [ ! -e $unfinished ] && [ "$(cat .venv/made)" = "$(pwd -P)" ] && $bin/python -I -c 'import uv' && is_right $bin/python -I
}

# is_right COMMAND...: succeeds if the command starts a Python of the version in .python-version.
is_right() {
    "$@" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != sys.argv[-1])' "$version"
}

# A .venv that make did not create may contain other packages, so it is kept if its Python has the right version.
is_usable() {
    [ ! -e .venv/made ] && [ ! -e $unfinished ] && $bin/python -I -c 'import pip' && is_right $bin/python -I
}

check_python() {
    attempt "Python $version is needed" \
        "install it, or name one that is installed: make PYTHON=/path/to/python$version" \
        env "$1" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != sys.argv[-1] and "got " + sys.version.split()[0])' "$version"
    attempt "$1 cannot make a virtual environment" \
        "install python$version-venv (Debian, Ubuntu), or name another Python: make PYTHON=/path/to/python$version" \
        "$1" -c 'import sys; sys.tracebacklimit = 0; import ensurepip, venv'
}

# find_python PYTHON UV_VERSION: prints the path of a Python of the right version. This is PYTHON, a Python on the PATH,
# or a Python that uv downloads.
find_python() {
    for python in ${1:+"$1"} "python$version" python3; do
        if [ -n "$1" ] || is_right "$python" >/dev/null 2>&1; then
            check_python "$python"
            printf '%s\n' "$python"
            return
        fi
    done
    fetch_python "$2"
}

# fetch_python UV_VERSION: installs uv with any usable Python, and prints the path of the Python that uv downloads to
# .build.
fetch_python() {
    get="install Python $version, or name one that is installed: make PYTHON=/path/to/python$version"
    # The python3 of pyenv does not start if pyenv lacks the version in .python-version, so /usr/bin/python3 follows.
    for python in python3 /usr/bin/python3 ""; do
        "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 && break
    done
    attempt "Python $version is needed, and there is no Python that could fetch it" "$get" test -n "$python"
    echo "Fetching Python $version into .build" >&2
    attempt "cannot write $PWD/.build" "$room" mkdir -p .build
    attempt "cannot make $PWD/.build/uv" "$room" "$python" -m venv --clear .build/uv
    attempt "cannot install uv" "$reach" .build/uv/bin/python -m pip --python= install --quiet \
        --disable-pip-version-check --no-user --target= --root=/ --prefix="$PWD/.build/uv" "uv==$1"
    # With the value 0, uv creates no link in the user's bin directory.
    UV_PYTHON_INSTALL_DIR=$PWD/.build/python UV_PYTHON_INSTALL_BIN=0
    export UV_PYTHON_INSTALL_DIR UV_PYTHON_INSTALL_BIN
    attempt "Python $version is needed, and uv cannot fetch it" "$get" .build/uv/bin/uv python install "$version"
    .build/uv/bin/uv python find --no-project "$version"
}

make_venv() {
    python=$1 uv_version=$2
    if is_whole 2>/dev/null; then
        return
    fi
    echo "Installing into .venv"
    if ! is_usable 2>/dev/null; then
        attempt "cannot delete the broken $PWD/.venv" "$room" rm -rf .venv
    fi
    attempt "cannot write $PWD/.venv" "$room" mkdir -p .venv
    attempt "cannot write $PWD/.venv" "$room" touch $unfinished
    [ -x $bin/python ] || attempt "cannot make $PWD/.venv" "$room" "$python" -m venv .venv
    # These options override settings of a pip.conf that would install elsewhere.
    attempt "cannot install uv" "$reach" $bin/python -m pip --python= install --quiet --disable-pip-version-check \
        --ignore-installed --no-user --target= --root=/ --prefix="$PWD/.venv" "uv==$uv_version"
    pwd -P >.venv/made
    rm $unfinished
}

packages() {
    attempt "uv does not work" "set HOME or UV_CACHE_DIR to a folder that this user may write" \
        $bin/uv pip list --quiet --python $bin/python
    attempt "uv would install outside of .venv" \
        "take target and prefix out of [pip] in uv.toml, or have uv ignore that file: export UV_NO_CONFIG=1" \
        $bin/uv pip show --quiet --python $bin/python uv
    set -- pip install --quiet --python $bin/python --require-hashes --requirement "$1"
    # This dry run fails if there is no network, so that a working .venv is not changed.
    attempt "cannot find the packages" "$reach" $bin/uv "$@" --dry-run
    attempt "cannot write $PWD/.venv" "$room" touch $unfinished
    attempt "cannot install the packages" "$reach; or $room" $bin/uv "$@"
    rm $unfinished
}

node() {
    attempt "cannot write $PWD/$2" "$room" mkdir -p "$2"
    if [ "$1" != "$2" ]; then
        attempt "cannot write $PWD/$2" "$room" cp "$1/package.json" "$1/package-lock.json" "$2"
    fi
    PATH="$PWD/$bin:$PATH"
    attempt "cannot install the packages of $1/package.json" "$reach; or $room" \
        npm ci --prefix "$2" --ignore-scripts --no-global --no-dry-run --no-audit --no-fund
}

action=$1
shift
case $action in
whole) is_whole ;;
venv)
    if is_whole 2>/dev/null; then
        exit
    fi
    python=$(find_python "$1" "$2")
    alone "$python" make_venv "$python" "$2"
    ;;
packages | node) alone $bin/python "do_$action" "$@" ;;
make_venv) make_venv "$@" ;;
do_packages) packages "$@" ;;
do_node) node "$@" ;;
esac
