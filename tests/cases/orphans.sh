# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Names that must be taken from an inode before its turn has come: it goes by an orphan name until then.

# before      after
#   a(257)      b(257)
#   b(258)      c(258)
case_a_file_whose_name_is_taken() {
  echo a >a
  echo b >b
  snapshot
  mv b c
  mv a b
  expect 'rename b dest=o258-.*' 'link b dest=a' 'unlink a' 'rename o258-.* dest=c'
}

# before      after
#   a(257)      b(257)/
#   b(258)/       y
#     x(259)    c(258)/
#                 x(259)
case_a_directory_whose_name_is_taken() {
  mkdir a b
  echo x >b/x
  snapshot
  mv b c
  mv a b
  touch b/y
  echo more >>c/x
  expect 'rename b dest=o258-.*' 'rename a dest=b' 'rename o258-.* dest=c' '(write|update_extent) c/x .*'
}

# before        after
#   a(258)        a(257)
#     b(257)        b(258)
case_the_directory_an_inode_is_in_gives_it_its_name() {
  mkdir b a
  mv b a
  numbered a/b=257 a=258
  snapshot
  mv a x
  mv x/b a
  mv x a/b
  numbered a=257 a/b=258
  expect 'rename a dest=o258-.*' 'rename o258-.*/b dest=a' 'rename o258-.* dest=a/b'
}

# before          after
#   t(259)          t(257)        a file takes the name of its grandparent
#     m(258)        t2(259)
#       f(257)        m(258)
case_the_name_of_the_grandparent_is_taken_by_a_file() {
  touch f
  mkdir m t
  mv f m
  mv m t
  numbered t/m/f=257 t/m=258 t=259
  snapshot
  mv t t2
  mv t2/m/f t
  numbered t=257 t2=259
  expect 'rename t dest=o259-.*' 'link t dest=o259-.*/m/f' 'unlink o259-.*/m/f' 'rename o259-.* dest=t2'
}

# before          after
#   d(258)          d (257)
#     a b (257)     e(258)
#   c (257)           b (257)
case_one_of_several_names_becomes_that_of_the_directory_of_the_others() {
  echo a >a
  mkdir d
  mv a d/a
  ln d/a d/b
  ln d/a c
  snapshot
  mv d e
  mv e/a d
  rm c
  numbered d=257 e/b=257 e=258
  expect 'rename d dest=o258-.*' 'link d dest=c' 'unlink c' 'unlink o258-.*/a' 'rename o258-.* dest=e'
}

# before        after
#   f(257)        x  z (257)
#   x(258)        x2(258)
#   z(259)        z2(259)
case_two_names_are_taken_by_one_file() {
  echo f >f
  touch x z
  snapshot
  mv x x2
  mv z z2
  ln f x
  mv f z
  numbered x=257 z=257 x2=258 z2=259
  expect 'rename x dest=o258-.*' 'rename z dest=o259-.*' 'link x dest=f' 'link z dest=f' 'unlink f' \
    'rename o258-.* dest=x2' 'rename o259-.* dest=z2'
}

# before          after
#   d(257)          d(257)
#     f(258)          e (258)       f takes the name of e and that of g, which lies in e: its path is another one
#     e(259)          e2(259)       when e has been moved out of the way
#       g(260)          g (258)
#                       h(260)
case_a_taken_name_leads_through_a_directory_whose_name_is_taken() {
  mkdir d
  touch d/f
  mkdir d/e
  touch d/e/g
  numbered d/f=258 d/e=259 d/e/g=260
  snapshot
  mv d/e d/e2
  ln d/f d/e
  mv d/e2/g d/e2/h
  mv d/f d/e2/g
  numbered d/e=258 d/e2/g=258 d/e2/h=260
  expect 'rename d/e dest=o259-.*' 'rename o259-.*/g dest=o260-.*' 'link d/e .*' 'link o259-.*/g dest=d/f'
}

# before           after
#   a(257)           b(257)           a directory whose name was taken is deleted
#   b(258)/
#     x(259)
case_a_directory_whose_name_is_taken_is_deleted() {
  mkdir a b
  touch b/x
  snapshot
  rm -r b
  mv a b
  expect 'rename b dest=o258-.*' 'rename a dest=b' 'unlink o258-.*/x' 'rmdir o258-.*'
}

# before           after
#   a(257)           b(257)           … when something has moved out of it
#   b(258)/          y(259)/
#     x(259)/          z(260)
#       z(260)
case_a_directory_whose_name_is_taken_is_deleted_after_a_move_out_of_it() {
  mkdir a b b/x
  touch b/x/z
  snapshot
  mv b/x y
  rmdir b
  mv a b
  expect 'rename b dest=o258-.*' 'rename a dest=b' 'rename o258-.*/x dest=y' 'rmdir o258-.*'
}

# before           after
#   a(257)           b(257)           a file in a directory whose name was taken is linked and unlinked
#   b(258)/          c(258)/
#     x(259)           y z (259)
#   l (259)          b2(260)/
#                      x2 (259)
case_hard_links_to_and_in_a_directory_whose_name_is_taken() {
  mkdir a b
  echo x >b/x
  ln b/x l
  snapshot
  mkdir b2
  ln b/x b2/x2
  mv b c
  mv a b
  ln l c/y
  mv c/x c/z
  rm l
  expect 'rename b dest=o258-.*' 'rename a dest=b' 'rename o258-.* dest=c' 'link c/y dest=.*' 'unlink c/x'
}

# before           after
#   f l (257)        l (257)
#   d(258)/          d (257)
#     g (257)        d2(258)/
#                      h (257)
case_a_file_takes_the_name_of_the_directory_of_one_of_its_links() {
  echo f >f
  ln f l
  mkdir d
  ln f d/g
  snapshot
  mv d d2
  mv f d
  mv d2/g d2/h
  numbered l=257 d=257 d2/h=257 d2=258
  expect 'rename d dest=o258-.*' 'link d dest=f' 'link o258-.*/h dest=f' 'unlink f' 'unlink o258-.*/g' \
    'rename o258-.* dest=d2'
}

# before           after
#   a(257)           c(257)
#   b(258)           a(258)
#   c(259)           b(259)
case_three_directories_rotate() {
  mkdir a b c
  touch a/1 b/2 c/3
  snapshot
  exchange a c
  exchange a b
  numbered c=257 a=258 b=259
  expect 'rename c dest=o259-.*' 'rename a dest=c' 'rename b dest=a' 'rename o259-.* dest=b'
}

# before           after
#   a(257)/          b(258)/
#     b(258)/          a(257)/
#       a(259)/          b(260)/
#         b(260)/          a(259)/
case_names_of_all_levels_are_turned_around() {
  mkdir -p a/b/a/b
  touch a/1 a/b/2 a/b/a/3 a/b/a/b/4
  snapshot
  mv a/b/a/b x
  mv x/4 x/5
  mv a/b/a y
  mv a/b b
  mv a b
  mv x b/a/b
  mv y b/a/b/a
  numbered b=258 b/a=257 b/a/b=260 b/a/b/a=259
  expect 'rename a/b/a dest=o259-.*' 'rename a/b dest=b' 'rename a dest=b/a' 'rename o259-.*/b dest=b/a/b' \
    'rename o259-[^/]* dest=b/a/b/a'
}

# before           after
#   q(257)           f(257)           the current path "q" is where "qux/f" begins, byte for byte
#   qux(258)/        qux(258)/
#     f (257)
case_a_lost_name_that_begins_as_the_current_one_does() {
  echo q >q
  mkdir qux
  ln q qux/f
  snapshot
  rm qux/f
  echo more >>q
  expect 'unlink qux/f'
}

# before           after
#   d(257)           d2(260)
#     s(258)           s(257)
#   e(259)           e(258)
#     d2(260)          d2(259)
case_directories_whose_names_are_taken_and_which_wait() {
  mkdir d d/s e e/d2
  numbered d=257 d/s=258 e=259 e/d2=260
  snapshot
  mv e/d2 x
  mv d x/s
  mv e y
  mv x/s/s e
  mv y e/d2
  mv x d2
  numbered d2=260 d2/s=257 e=258 e/d2=259
  expect 'rename e dest=o259-.*' 'rename d/s dest=e' 'rename o259-.* dest=e/d2' 'rename e/d2/d2 dest=d2' \
    'rename d dest=d2/s'
}
