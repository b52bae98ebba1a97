# SPDX-License-Identifier: LGPL-2.1-or-later
# What every file of tests/cli shares.  Start a file with
#
#   load support
#
# and write tests that work in $BATS_TEST_TMPDIR; commands are called as "$BTRFLY send …".
# A file with a setup() or teardown() of its own calls support_setup or support_teardown in it.
# Nothing here passes in silence: what the machine lacks is a named skip.
# shellcheck disable=SC2154 # status, stderr and stderr_lines come from bats' run

bats_require_minimum_version 1.5.0

REPO=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
BTRFLY=${BTRFLY:-$REPO/build/btrfly}
case $BTRFLY in
/*) ;;
*) BTRFLY=$PWD/$BTRFLY ;;
esac
# shellcheck disable=SC2034 # the tests use it
BUILD=${BTRFLY%/*}
export LC_ALL=C.UTF-8 PATH=$PATH:/usr/sbin:/sbin

support_setup() {
  [ -x "$BTRFLY" ] || {
    echo "$BTRFLY is not there: build it, or name another one in \$BTRFLY" >&2
    return 1
  }
  # bats makes them for the caller alone; as_user must get through.
  chmod a+rx "$BATS_RUN_TMPDIR" "${BATS_TEST_TMPDIR%/*}" "$BATS_TEST_TMPDIR"
  if ! as_user test -x "$BTRFLY"; then
    # The build lies where only its owner may go.
    [ -e "$BATS_RUN_TMPDIR/btrfly" ] || cp "$BTRFLY" "$BATS_RUN_TMPDIR/btrfly"
    BTRFLY=$BATS_RUN_TMPDIR/btrfly
  fi
  cd "$BATS_TEST_TMPDIR" || return 1
}

# Mounts and loop devices that a test made, newest first.
support_teardown() {
  cd / || return 1
  local mounted
  if [ -e "$BATS_TEST_TMPDIR/.mounts" ]; then
    tac "$BATS_TEST_TMPDIR/.mounts" | while read -r mounted; do
      umount "$mounted" || umount -l "$mounted"
    done
    rm "$BATS_TEST_TMPDIR/.mounts"
  fi
}

setup() { support_setup; }
teardown() { support_teardown; }

require() {
  local tool
  for tool; do
    command -v "$tool" >/dev/null || skip "$tool is not installed"
  done
}

require_root() {
  [ "$(id -u)" = 0 ] || skip "needs root"
}

require_user() {
  [ "$(id -u)" != 0 ] || skip "needs an ordinary user"
}

# As another user when we are root, as ourselves when we are not.
as_user() {
  local drop=()
  [ "$(id -u)" != 0 ] || drop=(setpriv --reuid=65534 --regid=65534 --clear-groups --)
  "${drop[@]}" "$@"
}

require_root_btrfs() {
  require mkfs.btrfs btrfs losetup
  require_root
  [ -e /dev/loop-control ] || skip "needs loop devices"
  grep -qw btrfs /proc/filesystems || modprobe -q btrfs 2>/dev/null || skip "needs btrfs in the kernel"
  local probe=$BATS_RUN_TMPDIR/loop-probe
  [ -e "$probe" ] || truncate -s 1M "$probe"
  local loop
  loop=$(losetup -f --show "$probe" 2>/dev/null) || skip "needs loop devices"
  losetup -d "$loop"
}

# make_image FILE [MKFS-OPTION…]: an empty filesystem of 256 MiB, no root needed.
make_image() {
  local image=$1
  shift
  require mkfs.btrfs
  truncate -s 256M "$image"
  mkfs.btrfs -q "$@" "$image" 2>mkfs.log || {
    cat mkfs.log
    return 1
  }
}

# mount_image FILE DIR [MOUNT-OPTIONS]: through a loop device that goes away with the mount.
mount_image() {
  mkdir -p "$2" && mount -o "loop${3:+,$3}" "$1" "$2" && realpath "$2" >>"$BATS_TEST_TMPDIR/.mounts"
}

# unmount DIR: before the test ends, so that the image is whole.
unmount() {
  local dir
  dir=$(realpath "$1")
  umount "$dir" && sed -i "\\|^$dir\$|d" "$BATS_TEST_TMPDIR/.mounts"
}

# into_closed_pipe COMMAND…: its standard output is a pipe that nobody reads any more.
into_closed_pipe() {
  exec 8> >(:)
  wait $!
  "$@" >&8
}

# fails STATUS PATTERN COMMAND…: the command ends with STATUS, says one line on stderr, and that line
# matches the glob PATTERN.
fails() {
  local status_wanted=$1 pattern=$2
  shift 2
  run --separate-stderr "$@"
  if [ "$status" != "$status_wanted" ]; then
    echo "exit status $status, not $status_wanted; stderr: $stderr"
    return 1
  fi
  if [ "${#stderr_lines[@]}" != 1 ]; then
    echo "not one line on stderr: $stderr"
    return 1
  fi
  # shellcheck disable=SC2053 # the right side is a pattern
  if [[ $stderr != $pattern ]]; then
    echo "stderr: $stderr"
    echo "wanted: $pattern"
    return 1
  fi
}
