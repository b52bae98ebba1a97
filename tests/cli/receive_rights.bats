# SPDX-License-Identifier: LGPL-2.1-or-later
# btrfly receive where the target, or who receives, cannot keep everything: it is counted by kind, and nobody's rights are
# lent to others.
# shellcheck disable=SC2154 # status and stderr come from bats' run
load support

setup() {
  support_setup
  mkdir dir
}

teardown() {
  support_teardown
  [ -z "${LOOP:-}" ] || losetup -d "$LOOP"
}

# stream COMMAND…: a stream on stdout; each command is name:attribute=value:… for tests/support/make_stream.py.
stream() { python3 "$REPO/tests/support/make_stream.py" "$@"; }

# skips WHAT COMMAND…: the command succeeds and its closing line says WHAT, or nothing for "".
skips() {
  local what=$1
  shift
  run --separate-stderr "$@"
  [ "$status" = 0 ] || {
    echo "status $status: $stderr"
    return 1
  }
  [ "$stderr" = "${what:+btrfly receive: skipped: $what}" ] || {
    echo "stderr: $stderr"
    return 1
  }
}

# fails_with PATTERN COMMAND…: exit status 1 and one line that matches.
fails_with() {
  local pattern=$1
  shift
  fails 1 "btrfly receive: $pattern" "$@"
}

tool() {
  stream subvol:path=snap mkfile:path=tool write:path=tool:data=abc chown:path=tool:uid=1000:gid=1000 \
    chmod:path=tool:mode=06755 "$@" end
}

@test "setuid bits go in a user namespace that does not know the owner" {
  require unshare
  as_user unshare -Ur true 2>/dev/null || skip "needs user namespaces"
  [ "$(id -u)" != 0 ] || chown 65534 dir
  tool >s
  skips "1 owner, 1 setuid or setgid bit" as_user unshare -Ur "$BTRFLY" receive -q -f s dir
  [ "$(stat -c %a dir/snap/tool)" = 755 ]
}

@test "setuid bits go for root without CAP_CHOWN, and those that the file had" {
  require_root
  require setpriv
  tool >s
  skips "1 owner, 1 setuid or setgid bit" setpriv --bounding-set -chown "$BTRFLY" receive -q -f s dir
  [ "$(stat -c %a:%u dir/snap/tool)" = 755:0 ]
  # The parent keeps its bits, and its child loses them with the new owner.
  mkdir other
  stream subvol:path=snap mkfile:path=tool chown:path=tool:uid=0:gid=0 chmod:path=tool:mode=04755 end >s1
  stream snapshot:path=next chown:path=tool:uid=1000:gid=1000 end >s2
  skips "" setpriv --bounding-set -chown "$BTRFLY" receive -q -f s1 other
  skips "1 owner, 1 setuid or setgid bit" setpriv --bounding-set -chown "$BTRFLY" receive -q -f s2 other
  [ "$(stat -c %a:%u other/snap/tool other/next/tool)" = $'4755:0\n755:0' ]
}

@test "with all rights setuid bits and capabilities are kept" {
  require_root
  require getcap
  tool xattr:path=tool:name=security.capability:data=%01%00%00%02%00%04%00%00%00%00%00%00%00%00%00%00%00%00%00%00 >s
  skips "" "$BTRFLY" receive -q -f s dir
  [ "$(stat -c %a:%u dir/snap/tool)" = 6755:1000 ]
  [ "$(getcap dir/snap/tool)" = "dir/snap/tool cap_net_bind_service=ep" ]
}

@test "root without CAP_FSETID: what writing takes away comes back" {
  require_root
  require setpriv
  stream subvol:path=snap mkfile:path=tool chown:path=tool:uid=0:gid=0 chmod:path=tool:mode=04755 end >s1
  stream snapshot:path=next write:path=tool:data=abc end >s2
  "$BTRFLY" receive -q -f s1 dir
  skips "" setpriv --bounding-set -fsetid "$BTRFLY" receive -q -f s2 dir
  [ "$(stat -c %a dir/next/tool)" = 4755 ]
}

@test "--untrusted: no device nodes, setuid and setgid bits, security and trusted attributes" {
  require_root
  tool xattr:path=tool:name=security.capability:data=%01%00%00%02%00%04%00%00%00%00%00%00%00%00%00%00%00%00%00%00 \
    xattr:path=tool:name=trusted.a:data=x mknod:path=null:mode=020666:rdev=259 mkdir:path=d chmod:path=d:mode=02755 >s
  skips "2 setuid or setgid bits, 1 device node, 1 trusted attribute, 1 security attribute" \
    "$BTRFLY" receive -q --untrusted -f s dir
  [ "$(stat -c %a:%u dir/snap/tool)" = 755:1000 ]
  [ -z "$(find dir/snap -perm /6000)" ]
  [ ! -e dir/snap/null ]
  rm -r dir/snap dir/.btrfly
  fails_with "stream offset *: chmod 'tool'*: cannot keep the setuid or setgid bit: Operation not permitted; what came*" \
    "$BTRFLY" receive -q --untrusted --strict -f s dir
}

@test "--untrusted: a setuid file of the parent is not given a stranger's content" {
  require_root
  stream subvol:path=snap mkfile:path=tool chmod:path=tool:mode=04755 mkfile:path=su chmod:path=su:mode=04755 end >s1
  stream snapshot:path=next write:path=tool:data=abc chown:path=su:uid=1000:gid=1000 end >s2
  "$BTRFLY" receive -q -f s1 dir
  skips "1 setuid or setgid bit" "$BTRFLY" receive -q --untrusted -f s2 dir
  [ "$(stat -c %a dir/next/tool dir/next/su)" = $'755\n755' ]
}

@test "times that the filesystem clamps are counted (ext4 with inodes of 128 bytes)" {
  require mkfs.ext4
  require_root
  grep -qw ext4 /proc/filesystems || modprobe -q ext4 || skip "needs ext4 in the kernel"
  truncate -s 32M ext4
  mkfs.ext4 -q -I 128 ext4 2>/dev/null
  mount_image ext4 other || skip "needs loop devices"
  stream subvol:path=snap mkfile:path=old utimes:path=old:atime=1000.0:mtime=2000.0 \
    mkfile:path=new utimes:path=new:atime=1000.0:mtime=4000000000.0 \
    mkfile:path=fine utimes:path=fine:atime=1000.0:mtime=2000.5 utimes:path=:atime=1.0:mtime=1.0 end >s
  skips "2 sets of times" "$BTRFLY" receive -q -f s other
  rm -r other/snap other/.btrfly
  fails_with "stream offset *: utimes 'new'*: cannot keep the set of times: access 1000.000000000, modification 4000000000.000000000 was asked for, and access 1000.000000000, modification * is there; what came*" \
    "$BTRFLY" receive -q --strict -f s other
}

@test "tmpfs keeps modes, owners and times" {
  require_root
  mkdir other
  mount -t tmpfs none other
  realpath other >>.mounts
  tool utimes:path=tool:atime=1000.1:mtime=4000000000.999999999 >s
  skips "" "$BTRFLY" receive -q --strict -f s other
  [ "$(stat -c '%a %u:%g %X %Y' other/snap/tool)" = "6755 1000:1000 1000 4000000000" ]
}

fat_stream() {
  tool utimes:path=tool:atime=1000000000.0:mtime=1000000001.0 chmod:path=:mode=0777 \
    utimes:path=:atime=1000000000.0:mtime=1000000000.0 >s
}

@test "vfat keeps neither owners nor setuid bits, and rounds times to two seconds" {
  require mkfs.vfat
  require_root
  grep -qw vfat /proc/filesystems || modprobe -q vfat 2>/dev/null || skip "needs vfat in the kernel"
  truncate -s 64M fat
  mkfs.vfat fat >/dev/null
  mount_image fat other || skip "needs loop devices"
  fat_stream
  run --separate-stderr "$BTRFLY" receive -q -f s other
  [ "$status" = 0 ]
  [[ $stderr == "btrfly receive: skipped: 1 owner, 1 setuid or setgid bit"*" of times" ]]
  [ -z "$(find other/snap -perm /6000)" ]
  [ "$(cat other/snap/tool)" = abc ]
}

@test "exFAT of FUSE keeps neither owners nor modes" {
  require mkfs.exfat mount.exfat-fuse losetup
  require_root
  [ -e /dev/fuse ] || skip "needs FUSE"
  truncate -s 64M fat
  LOOP=$(losetup -f --show fat 2>/dev/null) || skip "needs loop devices"
  mkfs.exfat "$LOOP" >/dev/null
  mkdir other
  mount.exfat-fuse "$LOOP" other >/dev/null 2>&1 || skip "exfat-fuse cannot mount"
  realpath other >>.mounts
  fat_stream
  skips "1 owner, 1 setuid or setgid bit, 1 mode" "$BTRFLY" receive -q -f s other
  [ "$(stat -c %a:%u:%Y other/snap/tool)" = 777:0:1000000001 ]
  [ "$(cat other/snap/tool)" = abc ]
}
