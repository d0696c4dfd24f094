/* env_attach.c: puts the probes that the table of runtimes names onto files, once each, and finds their libraries. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "env_attach.h"
#include "env_runtime.h"
#include "event.h"
#include "exec_file.h"
#include "interpreter.h"
#include "lazy_file.h"
#include "library_path.h"
#include "uprobe.h"
#include "invigil.skel.h"

#define LINKS_MAX  1024
#define IMAGES_MAX 4096 /* what is known by build id */
#define SCRIPT_MAX 256  /* of a #! line (BINPRM_BUF_SIZE) */
#define FILE_MAX   (512u << 20)
#define DEPTH_MAX  4 /* interpreters of scripts, libraries of libraries */

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
	const char *unseen[16]; /* runtimes that were told */
};

/* A file that was looked at. While a link holds its inode, the number cannot be anybody else's. */
struct file {
	uint64_t ino; /* the real one: an overlay has another for each container */
	uint32_t dev; /* kernel encoding */
	off_t size;
	struct timespec changed;       /* ctime: whoever writes to a file can set the other one */
	const struct env_image *image; /* NULL: no program, or not kept */
	/* Where its libraries were looked for last: another container may have others. */
	dev_t root_dev;
	ino_t root_ino;
	struct uprobe link[2 * ENV_PROBES_MAX]; /* some have one at the return, too */
	unsigned links;
};

/* What files with this build id and size hold. */
struct known {
	char id[64];
	size_t len;
	off_t size;
	struct env_image image;
};

static int file_compare(const void *a, const void *b)
{
	const struct file *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino == y->ino ? 0 : x->ino < y->ino ? -1 : 1;
}

static int known_compare(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return memcmp(x->id, y->id, x->len);
}

struct env_attach *env_attach_new(struct invigil *skel, bool c_only)
{
	struct env_attach *a = xcalloc(1, sizeof(*a));
	struct rlimit files;

	a->skel = skel;
	a->c_only = c_only;
	a->program[PROGRAM_STRING] = skel->progs.on_getenv;
	a->program[PROGRAM_GO] = skel->progs.on_go_getenv;
	a->program[PROGRAM_COPY] = skel->progs.on_env_copy;
	a->program[PROGRAM_PYTHON_ENCODE] = skel->progs.on_python_encode;
	a->program[PROGRAM_PYTHON_START] = skel->progs.on_python_start;
	a->program[PROGRAM_SYSTEM] = skel->progs.on_system;
	a->program[PROGRAM_TEST] = skel->progs.on_test_variable;
	a->by_mechanism[ENV_GETENV] = skel->progs.on_getenv_libc;
	a->by_mechanism[ENV_SECURE] = skel->progs.on_getenv_secure;
	a->at_return = skel->progs.on_getenv_return;
	/* A probe is a descriptor or two; this is our own limit, not COMMAND's. */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	return a;
}

static void links_drop(struct env_attach *a, struct file *f)
{
	for (unsigned i = 0; i < f->links; i++)
		uprobe_detach(&f->link[i]);
	a->n_links -= f->links;
	f->links = 0;
}

static void file_free(void *node)
{
	struct file *f = node;

	for (unsigned i = 0; i < f->links; i++)
		uprobe_detach(&f->link[i]);
	free(f);
}

static void known_free(void *node)
{
	env_image_free(&((struct known *)node)->image);
	free(node);
}

void env_attach_free(struct env_attach *a)
{
	if (!a)
		return;
	tdestroy(a->files, file_free);
	tdestroy(a->images, known_free);
	free(a);
}

static void trouble_add(struct env_attach *a, const char *why)
{
	if (a->n_trouble < ARRAY_SIZE(a->trouble))
		a->trouble[a->n_trouble++] = why;
}

const char *env_attach_trouble(struct env_attach *a)
{
	return a->n_trouble ? a->trouble[--a->n_trouble] : NULL;
}

/* False: there is no room for another file with an interpreter in it. */
static bool build_add(struct env_attach *a, struct env_image *image)
{
	if (image->build >= 0)
		return true;
	if (a->n_builds == PYTHON_BUILDS) {
		trouble_add(a, "so many builds of CPython that no more are known");
		return false;
	}
	bpf_map_update_elem(bpf_map__fd(a->skel->maps.python_builds), &a->n_builds, &image->python,
			    0);
	image->build = a->n_builds++;
	return true;
}

static bool is_python(const struct env_probe *p)
{
	return p->program == PROGRAM_PYTHON_ENCODE || p->program == PROGRAM_PYTHON_START;
}

static void link_add(struct env_attach *a, struct file *f, int fd, const struct bpf_program *prog,
		     uint64_t offset, uint64_t cookie, bool at_return)
{
	char path[32];
	int err;

	if (a->n_links == LINKS_MAX) {
		if (!a->full_told)
			trouble_add(a, "so many probes that no more are attached");
		a->full_told = true;
		return;
	}
	/* The descriptor keeps the inode, whatever happens to the name. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = uprobe_attach(&f->link[f->links], prog, path, offset, cookie, at_return);
	if (err) {
		trouble_add(a, strerror(-err));
		return;
	}
	f->links++;
	a->n_links++;
}

/* NULL: no program that was loaded does it. */
static struct bpf_program *program_of(const struct env_attach *a, const struct env_probe *p)
{
	struct bpf_program *prog = a->program[p->program];

	if (p->program == PROGRAM_STRING && p->cookie < ARRAY_SIZE(a->by_mechanism) &&
	    bpf_program__fd(prog) < 0)
		prog = a->by_mechanism[p->cookie];
	return prog && bpf_program__fd(prog) >= 0 ? prog : NULL;
}

static void probe_attach(struct env_attach *a, struct file *f, int fd, const struct env_probe *p,
			 int build, const struct elf_file *e)
{
	struct bpf_program *prog = program_of(a, p);
	uint64_t offset, cookie = p->cookie;

	if (!prog || !elf_offset(e, p->address, &offset))
		return;
	if (is_python(p))
		cookie = (uint64_t)build << 56 | (p->cookie & ~(0xffull << 56));
	else if (prog != a->program[p->program])
		cookie = 0; /* the kernel has none */
	link_add(a, f, fd, prog, offset, cookie, false);
	if (p->program == PROGRAM_STRING && bpf_program__fd(a->at_return) >= 0)
		link_add(a, f, fd, a->at_return, offset, 0, true);
}

/*
 * A build id is a claim. Believed of a file that the run can make, it would put a probe into the
 * middle of an instruction of another one, a set-user-id program say, or hide its functions. What a
 * file system of a user (FUSE) says about owners is a claim too.
 */
static bool id_believed(int fd, const struct stat *st)
{
	struct statfs fs;

	return !st->st_uid && !(st->st_mode & (S_IWGRP | S_IWOTH)) && !fstatfs(fd, &fs) &&
	       fs.f_type != FUSE_SUPER_MAGIC;
}

/*
 * What the file holds: known by its build id, or read now; the caller frees *own. NULL: it could
 * not be read.
 */
static struct env_image *image_of(struct env_attach *a, const struct elf_file *e, const char *name,
				  bool believed, struct env_image *own)
{
	struct span id = believed ? elf_build_id(e) : (struct span){ 0 };
	struct known key = { .len = id.len, .size = e->bytes.len }, **found, *k;

	if (id.len && id.len <= sizeof(key.id)) {
		memcpy(key.id, id.ptr, id.len);
		found = tfind(&key, &a->images, known_compare);
		if (found)
			return &(*found)->image;
	}
	if (e->bytes.len > FILE_MAX) {
		trouble_add(a, "a program is too large to be read");
		return NULL;
	}
	env_image_read(e, name, a->c_only, own);
	if (!id.len || id.len > sizeof(key.id) || a->n_images == IMAGES_MAX)
		return own;
	k = xcalloc(1, sizeof(*k));
	*k = key;
	k->image = *own;
	memset(own, 0, sizeof(*own));
	tsearch(k, &a->images, known_compare);
	a->n_images++;
	return &k->image;
}

/* One program, what it needs, and what that needs. */
struct look {
	struct env_attach *a;
	const struct env_place *place;
	struct stat root; /* of the place */
	unsigned depth;
	int attached; /* now */
};

static void file_attach(struct look *l, int path_fd);

static void on_library(void *ctx, int path_fd)
{
	struct look *l = ctx;

	l->depth++;
	file_attach(l, path_fd);
	l->depth--;
}

/* real: path of the file inside root. known: what does not depend on LD_LIBRARY_PATH has been looked at. */
static void libraries_attach(struct look *l, const struct env_image *image, char *real, bool known)
{
	char *slash = strrchr(real, '/');
	struct library_search s = { .pid = l->place->pid,
				    .dir = real,
				    .run_path = image->run_path,
				    .library_path = l->place->library_path,
				    .library_path_only = known };

	*(slash ? slash : real) = 0;
	for (unsigned i = 0; i < image->n_needed; i++)
		library_find(&s, image->needed[i], on_library, l);
}

/* Once for each runtime: its texts are constants. */
static void unseen_tell(struct env_attach *a, const char *runtime)
{
	for (size_t i = 0; i < ARRAY_SIZE(a->unseen); i++) {
		if (a->unseen[i] == runtime)
			return;
		if (!a->unseen[i]) {
			a->unseen[i] = runtime;
			trouble_add(a, runtime);
			return;
		}
	}
}

static void elf_attach(struct look *l, struct file *f, int fd, bool believed, char *real,
		       const struct elf_file *e)
{
	char *slash = strrchr(real, '/');
	struct env_image own = { 0 };
	struct env_image *image = image_of(l->a, e, slash ? slash + 1 : real, believed, &own);

	if (!image)
		return;
	if (image->unseen)
		unseen_tell(l->a, image->unseen);
	if (image->probes && !l->attached && l->place->attaching)
		l->place->attaching(l->place->ctx);
	for (unsigned i = 0; i < image->probes; i++)
		if (!is_python(&image->probe[i]) || build_add(l->a, image))
			probe_attach(l->a, f, fd, &image->probe[i], image->build, e);
	l->attached += f->links;
	f->image = image == &own ? NULL : image;
	libraries_attach(l, image, real, false);
	env_image_free(&own);
}

/* A script's probes are those of its interpreter. */
static void script_attach(struct look *l, struct span head)
{
	struct library_search s = { .pid = l->place->pid };
	char path[INTERPRETER_MAX];

	if (interpreter_of(head, path) && *path == '/')
		library_find(&s, path, on_library, l);
}

/*
 * Which inode a probe would be put on. Where the device has no number of its own (overlay, btrfs),
 * the kernel is asked for that of a mapping.
 */
static void identify(struct env_attach *a, int fd, const struct stat *st, struct file *key)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	uint64_t address;
	void *page;

	key->dev = major(st->st_dev) << 20 | minor(st->st_dev);
	key->ino = st->st_ino;
	if (major(st->st_dev) || !st->st_size)
		return;
	page = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0);
	if (page == MAP_FAILED)
		return;
	address = (uintptr_t)page;
	opts.ctx_in = &address;
	opts.ctx_size_in = sizeof(address);
	if (!bpf_prog_test_run_opts(bpf_program__fd(a->skel->progs.on_mapping), &opts) &&
	    a->skel->bss->mapping_ino) {
		key->dev = a->skel->bss->mapping_dev;
		key->ino = a->skel->bss->mapping_ino;
	}
	munmap(page, 1);
}

static struct file *file_of(struct env_attach *a, int fd, const struct stat *st, bool *fresh)
{
	struct file key = { 0 }, **found, *f;

	identify(a, fd, st, &key);
	found = tfind(&key, &a->files, file_compare);
	*fresh = !found || (*found)->size != st->st_size ||
		 (*found)->changed.tv_sec != st->st_ctim.tv_sec ||
		 (*found)->changed.tv_nsec != st->st_ctim.tv_nsec;
	if (found) {
		f = *found;
		/* Written over: a probe in the middle of new code would harm it. */
		if (*fresh)
			links_drop(a, f);
	} else {
		f = xcalloc(1, sizeof(*f));
		*f = key;
		tsearch(f, &a->files, file_compare);
	}
	f->size = st->st_size;
	f->changed = st->st_ctim;
	return f;
}

/* The file's path in the root of the process, as far as the kernel tells. */
static bool real_path(const struct look *l, int fd, char out[PATH_MAX])
{
	char link[32], root[PATH_MAX];
	ssize_t n, in = 0;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, out, PATH_MAX - 1);
	if (n < 0)
		return false;
	out[n] = 0;
	if (l->place->pid) {
		snprintf(link, sizeof(link), "/proc/%d/root", l->place->pid);
		in = readlink(link, root, sizeof(root));
	}
	/* "/" too when it lies in another namespace of mounts: paths are then complete. */
	if (in > 1 && in < n && !memcmp(out, root, in) && out[in] == '/')
		memmove(out, out + in, n - in + 1);
	return true;
}

static void file_look(struct look *l, struct file *f, int fd, const struct stat *st)
{
	struct lazy_file bytes;
	struct elf_file e;
	char real[PATH_MAX];

	f->image = NULL;
	if (!f->size || !real_path(l, fd, real))
		return;
	if (!lazy_open(&bytes, fd, f->size)) {
		trouble_add(l->a, "a program could not be read");
		return;
	}
	if (elf_open_by(&e, (struct span){ bytes.bytes, bytes.size }, lazy_fetch, &bytes))
		elf_attach(l, f, fd, id_believed(fd, st), real, &e);
	else
		script_attach(l, elf_range(&e, 0, INTERPRETER_MAX));
	lazy_close(&bytes);
}

/* Closes it. */
static void file_attach(struct look *l, int path_fd)
{
	char real[PATH_MAX];
	struct stat st;
	struct file *f;
	bool fresh, moved;
	int fd = regular_open(path_fd);

	if (fd < 0)
		return;
	if (l->depth <= DEPTH_MAX && !fstat(fd, &st)) {
		f = file_of(l->a, fd, &st, &fresh);
		moved = f->root_dev != l->root.st_dev || f->root_ino != l->root.st_ino;
		f->root_dev = l->root.st_dev;
		f->root_ino = l->root.st_ino;
		if (fresh)
			file_look(l, f, fd, &st);
		else if (f->image && (moved || l->place->library_path) && real_path(l, fd, real))
			libraries_attach(l, f->image, real, !moved);
	}
	close(fd);
}

int env_attach_file(struct env_attach *a, const char *path, const struct env_place *place)
{
	struct look l = { .a = a, .place = place };
	struct library_search s = { .pid = place->pid, .library_path = place->library_path };
	char root[32] = "/", name[PATH_MAX];

	if (place->pid)
		snprintf(root, sizeof(root), "/proc/%d/root", place->pid);
	if (stat(root, &l.root))
		return 0;
	file_attach(&l, open(path, O_PATH | O_CLOEXEC));
	for (const char *p = place->preload; p && *p;) {
		int n = strcspn(p, " :");

		if (n && n < (int)sizeof(name)) {
			snprintf(name, sizeof(name), "%.*s", n, p);
			library_find(&s, name, on_library, &l);
		}
		p += n + (p[n] != 0);
	}
	return l.attached;
}

static void in_path(struct env_attach *a, const char *path_variable, const char *program)
{
	static const struct env_place ours = { 0 };
	char path[PATH_MAX];

	for (const char *p = path_variable ? path_variable : ""; *p;) {
		size_t n = strcspn(p, ":");

		if (path_make(path, "%.*s/%s", (int)n, p, program))
			env_attach_file(a, path, &ours);
		p += n + (p[n] == ':');
	}
}

/*
 * An attach waits for the kernel's readers, on a busy machine longer than an exec is held for: what
 * nearly every run uses is done before it starts, and no more.
 */
void env_attach_prescan(struct env_attach *a, const char *path_variable)
{
	static const struct env_place ours = { 0 };
	char path[PATH_MAX];

	for (const char *const *d = library_dirs; *d; d++)
		if (path_make(path, "%s/libc.so.6", *d))
			env_attach_file(a, path, &ours);
	in_path(a, path_variable, "python3");
	in_path(a, path_variable, "bash");
}

bool env_attach_idle(struct env_attach *a, const char *path_variable, unsigned step)
{
	static const char *const large[] = { "docker", "node" };

	if (step < ARRAY_SIZE(large))
		in_path(a, path_variable, large[step]);
	return step + 1 < ARRAY_SIZE(large);
}
