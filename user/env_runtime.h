/* env_runtime.h: which functions of a program or library read the environment, by a table of runtimes. Pure. */
#ifndef INVIGIL_ENV_RUNTIME_H
#define INVIGIL_ENV_RUNTIME_H

#include "elf_file.h"
#include "python.h"

/* What a probe on such a function does with its arguments. */
enum env_program {
	PROGRAM_STRING, /* the name is the first argument, NUL ended; cookie: enum ev_env_mechanism */
	PROGRAM_GO,     /* a Go string in registers */
	PROGRAM_COPY,   /* the whole environment is copied */
	PROGRAM_PYTHON_ENCODE,
	PROGRAM_PYTHON_START, /* an interpreter starts */
	PROGRAM_SYSTEM,       /* libc's system() */
	PROGRAM_TEST, /* libc's setenv, putenv, unsetenv by cookie: the name of the test case */
	ENV_PROGRAMS
};

#define ENV_PROBES_MAX 12
#define ENV_NEEDED_MAX 6

struct env_probe {
	uint64_t address;
	uint64_t cookie; /* of Python's: the distance to _PyRuntime */
	enum env_program program;
};

/* All that one file's content says. */
struct env_image {
	struct env_probe probe[ENV_PROBES_MAX];
	unsigned probes;
	/* Libraries that can hold probes too: names, absolute paths, or "../" paths from the file's directory. */
	char *needed[ENV_NEEDED_MAX];
	unsigned n_needed;
	char *run_path;
	bool is_python;
	struct python_build python;
	int build;          /* for whoever attaches: index of python; -1: none yet */
	const char *unseen; /* why reads by name are not seen; a constant; NULL: they are */
};

/* name: base name of the file. c_only: C's functions alone. */
void env_image_read(const struct elf_file *e, const char *name, bool c_only, struct env_image *out);
void env_image_free(struct env_image *image);

#endif
