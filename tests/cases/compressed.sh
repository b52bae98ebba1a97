# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Compressed extents, sent as they lie on disk (--compressed-data) or not.
filesystems=('zlib|-n 16384|compress-force=zlib' 'lzo|-n 4096|compress-force=lzo'
  'zstd|-n 16384 -O ^no-holes|compress-force=zstd')
variants=('--proto 2 --compressed-data' '--proto 2' '--proto 1')

case_compressed_files_are_new() {
  local size
  touch keep
  snapshot
  for size in 100 2000 2048 2049 4095 4096 4097 131071 131072 131073 400000; do text f$size $size; done
  head -c 300000 /dev/zero >zeros
  head -c 300000 /dev/urandom >noise
  (seq 20000 && head -c 200000 /dev/urandom && seq 20000) >both
}

# a  one sector of a compressed extent changes; its two parts stay, the first one short, the last one long
case_a_compressed_extent_is_overwritten_in_part() {
  local name
  text a 131072
  for name in b c d; do cp a $name; done
  snapshot
  printf changed | dd of=a bs=4K seek=1 conv=notrunc status=none
  printf changed | dd of=b bs=4K seek=30 conv=notrunc status=none
  printf changed | dd of=c bs=1 seek=50000 conv=notrunc status=none
  fallocate -p -o 20000 -l 60000 d
}

# a  what is left of an extent is shorter than the extent is on disk: that is written plainly
case_little_is_left_of_a_compressed_extent() {
  touch keep
  snapshot
  (head -c 60000 /dev/urandom && head -c 71072 /dev/zero) >a
  sync a
  fallocate -p -o 8192 -l 122880 a
  (head -c 60000 /dev/urandom && head -c 71072 /dev/zero) >b
  sync b
  truncate -s 70000 b
  text c 131072
  sync c
  fallocate -p -o 0 -l 126976 c
}

# a  cut within a compressed extent, made longer again
case_compressed_files_are_cut_and_made_longer() {
  local name
  text a 300000
  for name in b c d; do cp a $name; done
  snapshot
  truncate -s 100001 a
  truncate -s 131072 b
  truncate -s 131073 c
  truncate -s 500000 c
  truncate -s 50000 d
  seq 3000 >>d
}

case_compressed_inline_data() {
  text a 1000
  text b 1000
  text c 1000
  touch d
  snapshot
  seq 100 >>a
  truncate -s 500 b
  truncate -s 9000 c
  text d 1900
  text e 2048
  head -c 2000 /dev/zero >f
}

# a  ranges of compressed extents, cloned from their middle, at unaligned ends, out of several
case_compressed_extents_are_cloned() {
  text a 400001
  snapshot
  cp --reflink=always a b
  clonerange a 65536 131072 c 0
  clonerange a 4096 4096 c 200704
  clonerange a 393216 0 d 0
  clonerange a 0 131072 e 131072
  clonerange a 131072 65536 e 0
  printf changed | dd of=b bs=4K seek=10 conv=notrunc status=none
  expect 'clone c offset=0 .* clone_offset=65536'
}

# a  extents of which the new file shows only parts, so that they are not cloned whole
case_parts_of_new_compressed_extents() {
  touch keep
  snapshot
  text ../tmp-$$ 262144
  clonerange ../tmp-$$ 4096 8192 a 0
  clonerange ../tmp-$$ 135168 65536 a 8192
  clonerange ../tmp-$$ 0 4096 a 1048576
  rm ../tmp-$$
}

# a  compressed and not, by attribute: chattr +c, +m
case_compression_by_attribute() {
  needs chattr
  mkdir c m
  chattr +c c
  chattr +m m
  text c/a 200000
  text m/a 200000
  snapshot
  seq 1000 5000 >>c/a
  seq 1000 5000 >>m/a
}

# a  from one algorithm to another
case_another_algorithm() {
  text a 200000
  text b 200000
  snapshot
  btrfs -q filesystem defragment -czlib a
  btrfs -q filesystem defragment -clzo b
  sync -f .
}
