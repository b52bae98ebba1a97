# SPDX-License-Identifier: LGPL-2.1-or-later
# btrfly receive onto a mounted btrfs: subvolumes as `btrfs receive` makes them.
load support

STREAMS=$REPO/tests/images/streams
TREEDIFF=$BUILD/tests/support/treediff

setup() {
  support_setup
  require_root_btrfs
  make_image image
  mount_image image mnt
}

stream() { zcat "$STREAMS/$1.stream.gz"; }

# tree_is DIR MANIFEST
tree_is() { "$TREEDIFF" "$1" | diff - "$STREAMS/$2.tree"; }

# field NAME SUBVOLUME: of `btrfs subvolume show`.
field() { btrfs subvolume show "$2" | sed -n "s/^[[:space:]]*$1:[[:space:]]*//p"; }

@test "a full and an incremental stream: the trees, read-only, with the received uuids" {
  stream full-v1 | "$BTRFLY" receive -q mnt
  stream incremental-v1 | "$BTRFLY" receive -q mnt
  tree_is mnt/first first
  tree_is mnt/second second
  [ "$(btrfs property get -ts mnt/second ro)" = ro=true ]
  [ "$(field 'Parent UUID' mnt/second)" = "$(field UUID mnt/first)" ]
  [ "$(ls -A mnt)" = $'first\nsecond' ]
}

@test "everything that btrfs receive sets of a subvolume is set the same" {
  mkdir mnt/ours mnt/theirs
  stream full-v2 >s1
  stream incremental-v2 >s2
  "$BTRFLY" receive -q -f s1 mnt/ours
  "$BTRFLY" receive -q -f s2 mnt/ours
  btrfs receive -q -f s1 mnt/theirs
  btrfs receive -q -f s2 mnt/theirs
  local subvolume name
  for subvolume in first second; do
    for name in "Received UUID" "Send transid" Flags; do
      [ -n "$(field "$name" mnt/theirs/$subvolume)" ]
      [ "$(field "$name" mnt/ours/$subvolume)" = "$(field "$name" mnt/theirs/$subvolume)" ]
    done
  done
}

@test "btrfs receive goes on with what btrfly made, and btrfly with what btrfs receive made" {
  mkdir mnt/a mnt/b
  stream full-v1 >s1
  stream incremental-v1 >s2
  "$BTRFLY" receive -q -f s1 mnt/a
  btrfs receive -q -f s2 mnt/a
  tree_is mnt/a/second second
  btrfs -q subvolume delete -C mnt/a/first mnt/a/second
  btrfs receive -q -f s1 mnt/b
  "$BTRFLY" receive -q -f s2 mnt/b
  tree_is mnt/b/second second
}

# compressed FILE: whether an extent of it is stored compressed.
compressed() {
  sync -f "$1"
  filefrag -v "$1" | grep -q encoded
}

@test "encoded data is stored as it came, and decompressed with --force-decompress" {
  require filefrag
  stream full-compressed >s
  "$BTRFLY" receive -q -f s mnt
  tree_is mnt/first first
  compressed mnt/first/dir/text
  compressed mnt/first/dir/deeper/zlib
  compressed mnt/first/dir/deeper/lzo
  mkdir mnt/plainly
  "$BTRFLY" receive -q --force-decompress -f s mnt/plainly
  tree_is mnt/plainly/first first
  run compressed mnt/plainly/first/dir/text
  [ "$status" = 1 ]
}

@test "shared ranges are shared again, within the subvolume and with others" {
  btrfs -q subvolume create mnt/work
  head -c 1M /dev/urandom >mnt/work/data
  btrfs -q subvolume snapshot -r mnt/work mnt/one
  cp --reflink=always mnt/work/data mnt/work/copy
  btrfs -q subvolume snapshot -r mnt/work mnt/two
  btrfs -q send -f s1 mnt/one
  btrfs -q send -c mnt/one -f s2 mnt/two
  mkdir mnt/received
  "$BTRFLY" receive -q -f s1 mnt/received
  "$BTRFLY" receive -q -f s2 mnt/received
  cmp mnt/received/two/copy mnt/work/data
  sync -f mnt
  [ "$(filefrag -v mnt/received/two/copy | awk '$1 == "0:" {print $4}')" = "$(filefrag -v mnt/received/one/data | awk '$1 == "0:" {print $4}')" ]
}

@test "several subvolumes in one stream without ENDs between them (send -e)" {
  btrfs -q subvolume create mnt/work
  echo 1 >mnt/work/file
  btrfs -q subvolume snapshot -r mnt/work mnt/one
  echo 2 >mnt/work/file
  btrfs -q subvolume snapshot -r mnt/work mnt/two
  btrfs -q send -e -p mnt/one -f s mnt/two
  btrfs -q send -f s1 mnt/one
  btrfs -q send -e -f both mnt/one mnt/two
  mkdir mnt/received
  "$BTRFLY" receive -q -f both mnt/received
  [ "$(cat mnt/received/one/file mnt/received/two/file)" = $'1\n2' ]
}

@test "a parent that lies out of the mount's reach is found" {
  stream full-v1 | "$BTRFLY" receive -q mnt
  btrfs -q subvolume create mnt/below
  mkdir below
  mount -o loop,subvol=below image below
  realpath below >>.mounts
  stream incremental-v1 | "$BTRFLY" receive -q below
  tree_is below/second second
}

@test "a parent that is not there: an error, and nothing is left" {
  stream incremental-v1 >s
  fails 1 "btrfly receive: stream offset 17: command 1: snapshot 'second': cannot find parent subvolume: no subvolume of this filesystem was received as * or has that uuid" \
    "$BTRFLY" receive -q mnt -f s
  cat s | fails 1 "btrfly receive: *cannot find parent subvolume*" "$BTRFLY" receive -q mnt
  [ -z "$(ls -A mnt)" ]
}

@test "a stream that ends early leaves a subvolume that is neither named, nor received, nor read-only" {
  stream full-v1 | head -c 50000 >s
  cat s | fails 1 "btrfly receive: *ends early*; what came so far is in mnt/.first.btrfly-partial: --resume goes on with it, 'btrfs subvolume delete' removes it" "$BTRFLY" receive -q mnt
  [ "$(field 'Received UUID' mnt/.first.btrfly-partial)" = - ]
  [ "$(btrfs property get -ts mnt/.first.btrfly-partial ro)" = ro=false ]
}

@test "--resume goes on on a mounted btrfs" {
  stream full-v1 >s
  head -c 60000 s | "$BTRFLY" receive -q mnt || true
  "$BTRFLY" receive -q --resume -f s mnt
  tree_is mnt/first first
  [ "$(ls -A mnt)" = first ]
}

@test "--plain: a directory on btrfs, with reflinks" {
  stream full-v1 | "$BTRFLY" receive -q --plain mnt
  stream incremental-v1 | "$BTRFLY" receive -q --plain mnt
  tree_is mnt/second second
  run btrfs subvolume show mnt/second
  [ "$status" = 1 ]
  [ "$(filefrag -v mnt/second/prealloc | awk '$1 == "0:" {print $4}')" = "$(filefrag -v mnt/first/prealloc | awk '$1 == "0:" {print $4}')" ]
}

@test "an attribute that is too big for the target's filesystem is left out and counted" {
  require mkfs.ext4 setfattr
  btrfs -q subvolume create mnt/work
  : >mnt/work/file
  setfattr -n user.big -v "$(printf 'x%.0s' {1..9000})" mnt/work/file
  setfattr -n user.small -v y mnt/work/file
  btrfs -q subvolume snapshot -r mnt/work mnt/snap
  btrfs -q send -f s mnt/snap
  truncate -s 64M ext4
  mkfs.ext4 -q ext4
  mount_image ext4 other
  run --separate-stderr "$BTRFLY" receive -q -f s other
  [ "$status" = 0 ]
  [ "$stderr" = "btrfly receive: skipped: 1 other extended attribute" ]
  [ "$(getfattr --only-values -n user.small other/snap/file)" = y ]
}

@test "an attribute that was too big can be removed later, though btrfs has no record of it" {
  require setfattr
  btrfs -q subvolume create mnt/work
  : >mnt/work/file
  setfattr -n user.big -v "$(printf 'x%.0s' {1..9000})" mnt/work/file
  btrfs -q subvolume snapshot -r mnt/work mnt/s1
  setfattr -x user.big mnt/work/file
  btrfs -q subvolume snapshot -r mnt/work mnt/s2
  btrfs -q send -f first mnt/s1
  btrfs -q send -p mnt/s1 -f second mnt/s2
  make_image small.img -n 4096
  mount_image small.img other
  run --separate-stderr "$BTRFLY" receive -q -f first other
  [ "$status" = 0 ]
  [ "$stderr" = "btrfly receive: skipped: 1 other extended attribute" ]
  run --separate-stderr "$BTRFLY" receive -q --strict -f second other
  [ "$status" = 0 ]
  [ -z "$stderr" ]
}

@test "root without CAP_CHOWN: a setuid bit that comes later is not given to a file whose owner was lost" {
  require setpriv
  local make=$BATS_TEST_DIRNAME/../support/make_stream.py
  python3 "$make" subvol:path=snap mkfile:path=lost chown:path=lost:uid=1000:gid=1000 chmod:path=lost:mode=0755 end >s1
  python3 "$make" snapshot:path=next chmod:path=lost:mode=04755 mkfile:path=own chown:path=own:uid=0:gid=0 \
    chmod:path=own:mode=04755 end >s2
  run --separate-stderr setpriv --bounding-set -chown "$BTRFLY" receive -q -f s1 mnt
  [ "$stderr" = "btrfly receive: skipped: 1 owner" ]
  run --separate-stderr setpriv --bounding-set -chown "$BTRFLY" receive -q -f s2 mnt
  [ "$status" = 0 ]
  [ "$stderr" = "btrfly receive: skipped: 1 setuid or setgid bit" ]
  [ "$(stat -c %a mnt/next/lost mnt/next/own)" = $'755\n4755' ]
}

@test "the root of a subvolume is nobody else's until the end" {
  local make=$BATS_TEST_DIRNAME/../support/make_stream.py
  local open=(chown:path=:uid=1000:gid=1001 chmod:path=:mode=02775)
  python3 "$make" subvol:path=snap "${open[@]}" unlink:path=nothing >s
  cat s | fails 1 "btrfly receive: *unlink 'nothing'*" "$BTRFLY" receive -q mnt
  [ "$(stat -c %a:%u:%g mnt/.snap.btrfly-partial)" = 700:0:0 ]
  python3 "$make" subvol:path=snap "${open[@]}" end >s
  "$BTRFLY" receive -q --resume -f s mnt
  [ "$(stat -c %a:%u:%g mnt/snap)" = 2775:1000:1001 ]
}

@test "the root of a snapshot is nobody else's until the end, and as the parent's then" {
  require setfacl getfacl
  btrfs -q subvolume create mnt/work
  chown 1000:1001 mnt/work
  chmod 2775 mnt/work
  setfacl -m u:1234:rwx mnt/work
  btrfs -q subvolume snapshot -r mnt/work mnt/one
  btrfs -q subvolume snapshot -r mnt/work mnt/two
  btrfs -q send -p mnt/one -f s mnt/two
  mkdir mnt/received
  # All but the END.
  head -c -10 s | fails 1 "btrfly receive: *ends early*" "$BTRFLY" receive -q mnt/received
  [ "$(stat -c %a:%u mnt/received/.two.btrfly-partial)" = 700:0 ]
  [ -z "$(getfacl -cs mnt/received/.two.btrfly-partial)" ]
  "$BTRFLY" receive -q --resume -f s mnt/received
  [ "$(stat -c %a:%u:%g mnt/received/two)" = 2775:1000:1001 ]
  getfacl -c mnt/received/two | grep 1234:rwx
}

@test "a setuid bit that comes later is kept" {
  local make=$BATS_TEST_DIRNAME/../support/make_stream.py
  python3 "$make" subvol:path=snap mkfile:path=f chown:path=f:uid=1000:gid=1000 chmod:path=f:mode=0755 end >s1
  python3 "$make" snapshot:path=next chmod:path=f:mode=04755 end >s2
  "$BTRFLY" receive -q --strict -f s1 mnt
  "$BTRFLY" receive -q --strict -f s2 mnt
  [ "$(stat -c %a:%u mnt/next/f)" = 4755:1000 ]
}

@test "an ordinary user on btrfs receives into a plain directory" {
  mkdir mnt/mine
  chown 65534 mnt/mine
  stream full-v1 >s
  as_user "$BTRFLY" receive -q mnt/mine -f s
  run btrfs subvolume show mnt/mine/first
  [ "$status" = 1 ]
}
