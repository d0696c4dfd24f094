/* thread_memory.h: memory of another process's thread, which waits meanwhile or does not. */
#ifndef INVIGIL_THREAD_MEMORY_H
#define INVIGIL_THREAD_MEMORY_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Up to n bytes of another process's memory; how many there are. */
size_t thread_bytes(pid_t tid, uint64_t addr, void *out, size_t n);
/* A text there, with its NUL; false: none, or it is longer. */
bool thread_text(pid_t tid, uint64_t addr, char *out, size_t n);
/*
 * The first eight bytes of each of n texts; zeroes for what has not so many. Texts that follow each
 * other mostly share a page: a page costs as much as eight bytes of it.
 */
void thread_heads(pid_t tid, const uint64_t *at, unsigned n, uint64_t *head);

#define TEXTS_MAX 16
#define TEXT_ROOM 512u

struct thread_texts {
	const char *
		text[TEXTS_MAX]; /* in room; NULL: it is longer, or goes over the end of its page */
	char room[TEXTS_MAX][TEXT_ROOM];
};
/* n of them, at most TEXTS_MAX, by one system call. What lies behind a text may be anything: the caller wipes out. */
void thread_texts(pid_t tid, const uint64_t *at, unsigned n, struct thread_texts *out);

/*
 * Path and argv or envp of a call of execve. Mostly neither goes over the end of a page, and one system call
 * gets both. room: of at[]; then how many pointers there are before the NULL, room when none of them is. False: it
 * has no path.
 */
bool thread_call(pid_t tid, uint64_t text, uint64_t array, char path[PATH_MAX], uint64_t *at,
		 unsigned *room);

#endif
