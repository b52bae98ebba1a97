#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# host_calls.sh SOURCES: in src/receive only host_system.c makes system calls, all others go through struct host.
# Exceptions, by file and call:
#   receiving.c   which run of the machine this is lies in /proc, not on the target
#   receive.c     seeks in the stream, not on the target
set -eu
export LC_ALL=C
cd "$1"
calls='open|openat2?|open_by_handle_at|creat|close|dup[23]?|fcntl|syscall|read|write|readv|writev|pread|pwrite'
calls="$calls|preadv2?|pwritev2?|sendfile|splice|copy_file_range|lseek|f?truncate|fallocate|posix_fallocate|ioctl"
calls="$calls|fsync|fdatasync|syncfs|sync|sync_file_range|flock|lockf|[fl]?stat|fstatat|statx|f?statfs|f?statvfs"
calls="$calls|faccessat|access|readlink(at)?|mkdir(at)?|mknod(at)?|mkfifo(at)?|symlink(at)?|link(at)?|rename(at2?)?"
calls="$calls|unlink(at)?|rmdir|remove|f?chmod|fchmodat|[fl]?chown|fchownat|utimensat|futimens|utimes?|futimesat"
calls="$calls|[fl]?(set|get|list|remove)xattr|getdents|opendir|fdopendir|readdir|closedir|fopen|nftw|mkdtemp|mkstemp"
calls="$calls|f?chdir|chroot|umask|gete?[ug]id|sete?uid|setrlimit|getrlimit"
failed=0
for file in *.c *.h; do
  allowed='^$'
  case $file in
  host_system.c) continue ;;
  receiving.c) allowed='(open|read|close)' ;;
  receive.c) allowed='(lseek|fstat)' ;;
  esac
  # Comments go; what is called through a table has "->" or "." in front, and a longer name is another function.
  found=$(sed -zE 's@/\*([^*]|\*+[^*/])*\*+/@@g' "$file" |
    grep -oE "(^|[^[:alnum:]_>.])($calls)(64)?\(" | grep -oE '[[:alnum:]_]+' |
    grep -vxE "$allowed" | sort -u | tr '\n' ' ') || true
  [ -z "$found" ] || {
    echo "src/receive/$file calls $found" >&2
    failed=1
  }
done
exit $failed
