# SPDX-License-Identifier: LGPL-2.1-or-later
# Every command, and every thread of a send, runs on a stack of 128 KiB.
# shellcheck disable=SC2154 # status and stderr come from bats' run
load support

setup() {
  support_setup
  ! nm "$BTRFLY" 2>/dev/null | grep -qE '__(a|t)san_init' || skip "the sanitizers need more stack"
}

# small COMMAND…: on a small stack, and so are its threads.
small() {
  # shellcheck disable=SC2016 # for the inner shell
  bash -c 'ulimit -s 128; exec "$@"' - "$@"
}

# same COMMAND…: it prints on a small stack what it prints on another.
same() {
  "$@" >wanted
  small "$@" >got
  cmp got wanted
  [ -s got ]
}

history() {
  require zstd
  zstd -dqf "$REPO/tests/images/send/generations.img.zst" -o image
}

@test "send on a small stack: full, incremental, of several subvolumes, with any number of threads" {
  history
  local options
  for options in '--threads 1' '--threads 2' '--threads 8'; do
    # shellcheck disable=SC2086 # words
    same "$BTRFLY" send -q $options image snap0
    # shellcheck disable=SC2086
    same "$BTRFLY" send -q $options -p snap0 -c snap1 image snap3
    # shellcheck disable=SC2086,SC2046
    same "$BTRFLY" send -q $options -e -c snap0 image $(printf 'snap%s ' 1 2 3 1 2 3 1 2 3 1 2 3)
  done
  same "$BTRFLY" send -q -n --explain -c snap0 image snap3
  small "$BTRFLY" send -q -f stream image snap0
  truncate -s 50000 stream
  mv stream .stream.btrfly-partial
  small "$BTRFLY" send -q --resume -f stream image snap0
  same "$BTRFLY" stream check stream
  same "$BTRFLY" receive --dump -f stream
}

@test "send on a small stack: compressed extents of each kind" {
  require zstd
  local image name
  for image in "$REPO"/tests/images/send/*.img.zst; do
    zstd -dqf "$image" -o image
    for name in $("$BTRFLY" subvolume list image | awk '$1 == "ID" { print $2 }'); do
      same "$BTRFLY" send -q image "$name"
      same "$BTRFLY" send -q --compressed-data image "$name"
    done
    rm image
  done
}

@test "ls, cat, diff, subvolume and filesystem show on a small stack" {
  history
  same "$BTRFLY" ls -l image snap0
  same "$BTRFLY" ls --json image snap0
  same "$BTRFLY" diff image snap0 snap3
  same "$BTRFLY" diff --json --ranges --data image snap0 snap3
  same "$BTRFLY" subvolume list image
  same "$BTRFLY" subvolume show image snap0
  same "$BTRFLY" filesystem show image
  local file
  file=$("$BTRFLY" ls -l image snap0 | awk '/^-/ && $5 > 0 { print $NF; exit }')
  [ -z "$file" ] || same "$BTRFLY" cat image "snap0/$file"
}

@test "a tree of 1900 directories, one in the other, on a small stack" {
  local deep
  deep=$(printf 'd/%.0s' {1..1900})
  mkdir -p "root/$deep"
  echo deep >"root/${deep}file"
  ln -s "$deep" root/link
  make_image image --rootdir root --shrink
  rm -r root
  same "$BTRFLY" send -q image /
  same "$BTRFLY" ls -l image "$deep"
  same "$BTRFLY" ls -l image /
  same "$BTRFLY" cat image "${deep}file"
  "$BTRFLY" send -q image / >stream
  same "$BTRFLY" stream check stream
}

@test "many subvolumes, one in the other and side by side, on a small stack" {
  require_root_btrfs
  make_image image
  mount_image image m
  local i path=m
  for i in {1..100}; do
    btrfs -q subvolume create "$path/in"
    btrfs -q subvolume create "m/side-$i"
    path+=/in
  done
  sync -f m
  unmount m
  same "$BTRFLY" subvolume list image
  same "$BTRFLY" subvolume show image "${path#m/}"
  # shellcheck disable=SC2046 # words
  same "$BTRFLY" send -q image $(printf 'side-%s ' {1..100})
  same "$BTRFLY" send -q image "${path#m/}"
}

@test "an error on a small stack" {
  history
  fails 1 'btrfly send: send nope: nope: no such file or directory' small "$BTRFLY" send -q image nope
  head -c 1M /dev/zero >zeros
  fails 1 'btrfly ls: no btrfs superblock on zeros' small "$BTRFLY" ls zeros
}
