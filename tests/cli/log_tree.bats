# SPDX-License-Identifier: LGPL-2.1-or-later
# A filesystem whose log tree has not been replayed: what is in it is not seen, and that is said.
load support

@test "a log tree that waits to be replayed is warned of" {
  require_root_btrfs
  make_image a.img
  mount_image a.img m
  echo committed >m/old
  btrfs filesystem sync m
  echo logged >m/new
  sync m/new
  cp --sparse=always a.img crashed.img
  unmount m
  run -0 --separate-stderr "$BTRFLY" cat crashed.img /old
  [ "$output" = committed ]
  [[ $stderr == *"btrfly cat: warning: crashed.img has a log tree: "* ]]
  run -1 "$BTRFLY" cat crashed.img /new
}

@test "a filesystem that was unmounted has none" {
  require_root_btrfs
  make_image a.img
  mount_image a.img m
  echo committed >m/old
  unmount m
  run -0 --separate-stderr "$BTRFLY" cat a.img /old
  [ -z "$stderr" ]
}
