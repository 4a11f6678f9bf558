# Sourced by ./dev: progress lines, and the Debian packages that a verb needs.

step() {
    printf '==> [%3ds] %s\n' "$SECONDS" "$*"
}

usage_error() {
    printf './dev: %s\n' "$*" >&2
    exit 2
}

installed() {
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# The packages of the groups in tools/packages.txt that this machine lacks, one a line.
missing_packages() {
    local group package unless
    while read -r group package unless; do
        [[ -n $group && $group != \#* && " $* " == *" $group "* ]] || continue
        if [[ -n $unless ]] && command -v "$unless" >/dev/null; then continue; fi
        installed "$package" || printf '%s\n' "$package"
    done <tools/packages.txt
}

# setup GROUP...: installs what is missing, with apt-get, as root or by sudo.
setup() {
    local as_root=() missing log=build/packages.log
    if ! command -v dpkg-query >/dev/null; then
        step "this is not Debian: its packages are not checked (tools/packages.txt lists them)"
        return
    fi
    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]})) || return 0
    if ((EUID != 0)); then
        if ! command -v sudo >/dev/null; then
            printf './dev: packages are missing, and there is no sudo; as root, first run:\n' >&2
            printf 'apt-get update && apt-get install -y --no-install-recommends %s\n' \
                "${missing[*]}" >&2
            exit 1
        fi
        as_root=(sudo)
    fi
    step "installing ${#missing[@]} Debian packages: ${missing[*]}"
    mkdir -p build
    # Its many lines matter only when it fails. A repository of the machine's own that cannot be
    # reached is no reason to stop; and a machine that has just started may still be updating
    # itself, so apt-get waits for its turn.
    if ! {
        "${as_root[@]}" apt-get update -qq || true
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
            --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}"
    } >"$log" 2>&1; then
        tail -n 5 "$log" >&2
        printf './dev: apt-get could not install them (is there a network?); all it said: %s\n' \
            "$log" >&2
        exit 1
    fi
    step "installed them"
}
