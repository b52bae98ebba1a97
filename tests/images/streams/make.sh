#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Make the streams of this folder again: a filesystem on a loop device, the running kernel's send.
# Needs root, btrfs-progs, python3, openssl, setfattr, setfacl, setcap, chattr, and build/tests/support/treediff.
#
#   NAME.stream.gz   what `btrfs send` wrote
#   NAME.dump        what `btrfs receive --dump` of btrfs-progs says of it, TZ=UTC
#   first.tree, second.tree   the snapshots as the kernel shows them (a manifest of treediff)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
treediff=$here/../../../build/tests/support/treediff
work=$(mktemp -d)
mnt=$work/mnt
mkdir "$mnt"
trap 'cd /; umount "$mnt" 2>/dev/null || true; rm -rf "$work"' EXIT
truncate -s 256M "$work/image"
mkfs.btrfs -q -U 0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0 "$work/image"
mount -o loop,compress=zstd "$work/image" "$mnt"
cd "$mnt"
export TZ=UTC

text() { # BYTES SEED: compressible, and every block different
  seq -f "line %.0f of $2, and the same words as in every other line of these files" 1 100000 2>/dev/null | head -c "$1" || true
}
noise() { # BYTES SEED
  head -c "$1" /dev/zero | openssl enc -aes-128-ctr -K "$(printf '%032x' "$2")" -iv 0 2>/dev/null
}
clone_range() { # FROM OFFSET LENGTH TO OFFSET: FICLONERANGE
  python3 -c '
import fcntl, os, struct, sys
source, at, length, target, to = sys.argv[1:]
f = os.open(source, os.O_RDONLY)
fcntl.ioctl(os.open(target, os.O_RDWR), 0x4020940d, struct.pack("qQQQ", f, int(at), int(length), int(to)))
' "$@"
}

btrfs -q subvolume create vol
cd vol
mkdir -p dir/deeper 'sp ace' $'odd\n\t\\\033\303\244\377' read-only empty
text 200000 1 >dir/text
noise 9000 2 >dir/noise
text 700 3 >dir/inline
: >dir/nothing
text 5000 4 >'sp ace/a b'
text 100 5 >$'odd\n\t\\\033\303\244\377/file'
ln -s ../dir/text dir/deeper/link
ln -s "$(printf 'x%.0s' {1..1000})" long-link
ln dir/noise dir/deeper/noise-again
ln dir/noise noise-too
ln -s $'tar get\n\377' odd-link
ln 'sp ace/a b' 'again a b'
text 9000 18 >'sp ace/cloned from'
cp --reflink=always 'sp ace/cloned from' cloned-to
setfattr -n 'user.na me' -v 'va lue' cloned-to
mkfifo fifo
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")'
mknod null c 1 3
mknod loop b 7 300
mknod zero-major c 0 0
truncate -s 1M sparse
noise 4096 6 | dd of=sparse bs=4096 seek=100 conv=notrunc status=none
noise 10 7 | dd of=sparse bs=1 seek=900001 conv=notrunc status=none
fallocate -l 200000 prealloc
noise 8192 8 | dd of=prealloc bs=4096 seek=3 conv=notrunc status=none
: >prealloc-beyond
fallocate -n -l 100000 prealloc-beyond
cp --reflink=always dir/text reflinked
dd if=dir/noise of=partly-reflinked bs=4096 count=2 status=none
clone_range dir/text 131072 65536 partly-reflinked 65536
setfattr -n user.text -v 'a value' dir/text
setfattr -n user.binary -v 0x000102ff0a41 dir/text
setfattr -n user.empty dir/noise
setfattr -n trusted.secret -v 1 dir/deeper
setfattr -n btrfs.compression -v lzo dir/inline
setfacl -m u:1000:rx,d:g:1001:rwx dir
setcap cap_net_raw+ep dir/nothing
chown 1000:1001 dir/text
chown -h 1002:1003 dir/deeper/link
chmod 4755 dir/inline
chmod 2750 dir/deeper
chmod 0000 'sp ace/a b'
text 50 9 >read-only/inside
mkdir read-only/below
text 60 10 >read-only/below/file
chmod 0555 read-only/below read-only
chmod 0600 empty
chattr +C empty
touch empty/nocow
noise 5000 11 >empty/nocow
chattr +d dir/noise
chattr +A dir/text
long=$(printf 'n%.0s' {1..255})
mkdir -p "$long/$long"
text 20 12 >"$long/$long/$long"
btrfs -q property set dir/deeper compression zlib
text 140000 13 >dir/deeper/zlib
btrfs -q property set dir/deeper compression lzo
text 140000 14 >dir/deeper/lzo
touch -hd '2001-02-03 04:05:06.123456789' dir/text dir/deeper/link null 'sp ace' .
touch -d '1960-01-01 00:00:00.5' noise-too
cd ..
btrfs -q subvolume snapshot -r vol first >/dev/null

cd vol
mv dir/text moved-text
mv dir/deeper 'sp ace/deeper'
rm noise-too long-link fifo
rm -r $'odd\n\t\\\033\303\244\377'
mkdir swap-a swap-b
mv sparse new-name
ln moved-text 'sp ace/deeper/linked'
truncate -s 1000 dir/inline
truncate -s 5000 dir/noise
truncate -s 200001 reflinked
fallocate -p -o 131072 -l 8192 moved-text
text 4096 15 | dd of=moved-text bs=4096 seek=10 conv=notrunc status=none
setfattr -x user.text moved-text
setfattr -n user.binary -v 0x00 moved-text
setfattr -n user.new -v x dir/noise
chown 0:0 moved-text
chmod 0640 moved-text
cp --reflink=always moved-text dir/copy-of-text
text 100 16 >>read-only/inside
text 10 17 >read-only/new
mv read-only/below read-only/renamed
mknod null2 c 1 3
rm loop
mv null null-moved
rmdir swap-b
ln -s target symlink
chattr -A moved-text
touch -d '2020-01-01 00:00:00.25' dir/noise
cd ..
btrfs -q subvolume snapshot -r vol second >/dev/null
sync

keep() { # NAME SNAPSHOT SEND-OPTION…
  local name=$1 snapshot=$2
  shift 2
  btrfs -q send "$@" "$snapshot" >"$work/stream"
  btrfs receive --dump <"$work/stream" >"$here/$name.dump"
  gzip -9n <"$work/stream" >"$here/$name.stream.gz"
}
keep full-v1 first
keep full-v2 first --proto 2
keep full-compressed first --proto 2 --compressed-data
keep full-no-data first --no-data
keep incremental-v1 second -p first
keep incremental-v2 second --proto 2 --compressed-data -p first
for snapshot in first second; do
  "$treediff" "$snapshot" >"$here/$snapshot.tree"
done
