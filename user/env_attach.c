/* env_attach.c: looks at files that a run executes, once each, and at their libraries and interpreters. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "build_step.h"
#include "env_attach_state.h"
#include "exec_file.h"
#include "interpreter.h"
#include "lazy_file.h"
#include "library_path.h"
#include "invigil.skel.h"

#define DEPTH_MAX 4 /* interpreters of scripts, libraries of libraries */

static int file_compare(const void *a, const void *b)
{
	const struct file *x = a, *y = b;

	if (x->is.dev != y->is.dev)
		return x->is.dev < y->is.dev ? -1 : 1;
	return x->is.ino == y->is.ino ? 0 : x->is.ino < y->is.ino ? -1 : 1;
}

/* In the kernel's encoding. */
static uint32_t device_of(const struct stat *st)
{
	return major(st->st_dev) << 20 | minor(st->st_dev);
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

static void file_free(void *node)
{
	struct file *f = node;

	for (unsigned i = 0; i < f->links; i++)
		uprobe_detach(&f->link[i]);
	free((char *)f->is.interpreter);
	free(f);
}

void env_attach_free(struct env_attach *a)
{
	if (!a)
		return;
	tdestroy(a->files, file_free);
	tdestroy(a->images, env_known_free);
	free(a);
}

void env_trouble_add(struct env_attach *a, const char *why)
{
	if (a->n_trouble < ARRAY_SIZE(a->trouble))
		a->trouble[a->n_trouble++] = why;
}

unsigned env_attach_probes(const struct env_attach *a)
{
	return a->n_links;
}

const char *env_attach_trouble(struct env_attach *a)
{
	return a->n_trouble ? a->trouble[--a->n_trouble] : NULL;
}

/* One program, what it needs, and what that needs. */
struct look {
	struct env_attach *a;
	const struct env_place *place;
	struct stat root; /* of the place */
	unsigned depth;
	int attached; /* now */
	struct env_unseen
		program; /* the first ELF file, when it is looked at for the first time; else zeroes */
};

static struct file *file_attach(struct look *l, int path_fd);

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
				    .root = l->place->root,
				    .dir = real,
				    .run_path = image->run_path,
				    .library_path = l->place->library_path,
				    .library_path_only = known };

	*(slash ? slash : real) = 0;
	for (unsigned i = 0; i < image->n_needed; i++)
		library_find(&s, image->needed[i], on_library, l);
}

bool env_attach_unseen(struct env_attach *a, struct env_unseen *out)
{
	if (!a->n_unseen_files)
		return false;
	*out = a->unseen_files[--a->n_unseen_files];
	return true;
}

/* Each runtime is told once: its texts are constants. */
static void runtime_tell(struct env_attach *a, const char *runtime)
{
	for (size_t i = 0; i < ARRAY_SIZE(a->unseen); i++) {
		if (a->unseen[i] == runtime)
			return;
		if (!a->unseen[i]) {
			a->unseen[i] = runtime;
			env_trouble_add(a, runtime);
			return;
		}
	}
}

/* f is the program, or a library of it; each program is told. */
static void unseen_tell(struct look *l, const struct file *f)
{
	struct env_attach *a = l->a;

	if (!f->unseen)
		return;
	runtime_tell(a, f->unseen);
	if (!l->program.ino || l->program.why || a->n_unseen_files == ARRAY_SIZE(a->unseen_files))
		return;
	l->program.why = f->unseen;
	a->unseen_files[a->n_unseen_files++] = l->program;
}

static void elf_attach(struct look *l, struct file *f, int fd, const struct stat *st, char *real,
		       const struct elf_file *e)
{
	char *slash = strrchr(real, '/');
	struct env_image own = { 0 };
	struct env_image *image =
		env_image_of(l->a, e, slash ? slash + 1 : real, env_id_believed(fd, st), &own);

	if (!image)
		return;
	if (!l->program.ino && !l->place->library)
		l->program = (struct env_unseen){ st->st_ino, device_of(st), NULL };
	f->unseen = image->unseen;
	if (image->probes && !l->attached && l->place->attaching)
		l->place->attaching(l->place->ctx);
	for (unsigned i = 0; i < image->probes; i++)
		if (!env_is_python(&image->probe[i]) || env_build_add(l->a, image))
			env_probe_attach(l->a, f, fd, &image->probe[i], image->build, e);
	l->attached += f->links;
	f->image = image == &own ? NULL : image;
	libraries_attach(l, image, real, false);
	env_image_free(&own);
}

/* The device has no number of its own (overlay, btrfs): the inode that is shown need not be the real one. */
static bool is_layered(const struct stat *st)
{
	return !major(st->st_dev);
}

/* Which inode a probe would be put on. Of one that is layered the kernel is asked for that of a mapping. */
static void identify(struct env_attach *a, int fd, const struct stat *st, struct file *key)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	uint64_t address;
	void *page;

	key->is.dev = device_of(st);
	key->is.ino = st->st_ino;
	if (!is_layered(st) || !st->st_size)
		return;
	page = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0);
	if (page == MAP_FAILED)
		return;
	address = (uintptr_t)page;
	opts.ctx_in = &address;
	opts.ctx_size_in = sizeof(address);
	if (!bpf_prog_test_run_opts(bpf_program__fd(a->skel->progs.on_mapping), &opts) &&
	    a->skel->bss->mapping_ino) {
		key->is.dev = a->skel->bss->mapping_dev;
		key->is.ino = a->skel->bss->mapping_ino;
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
			env_links_drop(a, f);
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

/* fd: for reading, or -1. */
static void file_look(struct look *l, struct file *f, int fd, const struct stat *st)
{
	char real[PATH_MAX], interpreter[INTERPRETER_MAX];
	struct library_search s = { .pid = l->place->pid, .root = l->place->root };
	struct lazy_file bytes;
	struct elf_file e;
	struct span head;
	bool elf;

	f->image = NULL;
	f->unseen = NULL;
	free((char *)f->is.interpreter);
	f->is.interpreter = NULL;
	f->is.runs = true; /* as far as anybody can tell */
	if (fd < 0)
		f->size = -1;
	f->is.runs &= f->size != 0;
	if (f->size <= 0 || !real_path(l, fd, real))
		return;
	if (!lazy_open(&bytes, fd, f->size)) {
		env_trouble_add(l->a, "a program could not be read");
		return;
	}
	elf = elf_open_by(&e, (struct span){ bytes.bytes, bytes.size }, lazy_fetch, &bytes);
	if (elf)
		elf_attach(l, f, fd, st, real, &e);
	head = elf_range(&e, 0, 4);
	/* As the kernel's own loaders ask for it; others (binfmt_misc) are not known here. */
	f->is.runs = span_starts(head, "\177ELF") || span_starts(head, "#!");
	if (interpreter_of(elf_range(&e, 0, INTERPRETER_HEAD), interpreter))
		f->is.interpreter = xstrdup(interpreter);
	/* A script's probes are those of its interpreter. */
	if (!elf && f->is.interpreter && *interpreter == '/')
		library_find(&s, interpreter, on_library, l);
	lazy_close(&bytes);
}

/* Closes it. NULL: it is no regular file. */
static struct file *file_attach(struct look *l, int path_fd)
{
	char real[PATH_MAX];
	struct file *f = NULL;
	struct stat st;
	bool fresh, moved, there = path_fd >= 0 && !fstat(path_fd, &st);
	int fd = -1;

	if (!there && errno == EACCES)
		env_trouble_add(l->a, ENV_OUT_OF_REACH);
	if (path_fd < 0)
		return NULL;
	if (there && l->depth <= DEPTH_MAX && S_ISREG(st.st_mode)) {
		if (is_layered(&st))
			fd = regular_open(path_fd);
		f = file_of(l->a, fd, &st, &fresh);
		moved = f->root_dev != l->root.st_dev || f->root_ino != l->root.st_ino;
		f->root_dev = l->root.st_dev;
		f->root_ino = l->root.st_ino;
		f->is.mode = st.st_mode;
		f->is.uid = st.st_uid;
		f->is.gid = st.st_gid;
		if (fresh)
			file_look(l, f, fd < 0 ? fd = regular_open(path_fd) : fd, &st);
		else if (f->image && (moved || l->place->library_path) &&
			 real_path(l, path_fd, real))
			libraries_attach(l, f->image, real, !moved);
		unseen_tell(l, f);
	}
	if (fd >= 0)
		close(fd);
	close(path_fd);
	return f;
}

void env_attach_file(struct env_attach *a, int path_fd, const struct env_place *place,
		     struct env_file *file)
{
	struct look l = { .a = a, .place = place };
	struct library_search s = { .pid = place->pid,
				    .root = place->root,
				    .library_path = place->library_path };
	char name[PATH_MAX];
	struct file *f;

	*file = (struct env_file){ 0 };
	if (place->root >= 0 ? fstat(place->root, &l.root) : stat("/", &l.root)) {
		close(path_fd);
		return;
	}
	f = file_attach(&l, path_fd);
	if (f && f->size >= 0)
		*file = f->is;
	for (const char *p = place->preload; p && *p;) {
		int n = strcspn(p, " :");

		if (n && n < (int)sizeof(name)) {
			snprintf(name, sizeof(name), "%.*s", n, p);
			library_find(&s, name, on_library, &l);
		}
		p += n + (p[n] != 0);
	}
}

/* Of ours. */
static void path_attach(struct env_attach *a, const char *path)
{
	static const struct env_place ours = { .root = -1 };
	struct env_file file;

	env_attach_file(a, open(path, O_PATH | O_CLOEXEC), &ours, &file);
}

static void in_path(struct env_attach *a, const char *path_variable, const char *program)
{
	char path[PATH_MAX];

	for (const char *p = path_variable ? path_variable : ""; *p;) {
		size_t n = strcspn(p, ":");

		if (path_make(path, "%.*s/%s", (int)n, p, program))
			path_attach(a, path);
		p += n + (p[n] == ':');
	}
}

/*
 * An attach waits for the kernel's readers, on a busy machine longer than an exec is held for: what
 * nearly every run uses is done before it starts, and no more.
 */
void env_attach_prescan(struct env_attach *a, const char *path_variable)
{
	char path[PATH_MAX];

	for (const char *const *d = library_dirs; *d; d++)
		if (path_make(path, "%s/libc.so.6", *d))
			path_attach(a, path);
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
