/* env_attach.h: probes on the functions that read the environment, in the files that a run executes. */
#ifndef INVIGIL_ENV_ATTACH_H
#define INVIGIL_ENV_ATTACH_H

#include <stdbool.h>
#include <stdint.h>

struct env_attach;
struct invigil;

/* FUSE: whoever is not the user who mounted it has no access, unless that one allows it. */
#define ENV_OUT_OF_REACH "a program lies where only one user may look"

struct env_attach *env_attach_new(struct invigil *skel, bool c_only);
void env_attach_free(struct env_attach *a);
/* How a program that is about to run finds its libraries. */
struct env_place {
	int pid;                            /* whose root and mounts they are; 0: ours */
	int root;                           /* its root directory, with O_PATH; -1: ours */
	const char *library_path, *preload; /* LD_LIBRARY_PATH and LD_PRELOAD; NULL none */
	bool library; /* the file is no program's, a program loads it by itself */
	/* Called before the first probe is attached: what it sees may be told before we return. NULL: nobody. */
	void (*attaching)(void *ctx);
	void *ctx;
};
struct env_file {
	uint64_t ino;            /* the real one: an overlay has another for each container */
	uint32_t dev;            /* kernel encoding */
	const char *interpreter; /* that the file asks for; NULL: none. Good until the next file. */
	uint32_t mode, uid, gid; /* mode 0: no regular file */
	bool runs;               /* it begins as an ELF file or a script does */
};
/*
 * Probes of one file (or script) and of the libraries it names, once for each real inode, whatever
 * the overlays over it. path_fd: opened with O_PATH; it is closed, and may be -1, with the reason in errno. One that is known
 * is not opened: it costs an fstat(). file: zeroes when it is no regular file that can be read.
 */
void env_attach_file(struct env_attach *a, int path_fd, const struct env_place *place,
		     struct env_file *file);
unsigned env_attach_probes(const struct env_attach *a); /* that are attached */
/* Something that went wrong and was not told yet; NULL nothing. */
const char *env_attach_trouble(struct env_attach *a);
/* A file whose programs read variables that no probe sees; why is a constant. As stat(2) tells it, dev in the kernel's encoding. */
struct env_unseen {
	uint64_t ino;
	uint32_t dev;
	const char *why;
};
/* One that was not told yet; false: there is none. */
bool env_attach_unseen(struct env_attach *a, struct env_unseen *out);
void env_attach_prescan(struct env_attach *a, const char *path_variable);
/* While nobody waits: programs so large that they would be looked at too long. False after the last step. */
bool env_attach_idle(struct env_attach *a, const char *path_variable, unsigned step);

#endif
