#!/bin/sh
# Sets up a node: installs a version of this software below a root folder, asks how the node shall be configured, and
# lets it start at boot. Needs neither Node nor pnpm. Run again it changes nothing.
set -eu
umask 022

NAME=ivy
# What the tree of a version, the store of its packages and what the node measures take, in KiB and in files.
NEEDED_KIB=1600000
NEEDED_FILES=26000

usage() {
  cat <<'USAGE'
Usage: setup-node.sh [OPTIONS]

  --root FOLDER           where the node shall live (~/Documents/ivy)
  --source SOURCE         what to install: a folder, an archive (.tar.gz), or what git can clone from
                          (the folder that this script lies in)
  --tag TAG               with git: the tag to install
  --registry URL          package registry to install from (that of ~/.npmrc); to be said where that names none
                          and the pinned pnpm is not on this machine
  --start-at-boot HOW     systemd, cron or none (systemd where it runs, otherwise cron)
  --unit-dir FOLDER       where the systemd unit is written
  --yes                   ask nothing: take the options, and defaults for the rest

The configuration of the node, each asked for in a terminal if it is not given:

  --config FILE           a whole config.json instead of what follows
  --system-identifier ID  name of this system at the server (the host's name)
  --backend KIND          tenta, thingsboard, mqtt or none
  --host HOST             host name or address of the broker
  --port PORT             its TCP port (1883, with TLS 8883)
  --tls yes|no            speak TLS (no)
  --client-id ID          MQTT client identifier (the system identifier)
  --username NAME         MQTT user name (none)
  --password-file FILE    holds the MQTT password; for ThingsBoard without a user name, the device's access token
  --update-from KIND      where new versions come from: github, gitlab, git or none (none)
  --update-host HOST      host name of the code host (that of the kind)
  --repository NAME       repository like orgname/reponame
  --access-token-file FILE  holds an access token for the repository (none)
USAGE
}

say() { printf '%s\n' "$*"; }

refuse() {
  printf 'setup-node.sh: %s\n' "$*" >&2
  exit 1
}

# --- what is asked for

root= source= tag= registry= at_boot= has_config= has_identifier= has_server= yes=
left=$#
while [ "$left" -gt 0 ]; do
  argument=$1
  shift
  left=$((left - 1))
  case $argument in
  --help | -h)
    usage
    exit 0
    ;;
  --yes)
    yes=1
    set -- "$@" --yes
    continue
    ;;
  --*=*)
    value=${argument#*=}
    argument=${argument%%=*}
    ;;
  --*)
    [ "$left" -gt 0 ] || refuse "$argument needs a value; setup-node.sh --help says which"
    value=$1
    shift
    left=$((left - 1))
    ;;
  *) refuse "$argument is no option; setup-node.sh --help names them all" ;;
  esac
  case $argument in
  --root) root=$value ;;
  --source) source=$value ;;
  --tag) tag=$value ;;
  --registry) registry=$value ;;
  --config | --system-identifier | --backend | --host | --port | --tls | --client-id | --username | --password-file | \
    --update-from | --update-host | --repository | --access-token-file | --start-at-boot | --unit-dir)
    set -- "$@" "$argument" "$value"
    ;;
  *) refuse "$argument is no option; setup-node.sh --help names them all" ;;
  esac
  case $argument in
  --config) has_config=1 ;;
  --system-identifier) has_identifier=1 ;;
  --host) has_server=1 ;;
  --backend) [ "$value" != none ] || has_server=1 ;;
  --start-at-boot) at_boot=$value ;;
  esac
done

# --- whether it can work here

case $(uname -s) in Linux) ;; *) refuse "Linux is needed, and this is $(uname -s)" ;; esac
case $(uname -m) in
x86_64) arch=x64 ;;
aarch64) arch=arm64 ;;
*) refuse "a 64-bit system is needed (x86-64 or ARM), and this is $(uname -m): install the 64-bit Raspberry Pi OS" ;;
esac
# A 64-bit kernel runs 32-bit systems too.
[ "$(getconf LONG_BIT)" = 64 ] || refuse "a 64-bit system is needed, and this one is of 32 bits with a 64-bit kernel: install the 64-bit Raspberry Pi OS"
for tool in tar sed df stat base64 od sha512sum flock; do
  command -v "$tool" >/dev/null || refuse "the program $tool is missing: install it (apt-get install tar sed coreutils util-linux)"
done
if [ -z "$at_boot" ] && [ ! -d /run/systemd/system ] && ! command -v crontab >/dev/null; then
  refuse "there is neither systemd nor cron to start the node at boot: install one, or say --start-at-boot none"
fi
if [ -z "$root" ]; then
  [ "$(id -u)" != 0 ] || refuse "root is not who a node should run as: run this as the user that it shall belong to, or say --root FOLDER"
  root=$HOME/Documents/$NAME
fi
case $root in /*) ;; *) root=$PWD/$root ;; esac
if [ ! -t 0 ] || [ -n "$yes" ]; then
  if [ -z "$has_config" ] && { [ -z "$has_identifier" ] || [ -z "$has_server" ]; } && [ ! -L "$root/active" ]; then
    refuse "nobody can be asked how the node shall be configured: say --config FILE, or --system-identifier with --host or --backend none"
  fi
fi
for launcher in "$root"/*-cli.sh; do
  [ ! -e "$launcher" ] || [ "$launcher" = "$root/$NAME-cli.sh" ] || refuse "$root belongs to another software (${launcher##*/}): choose another --root"
done
if [ -e "$root" ] && [ ! -d "$root/.ivy" ] && [ -n "$(ls -A "$root")" ]; then
  refuse "$root is not empty, and no node has been set up there: choose another --root"
fi
mkdir -p "$root/.ivy" 2>/dev/null || refuse "$root cannot be created: give the user $(id -un) the right to, or choose another --root"
# The version and its launcher know no other path than that without links.
root=$(cd "$root" && pwd -P)
case $root in *[%\"\\\$\`]*) refuse "neither cron nor systemd can start what lies below $root: choose another --root, without any of % \" \\ \$ and \`" ;; esac
type=$(stat -f -c %T "$root")
case $type in
nfs* | cifs | smb* | msdos | vfat | exfat | fuse* | v9fs | 9p) refuse "$root lies on $type, which loses files in a power cut: a local file system like ext4 is needed" ;;
esac
ln -s probe "$root/.ivy/probe" 2>/dev/null || [ -L "$root/.ivy/probe" ] || refuse "the file system of $root has no symbolic links: a local one like ext4 is needed"
rm -f "$root/.ivy/probe"
exec 9>>"$root/.ivy/setup.lock"
flock -n 9 || refuse "another set-up is at work in $root: wait until it has ended"

stage=$root/.ivy/stage/setup
trap 'rm -rf "$stage"' EXIT
trap 'exit 130' INT TERM HUP
rm -rf "$stage"
mkdir -p "$stage"
chmod 700 "$root/.ivy/stage"

# --- the source code

[ -n "$source" ] || source=$(cd "$(dirname "$0")/.." && pwd)

# Of a checkout that, what git knows; a folder that was unpacked somewhere is copied without what was built in it.
copy_folder() {
  mkdir "$stage/src"
  if [ -e "$1/.git" ] && git -C "$1" ls-files -z >"$stage/names" 2>/dev/null; then
    tar -C "$1" --null -T "$stage/names" -cf - 2>/dev/null | tar -C "$stage/src" --no-same-owner -xf -
  else
    tar -C "$1" --exclude=./.git --exclude=node_modules --exclude=dist --exclude=.turbo --exclude=.reports \
      --exclude=./data --exclude=.env --exclude=./config/config.json --exclude='.ivy-*' -cf - . | tar -C "$stage/src" --no-same-owner -xf -
  fi
}

unpack_archive() {
  mkdir "$stage/unpacked"
  tar -C "$stage/unpacked" --no-same-owner -xf "$1" || refuse "$1 cannot be unpacked: it is no archive, or it is damaged"
  [ -f "$stage/unpacked/package.json" ] && mv "$stage/unpacked" "$stage/src" && return
  mv "$stage/unpacked/"* "$stage/src" 2>/dev/null || refuse "$1 holds no version of $NAME"
}

clone() {
  command -v git >/dev/null || refuse "the program git is missing, without which nothing can be cloned: apt-get install git"
  git clone --quiet --depth 1 ${tag:+--branch "$tag"} -- "$1" "$stage/src" || refuse "$1 cannot be cloned${tag:+ at the tag $tag}"
  rm -rf "$stage/src/.git"
}

if [ -d "$source" ] && [ -f "$source/package.json" ]; then from=$source; else
  if [ -f "$source" ]; then unpack_archive "$source"; else
    case $source in
    *:* | *.git) clone "$source" ;;
    *) refuse "$source is neither a folder with a version of $NAME, nor an archive, nor what git can clone from" ;;
    esac
  fi
  from=$stage/src
fi
[ -f "$from/pnpm-lock.yaml" ] || refuse "$source holds no version of $NAME: pnpm-lock.yaml is missing"
version=$(sed -n 's/^  "version": *"\([0-9][0-9A-Za-z.+-]*\)".*/\1/p' "$from/package.json" | sed -n 1p)
[ -n "$version" ] || refuse "$source does not say in package.json which version it is"
tree=$root/$version
if [ -L "$root/active" ]; then
  runs=$(readlink "$root/active")
  case $runs in
  *-"$version") ;;
  *) refuse "$root is set up already, with ${runs##*/}, and a node changes its version by an update ($root/$NAME-cli.sh update), not by its set-up" ;;
  esac
fi

# --- its packages

# The pinned pnpm, as a program that needs no Node.
find_pnpm() {
  wanted=$(sed -n 's/^  "packageManager": *"pnpm@\([^"+]*\).*/\1/p' "$from/package.json")
  pnpm=$from/node_modules/.pnpm/@pnpm+exe.linux-$arch@$wanted/node_modules/@pnpm/exe.linux-$arch/pnpm
  [ ! -x "$pnpm" ] || return 0
  pnpm=$(command -v pnpm) && [ "$(cd / && pnpm --version 2>/dev/null)" = "$wanted" ] && return 0
  download_pnpm
}

# The checksum is that of the lockfile, so it does not matter who answers.
download_pnpm() {
  [ -n "$registry" ] || refuse "pnpm $wanted is not on this machine; say with --registry URL which package registry it shall be fetched from"
  url=${registry%/}/@pnpm/exe.linux-$arch/-/exe.linux-$arch-$wanted.tgz
  say "Fetching pnpm $wanted"
  if command -v curl >/dev/null; then
    curl --fail --silent --show-error --location --retry 5 --output "$stage/pnpm.tgz" "$url" || refuse "pnpm cannot be fetched from $url"
  elif command -v wget >/dev/null; then
    wget --quiet --output-document="$stage/pnpm.tgz" "$url" || refuse "pnpm cannot be fetched from $url"
  else
    refuse "neither curl nor wget is there to fetch pnpm with: apt-get install curl"
  fi
  integrity=$(sed -n "\\|^  '@pnpm/exe.linux-$arch@$wanted':|,\\|integrity|s/.*integrity: sha512-\\([^}]*\\)}.*/\\1/p" "$from/pnpm-lock.yaml")
  [ -n "$integrity" ] || refuse "pnpm-lock.yaml of $source has no checksum for pnpm $wanted"
  expected=$(printf '%s' "$integrity" | base64 -d | od -An -v -tx1 | tr -d ' \n')
  actual=$(sha512sum "$stage/pnpm.tgz" | cut -d ' ' -f 1)
  [ "$actual" = "$expected" ] || refuse "what came from $url is not the pnpm $wanted that pnpm-lock.yaml names"
  tar -C "$stage" -xzf "$stage/pnpm.tgz"
  pnpm=$stage/package/pnpm
  chmod +x "$pnpm"
}

check_room() {
  available='2s/^.*[^0-9]\([0-9][0-9]*\)  *[0-9-]*%\{0,1\} .*/\1/p'
  free=$(df -Pk "$root" | sed -n "$available")
  [ "$free" -ge "$NEEDED_KIB" ] || refuse "$((free / 1000)) MB are free below $root, and $((NEEDED_KIB / 1000)) MB are needed"
  files=$(df -Pi "$root" | sed -n "$available")
  # Some file systems have no fixed number of files, and then say 0.
  [ "${files:-0}" = 0 ] || [ "$files" -ge "$NEEDED_FILES" ] || refuse "there is room for $files files below $root, and $NEEDED_FILES are needed"
}

# Little memory before speed, no other pnpm than this, and nothing of the caller's environment: as the updater does it
# (packages/updater/src/steps).
modestly() {
  nice -n 10 env -i HOME="$HOME" PATH="$tree/node_modules/.bin:/usr/local/bin:/usr/bin:/bin" CI=true NO_COLOR=1 pnpm_config_pm_on_fail=ignore \
    ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} ${no_proxy:+no_proxy="$no_proxy"} \
    ${SSL_CERT_FILE:+SSL_CERT_FILE="$SSL_CERT_FILE"} \
    MIMALLOC_PURGE_DELAY=0 RAYON_NUM_THREADS=1 TOKIO_WORKER_THREADS=1 GOMAXPROCS=1 GOGC=20 \
    MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=65536 MALLOC_MMAP_THRESHOLD_=65536 "$@"
}

# After a power cut in the middle of an install the store may name files whose content was lost; see also the updater.
claim_store() {
  boot=$(cat /proc/sys/kernel/random/boot_id)
  claim=$root/.ivy/store.claim
  [ ! -f "$claim" ] || [ "$(cat "$claim")" = "$boot" ] || rm -rf "$root/.ivy/store"
  printf '%s' "$boot" >"$claim"
  sync "$claim" "$root/.ivy"
}

release_store() {
  sync -f "$root/.ivy"
  rm -f "$claim"
}

install() {
  check_room
  claim_store
  [ "$from" = "$stage/src" ] || copy_folder "$from"
  rm -rf "$tree"
  mv "$stage/src" "$tree"
  say "Installing the packages of version $version"
  (
    cd "$tree"
    modestly "$pnpm" install --frozen-lockfile --filter . --filter '@ivy/node-agent...' --store-dir="$root/.ivy/store" \
      --config.package-import-method=copy --config.minimum-release-age=0 --network-concurrency=1 --config.fetch-retries=2 \
      --config.fetch-timeout=60000 --ignore-scripts --reporter=append-only \
      ${registry:+--registry="$registry"}
  ) || refuse "the packages of version $version could not be installed; what is missing stands above"
  release_store
  say "Building version $version"
  (
    cd "$tree"
    NODE_OPTIONS='--max-old-space-size=160 --max-semi-space-size=1'
    modestly NODE_OPTIONS="$NODE_OPTIONS" "$pnpm" --config.verify-deps-before-run=false run node:build
  ) || refuse "version $version could not be built; the reason stands above"
}

given_registry=$registry
[ -n "$registry" ] || registry=$(sed -n 's/^registry *= *//p' "$HOME/.npmrc" 2>/dev/null | sed -n '$p')

# Without a seal it was never finished, and nothing refers to it.
if [ ! -f "$tree/.ivy-seal.json" ]; then
  find_pnpm
  install
fi

# --- the rest, with the version's own Node

node=$tree/node_modules/.bin/node
"$node" --version >/dev/null 2>&1 || refuse "the Node of version $version does not start on this system: it needs glibc 2.28 and libatomic (apt-get install libatomic1)"
rm -rf "$stage"
IVY_ROOT_DIR=$root "$node" "$tree/apps/node-agent/dist/cli.js" setup --root "$root" ${given_registry:+--registry "$given_registry"} "$@"
