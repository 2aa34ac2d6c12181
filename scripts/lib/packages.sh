# Sourced by shell scripts that install Debian packages. Needs step.sh.

# Prints those of the packages named that are not installed.
missing_packages() {
  local installed package
  installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null || true)
  for package in "$@"; do
    grep -qxE "ii +${package//+/\\+}" <<<"$installed" || echo "$package"
  done
}

# Makes sure that packages can be installed, or says what the user has to do. Asks for a password here, while
# the terminal is not yet a log.
become_root() {
  as_root=()
  [ "$(id -u)" != 0 ] || return 0
  command -v sudo >/dev/null || {
    echo "these Debian packages are missing, and there is no sudo here. Run as root:" >&2
    echo "  apt-get install --no-install-recommends $*" >&2
    return 1
  }
  sudo -n true 2>/dev/null || sudo -v || return 1
  as_root=(sudo)
}

# Installs packages without starting any service of theirs, now or at the next boot: what the tests need of
# a web server and a database are the programs.
install_packages() {
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -o Dpkg::Use-Pty=0
    -o APT::Color=0 -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300)
  local status=0
  { "${apt[@]}" update && keep_services_down "$@" && "${apt[@]}" install --no-install-recommends "$@"; } ||
    status=$?
  let_services_up
  return $status
}

policy=/usr/sbin/policy-rc.d silenced=0
keep_services_down() {
  local cluster=/etc/postgresql-common/createcluster.conf
  [[ " $* " == *" nginx "* || " $* " == *" postgresql "* ]] || return 0
  if [ ! -e $policy ]; then
    silenced=1
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
    "${as_root[@]}" chmod 755 $policy
  fi
  if [ ! -e $cluster ]; then # else PostgreSQL makes a database of its own and starts it at every boot
    "${as_root[@]}" mkdir -p "${cluster%/*}"
    echo 'create_main_cluster = false' | "${as_root[@]}" tee $cluster >/dev/null
  fi
  after_install=("$@")
}
let_services_up() {
  local service
  [ $silenced = 0 ] || "${as_root[@]}" rm -f $policy
  for service in nginx postgresql; do
    [[ " ${after_install[*]-} " != *" $service "* ]] || [ ! -d /run/systemd/system ] ||
      "${as_root[@]}" systemctl disable "$service" || true
  done
}
