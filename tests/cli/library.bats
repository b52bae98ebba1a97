# SPDX-License-Identifier: LGPL-2.1-or-later
# The libraries beside the command: what they export, and that a program can be built on them.
load support

# The names in the version script.
listed() { sed -n 's/^\t\(btrfly_[a-z_]*\);$/\1/p' "$REPO/src/api/libbtrfly.syms" | sort; }

@test "the shared library exports the listed symbols and no others" {
  require nm
  # ASan gives each library a few symbols of its own.
  nm -D --defined-only "$BUILD/libbtrfly.so" | awk '$2 != "A" && $3 !~ /^_*(asan|odr_asan)/ { print $3 }' |
    sed 's/@@.*//' | sort >exported
  listed >listed
  diff listed exported
}

@test "the static library exports the same symbols" {
  require nm
  nm -g --defined-only "$BUILD/libbtrfly.a" | awk 'NF == 3 && $3 !~ /^_*(asan|odr_asan)/ { print $3 }' |
    sort >exported
  listed >listed
  diff listed exported
}

@test "every function of btrfly.h is listed, and every one that is listed is declared" {
  grep -o '\bbtrfly_[a-z_]*(' "$REPO/include/btrfly.h" | tr -d '(' | sort -u |
    grep -v -e '^btrfly_error$' >declared
  listed | grep -v -e '^btrfly_error$' >listed
  diff listed declared
}

@test "btrfly.h can be included by C++ and by strict C" {
  require cc
  echo '#include <btrfly.h>' >header.c
  cc -std=c11 -pedantic-errors -Wall -Wextra -Werror -I"$REPO/include" -fsyntax-only header.c
  if command -v c++ >/dev/null; then
    c++ -Wall -Wextra -Werror -I"$REPO/include" -fsyntax-only -x c++ header.c
  fi
}

# The example of docs/ lists the subvolumes of a filesystem that the kernel made.
example() {
  zstd -dq "$REPO/tests/images/send/nested.img.zst" -o image
  run "$1" image
  [ "$status" = 0 ]
  [ "$output" = "256 outer (read-only)
257 outer/dir/inner (read-only)
258 outer/dir/inner/again (read-only)
259 snap (read-only)" ]
}

@test "a program on the shared library lists subvolumes" { example "$BUILD/docs/example"; }
@test "a program on the static library does so too" { example "$BUILD/docs/example-static"; }

@test "a program on the library sends what the kernel would have sent" {
  local fixture=$REPO/tests/images/send/generations
  zstd -dq "$fixture.img.zst" -o image
  "$BUILD/docs/example" image snap0 | sha256sum | cut -d' ' -f1 >sums
  "$BUILD/docs/example-static" image snap1 snap0 | sha256sum | cut -d' ' -f1 >>sums
  grep -E '^[0-9a-f]+ (snap0|snap1 -p snap0)$' "$fixture.sums" | cut -d' ' -f1 | diff - sums
}

@test "an error of the library is one sentence" {
  echo "no filesystem" >image
  fails 1 "example: *image*" "$BUILD/docs/example" image
}
