/* file.bpf.h: what the programs that see files share: one way to make a record of a file. */
#ifndef INVIGIL_FILE_BPF_H
#define INVIGIL_FILE_BPF_H

#include "event.bpf.h"

/* Addresses are numbers here: a global function takes no kernel pointers. */
struct file_look {
	u64 dentry;
	u64 mount;
	u64 asked; /* the path asked for: of the kernel's own copy, or of the caller's memory */
	u32 asked_user;
	u32 run;
	u32 action; /* enum ev_file_action */
	u32 open_flags;
	u32 flags; /* FILE_* */
	s32 dirfd;
	u32 wake; /* the monitor is to look at it now */
	u32 pad;
};

/*
 * Short names are compared by words: clang 14 unrolls no loop that was inlined with its bound. A
 * name is read into zeroes; a longer one is cut and then still no other.
 */
#define NAME_WORDS      3
#define TEXT_BYTE(t, i) ((i) < sizeof(t) ? (u64)(t)[(i) < sizeof(t) ? (i) : 0] << 8 * ((i) % 8) : 0)
#define TEXT_WORD(t, i)                                                                            \
	(TEXT_BYTE(t, 8 * (i)) | TEXT_BYTE(t, 8 * (i) + 1) | TEXT_BYTE(t, 8 * (i) + 2) |           \
	 TEXT_BYTE(t, 8 * (i) + 3) | TEXT_BYTE(t, 8 * (i) + 4) | TEXT_BYTE(t, 8 * (i) + 5) |       \
	 TEXT_BYTE(t, 8 * (i) + 6) | TEXT_BYTE(t, 8 * (i) + 7))
#define NAME_IS(name, text)                                                                        \
	((name)[0] == TEXT_WORD(text, 0) && (name)[1] == TEXT_WORD(text, 1) &&                     \
	 (name)[2] == TEXT_WORD(text, 2))

int file_emit(struct file_look *l);

#endif
