# SPDX-License-Identifier: LGPL-2.1-or-later
# Filesystems made by the kernel, and the sums of the streams that it made of them: tests/images/send.
load support

# streams NAME: each row of NAME.sums.
streams() {
  local sum subvolume options ours rows=0
  zstd -dq "$REPO/tests/images/send/$1.img.zst" -o image
  while read -r sum subvolume options; do
    [ "$sum" != "#" ] || continue
    # shellcheck disable=SC2086 # the options are several words
    ours=$("$BTRFLY" send -q $options image "$subvolume" | sha256sum | cut -d' ' -f1)
    if [ "$ours" != "$sum" ]; then
      echo "$1: send $options $subvolume: $ours, kernel $sum"
      return 1
    fi
    rows=$((rows + 1))
  done <"$REPO/tests/images/send/$1.sums"
  [ "$rows" -gt 0 ]
}

@test "fixture none: send as the kernel does, 16K nodes, crc32c" { streams none; }
@test "fixture zlib: send as the kernel does, 4K nodes, xxhash, zlib" { streams zlib; }
@test "fixture lzo: send as the kernel does, 32K nodes, sha256, lzo, no no-holes" { streams lzo; }
@test "fixture zstd: send as the kernel does, 64K nodes, blake2, zstd" { streams zstd; }
@test "fixture links: more names than an INODE_REF holds, every type of inode" { streams links; }
@test "fixture nested: subvolumes in subvolumes" { streams nested; }
@test "fixture clones: shared extents" { streams clones; }
@test "fixture holes: holes, preallocated, inline and nodatacow extents" { streams holes; }
@test "fixture generations: parents and clone sources" { streams generations; }

# Of tests/cases, made by tests/cases/run --fixture.
@test "fixture cases-names: names over time" { streams cases-names; }
@test "fixture cases-moves: directories that wait for each other" { streams cases-moves; }
@test "fixture cases-orphans: names that are taken before their inode's turn" { streams cases-orphans; }
@test "fixture cases-generations: inode numbers that were given out again" { streams cases-generations; }
@test "fixture cases-unlinked: inodes without a name" { streams cases-unlinked; }
@test "fixture cases-holes: holes, preallocation and sizes over time" { streams cases-holes; }
@test "fixture cases-clones: shared extents over time" { streams cases-clones; }

@test "every fixture has its test" {
  local sums
  for sums in "$REPO"/tests/images/send/*.sums; do
    grep -q "{ streams $(basename "$sums" .sums); }" "$BATS_TEST_FILENAME"
  done
}
