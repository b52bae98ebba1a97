# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Inode numbers that were given out again: the same number, another generation, another inode.

# before          after
#   keep(257)       keep(257)
#   a(258)          a(258')       another file of the same name
case_a_file_is_made_again_with_its_number() {
  touch keep
  echo old >a
  chmod 600 a
  setfattr -n user.old -v old a
  snapshot
  rm a
  reuse_numbers
  echo new >a
  numbered a=258
  expect 'unlink a' 'mkfile o258-.*' 'rename o258-.* dest=a' 'write a .*' 'chown a .*' 'chmod a mode=644'
}

# before          after
#   a(257)          b(257')
case_another_file_has_the_number() {
  echo old >a
  snapshot
  rm a
  reuse_numbers
  echo new >b
  numbered b=257
  expect 'unlink a' 'mkfile o257-.*' 'rename o257-.* dest=b'
}

# before          after
#   a(257)/         a(257')/
#     x(258)          y(258')
#     y(259)          x(259')
case_a_directory_is_made_again_with_its_number() {
  mkdir a
  echo x >a/x
  echo y >a/y
  snapshot
  rm -r a
  reuse_numbers
  mkdir a
  echo y >a/y
  echo x >a/x
  numbered a=257 a/y=258 a/x=259
  expect 'rename a dest=o257-.*' 'mkdir o257-.*' 'rename o257-.* dest=a' 'rmdir o257-.*'
}

# before          after
#   a(257)/         a(257')       a file instead of a directory
#     x(258)
case_a_file_has_the_number_and_name_of_a_directory() {
  mkdir a
  touch a/x
  snapshot
  rm -r a
  reuse_numbers
  echo file >a
  numbered a=257
  expect 'rename a dest=o257-.*' 'mkfile o257-.*' 'rename o257-.* dest=a' 'unlink o257-.*/x' 'rmdir o257-.*'
}

# before          after
#   a(257)          a(257')/      a directory instead of a file
#                     x(258)
case_a_directory_has_the_number_and_name_of_a_file() {
  echo file >a
  snapshot
  rm a
  reuse_numbers
  mkdir a
  touch a/x
  numbered a=257
  expect 'unlink a' 'mkdir o257-.*' 'rename o257-.* dest=a' 'rename o258-.* dest=a/x'
}

# before              after
#   file(257)           fifo(257')     each number is another type's
#   symlink(258)        dir(258')
#   dir(259)/           device(259')
#     x(260)            file(260')
case_numbers_change_their_type() {
  touch file
  ln -s target symlink
  mkdir dir
  touch dir/x
  snapshot
  rm -r file symlink dir
  reuse_numbers
  mkfifo fifo
  mkdir dir
  mknod device c 1 3
  ln -s other file
  numbered fifo=257 dir=258 device=259 file=260
}

# before            after
#   device(257)       device(257')   other device numbers; the type is the same
#   symlink(258)      symlink(258')
case_a_device_and_a_symlink_are_made_again() {
  mknod device c 1 3
  ln -s old symlink
  snapshot
  rm device symlink
  reuse_numbers
  mknod device b 300 70000
  ln -s new symlink
  numbered device=257 symlink=258
}

# before          after
#   keep(257)       keep(257)/
#   d(258)/           x(259')       what was moved out of it, and another file with the number of one that was left
#     x(259)        d(258')/
#     y(260)          y(260')
case_a_directory_and_its_entries_are_made_again_elsewhere() {
  mkdir keep d
  echo x >d/x
  echo y >d/y
  snapshot
  rm -r d
  reuse_numbers
  mkdir d
  echo x2 >keep/x
  echo y >d/y
  numbered d=258 keep/x=259 d/y=260
}

# before          after
#   a(257)          a(257)
#   d(258)/         d(258')/        a's link is the same one, and yet in another directory
#     l (257)         l (257)
case_a_hard_link_stays_in_a_directory_that_is_made_again() {
  echo a >a
  mkdir d
  ln a d/l
  snapshot
  rm -r d
  reuse_numbers
  mkdir d
  ln a d/l
  numbered d=258 d/l=257
  expect 'link o258-.*/l dest=a' 'unlink .*l' 'rmdir .*'
}

# before          after
#   a(257)          d(258')/        the only name of a file: equal items, another directory
#   d(258)/           a(257)
#     a(257)
case_a_file_moves_back_into_a_directory_that_is_made_again() {
  echo a >a
  mkdir d
  mv a d
  numbered d/a=257 d=258
  snapshot
  mv d/a a
  rmdir d
  reuse_numbers
  mkdir d
  mv a d
  numbered d/a=257 d=258
  expect 'mkdir o258-.*' 'link o258-.*/a dest=.*' 'unlink .*a'
}

# before          after
#   s(257)/         d(258')/        the same with a directory
#   d(258)/           s(257)/
#     s(257)            x(259)
case_a_directory_moves_back_into_one_that_is_made_again() {
  mkdir s d
  touch s/x
  mv s d
  numbered d/s=257 d=258
  snapshot
  rm d/s/x
  mv d/s s
  rmdir d
  reuse_numbers
  mkdir d
  mv s d
  touch d/s/x
  numbered d/s=257 d=258 d/s/x=259
}

# before          after
#   f a1 … (257)    f a1 … (257)      more links than an INODE_REF item holds: those beyond are in EXTREF items,
#   d(258)/         d(258')/          which are equal in both
#     a1 …            a1 …
case_links_beyond_the_first_item_in_a_directory_that_is_made_again() {
  touch f
  mkdir d
  local i name
  name=$(printf 'n%.0s' {1..250})
  for i in {10..89}; do ln f "d/$name$i"; done
  snapshot
  rm -r d
  reuse_numbers
  mkdir d
  for i in {10..89}; do ln f "d/$name$i"; done
  numbered d=258
}

# before          after
#   c(258)          w2(259)
#   w(259)            x(257)         257 waits for 259.  258 takes the name that 257 had, in a directory that was
#   D(260)/         D(260')/         made again with its number: it waits for 257.
#     x(257)          x(258)
case_a_move_waits_for_a_name_in_a_directory_that_is_made_again() {
  mkdir x c w D
  mv x D
  numbered D/x=257 c=258 w=259 D=260
  snapshot
  mv w w2
  mv D/x w2
  rmdir D
  reuse_numbers
  mkdir D
  mv c D/x
  numbered w2/x=257 D/x=258 w2=259 D=260
  expect 'mkdir o260-.*' 'rename w dest=w2' 'rename D/x dest=w2/x' 'rename c dest=o260-.*/x'
}

# before          after            each generation has other names for its numbers
#   a(257)          b(257')          a(257'')
#   b(258)          a(258')          b(258'')
case_three_generations_of_two_numbers() {
  echo 1 >a
  mkdir b
  touch b/x
  snapshot
  rm -r a b
  reuse_numbers
  mkdir b
  echo 2 >a
  numbered b=257 a=258
  snapshot
  rm -r a b
  reuse_numbers
  echo 3 >a
  echo 3 >b
  numbered a=257 b=258
}

# before          after
#   a(257)          a(257')         the data is the same, shared with the old file
case_a_file_made_again_is_a_clone_of_the_old_one() {
  text a 300000
  snapshot
  cp --reflink=always a ../copy
  rm a
  reuse_numbers
  cp --reflink=always ../copy a
  rm ../copy
  numbered a=257
  expect 'clone a .* clone_offset=0'
}
