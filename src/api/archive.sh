#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# archive.sh OUT.a IN.a…: one object of all that is in the archives.  What the shared library hides is
# made local in it, so that a program that links it statically keeps all names but btrfly_*.
set -eu
out=$1
shift
object=${out%.a}.o
ld -r -o "$object" --whole-archive "$@"
objcopy --localize-hidden "$object"
rm -f "$out"
ar crs "$out" "$object"
