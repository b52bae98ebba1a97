# SPDX-License-Identifier: LGPL-2.1-or-later
# btrfly cat, against the files that an image was made from; and what it does about damage.
# shellcheck disable=SC2154 # stderr and stderr_lines come from bats' run
load support

setup() {
  support_setup
  loops=()
}

teardown() {
  support_teardown
  local loop
  for loop in "${loops[@]}"; do
    losetup -d "$loop"
  done
}

# Every file below DIR, from IMAGE and further arguments.
same_files() {
  local dir=$1 file
  shift
  (cd "$dir" && find . -xdev -type f -print0) >files
  [ -s files ]
  while IFS= read -r -d '' file; do
    cmp <("$BTRFLY" cat "$@" "$file" 2>cat.err) "$dir/$file" || { cat cat.err; return 1; }
  done <files
}

# where FILE TEXT: the offsets of TEXT in FILE, one a line.
where() {
  grep -abo "$2" "$1" | cut -d: -f1
}

# damage FILE OFFSET
damage() {
  printf X | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# A file of 1 MiB of text with a word that the image has once, in its sector 150.
marked_file() {
  yes 'the quick brown fox jumps over the lazy dog' | head -c 1M >"$1"
  printf 'needle-in-the-haystack' | dd of="$1" bs=1 seek=$((150 * 4096 + 77)) conv=notrunc status=none
}

@test "cat prints what was put in, without root" {
  mkdir -p root/a/b
  : >root/empty
  printf x >root/one
  head -c 2048 /dev/urandom >root/inline
  head -c 4096 /dev/urandom >root/sector
  head -c 5000000 /dev/urandom >root/a/large
  seq 200000 >root/a/b/text
  make_image a.img --rootdir root
  same_files root a.img
  cmp <("$BTRFLY" cat a.img one a/b/text empty one) <(cat root/one root/a/b/text root/one)
}

@test "cat prints what was put in: each checksum, and nodes of 4 KiB and 64 KiB" {
  mkdir root
  head -c 3000000 /dev/urandom >root/large
  echo small >root/small
  local option
  for option in '--csum xxhash' '--csum sha256' '--csum blake2' '-n 4096' '-n 65536' '--mixed'; do
    # shellcheck disable=SC2086 # words
    make_image a.img -f $option --rootdir root
    same_files root a.img
  done
}

@test "cat prints what the kernel prints: compressed, sparse, preallocated, unsummed, cut" {
  require_root_btrfs
  make_image a.img
  local kind
  for kind in zlib lzo zstd no; do
    if [ $kind = no ]; then
      mount_image a.img m nodatasum
    else
      mount_image a.img m compress-force=$kind
    fi
    mkdir m/$kind
    seq 300000 >m/$kind/text
    seq 20 >m/$kind/inline
    seq 800 >m/$kind/sector
    head -c 300000 /dev/urandom >m/$kind/noise
    (seq 30000 && head -c 100000 /dev/urandom && seq 30000) >m/$kind/both
    cp m/$kind/text m/$kind/punched
    sync -f m
    fallocate -p -o 100000 -l 200000 m/$kind/punched
    cp --reflink=always m/$kind/text m/$kind/cut
    truncate -s 123457 m/$kind/cut
    truncate -s 400001 m/$kind/cut
    truncate -s 1M m/$kind/hole
    printf end | dd of=m/$kind/hole bs=1 seek=777777 conv=notrunc status=none
    fallocate -l 300000 m/$kind/prealloc
    printf middle | dd of=m/$kind/prealloc bs=1 seek=150000 conv=notrunc status=none
    printf end >>m/$kind/inline
    truncate -s 9000 m/$kind/inline
    unmount m
  done
  mount_image a.img m ro
  same_files m a.img
}

@test "cat reads files in subvolumes and snapshots" {
  require_root_btrfs
  make_image a.img
  mount_image a.img m
  btrfs -q subvolume create m/sub
  echo old >m/sub/file
  btrfs -q subvolume snapshot -r m/sub m/snap
  echo new >m/sub/file
  unmount m
  [ "$("$BTRFLY" cat a.img snap/file sub/file)" = $'old\nnew' ]
}

@test "cat prints nothing of a damaged block, and all that is before it" {
  mkdir root
  marked_file root/file
  make_image a.img -d single --rootdir root
  local at
  at=$(where a.img needle-in-the-haystack)
  damage a.img "$at"
  fails 1 "btrfly cat: file: inode * at 614400: data at logical * on a.img at $((at - 77)): checksum mismatch (found *, wanted *), no other copy" \
    "$BTRFLY" cat a.img file
  "$BTRFLY" cat a.img file >got 2>/dev/null || true
  cmp got <(head -c $((150 * 4096)) root/file)
}

@test "cat takes the other copy of a damaged block" {
  mkdir root
  marked_file root/file
  make_image a.img -d dup --rootdir root
  local first second
  read -r -d '' first second < <(where a.img needle-in-the-haystack && printf '\0') || true
  [ -n "$second" ]
  damage a.img "$first"
  cmp <("$BTRFLY" cat a.img file) root/file
  damage a.img "$second"
  fails 1 "*: checksum mismatch *, nor is one of the other copies good (2 tried)" "$BTRFLY" cat a.img file
  printf n | dd of=a.img bs=1 seek="$first" conv=notrunc status=none
  cmp <("$BTRFLY" cat a.img file) root/file
}

@test "cat finds damage in a compressed file" {
  require_root_btrfs
  make_image a.img -d single
  mount_image a.img m compress-force=zlib
  # Level 0 of noise does not pay; text with its own dictionary does, and keeps the needle legible.
  (printf needle-in-the-haystack && head -c 20000 /dev/zero && seq 1000) >m/file
  unmount m
  [ "$(where a.img needle-in-the-haystack | wc -l)" = 0 ] || skip "the kernel has stored it as it is"
  cp a.img b.img
  local at
  at=$("$BTRFLY" cat b.img file | wc -c)
  [ "$at" -gt 20000 ]
  # The only data extent is the only place that holds a zlib header at a sector's start.
  python3 - <<'PYTHON'
data = bytearray(open('b.img', 'rb').read())
hits = [i for i in range(1 << 20, len(data), 4096) if data[i] == 0x78 and data[i + 1] in (0x01, 0x5e, 0x9c, 0xda)]
assert len(hits) == 1, hits
data[hits[0] + 100] ^= 1
open('b.img', 'wb').write(data)
PYTHON
  fails 1 "btrfly cat: file: inode 257 at 0: data at logical *: checksum mismatch *, no other copy" \
    "$BTRFLY" cat b.img file
  [ -z "$("$BTRFLY" cat b.img file 2>/dev/null)" ]
}

@test "cat of a filesystem on two devices, and of one of them" {
  require_root_btrfs
  truncate -s 256M a.img b.img
  mkfs.btrfs -q -d raid1 -m raid1 a.img b.img 2>/dev/null
  loops=("$(losetup -f --show a.img)" "$(losetup -f --show b.img)")
  mkdir m
  mount -o "device=${loops[1]}" "${loops[0]}" m
  realpath m >>"$BATS_TEST_TMPDIR/.mounts"
  seq 100000 >m/file
  cp m/file want
  sync -f m
  run --separate-stderr "$BTRFLY" cat b.img --device a.img file
  [ "${#stderr_lines[@]}" = 1 ]
  [[ $stderr == "btrfly cat: warning: "*" is mounted: "* ]]
  unmount m
  cmp <("$BTRFLY" cat a.img --device b.img file) want
  cmp <("$BTRFLY" cat --device a.img b.img file) want
  cmp <("$BTRFLY" cat a.img file) want
  cmp <("$BTRFLY" cat b.img file) want
}

@test "cat of what is no file" {
  mkdir root root/dir
  mkfifo root/fifo
  ln -s dir root/link
  echo hello >root/file
  make_image a.img --rootdir root
  fails 1 "btrfly cat: nope: no such file or directory" "$BTRFLY" cat a.img nope
  fails 1 "btrfly cat: dir: is a directory" "$BTRFLY" cat a.img dir
  fails 1 "btrfly cat: /: is a directory" "$BTRFLY" cat a.img /
  fails 1 "btrfly cat: fifo: is a fifo" "$BTRFLY" cat a.img fifo
  fails 1 "btrfly cat: link: is a symbolic link, which is not followed" "$BTRFLY" cat a.img link
  fails 1 "btrfly cat: file/x: not a directory on the way to x" "$BTRFLY" cat a.img file/x
  fails 1 "btrfly cat: nope.img: No such file or directory" "$BTRFLY" cat nope.img file
}

@test "cat says when standard output is full" {
  mkdir root
  echo hello >root/file
  make_image a.img --rootdir root
  [ -e /dev/full ] || skip "needs /dev/full"
  # shellcheck disable=SC2016 # for the inner shell
  fails 1 "btrfly cat: file: standard output: No space left on device" sh -c '"$0" cat a.img file >/dev/full' "$BTRFLY"
}

@test "cat: wrong usage has exit status 2" {
  local args
  for args in '' a '-x a b' --device '--json a b'; do
    # shellcheck disable=SC2086 # words
    run --separate-stderr "$BTRFLY" cat $args
    [ "$status" = 2 ] || { echo "cat $args: status $status"; return 1; }
    [[ $stderr == *"usage: btrfly cat"* ]]
  done
}
