/* taint.c: a small table of names. */
#include <string.h>
#include "shell.h"
#include "taint.h"

static struct taint *find(const struct taints *t, const char *name)
{
	for (unsigned i = 0; i < t->n && i < TAINTS; i++)
		if (!strcmp(t->at[i].name, name))
			return (struct taint *)&t->at[i];
	return NULL;
}

static struct taint *find_or_add(struct taints *t, const char *name)
{
	struct taint *found = find(t, name);

	if (found)
		return found;
	found = &t->at[t->n++ % TAINTS];
	*found = (struct taint){ 0 };
	strcpy(found->name, name);
	return found;
}

static bool file_name(struct span word, char name[TAINT_MAX])
{
	char *at = name;

	if (!shell_unquote(word, name, TAINT_MAX) ||
	    (!strncmp(name, "/dev/", 5) && strncmp(name, "/dev/shm/", 9)))
		return false;
	while (at[0] == '.' && at[1] == '/')
		at += 2;
	memmove(name, at, strlen(at) + 1);
	return name[0];
}

void taint_file(struct taints *t, struct span word, unsigned origins)
{
	char name[TAINT_MAX];
	struct taint *at;

	if (!file_name(word, name) || (!origins && !find(t, name)))
		return;
	at = find_or_add(t, name);
	at->origins = origins | (origins && at->fifo ? UNTOLD : 0);
}

void taint_fifo(struct taints *t, struct span word)
{
	char name[TAINT_MAX];

	if (file_name(word, name))
		find_or_add(t, name)->fifo = true;
}

unsigned taint_of_file(const struct taints *t, struct span word)
{
	char name[TAINT_MAX];
	const struct taint *at = file_name(word, name) ? find(t, name) : NULL;

	return at ? at->origins : 0;
}

size_t variable_length(struct span s)
{
	size_t n = 0;

	while (n < s.len && (s.ptr[n] == '_' || (s.ptr[n] >= '0' && s.ptr[n] <= '9') ||
			     ((s.ptr[n] | 32) >= 'a' && (s.ptr[n] | 32) <= 'z')))
		n++;
	return n;
}

static bool variable_key(struct span name, char key[TAINT_MAX])
{
	if (!name.len || name.len >= TAINT_MAX - 1 || variable_length(name) != name.len)
		return false;
	key[0] = '='; /* no word that names a file begins so */
	memcpy(key + 1, name.ptr, name.len);
	key[1 + name.len] = 0;
	return true;
}

void taint_variable(struct taints *t, struct span name, unsigned origins)
{
	char key[TAINT_MAX];

	if (variable_key(name, key) && (origins || find(t, key)))
		find_or_add(t, key)->origins = origins;
}

unsigned taint_of_variable(const struct taints *t, struct span name)
{
	char key[TAINT_MAX];
	const struct taint *at = variable_key(name, key) ? find(t, key) : NULL;

	return at ? at->origins : 0;
}
