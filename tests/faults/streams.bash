# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: LGPL-2.1-or-later
# Streams with something of everything in them, and little of it: $work/full, incremental, and two, which has two
# subvolumes.  Sourced by ./run with a new btrfs as the working directory.

text() { # BYTES SEED
  yes "line of $2" | head -c "$1" || true
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

make_first() {
  mkdir -p open/deep closed/below read-only/below search-only/below acl gone/read-only gone/closed fixed
  text 140000 1 >open/text
  noise 9000 2 >open/noise
  text 100 3 >open/deep/inline
  : >open/deep/nothing
  text 200 4 >closed/file
  text 200 5 >closed/below/file
  text 200 6 >read-only/file
  text 200 7 >read-only/below/file
  text 200 8 >search-only/file
  text 200 9 >gone/file
  text 200 10 >gone/read-only/file
  text 200 11 >gone/closed/file
  text 200 12 >unreadable
  text 200 13 >unwritable
  text 200 14 >fixed/immutable
  text 200 15 >fixed/append
  ln open/noise read-only/noise
  ln open/noise gone/closed/noise
  ln unreadable read-only/unreadable
  cp --reflink=always open/noise open/cloned
  noise 4096 16 >open/partly
  clone_range open/text 0 131072 open/partly 4096
  truncate -s 300000 sparse
  noise 4096 17 | dd of=sparse bs=4096 seek=30 conv=notrunc status=none
  fallocate -l 100000 prealloc
  noise 4096 18 | dd of=prealloc bs=4096 seek=3 conv=notrunc status=none
  ln -s ../open/text closed/link
  ln -s nowhere link
  mkfifo fifo closed/fifo
  python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")'
  mknod null c 1 3
  mknod read-only/loop b 7 300
  setfattr -n user.text -v 'a value' open/text
  setfattr -n user.unreadable -v x unreadable
  setfattr -n user.closed -v x closed
  setfattr -n trusted.secret -v x open
  setfacl -m u:1000:rx,d:g:1001:rwx acl
  text 100 19 >acl/file
  chown 1000:1001 open/noise open/deep
  chown -h 1000:1001 link
  chmod 4755 open/cloned
  chmod 0000 unreadable
  chmod 0444 unwritable closed/file
  touch -d '2001-02-03 04:05:06.123456789' open/text open/deep closed/below null read-only/below
  touch -hd '2001-02-03 04:05:06.5' link closed/link
  chattr +A open/text
  chmod 0000 gone/closed closed/below closed
  chmod 0555 gone/read-only read-only/below read-only
  chmod 0311 search-only
}

make_second() {
  text 100 20 >>fixed/append
  mv read-only open/was-read-only
  mv closed/below open/deep/was-below
  mv search-only/file search-only/below/file
  mv search-only searched
  rm -r gone
  rm open/was-read-only/noise closed/fifo sock
  mkdir open/was-read-only/new closed/new
  text 200 21 >open/was-read-only/new/file
  text 200 22 >closed/new/file
  text 200 23 >>unreadable
  text 200 24 >>open/was-read-only/file
  ln open/noise closed/noise
  mv open/noise swap
  mv open/partly open/noise
  mv swap open/partly
  cp --reflink=always open/text closed/copied
  clone_range open/text 0 65536 prealloc 131072
  noise 4096 25 | dd of=open/text bs=4096 seek=10 conv=notrunc status=none
  truncate -s 1000 sparse
  fallocate -p -o 12288 -l 4096 prealloc
  setfattr -x user.text open/text
  setfattr -n user.unreadable -v y unreadable
  chmod 0640 open/deep/nothing
  chmod 0100 open/deep/was-below
  chown 0:0 open/deep
  mknod zero c 1 5
  rm null
  mkfifo null
  touch -d '2020-01-01 00:00:00.25' open/partly closed open/was-read-only
  # The kernel sends flags only of what was there before.
  chattr -A open/text
  chattr +d open/deep
  chattr +a fixed/append
  chattr +i fixed/immutable unwritable fixed
}

make_third() {
  chattr -i unwritable fixed
  text 100 29 >>fixed/append
  chmod 0600 unwritable
  text 200 32 >fixed/new
  text 100 30 >>open/was-read-only/new/file
  mv open/was-read-only read-only
  rm -r closed
  text 300 31 >closed
  chmod 0400 closed
  chattr +i closed fixed
}

snapshot() { # NAME
  (cd vol && "make_$1")
  btrfs -q subvolume snapshot -r vol "$1"
}

btrfs -q subvolume create vol
snapshot first >/dev/null
snapshot second >/dev/null
snapshot third >/dev/null
sync
btrfs -q send --proto 2 --compressed-data first >"$work/full"
btrfs -q send --proto 2 --compressed-data -p first second >"$work/incremental"
btrfs -q send --proto 2 -p first second third >"$work/two"
for stream in full incremental two; do
  chmod 0644 "$work/$stream"
done
