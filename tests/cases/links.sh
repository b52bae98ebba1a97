# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# More hard links in one directory than an INODE_REF item has room for: the others are in EXTREF items.

long=$(printf 'n%.0s' {1..240})

# link_many FILE DIR FROM TO
link_many() {
  local i
  for ((i = $3; i <= $4; i++)); do ln "$1" "$2/$long$i"; done
}

# before              after
#   a(257)              a(257)
#   d(258)/             d(258)/
#                         100 links
case_many_links_are_new() {
  echo a >a
  mkdir d
  snapshot
  link_many a d 100 199
  expect "link d/${long}100 dest=a" "link d/${long}199 dest=a"
}

# before              after
#   a(257)              a(257)
#   d(258)/             d(258)/
#     100 links           3 links, none of the first
case_many_links_are_deleted() {
  echo a >a
  mkdir d
  link_many a d 100 199
  snapshot
  mv "d/${long}150" x
  mv "d/${long}160" y
  mv "d/${long}199" z
  rm d/n*
  mv x "d/${long}150"
  mv y "d/${long}160"
  mv z "d/$long"
  expect "unlink d/${long}100" "unlink d/${long}198"
}

# before              after
#   a(257)              (only its links)
#   d(258)/             e(258)/
#     100 links           100 links, every tenth with another name
case_many_links_in_a_renamed_directory() {
  echo a >a
  mkdir d
  link_many a d 100 199
  snapshot
  mv d e
  local i
  for ((i = 100; i < 200; i += 10)); do mv "e/$long$i" "e/other$i"; done
  rm a
  expect "link d/other100 dest=a" 'unlink a' "unlink d/${long}100" 'rename d dest=e'
}

# before              after
#   a(257)  b(258)      a(257)  b(258)
#   d(259)/             d(259)/
#     100 links of a      50 are b's now, and 50 of b's are a's
#     100 links of b
case_many_links_change_hands() {
  echo a >a
  echo b >b
  mkdir d
  link_many a d 100 199
  link_many b d 200 299
  snapshot
  local i
  for ((i = 101; i < 200; i += 2)); do exchange "d/$long$i" "d/$long$((i + 100))"; done
  numbered "d/${long}101=258" "d/${long}201=257" "d/${long}102=257"
  expect "link d/${long}201 dest=.*" 'rename o258-.* dest=.*|link d/.*101 dest=.*'
}

# before                 after
#   a(257)                 a(257)
#   d(258)/                d(258)/
#     100 links              100 links
#     twin_a  twin_b         twin_b  twin_c     one EXTREF item for them
case_many_links_two_of_them_with_one_hash() {
  echo a >a
  mkdir d
  link_many a d 100 199
  ln a "d/$twin_a"
  ln a "d/$twin_b"
  snapshot
  rm "d/$twin_a"
  ln a "d/$twin_c"
  expect "link d/$twin_c dest=a" "unlink d/$twin_a"
}

# before                 after
#   d(257)/                d2(257)/
#     100 links of a         100 links of a
#   e(258)/                e(258)/
#     100 links of a         x(259)       the first name of a was in d, and is in e
case_many_links_in_two_directories() {
  mkdir d e
  echo a >d/a
  link_many d/a d 100 199
  link_many d/a e 100 199
  snapshot
  mv d/a e/a
  mv d d2
  rm "e/${long}100" "d2/${long}100"
  expect 'rename d dest=d2' 'link e/a dest=d2/a' 'unlink d2/a'
}

# before                 after
#   d(257)/                x(257)
#     100 links of a       d(259)/           the names that a had are taken by new files
#                            100 files
case_many_links_whose_names_are_taken() {
  mkdir d
  echo a >a
  link_many a d 100 199
  snapshot
  mv d x
  mkdir d
  local i
  for ((i = 100; i < 200; i++)); do echo "$i" >"d/$long$i"; done
  for ((i = 100; i < 200; i += 3)); do exchange "d/$long$i" "x/$long$i"; done
}
