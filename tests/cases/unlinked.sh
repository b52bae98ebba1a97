# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Inodes without a name: deleted while they are open.  A snapshot has none, they are deleted when it is made; a
# subvolume that is made read-only keeps them.

# before      after
#   keep        keep
#               (258)     made, opened, deleted
case_a_file_is_made_and_deleted_while_open() {
  touch keep
  snapshot
  echo new >a
  numbered a=258
  hold a
  rm a
  freeze
  expect_not '(mkfile|unlink|rename) .*'
}

# before      after
#   a(257)      (257)     still open
case_a_file_is_deleted_while_open() {
  echo old >a
  snapshot
  hold a
  rm a
  freeze
  expect 'unlink a'
}

# before      after
#   a b (257)   (257)     written to after its last name was gone
case_a_file_of_two_names_is_written_to_when_it_has_none() {
  echo old >a
  ln a b
  snapshot
  hold a
  exec 9>>a
  rm a b
  echo more >&9
  exec 9>&-
  freeze
  expect 'unlink a' 'unlink b'
  expect_not 'write .*'
}

# before      after
#   d(257)/     (257)
case_a_directory_is_deleted_while_open() {
  mkdir d
  snapshot
  hold d
  rmdir d
  freeze
  expect 'rmdir d'
}

# before      after
#   d(257)/     d(258)/   another one has its name
#     x           y
case_a_directory_deleted_while_open_is_made_again() {
  mkdir d
  touch d/x
  snapshot
  hold d
  rm -r d
  mkdir d
  touch d/y
  freeze
}

# before      after
#   (257)       b(258)
case_the_parent_has_an_unlinked_file() {
  echo a >a
  hold a
  rm a
  freeze
  branch
  echo b >b
  expect_not 'unlink .*'
}

# before      after
#   (257)       keep(258)
#   (258)
case_the_parent_has_an_unlinked_directory() {
  mkdir a b
  hold a b
  rmdir a b
  touch keep
  freeze
  branch
  expect_not 'rmdir .*'
}

# before      after
#   (257)       b(257')   the number was given out again
case_the_number_of_an_unlinked_file_is_given_out_again() {
  echo a >a
  hold a
  rm a
  freeze
  branch
  branch
  echo b >b
  numbered b=257
  expect 'mkfile o257-.*' 'rename o257-.* dest=b' 'write b .*'
}

# before      after
#   (257)       (257')    both without a name
#   (258)       d(258')/
case_an_unlinked_file_has_the_number_of_another() {
  echo a >a
  mkdir d
  hold a d
  rm -r a d
  freeze
  branch
  branch
  echo b >b
  mkdir d
  touch d/x
  numbered b=257 d=258
  hold b
  rm b
  freeze
  expect_not 'unlink .*' 'mkfile o257-.*'
}

# before      after
#   a(257)/     (257')     a directory before, an unlinked file after
#     x(258)
case_an_unlinked_file_has_the_number_of_a_directory() {
  mkdir a
  touch a/x
  snapshot
  rm -r a
  branch
  echo file >b
  numbered b=257
  hold b
  rm b
  freeze
  expect 'unlink .*/x' 'rmdir .*'
}

# before          after
#   a(257)          (257)       b has its data, and the parent's a is the source; a full send has none that can be
#                   b           named
case_data_of_a_deleted_file_is_shared_with_a_new_one() {
  text a 200000
  snapshot
  cp --reflink=always a b
  hold a
  rm a
  freeze
  kernel_fails 'No such file or directory'
  expect 'clone b .* from=.*a clone_offset=0'
}

# before          after
#   keep            keep        the data of b and c is shared with an older file, which cannot be named
#                   (258)
#                   b c
case_data_is_shared_with_an_older_file_without_a_name() {
  touch keep
  snapshot
  text a 200000
  text d 100001
  cp --reflink=always a b
  cp --reflink=always a c
  cp --reflink=always d e
  numbered a=258 d=259 b=260
  hold a d
  rm a d
  freeze
  kernel_fails 'No such file or directory'
}
