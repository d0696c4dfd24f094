/* skeleton.h: the BPF object that this kernel can load. */
#ifndef INVIGIL_SKELETON_H
#define INVIGIL_SKELETON_H

#include "buf.h"
#include "build_step.h" /* a variable of the skeleton is such a table */
#include "invigil.skel.h"

/*
 * Opened, nothing loaded; NULL: it cannot be. plain: where the packed object is kept for as long as the skeleton
 * lives; empty: it is the usual one. Both have the same programs, maps and variables: the Makefile compares them.
 */
struct invigil *skeleton_open(struct buf *plain);

#endif
