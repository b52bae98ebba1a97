# SPDX-License-Identifier: LGPL-2.1-or-later
# btrfly receive on filesystems that take several names for one, and have no hard links or special files.
load support

require_fuse() {
  require_root
  require losetup "$@"
  [ -e /dev/fuse ] || skip "needs /dev/fuse"
}

# mount_ntfs: an NTFS on ./dir that keeps owners and modes, and does not tell upper from lower case.
mount_ntfs() {
  require_fuse mkntfs lowntfs-3g
  truncate -s 64M ntfs.img
  mkntfs -q -F ntfs.img >mkfs.log 2>&1 || { cat mkfs.log; return 1; }
  mkdir dir
  lowntfs-3g -o ignore_case,permissions ntfs.img dir || skip "lowntfs-3g cannot mount here"
  realpath dir >>"$BATS_TEST_TMPDIR/.mounts"
}

# mount_exfat: an exFAT on ./dir.
mount_exfat() {
  require_fuse mkfs.exfat mount.exfat-fuse
  truncate -s 64M exfat.img
  mkfs.exfat exfat.img >mkfs.log || { cat mkfs.log; return 1; }
  mkdir dir
  local loop
  loop=$(losetup -f --show exfat.img 2>/dev/null) || skip "needs loop devices"
  mount.exfat-fuse "$loop" dir >mount.log 2>&1 || {
    losetup -d "$loop"
    skip "exfat-fuse cannot mount here"
  }
  losetup -d "$loop" # when it is not mounted any more
  realpath dir >>"$BATS_TEST_TMPDIR/.mounts"
}

# send_root: the stream of ./root in ./s, its subvolume is called s1.
send_root() {
  make_image a.img --rootdir root
  "$BTRFLY" send -q a.img / -f s
}

two_names() {
  mkdir root
  echo upper >root/README
  echo lower >root/readme
  send_root
}

@test "root: NTFS: two names that are one" {
  mount_ntfs
  two_names
  run --separate-stderr "$BTRFLY" receive -q -f s dir
  [ "$status" = 1 ]
  # Which of them comes first is up to who made the image.
  if grep -qx upper dir/.*.btrfly-partial/readme; then
    [[ $stderr == *"rename: 'readme' is there already, and may be what the filesystem has made of another name"* ]]
  else
    grep -qx lower dir/.*.btrfly-partial/readme
    [[ $stderr == *"to 'README' (inode "*"): rename: "*"is there already"* ]]
  fi
}

@test "root: NTFS: two names that are one, --strict" {
  mount_ntfs
  two_names
  fails 1 "*the filesystem makes 'readme' of the name*" "$BTRFLY" receive -q --strict -f s dir
}

@test "root: exFAT: two names that are one" {
  mount_exfat
  two_names
  run --separate-stderr "$BTRFLY" receive -q -f s dir
  [ "$status" = 1 ]
  [[ $stderr == *"rename: 'readme' and 'README', which is there already, are one name on this filesystem"* ||
    $stderr == *"rename: 'README' and 'readme', which is there already, are one name on this filesystem"* ]]
  grep -qxE "upper|lower" dir/.*.btrfly-partial/README
}

@test "root: exFAT: what it does not have is counted, and hard links are copies" {
  mount_exfat
  mkdir root
  echo text >root/one
  ln root/one root/two
  ln -s one root/symlink
  mkfifo root/fifo
  send_root
  run --separate-stderr "$BTRFLY" receive -q -f s dir
  [ "$status" = 0 ]
  [[ $stderr == *"1 fifo or socket"* ]]
  [[ $stderr == *"1 symlink"* ]]
  [[ $stderr == *"1 hard link"* ]]
  local tree
  tree=$(echo dir/*)
  [ "$(cat "$tree/one")" = text ]
  [ "$(cat "$tree/two")" = text ]
  [ ! -e "$tree/symlink" ]
  [ ! -e "$tree/fifo" ]
  [ "$(ls dir/.btrfly | wc -l)" = 1 ]
}

@test "root: exFAT: a name that it cannot have is an error" {
  mount_exfat
  mkdir root
  echo text >root/a:b
  send_root
  fails 1 "*rename 'o*' to 'a:b'*" "$BTRFLY" receive -q -f s dir
}

# history COMMAND…: the streams s1 of ./btrfs/h with readme and a file of three names, and s2 of what is there behind the
# commands.
history() {
  require_root_btrfs
  make_image b.img
  mount_image b.img btrfs
  btrfs -q subvolume create btrfs/h
  echo text >btrfs/h/readme
  echo linked >btrfs/h/one
  mkdir btrfs/h/dir
  ln btrfs/h/one btrfs/h/two
  ln btrfs/h/one btrfs/h/dir/three
  btrfs -q subvolume snapshot -r btrfs/h btrfs/s1
  (cd btrfs/h && "$@")
  btrfs -q subvolume snapshot -r btrfs/h btrfs/s2
  btrfs -q send btrfs/s1 >s1
  btrfs -q send -p btrfs/s1 btrfs/s2 >s2
}

@test "root: exFAT: a file that is renamed to another spelling" {
  mount_exfat
  history mv readme README
  "$BTRFLY" receive -q -f s1 dir
  "$BTRFLY" receive -q -f s2 dir
  [ "$(ls -m dir/s1 dir/s2)" = "$(ls -m btrfs/s1 btrfs/s2 | sed 's/btrfs/dir/')" ]
  [ "$(cat dir/s2/README)" = text ]
}

@test "root: NTFS: a file that is renamed to another spelling" {
  mount_ntfs
  history mv readme README
  "$BTRFLY" receive -q -f s1 dir
  "$BTRFLY" receive -q -f s2 dir
  [ "$(cat dir/s2/readme)" = text ]
}

change_links() {
  echo more >>two
  rm one
  mv dir/three dir/renamed
  ln two four
}

@test "root: exFAT: an increment reaches all copies of a file with hard links" {
  mount_exfat
  history change_links
  "$BTRFLY" receive -q -f s1 dir
  "$BTRFLY" receive -q -f s2 dir
  [ "$(cd dir/s2 && sha256sum -- * dir/* 2>/dev/null)" = "$(cd btrfs/s2 && sha256sum -- * dir/* 2>/dev/null)" ]
  [ "$(cat dir/s1/dir/three)" = linked ]
}
