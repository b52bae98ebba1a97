# SPDX-License-Identifier: LGPL-2.1-or-later
# btrfly filesystem show, against what btrfs-progs prints of the same image.
load support

same_as_btrfs() {
  require btrfs
  diff <("$BTRFLY" filesystem show "$@") <(btrfs filesystem show "$@")
}

# poke FILE OFFSET BYTE…: overwrite bytes, given as hex.
poke() {
  local file=$1 offset=$2
  shift 2
  # shellcheck disable=SC2059 # the format is made of escapes
  printf "$(printf '\\x%s' "$@")" | dd of="$file" bs=1 seek="$offset" conv=notrunc status=none
}

@test "filesystem show prints what btrfs prints" {
  make_image a.img -L 'a label'
  same_as_btrfs a.img
  same_as_btrfs --raw a.img
  same_as_btrfs --iec a.img
  same_as_btrfs --human-readable a.img
  same_as_btrfs --si a.img
  diff <("$BTRFLY" filesystem show -b a.img) <(btrfs filesystem show --raw a.img)
}

@test "filesystem show prints what btrfs prints: without a label" {
  make_image a.img
  same_as_btrfs a.img
}

@test "filesystem show prints what btrfs prints: each checksum" {
  local csum
  for csum in xxhash sha256 blake2; do
    make_image $csum.img --csum $csum
    same_as_btrfs $csum.img
  done
}

@test "filesystem show --json" {
  require python3
  make_image a.img -L 'a "label"' -U 01234567-89ab-cdef-0123-456789abcdef
  "$BTRFLY" filesystem show --json a.img >a.json
  python3 - <<'PYTHON'
import json, os
show = json.load(open('a.json'))
assert show['label'] == 'a "label"', show
assert show['uuid'] == '01234567-89ab-cdef-0123-456789abcdef', show
assert show['total_devices'] == 1 and show['log_root'] == 0, show
device, = show['devices']
assert device['devid'] == 1 and device['size'] == 256 << 20, device
assert device['path'] == os.path.realpath('a.img'), device
PYTHON
}

@test "filesystem show --json of a label that is no UTF-8" {
  require python3
  make_image a.img -L $'caf\xe9'
  "$BTRFLY" filesystem show --json a.img >a.json
  python3 -c 'import json
show = json.load(open("a.json"))
assert show["label"] == "caf\ufffd" and show["label_hex"] == "636166e9", show'
}

@test "filesystem show: no label can steer a terminal" {
  require script
  make_image a.img -L $'a\e[2Jb'
  script -qec "'$BTRFLY' filesystem show a.img" /dev/null </dev/null >out
  grep -F "Label: 'a\\e[2Jb'" out
}

@test "filesystem show lists several devices by devid, and says that some are missing" {
  require mkfs.btrfs
  truncate -s 256M a.img b.img
  mkfs.btrfs -q -d raid1 -m raid1 a.img b.img
  run "$BTRFLY" filesystem show b.img a.img
  [ "$status" = 0 ]
  [[ ${lines[1]} == $'\t'"Total devices 2 FS bytes used "* ]]
  [[ ${lines[2]} == $'\t'"devid    1 size 256.00MiB used "*" path $PWD/a.img" ]]
  [[ ${lines[3]} == $'\t'"devid    2 size 256.00MiB used "*" path $PWD/b.img" ]]
  [ "${#lines[@]}" = 4 ]
  run "$BTRFLY" filesystem show b.img
  [ "$status" = 0 ]
  [[ ${lines[2]} == $'\t'"devid    2 "* ]]
  [ "${lines[3]}" = $'\t*** Some devices missing' ]
}

@test "filesystem show of a filesystem whose uuid was changed by btrfstune -m" {
  require btrfstune
  make_image a.img
  btrfstune -m a.img
  same_as_btrfs a.img
  [ "$("$BTRFLY" ls a.img / | wc -l)" = 0 ]
}

@test "filesystem show of a block device" {
  require_root_btrfs
  make_image a.img
  loop=$(losetup -f --show --read-only a.img)
  run same_as_btrfs --raw "$loop"
  losetup -d "$loop"
  [ "$status" = 0 ]
}

@test "filesystem show refuses devices of two filesystems, and one given twice" {
  make_image a.img
  make_image b.img
  fails 1 "btrfly filesystem show: b.img belongs to filesystem * to *" \
    "$BTRFLY" filesystem show a.img b.img
  fails 1 "btrfly filesystem show: a.img and ./a.img are both device 1 of one filesystem" \
    "$BTRFLY" filesystem show a.img ./a.img
}

@test "filesystem show takes another copy of the superblock where the first is damaged" {
  make_image a.img
  "$BTRFLY" filesystem show a.img >before
  poke a.img $((65536 + 300)) ff ff ff ff
  diff before <("$BTRFLY" filesystem show a.img)
}

@test "filesystem show of what is no btrfs image" {
  truncate -s 1M zeros.img
  mkfifo pipe
  : >empty
  fails 1 "btrfly filesystem show: no btrfs superblock on zeros.img" "$BTRFLY" filesystem show zeros.img
  fails 1 "btrfly filesystem show: no btrfs superblock on empty" "$BTRFLY" filesystem show empty
  fails 1 "btrfly filesystem show: nope: No such file or directory" "$BTRFLY" filesystem show nope
  fails 1 "btrfly filesystem show: .: a directory, not *" "$BTRFLY" filesystem show .
  fails 1 "btrfly filesystem show: pipe: a special file, not *" "$BTRFLY" filesystem show pipe
}

@test "filesystem show of a damaged superblock without another copy" {
  make_image a.img
  truncate -s 40M a.img
  poke a.img $((65536 + 300)) ff ff ff ff
  fails 1 "btrfly filesystem show: a.img: superblock at 65536: checksum mismatch" \
    "$BTRFLY" filesystem show a.img
}

@test "filesystem show of a truncated image names both sizes" {
  make_image a.img
  truncate -s 200M a.img
  fails 1 "btrfly filesystem show: a.img: truncated: the filesystem uses 268435456 bytes of it, it has 209715200" \
    "$BTRFLY" filesystem show a.img
}

@test "filesystem show says when standard output is full" {
  make_image a.img
  [ -e /dev/full ] || skip "needs /dev/full"
  # shellcheck disable=SC2016 # for the inner shell
  fails 1 "btrfly filesystem show: standard output: No space left on device" \
    sh -c '"$0" filesystem show a.img >/dev/full' "$BTRFLY"
}

@test "filesystem: wrong usage has exit status 2" {
  run --separate-stderr "$BTRFLY" filesystem
  [ "$status" = 2 ]
  [[ ${stderr_lines[0]} == "usage: btrfly filesystem COMMAND"* ]]
  run --separate-stderr "$BTRFLY" filesystem shw
  [ "$status" = 2 ]
  [ "${stderr_lines[0]}" = "btrfly filesystem: unknown command 'shw'" ]
  run --separate-stderr "$BTRFLY" filesystem show
  [ "$status" = 2 ]
  [ "${stderr_lines[0]}" = "btrfly filesystem show: no image or device was given" ]
  run --separate-stderr "$BTRFLY" filesystem show -x a.img
  [ "$status" = 2 ]
  [ "${stderr_lines[0]}" = "btrfly filesystem show: wrong option '-x'" ]
  run --separate-stderr "$BTRFLY" filesystem show --rax a.img
  [ "$status" = 2 ]
  [ "${stderr_lines[0]}" = "btrfly filesystem show: wrong option '--rax'" ]
}
