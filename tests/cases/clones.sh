# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Extents that are shared: what is cloned from where, and what is written.
filesystems=('||'
  'holes written down, compressed|-n 4096 -O ^no-holes|compress-force=zstd'
  'relocated|-n 4096|')
variants=('--proto 1' '--proto 2 --compressed-data')

# Every block is written anew elsewhere, of data and of trees; references name blocks instead of trees then.
group_made() {
  [ "$label" != relocated ] || btrfs -q balance start --full-balance "$dir/mnt"
}

# before      after
#   a           a
#               b = a
case_a_file_is_cloned() {
  text a 300000
  snapshot
  cp --reflink=always a b
  expect 'clone b offset=0 len=.* from=a clone_offset=0'
  expect_not 'write .*'
}

# before      after
#               a
#               b = a, c = a      the first is written, the others are its clones
case_clones_in_the_same_snapshot() {
  touch keep
  snapshot
  text a 300000
  cp --reflink=always a b
  cp --reflink=always b c
  expect 'write a .*' 'clone b .* from=a clone_offset=0' 'clone c .* from=[ab] clone_offset=0'
  expect_not 'write [bc] .*'
}

# before      after
#   a           a changed in the midst
#               b = a before
case_a_changed_file_is_cloned_as_it_was() {
  text a 300000
  snapshot
  cp --reflink=always a b
  seq 20000 | head -c 20000 | dd of=a bs=1 seek=100000 conv=notrunc status=none
  expect 'clone b offset=0 .* clone_offset=0'
}

# before      after
#   a           b = a
case_a_deleted_file_is_cloned() {
  text a 300000
  snapshot
  cp --reflink=always a b
  rm a
  expect 'unlink a' 'clone b offset=0 .*'
}

# before      after
#   d/a         e/a2, b = a
case_a_moved_file_is_cloned() {
  mkdir d
  text d/a 300000
  snapshot
  cp --reflink=always d/a b
  mv d/a d/a2
  mv d e
  expect 'clone b offset=0 .*'
}

# before      after
#   a(257)      b(257')=a       the number and the data of a file that is gone
case_the_newer_of_two_files_is_the_source() {
  text b 300000
  touch a
  snapshot
  cp --reflink=always b a
  expect 'clone a offset=0 .* from=.*b clone_offset=0'
}

# before      after             ranges: into the midst, at other offsets, in another order, twice
#   a           b
case_ranges_are_cloned_elsewhere() {
  text a 1048576
  snapshot
  clonerange a 0 131072 b 262144
  clonerange a 262144 65536 b 0
  clonerange a 524288 131072 b 65536 524288
  clonerange a 4096 4096 c 4096 8192 16384
  expect 'clone b offset=0 .* clone_offset=262144' 'clone b offset=65536 .* clone_offset=524288' \
    'clone c offset=4096 .* clone_offset=266240'
}

# before      after             each range of c is partly in a, partly in b, partly new
#   a b         c
case_ranges_overlap_in_part() {
  text a 524288
  text b 524288
  snapshot
  text c 262144
  clonerange a 65536 131072 c 32768
  clonerange b 131072 131072 c 98304
  clonerange a 0 16384 c 131072
  sync c
  seq 5000 | head -c 5000 | dd of=c bs=4K seek=10 conv=notrunc status=none
}

# before      after
#   a           a               a was changed here and there: a cloned range is made of several items of it
#               b = a before
case_the_source_is_in_pieces() {
  text a 1048576
  snapshot
  cp --reflink=always a b
  local i
  for i in 3 20 21 100 200 255; do seq 4096 | head -c 4096 | dd of=a bs=4K seek=$i conv=notrunc status=none; done
}

# before      after
#   a           a with holes    holes made since: what was there is not cloned from a's hole
#               b = a before
case_the_source_has_got_holes() {
  text a 1048576
  snapshot
  cp --reflink=always a b
  cp --reflink=always a c
  fallocate -p -o 0 -l 64K a
  fallocate -p -o 200K -l 100K a
  fallocate -p -o 1000K -l 24K a
  fallocate -p -o 64K -l 128K b
}

# before      after
#   a           a cut           the source ends before what is cloned; b is longer
#               b = a before
case_the_source_was_cut() {
  text a 1000001
  snapshot
  cp --reflink=always a b
  cp --reflink=always a c
  truncate -s 333333 a
  truncate -s 1500000 b
  truncate -s 444444 c
}

# before      after
#   a           b               the end of a, within a sector: to the same end, into the midst, with a hole behind
case_an_unaligned_end_is_cloned() {
  text a 100001
  text s 3000
  text t 5000
  snapshot
  cp --reflink=always a b
  cp --reflink=always a c
  seq 1000 | head -c 1000 >>c
  cp --reflink=always a d
  truncate -s 200000 d
  cp --reflink=always t e
  echo more >>e
  clonerange a 65536 0 f 65536
  clonerange a 98304 0 g 0
  cp --reflink=always s h
}

# before      after
#   a           b               ends at 64 KiB, 4 KiB beside it, and at a sector: the receiver's may be larger
case_ends_of_files_and_large_sectors() {
  text a 131072
  text b 135168
  text c 126976
  text d 4096
  text e 8192
  snapshot
  local name
  for name in a b c d e; do
    cp --reflink=always $name whole-$name
    cp --reflink=always $name longer-$name
    seq 10000 | head -c 10000 >>longer-$name
    text into-$name 200000
    clonerange $name 0 4096 into-$name 8192
    clonerange $name 0 0 into-$name 20480
  done
}

# before      after
#   a           a               ranges of a file cloned within it, forward, backward, next to each other
case_a_file_is_cloned_into_itself() {
  text a 524288
  text b 524288
  snapshot
  clonerange a 0 65536 a 262144
  clonerange a 458752 65536 a 131072
  clonerange b 262144 65536 b 0
  clonerange b 327680 4096 b 331776 335872 339968
  text c 131072
  clonerange c 0 65536 c 131072 196608
  clonerange c 65536 65536 c 0
}

# before      after
#   a           b … b20         more and more references to one extent
case_twenty_files_share_an_extent() {
  text a 65536
  snapshot
  local i
  for i in {1..20}; do cp --reflink=always a "b$i"; done
  for i in {1..20}; do clonerange a 0 4096 "c$i" $((i * 4096)); done
}

# before          after
#   a               a             to each extent there are as many references as are still looked at, or more; most
#                   b = a         of them are in a subvolume that is not sent
case_extents_of_1024_references() {
  local count
  btrfs -q subvolume create ../many
  for count in {1016..1026}; do
    text a$count 8192
    sync a$count
    # shellcheck disable=SC2046 # many words
    clonerange a$count 0 8192 ../many/$count $(seq 8192 16384 $(((count - 1) * 16384)))
  done
  snapshot
  for count in {1016..1026}; do clonerange a$count 0 8192 b$count 8192; done
  expect 'clone b1016 .*' 'clone b1020 .*' 'write b1025 .*|update_extent b1025 .*' 'write b1026 .*'
}

# before          after
#   a … a60         a21 … a60  b       each in another file: they do not fit into the extent's item
case_extents_of_many_files() {
  text a 100000
  local i
  for i in {1..60}; do cp --reflink=always a "a$i"; done
  snapshot
  for i in {1..60..7}; do echo changed >>"a$i"; done
  cp --reflink=always a60 b
  rm a a{1..20}
}

# before      after
#   p q         p q             preallocated ranges and what was written in them, cloned
case_preallocated_ranges_are_cloned() {
  fallocate -l 512K p
  text q 131072
  snapshot
  seq 65536 | head -c 65536 | dd of=p bs=64K seek=3 conv=notrunc status=none
  fallocate -o 128K -l 256K q
  sync -f .
  cp --reflink=always p r
  cp --reflink=always q s
  clonerange p 131072 131072 q 262144
}

# before      after
#   i           j = i           inline data is copied by reflink, not shared
case_inline_data_is_cloned() {
  text i 1500
  text k 9000
  snapshot
  cp --reflink=always i j
  cp --reflink=always k l
  truncate -s 1500 l
}

# before      after
#   a           a               shared as it was, but behind a hole, shifted, shortened
case_extents_are_shifted_within_their_file() {
  text a 524288
  snapshot
  cp --reflink=always a ../tmp
  truncate -s 0 a
  clonerange ../tmp 0 262144 a 65536
  clonerange ../tmp 262144 131072 a 393216
  rm ../tmp
}

# a further snapshot of another subvolume, which shares the data with what is sent
case_a_clone_source() {
  text a 300000
  snapshot
  btrfs -q subvolume create ../other-source
  text ../other-source/x 300000
  mkdir ../other-source/d
  cp --reflink=always ../other-source/x ../other-source/d/y
  btrfs -q subvolume snapshot -r ../other-source ../other-source.ro
  cp --reflink=always ../other-source/x b
  clonerange ../other-source/x 65536 65536 c 0
  cp --reflink=always a d
  also -p a_clone_source.0 -c other-source.ro
  also -p a_clone_source.0
}

# several clone sources, of which one has more of the extent than another, or the same
case_several_clone_sources() {
  local i
  text a 524288
  snapshot
  for i in 1 2 3; do btrfs -q subvolume create "../source$i"; done
  text ../source1/x 524288
  clonerange ../source1/x 0 131072 ../source2/part 0
  clonerange ../source1/x 131072 262144 ../source2/more 0
  cp --reflink=always ../source1/x ../source3/x
  cp --reflink=always a ../source3/a
  for i in 1 2 3; do btrfs -q subvolume snapshot -r "../source$i" "../source$i.ro"; done
  cp --reflink=always ../source1/x b
  clonerange ../source1/x 131072 131072 c 0
  clonerange ../source1/x 0 131072 d 0
  cp --reflink=always a e
  also -p several_clone_sources.0 -c source2.ro -c source3.ro
  also -p several_clone_sources.0 -c source3.ro -c source1.ro -c source2.ro
  also -p several_clone_sources.0 -c source2.ro
}

# the parent and a clone source were received: they go by the uuid that they had where they came from
case_the_parent_was_received() {
  text a 300000
  snapshot
  mkdir ../received
  btrfs -q send ../the_parent_was_received.0 | btrfs -q receive ../received
  btrfs -q subvolume snapshot ../received/the_parent_was_received.0 ../received/work
  cp --reflink=always ../received/work/a ../received/work/b
  echo more >>../received/work/a
  btrfs -q subvolume snapshot -r ../received/work ../received/next
  cp --reflink=always ../received/work/b c
  also -p received/the_parent_was_received.0
  also -p the_parent_was_received.0 -c received/next
}
