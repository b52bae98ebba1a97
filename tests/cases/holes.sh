# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Holes, preallocated ranges and sizes over time.  In the drawings a letter is 64 KiB of data, . a hole,
# p preallocated, | the end of the file.
filesystems=('||' 'holes written down|-n 4096 -O ^no-holes|')
variants=('--proto 1' '--proto 2' '--no-data')

# data FILE COUNT [OFFSET]: that many times 64 KiB, an extent each.
data() {
  local i
  for ((i = 0; i < $2; i++)); do
    yes "$1 $i $RANDOM" | dd of="$1" bs=64K count=1 seek=$((${3:-0} + i)) iflag=fullblock conv=notrunc,fdatasync status=none
  done
}

# a  AAAA|   →  AA|      at a sector, within one, at 0
case_files_are_cut() {
  data a 4
  cp a b
  cp a c
  snapshot
  truncate -s 128K a
  truncate -s 100001 b
  truncate -s 0 c
  expect 'truncate a size=131072' 'truncate b size=100001' 'truncate c size=0'
}

# a  A|      →  A...|    from a sector's end, from within a sector, from nothing
case_files_are_made_longer() {
  data a 1
  text b 50001
  touch c
  snapshot
  truncate -s 256K a
  truncate -s 200001 b
  truncate -s 1G c
}

# a  AAAA|   →  A...|
case_files_are_cut_and_made_longer_again() {
  data a 4
  cp a b
  cp a c
  snapshot
  truncate -s 64K a
  truncate -s 256K a
  truncate -s 70001 b
  truncate -s 300000 b
  truncate -s 0 c
  truncate -s 256K c
}

# a  AAAA|   →  A..BB|
case_a_file_is_cut_and_written_behind() {
  data a 4
  snapshot
  truncate -s 64K a
  data a 2 3
}

# a  AAAA|   →  .AAA|    b  A..A|    c  AAA.|    d  ....|
case_holes_are_punched() {
  data a 4
  cp a b
  cp a c
  cp a d
  snapshot
  fallocate -p -o 0 -l 64K a
  fallocate -p -o 64K -l 128K b
  fallocate -p -o 192K -l 64K c
  fallocate -p -o 0 -l 256K d
}

# a  AAAA|   →  A..A|    the ends within sectors
case_holes_are_punched_within_sectors() {
  data a 4
  cp a b
  cp a c
  snapshot
  fallocate -p -o 70001 -l 60000 a
  fallocate -p -o 100 -l 50 b
  fallocate -p -o 4095 -l 2 c
}

# a  A..A|   →  A....A|, A.BA|, ..A|…
case_holes_grow_shrink_and_move() {
  local name
  data a 1
  data a 1 3
  for name in b c d e; do cp --sparse=always a $name; done
  snapshot
  fallocate -p -o 32K -l 32K a
  fallocate -p -o 192K -l 16K a
  data b 1 1
  data c 1 2
  data d 2 1
  fallocate -p -o 0 -l 64K d
  truncate -s 512K e
}

# a  ....|   →  ..A.|    b  nothing but a hole gets longer, c shorter
case_files_that_are_all_hole() {
  truncate -s 256K a b c
  snapshot
  data a 1 2
  truncate -s 512K b
  truncate -s 100000 c
}

# a  ABAB…|  →  A.AB…|   hundreds of extents, more than a leaf of items; a hole here and there
case_many_extents_with_a_hole_here_and_there() {
  local i
  truncate -s 4M a
  for ((i = 0; i < 1024; i += 2)); do
    printf '%04096d' "$i" | dd of=a bs=4K seek="$i" conv=notrunc status=none
  done
  cp --sparse=always a b
  snapshot
  for i in 64 300 302 304 512 1000; do fallocate -p -o $((i * 4096)) -l 4K a; done
  for i in 1 65 301 511 1023; do printf '%04096d' "$i" | dd of=b bs=4K seek="$i" conv=notrunc status=none; done
  fallocate -p -o 1M -l 2M b
}

# a  |       →  pppp|    b  |pp    c  AApp|    d  App|pp
case_preallocation_is_new() {
  touch a b
  data c 2
  data d 1
  snapshot
  fallocate -l 256K a
  fallocate -n -l 256K b
  fallocate -o 128K -l 128K c
  fallocate -l 192K d
  fallocate -n -o 192K -l 128K d
  fallocate -l 128K e
  data e 1 3
}

# a  pppp|   →  pAAp|    b  the end, c  the beginning, d  all of it, e  with a hole
case_preallocated_ranges_are_written_to() {
  local name
  for name in a b c d e; do fallocate -l 256K $name; done
  snapshot
  data a 2 1
  data b 1 3
  data c 1
  data d 4
  data e 1
  fallocate -p -o 64K -l 64K e
}

# a  pppp|   →  pp|      b  longer, c  a hole, d  gone and data
case_preallocated_files_are_cut_and_made_longer() {
  local name
  for name in a b c d e; do fallocate -l 256K $name; done
  fallocate -n -l 512K e
  snapshot
  truncate -s 128K a
  truncate -s 512K b
  fallocate -p -o 64K -l 64K c
  truncate -s 0 d
  data d 2
  truncate -s 300K e
}

# a  AAAA|   →  AppA|    data is replaced by a preallocated range, and by zeros
case_data_is_replaced_by_preallocation() {
  data a 4
  cp a b
  snapshot
  fallocate -p -o 64K -l 128K a
  fallocate -n -o 64K -l 128K a
  fallocate -z -o 64K -l 128K b
}

# a          inline data: longer, shorter, a hole behind it, an extent instead, and back
case_inline_data() {
  local name
  for name in a b c d e f g; do printf '%01000d' 0 >$name; done
  data h 1
  snapshot
  printf '%0500d' 1 >>a
  truncate -s 500 b
  truncate -s 5000 c
  printf '%05000d' 1 >>d
  echo 1 | dd of=e bs=1 seek=10000 conv=notrunc status=none
  truncate -s 0 f
  printf '%01000d' 2 | dd of=g conv=notrunc status=none
  printf '%01000d' 3 >h
  printf '%02048d' 4 >i
  printf '%02049d' 5 >j
}

# a  AAAA|   →  AAAA|    data that is written again, byte for byte, is another extent
case_the_same_data_is_written_again() {
  data a 4
  cp a ../copy
  snapshot
  dd if=../copy of=a bs=64K skip=1 seek=1 count=2 conv=notrunc status=none
  rm ../copy
  expect '(write|update_extent) a .*'
}

# a          bytes in the midst of extents: a sector of one, the last, one across two
case_bytes_change_here_and_there() {
  data a 4
  text b 100001
  snapshot
  echo x | dd of=a bs=1 seek=70000 conv=notrunc status=none
  echo across | dd of=a bs=1 seek=131070 conv=notrunc status=none
  echo end >>b
  echo start | dd of=b bs=1 conv=notrunc status=none
}

# new files around the most that one WRITE carries, and around a sector
case_sizes_of_new_files() {
  local size
  touch keep
  snapshot
  for size in 0 1 4095 4096 4097 49151 49152 49153 65535 65536 65537 131071 131072 131073 262145; do
    text f$size $size
  done
}

# a          without copy-on-write and checksums
case_files_without_checksums() {
  needs chattr
  touch a b
  chattr +C a b
  data a 4
  data b 4
  snapshot
  data a 1 1
  fallocate -p -o 64K -l 64K b
}

# before          after
#   a(257)          b(257)    renamed, cut and made longer in one step; written to under another name
case_a_renamed_file_changes() {
  data a 4
  ln a l
  snapshot
  mv a b
  truncate -s 100000 b
  data l 1 4
  chmod 600 b
}

# a          defragmented: other extents, the same bytes
case_a_file_is_defragmented() {
  local i
  for i in 1 2 3 4 5 6 7 8; do
    yes "$i" | head -c 16K >>a
    sync a
  done
  snapshot
  btrfs -q filesystem defragment -f a
}

# a, b       deduplicated: extents change, but no inode
case_files_are_deduplicated() {
  needs python3
  data a 2
  cp --reflink=never a b
  sync -f .
  snapshot
  python3 - <<'PYTHON'
import fcntl, os, struct
a, b = os.open("a", os.O_RDONLY), os.open("b", os.O_RDWR)
request = bytearray(struct.pack("QQHHI", 0, 131072, 1, 0, 0) + struct.pack("qQQiI", b, 0, 0, 0, 0))
fcntl.ioctl(a, 0xC0189436, request)  # FIDEDUPERANGE
assert struct.unpack_from("Qi", request, 24 + 16) == (131072, 0)
PYTHON
}
