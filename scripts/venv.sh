# Sourced by scripts/quickstart and scripts/test: makes .venv and installs hanjo with the extras it is given,
# once for each state of pyproject.toml and constraints.txt. Needs Python 3.11 or newer, and pip.

make_venv() { # make_venv EXTRAS
  local extras=$1 python stamp wanted
  if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then # missing, or its making was interrupted
    for python in python3.11 python3.12 python3.13 python3; do
      command -v "$python" >/dev/null && "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' && break
      python=
    done
    if [ -z "${python:-}" ]; then
      echo "hanjo needs Python 3.11 or newer; none was found in PATH" >&2
      exit 1
    fi
    echo "making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
  fi
  stamp=.venv/.installed-$extras
  wanted=$(cat pyproject.toml constraints.txt | sha256sum | cut -d ' ' -f 1)
  if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    echo "installing hanjo[$extras] into .venv (torch among it: minutes, the first time)"
    .venv/bin/python -m pip install --quiet --quiet --disable-pip-version-check -c constraints.txt -e ".[$extras]"
    echo "$wanted" >"$stamp"
  fi
}
