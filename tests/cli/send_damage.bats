# SPDX-License-Identifier: LGPL-2.1-or-later
# btrfly send of what is no filesystem, or a damaged one: one line that names what and where, status 1,
# and never a stream that a receiver takes for whole.
# shellcheck disable=SC2154 # stderr comes from bats' run
load support

setup() {
  support_setup
  mark=needle-in-the-haystack
  at=$((3 * 1024 * 1024 + 77)) # of the mark, in the file "large"
}

# image NAME [MKFS-OPTION…]: ./image, made once, as small as can be: a large file, and 200 others, so that
# 4 KiB nodes give trees of several levels.
image() {
  local made=$BATS_FILE_TMPDIR/$1.img
  shift
  if [ ! -e "$made" ]; then
    mkdir root
    seq 600000 | head -c 4M >root/large
    printf %s "$mark" | dd of=root/large bs=1 seek="$at" conv=notrunc status=none
    local i
    for i in {1..200}; do
      echo "$i" >"root/file-$i"
    done
    make_image made.img -n 4096 "$@" --rootdir root --shrink
    mv made.img "$made"
  fi
  cp "$made" image
}

# change TREE LEVEL FIELD VALUE [COPY]: in the tree blocks of ./image, which are sealed again.
change() {
  require python3
  python3 "$REPO/tests/support/tree_blocks.py" image "$@"
}

# places: where in ./image the mark is, one a line.
places() {
  grep -abo "$mark" image | cut -d: -f1
}

# damage OFFSET…: a byte each, in ./image.
damage() {
  local offset
  for offset; do
    printf X | dd of=image bs=1 seek="$offset" conv=notrunc status=none
  done
}

# Whether the last command is END: no data, number 21, a checksum.
has_end() {
  [ "$(tail -c 10 "$1" | head -c 6 | od -An -tx1 | tr -d ' ')" = 000000001500 ]
}

# no_whole_stream PATTERN OPTION…: sending the top level fails so, and what came is the beginning of the
# good stream, ./whole, if that is there, and without END in any case.
no_whole_stream() {
  local pattern=$1
  shift
  # shellcheck disable=SC2016 # for the inner shell
  fails 1 "btrfly send: send /: $pattern" sh -c 'exec "$0" send -q "$@" >cut' "$BTRFLY" "$@" image /
  [ ! -e whole ] || cmp -n "$(stat -c %s cut)" cut whole
  # shellcheck disable=SC2251 # the last command is what counts
  ! has_end cut
}

@test "a file that is no btrfs" {
  head -c 1M /dev/zero >zeros
  fails 1 "btrfly send: no btrfs superblock on zeros" "$BTRFLY" send -q zeros /
  : >empty
  fails 1 "btrfly send: no btrfs superblock on empty" "$BTRFLY" send -q empty /
  fails 1 "btrfly send: .: a directory, not an image file or a block device" "$BTRFLY" send -q . /
  fails 1 "btrfly send: nowhere: No such file or directory" "$BTRFLY" send -q nowhere /
  fails 1 "btrfly send: /dev/null: a special file, not an image file or a block device" \
    "$BTRFLY" send -q /dev/null /
}

@test "a truncated image" {
  image single -d single -m single
  cp image whole.img
  truncate -s 20M image
  local size
  size=$(stat -c %s whole.img)
  fails 1 "btrfly send: image: truncated: the filesystem uses $size bytes of it, it has 20971520" \
    "$BTRFLY" send -q image /
}

@test "a superblock with a wrong checksum, and no other" {
  image single -d single -m single
  damage $((65536 + 200))
  fails 1 "btrfly send: image: superblock at 65536: checksum mismatch" "$BTRFLY" send -q image /
}

@test "a superblock with a wrong checksum, and a good other one: the same stream" {
  mkdir root
  echo hello >root/file
  make_image image --rootdir root # large enough for the copy at 64 MiB
  "$BTRFLY" send -q image / >whole
  damage $((65536 + 200))
  cmp <("$BTRFLY" send -q image /) whole
}

@test "a tree block with a wrong checksum" {
  image single -d single -m single
  change 5 0 csum 1
  no_whole_stream "tree 5: block: logical * on image at *: checksum mismatch"
}

@test "a tree block of another filesystem" {
  image single -d single -m single
  change 5 0 fsid 1
  no_whole_stream "tree 5: block: logical * on image at *: it belongs to another filesystem"
}

@test "a tree block that was written for another place" {
  image single -d single -m single
  change 5 0 bytenr 4096
  no_whole_stream "tree 5: block: logical * on image at *: it was written for logical 4096"
}

@test "a tree block of another tree" {
  image single -d single -m single
  change 5 0 owner 7
  no_whole_stream "tree 5: block: logical * on image at *: it belongs to tree 7"
}

@test "a tree block of another generation than its parent says" {
  image single -d single -m single
  change 5 0 generation 99
  no_whole_stream "tree 5: block: logical * on image at *: generation 99 instead of *"
}

@test "a tree block of another level than its parent says" {
  image single -d single -m single
  change 5 1 level 2
  fails 1 "btrfly send: *: block: logical * on image at *: level 2 instead of 1" "$BTRFLY" send -q image /
  change 5 2 level 8
  fails 1 "btrfly send: *: block: logical * on image at *: level 8" "$BTRFLY" send -q image /
}

@test "a tree block with more items than there is room for" {
  image single -d single -m single
  change 5 0 nritems 70000
  no_whole_stream "tree 5: block: logical * on image at *: 70000 items do not fit a leaf"
}

@test "a tree block with an item beyond its end" {
  image single -d single -m single
  change 5 0 item 65000
  no_whole_stream "tree 5: block: logical * on image at *: slot 0: *"
}

@test "damage in the extent tree, the root tree and the checksum tree" {
  local tree
  for tree in 1 2 7; do
    image single -d single -m single
    change $tree 0 generation 99
    fails 1 "btrfly send: *tree $tree: block: logical * on image at *: generation 99 instead of *" \
      "$BTRFLY" send -q image /
  done
}

@test "a bad copy of every tree block, and a good one: the same stream" {
  image dup -d single -m dup
  "$BTRFLY" send -q image / >whole
  local copy tree
  for copy in 0 1; do
    image dup -d single -m dup
    for tree in 1 2 5 7; do
      change $tree 0 generation 99 $copy
    done
    change 5 1 csum 1 $copy
    cmp <("$BTRFLY" send -q image /) whole
  done
  change 5 1 csum 1 0
  no_whole_stream "tree 5: block: logical * on image at *: *; logical * on image at *: checksum mismatch"
}

@test "a bad data block: inode, offset, address and device are named, and nothing of it goes out" {
  image single -d single -m single
  "$BTRFLY" send -q image / >whole
  has_end whole
  local place threads
  place=$(places)
  damage "$place"
  for threads in 1 2 8; do
    no_whole_stream "inode *: file offset *: data at logical * on image at $((place - 77)): checksum mismatch (found *, wanted *), no other copy" \
      --threads $threads
    # Something goes out, but not the block.
    [ -s cut ]
    [ "$(grep -ac "${mark#?}" cut)" = 0 ]
    fails 1 "btrfly receive: *: the stream ends early*" "$BTRFLY" receive --dump -f cut
  done
}

@test "the inode and the file offset of a bad data block are right" {
  image single -d single -m single
  damage "$(places)"
  local inode offset
  inode=$("$BTRFLY" cat image large 2>&1 >/dev/null | sed 's/.*inode \([0-9]*\) .*/\1/')
  [[ $inode =~ ^[0-9]+$ ]]
  run --separate-stderr "$BTRFLY" send -q -f cut image /
  [[ $stderr =~ "inode $inode: file offset "([0-9]+): ]]
  offset=${BASH_REMATCH[1]}
  [ "$offset" -le "$at" ] && [ $((offset + 1048576)) -gt "$at" ]
}

@test "a bad data block and a good copy of it: the same stream" {
  image dup-data -d dup -m single
  "$BTRFLY" send -q image / >whole
  local place places
  places=$(places)
  [ "$(wc -l <<<"$places")" = 2 ]
  for place in $places; do
    image dup-data -d dup -m single
    damage "$place"
    cmp <("$BTRFLY" send -q --threads 1 image /) whole
    cmp <("$BTRFLY" send -q --threads 8 image /) whole
  done
  # shellcheck disable=SC2086 # words
  damage $places
  no_whole_stream "inode *: file offset *: data at logical * on image at *: checksum mismatch *, nor is one of the other copies good (2 tried)"
}

@test "bad data is not looked at by -n, --no-data and --from-offset behind it" {
  image single -d single -m single
  local size
  "$BTRFLY" send -q image / >whole
  "$BTRFLY" send -q --no-data image / >no-data
  damage "$(places)"
  size=$(stat -c %s whole)
  [ "$("$BTRFLY" send -n -q image / | head -n 1 | cut -d' ' -f3)" = "$size" ]
  cmp <("$BTRFLY" send -q --no-data image /) no-data
  cmp <("$BTRFLY" send -q --from-offset $((size - 1000)) image /) <(tail -c 1000 whole)
}

@test "a subvolume that is not there" {
  image single -d single -m single
  fails 1 "btrfly send: send nope: nope: no such file or directory" "$BTRFLY" send -q image nope
  fails 1 "btrfly send: send 300: no subvolume has the id 300" "$BTRFLY" send -q image 300
  fails 1 "btrfly send: send 7: 7 is not the id of a subvolume" "$BTRFLY" send -q image 7
  fails 1 "btrfly send: send large: large is not a subvolume" "$BTRFLY" send -q image large
}

@test "a parent that is not there" {
  image single -d single -m single
  fails 1 "btrfly send: parent: nope: no such file or directory" "$BTRFLY" send -q -p nope image /
  fails 1 "btrfly send: parent: file-1 is not a subvolume" "$BTRFLY" send -q -p file-1 image /
}

@test "a clone source that is not there" {
  image single -d single -m single
  fails 1 "btrfly send: clone source: nope: no such file or directory" "$BTRFLY" send -q -c / -c nope image /
}

@test "an image that the user may not read" {
  image single -d single -m single
  chmod 000 image
  fails 1 "btrfly send: image: Permission denied" as_user "$BTRFLY" send -q image /
}

@test "an ordinary user sends an image that is readable" {
  image single -d single -m single
  "$BTRFLY" send -q image / >whole
  chmod 444 image
  cmp <(as_user "$BTRFLY" send -q image /) whole
}

@test "the output is full" {
  image single -d single -m single
  [ -e /dev/full ] || skip "needs /dev/full"
  local threads
  for threads in 1 8; do
    fails 1 "btrfly send: send /: write to /dev/full: No space left on device" \
      "$BTRFLY" send -q --threads $threads -f /dev/full image /
    # shellcheck disable=SC2016 # for the inner shell
    fails 1 "btrfly send: send /: write to standard output: No space left on device" \
      sh -c '"$0" send -q --threads "$1" image / >/dev/full' "$BTRFLY" $threads
  done
}

@test "a file that cannot be made" {
  image single -d single -m single
  fails 1 "btrfly send: cannot create 'no/where': No such file or directory" "$BTRFLY" send -q -f no/where image /
  fails 1 "btrfly send: cannot create '.': Is a directory" "$BTRFLY" send -q -f . image /
}

@test "a reader that goes away: one line and status 1, not the end by a signal" {
  image single -d single -m single
  local threads
  for threads in 1 2 8; do
    # shellcheck disable=SC2016 # for the inner shell
    fails 1 "btrfly send: send /: write to standard output: Broken pipe" \
      bash -c '"$0" send -q --threads "$1" image / | head -c 1 >/dev/null; exit ${PIPESTATUS[0]}' "$BTRFLY" $threads
    fails 1 "btrfly send: send /: write to standard output: Broken pipe" \
      into_closed_pipe "$BTRFLY" send -q --threads $threads image /
  done
}
