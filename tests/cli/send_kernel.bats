# SPDX-License-Identifier: LGPL-2.1-or-later
# btrfly send with every kind of argument, compared with what the running kernel and btrfs-progs send.
# shellcheck disable=SC2154 # status, output and stderr come from bats' run
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

snapshot() { btrfs -q subvolume snapshot "$@"; }

# history: ./image with snapshots of several subvolumes, mounted at ./m for reading.
#
#   work            s0 s1 s2 are snapshots of it in this order, s2-again is one more before work has changed;
#                   s1-again is a snapshot of s1
#   side            made from work; t0 is a snapshot of it
#   orphan          a snapshot whose origin is deleted
#   alone           no snapshot at all
#   top0 top1       snapshots of the top level
#   nested          with a subvolume and a snapshot in it
history() {
  require_root_btrfs
  local made=$BATS_FILE_TMPDIR/history.img
  if [ ! -e "$made" ]; then
    make_image made.img
    mount_image made.img m compress-force=zstd
    make_history m
    unmount m
    mv made.img "$made"
  fi
  cp "$made" image
  mount_image image m ro
}

make_history() (
  cd "$1" || return 1
  btrfs -q subvolume create work
  mkdir work/dir work/gone
  seq 100000 >work/dir/text
  head -c 300000 /dev/urandom >work/noise
  echo inline >work/gone/inline
  touch work/file
  setfattr -n user.attribute -v value work/file
  snapshot -r work s0
  mv work/dir work/moved
  echo more >>work/moved/text
  cp --reflink=always work/noise work/noise-again
  rm -r work/gone
  snapshot -r work s1
  snapshot -r s1 s1-again
  fallocate -p -o 8192 -l 65536 work/noise
  fallocate -l 100000 work/prealloc
  head -c 70000 /dev/urandom >work/new
  chmod 4711 work/file
  snapshot -r work s2
  sync -f .
  snapshot -r work s2-again
  snapshot work side
  cp --reflink=always work/new side/newer
  echo side >side/side
  snapshot -r side t0
  snapshot work will-be-gone
  snapshot -r will-be-gone orphan
  btrfs -q subvolume delete -c will-be-gone
  btrfs -q subvolume create alone
  cp --reflink=always s2/noise s2/new alone/
  btrfs property set -ts alone ro true
  echo top >in-the-top-level
  snapshot -r . top0
  echo more >>in-the-top-level
  snapshot -r . top1
  echo changed >>work/file
  btrfs -q subvolume create nested
  mkdir nested/dir
  btrfs -q subvolume create nested/dir/inner
  echo inner >nested/dir/inner/file
  snapshot -r nested/dir/inner nested/copy
  snapshot -r nested nested-snapshot
  btrfs property set -ts nested/dir/inner ro true
  btrfs property set -ts nested ro true
)

# same OPTIONS SUBVOL…: the same streams as the kernel's.  Paths in OPTIONS are those of subvolumes.
same() {
  local words=() theirs=() word
  read -r -a words <<<"$1"
  shift
  for word in "${words[@]}"; do
    case $word in
    -* | [0-9]*) theirs+=("$word") ;;
    *) theirs+=("m/$word") ;;
    esac
  done
  btrfs -q send "${theirs[@]}" -f theirs "${@/#/m/}" || return 1
  "$BTRFLY" send -q "${words[@]}" -f ours image "$@" 2>said || { cat said; return 1; }
  cmp ours theirs || { echo "send ${words[*]} $*"; return 1; }
}

# neither PATTERN OPTIONS SUBVOL: a failure here and there.
neither() {
  local pattern=$1 words=() theirs=() word
  read -r -a words <<<"$2"
  for word in "${words[@]}"; do
    case $word in
    -*) theirs+=("$word") ;;
    *) theirs+=("m/$word") ;;
    esac
  done
  run btrfs -q send "${theirs[@]}" -f theirs "m/$3"
  [ "$status" = 1 ]
  [[ $output == *"parent determination failed"* ]]
  # The filesystem is mounted, which is said too.
  unmount m
  fails 1 "btrfly send: send $3: parent determination failed for $pattern" "$BTRFLY" send -q "${words[@]}" -f ours image "$3"
  mount_image image m ro
}

# is_upon SUBVOL: the stream in ./ours is.
is_upon() {
  local id
  id=$(btrfs subvolume show "m/$1" | sed -n 's/^\s*UUID:\s*//p')
  [[ $(btrfs receive --dump -f ours | head -n 1) == "snapshot "*"parent_uuid=$id "* ]]
}

@test "a full stream, and one upon a parent" {
  history
  same "" s0
  same "-p s0" s1
  same "-p s0" s2
  same "-p s2" s0
  same "-p t0" s1
  same "-p alone" s2
}

@test "clone sources beside a parent" {
  history
  same "-p s0 -c s1" s2
  same "-c s1 -p s0" s2
  same "-p s0 -c s1 -c t0 -c alone" s2
  same "-p s0 -c s0" s2
  same "-p s1 -c s2" alone
}

@test "-c without -p: the origin is the parent when it is among the clone sources" {
  history
  same "-c s1" s1-again
  is_upon s1
  same "-c s0 -c s1 -c s2" s1-again
  is_upon s1
}

@test "-c without -p: of snapshots of the same subvolume the nearest to that is the parent" {
  history
  same "-c s0 -c s1" s2
  is_upon s1
  same "-c s1 -c s0" s2
  is_upon s1
  # Nearest to the subvolume, which has gone on, and not to what is sent.
  same "-c s1 -c s2" s0
  is_upon s2
  same "-c alone -c s0 -c t0" s2
  is_upon s0
}

@test "-c without -p: of two as near the first one named is the parent" {
  history
  same "-c s2 -c s2-again" s1
  is_upon s2
  same "-c s2-again -c s2" s1
  is_upon s2-again
}

@test "-c without -p: snapshots of the top level" {
  history
  same "-c top0" top1
  is_upon top0
}

@test "-c without -p: no relative among the clone sources" {
  history
  neither "*: no clone source is a snapshot of the same subvolume; name the parent with -p" "-c alone -c t0" s1
}

@test "-c without -p: the subvolume is no snapshot" {
  history
  neither "*: *; name the parent with -p" "-c s0" alone
}

@test "-c without -p: the origin is deleted" {
  history
  neither "*: the subvolume that it is a snapshot of is not there; name the parent with -p" "-c s0" orphan
}

@test "several subvolumes, each with a stream of its own" {
  history
  same "" s0 s1 s2
  same "-p s0" s1 s2
  same "-c s0" s1 s2
  same "-c s0 -c alone" s2 s1 s1-again
}

@test "several subvolumes in one stream" {
  history
  same "-e" s0
  same "-e" s0 s1 s2
  same "-e -p s0" s1 s2
  same "-e -c s0" s1 s2
  same "-e --proto 2 --compressed-data -p s0" s1 s2
}

@test "the versions of the stream" {
  history
  local proto
  for proto in 0 1 2; do
    same "--proto $proto" s1
    same "--proto $proto -p s0 -c s1" s2
  done
}

@test "compressed data, and no data" {
  history
  local options
  for options in --compressed-data "--proto 0 --compressed-data" "--proto 2 --compressed-data" --no-data \
    "--no-data --proto 2" "--no-data --compressed-data"; do
    same "$options" s1
    same "$options -p s0 -c s1" s2
  done
}

@test "subvolumes in subvolumes" {
  history
  same "" nested
  same "" nested/dir/inner
  same "" nested/copy
  same "" nested-snapshot
  same "-p nested/dir/inner" nested/copy
}

@test "a subvolume that may be written to: the stream that the kernel makes when it may not" {
  require_root_btrfs
  make_image image
  mount_image image m
  btrfs -q subvolume create m/work
  seq 10000 >m/work/file
  unmount m
  "$BTRFLY" send -q -f before image work
  mount_image image m
  btrfs property set -ts m/work ro true
  same "" work
  cmp before theirs
}

@test "a device that is mounted: one warning, and the stream" {
  history
  unmount m
  mount_image image m
  snapshot -r m/work m/now
  sync -f m
  btrfs -q send -f theirs m/now
  local device
  for device in image "$(findmnt -no SOURCE m)"; do
    run --separate-stderr "$BTRFLY" send -q -f ours "$device" now
    [ "$status" = 0 ]
    [ "${#stderr_lines[@]}" = 1 ]
    [[ $stderr == "btrfly send: warning: $device is mounted: "* ]]
    cmp ours theirs
  done
}

@test "a filesystem on two devices: --device" {
  require_root_btrfs
  truncate -s 256M a.img b.img
  mkfs.btrfs -q -d raid0 -m raid1 a.img b.img 2>/dev/null
  loops=("$(losetup -f --show a.img)" "$(losetup -f --show b.img)")
  mkdir m
  mount -o "device=${loops[1]}" "${loops[0]}" m
  realpath m >>"$BATS_TEST_TMPDIR/.mounts"
  btrfs -q subvolume create m/work
  seq 100000 >m/work/file
  snapshot -r m/work m/snap
  sync -f m
  btrfs -q send -f theirs m/snap
  unmount m
  cmp <("$BTRFLY" send -q --device b.img a.img snap) theirs
  cmp <("$BTRFLY" send -q --device a.img b.img snap) theirs
  fails 1 "btrfly send: *device 2 of the filesystem was not given*" "$BTRFLY" send -q -f ours a.img snap
}

@test "--clone-all: an extent with more than 1024 references travels once" {
  require_root_btrfs
  require python3
  make_image image
  mount_image image m
  btrfs -q subvolume create m/work
  head -c 65536 /dev/urandom >m/work/file
  sync -f m
  python3 - m/work <<'PYTHON'
import fcntl, os, struct, sys
source = os.open(sys.argv[1] + "/file", os.O_RDONLY)
for n in range(11):
    copy = os.open(f"{sys.argv[1]}/copy-{n}", os.O_RDWR | os.O_CREAT)
    for i in range(100):
        # FICLONERANGE
        fcntl.ioctl(copy, 0x4020940D, struct.pack("qQQQ", source, 0, 65536, i * 65536))
PYTHON
  snapshot -r m/work m/snap
  sync -f m
  same "" snap
  "$BTRFLY" send -q --clone-all -f better image snap 2>said
  # 1101 times 64 KiB, and once.
  [ "$(stat -c %s ours)" -gt $((1101 * 65536)) ]
  [ "$(stat -c %s better)" -lt $((2 * 65536 + 1101 * 200)) ]
  mkdir m/received dir
  btrfs -q receive -f better m/received
  diff -r m/snap m/received/snap
  "$BTRFLY" receive -q -f better dir
  diff -r m/snap dir/snap
}
