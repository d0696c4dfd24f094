/* env_attach_state.h: what the files behind env_attach.h share. */
#ifndef INVIGIL_ENV_ATTACH_STATE_H
#define INVIGIL_ENV_ATTACH_STATE_H

#include <sys/stat.h>
#include "env_attach.h"
#include "env_runtime.h"
#include "event.h"
#include "uprobe.h"

struct env_attach {
	struct invigil *skel;
	bool c_only;
	void *files;  /* tsearch tree of struct file */
	void *images; /* tsearch tree of struct known */
	unsigned n_images;
	struct bpf_program *program[ENV_PROGRAMS];
	struct bpf_program *by_mechanism[ENV_SECURE + 1]; /* where there are no cookies */
	struct bpf_program *at_return;                    /* of PROGRAM_STRING */
	unsigned n_links;
	uint32_t n_builds;
	const char *trouble[16]; /* not told yet */
	unsigned n_trouble;
	bool full_told;
	const char *unseen[16];             /* runtimes that were told */
	struct env_unseen unseen_files[32]; /* not told yet */
	unsigned n_unseen_files;
};

/* A file that was looked at. While a link holds its inode, the number cannot be anybody else's. */
struct file {
	struct env_file is;            /* its interpreter is owned */
	off_t size;                    /* -1: it could not be opened */
	struct timespec changed;       /* ctime: whoever writes to a file can set the other one */
	const struct env_image *image; /* NULL: no program, or not kept */
	const char *unseen;            /* why reads of its programs are not seen; NULL: they are */
	/* Where its libraries were looked for last: another container may have others. */
	dev_t root_dev;
	ino_t root_ino;
	struct uprobe link[2 * ENV_PROBES_MAX]; /* some have one at the return, too */
	unsigned links;
};

/* Something went wrong: why is a constant, told later. */
void env_trouble_add(struct env_attach *a, const char *why);

/* env_link.c: the probes of one file. */
/* False: there is no room for another file with an interpreter in it. */
bool env_build_add(struct env_attach *a, struct env_image *image);
bool env_is_python(const struct env_probe *p);
void env_probe_attach(struct env_attach *a, struct file *f, int fd, const struct env_probe *p,
		      int build, const struct elf_file *e);
void env_links_drop(struct env_attach *a, struct file *f);

/* env_known.c: what files hold, by build id. */
bool env_id_believed(int fd, const struct stat *st);
/*
 * What the file holds: known by its build id, or read now; the caller frees *own. NULL: it could
 * not be read.
 */
struct env_image *env_image_of(struct env_attach *a, const struct elf_file *e, const char *name,
			       bool believed, struct env_image *own);
void env_known_free(void *node);

#endif
