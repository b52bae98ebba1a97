# SPDX-License-Identifier: LGPL-2.1-or-later
# Each RAID profile as the kernel lays it out: trees and data of filesystems of several devices.
load support

setup() {
  support_setup
}

# Loop devices that a test made.
teardown() {
  support_teardown
  local loop
  while read -r loop; do
    losetup -d "$loop"
  done < <(cat "$BATS_TEST_TMPDIR/.loops" 2>/dev/null)
}

# make_filesystem PROFILE DEVICES: 1.img, 2.img … with 1500 small files and one large one, whose content
# is in ./large.  The small ones spread the trees over many stripes.
make_filesystem() {
  local profile=$1 devices=$2 loops=() i
  for ((i = 1; i <= devices; i++)); do
    truncate -s 300M $i.img
    loops+=("$(losetup -f --show "$PWD/$i.img")")
    echo "${loops[-1]}" >>.loops
  done
  mkfs.btrfs -q -d "$profile" -m "$profile" "${loops[@]}" &>mkfs.out
  btrfs device scan "${loops[@]}" >scan.out
  mkdir mnt
  mount "${loops[0]}" mnt
  realpath mnt >>.mounts
  head -c 3000001 /dev/urandom >large
  cp large mnt/large
  for ((i = 0; i < 1500; i++)); do
    printf '%01000d' $i >"mnt/small$i"
  done
  unmount mnt
  while read -r i; do
    losetup -d "$i"
  done <.loops
  rm .loops
}

# reads_all IMAGE…
reads_all() {
  local args=() image
  for image in "${@:2}"; do
    args+=(--device "$image")
  done
  "$BTRFLY" cat "${args[@]}" "$1" large | cmp - large
  [ "$("$BTRFLY" ls "${args[@]}" "$1" / | wc -l)" = 1501 ]
  [ "$("$BTRFLY" cat "${args[@]}" "$1" small0)" = "$(printf '%01000d' 0)" ]
  [ "$("$BTRFLY" cat "${args[@]}" "$1" small1499)" = "$(printf '%01000d' 1499)" ]
}

@test "profile dup" {
  require_root_btrfs
  make_filesystem dup 1
  reads_all 1.img
}

@test "profile raid0: every device is needed" {
  require_root_btrfs
  make_filesystem raid0 3
  reads_all 1.img 2.img 3.img
  reads_all 3.img 1.img 2.img
  fails 1 "*device 1 of the filesystem was not given*" \
    "$BTRFLY" ls --device 3.img 2.img /
}

@test "profile raid1: with one device of two" {
  require_root_btrfs
  make_filesystem raid1 2
  reads_all 1.img 2.img
  reads_all 1.img
  reads_all 2.img
}

@test "profile raid10: with one device of each pair" {
  require_root_btrfs
  make_filesystem raid10 4
  reads_all 1.img 2.img 3.img 4.img
  reads_all 2.img 3.img 4.img
}

@test "profile raid1c3: with one device of three" {
  require_root_btrfs
  make_filesystem raid1c3 3
  reads_all 2.img 1.img 3.img
  reads_all 3.img
}

@test "profile raid1c4: with one device of four" {
  require_root_btrfs
  make_filesystem raid1c4 4
  reads_all 4.img 2.img 1.img 3.img
  reads_all 4.img
}

@test "profile raid5: as long as no device is missing" {
  require_root_btrfs
  make_filesystem raid5 3
  reads_all 1.img 2.img 3.img
}

@test "profile raid6: as long as no device is missing" {
  require_root_btrfs
  make_filesystem raid6 4
  reads_all 1.img 2.img 3.img 4.img
}
