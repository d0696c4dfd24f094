/* mounts.c: judges the host paths of bind mounts and local volumes. */
#include <string.h>
#include "mounts.h"

/* Lexically clean: no "//", "." and ".."; without a slash at the end but for "/" itself. */
static void path_clean(struct span in, struct buf *out)
{
	buf_reset(out);
	for (size_t i = 0; i < in.len;) {
		const char *slash = memchr(in.ptr + i, '/', in.len - i);
		size_t n = slash ? (size_t)(slash - in.ptr) - i : in.len - i;
		struct span step = { in.ptr + i, n };

		i += n + 1;
		if (!n || span_eq(step, "."))
			continue;
		if (span_eq(step, "..")) {
			while (out->len && out->ptr[--out->len] != '/')
				;
			continue;
		}
		buf_byte(out, '/');
		buf_add(out, step.ptr, step.len);
	}
	if (!out->len)
		buf_byte(out, '/');
	else
		out->ptr[out->len] = 0;
}

static bool under(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(path, dir, n) && (!path[n] || path[n] == '/' || !strcmp(dir, "/"));
}

static bool is_socket(const char *path)
{
	static const char *const names[] = { "/docker.sock", "/containerd.sock", "/podman.sock", "/crio.sock" };
	static const char *const dirs[] = { "/", "/run", "/var", "/var/run", "/run/containerd", "/run/podman", "/run/crio",
					    "/var/run/containerd", "/var/run/podman", "/var/run/crio" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (span_ends(span_of(path), names[i]))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (!strcmp(path, dirs[i]))
			return true;
	return false;
}

static bool is_sensitive(const char *path)
{
	/* These and whatever contains them ... */
	static const char *const places[] = { "/etc", "/boot", "/dev", "/proc", "/sys", "/root", "/home", "/var/lib/docker",
					      "/var/run", "/run" };
	/* ... and these below them. */
	static const char *const below[] = { "/etc/shadow", "/etc/sudoers", "/etc/sudoers.d", "/etc/ssh", "/etc/docker",
					     "/etc/kubernetes" };
	static const char *const steps[] = { "/.ssh", "/.docker", "/.aws", "/.kube" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (under(places[i], path))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(below); i++)
		if (under(path, below[i]))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		const char *at = strstr(path, steps[i]);

		if (at && (!at[strlen(steps[i])] || at[strlen(steps[i])] == '/'))
			return true;
	}
	return false;
}

static void mount_judge(struct span source, bool read_only, struct report *out)
{
	struct buf path = { 0 };

	if (!source.len || source.ptr[0] != '/')
		return; /* a volume's name */
	path_clean(source, &path);
	if (is_socket(path.ptr))
		finding(out, "R6.2", (struct span){ path.ptr, path.len }, "%s is mounted", path.ptr);
	if (is_sensitive(path.ptr))
		finding(out, read_only ? "R6.14" : "R6.3", (struct span){ path.ptr, path.len }, "%s is mounted %s",
			path.ptr, read_only ? "read-only" : "writable");
	buf_free(&path);
}

/* Is word one of the comma separated options? */
static bool has_option(struct span options, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i < options.len;) {
		const char *at = options.ptr + i, *comma = memchr(at, ',', options.len - i);
		size_t len = comma ? (size_t)(comma - at) : options.len - i;

		if (len == n && !memcmp(at, word, n))
			return true;
		i += len + 1;
	}
	return false;
}

void mount_bind(struct span bind, struct report *out)
{
	const char *colon = bind.len ? memchr(bind.ptr, ':', bind.len) : NULL, *second;
	struct span source = { bind.ptr, colon ? (size_t)(colon - bind.ptr) : bind.len }, options = { NULL, 0 };

	second = colon ? memchr(colon + 1, ':', bind.ptr + bind.len - colon - 1) : NULL;
	if (second)
		options = (struct span){ second + 1, bind.ptr + bind.len - second - 1 };
	mount_judge(source, has_option(options, "ro"), out);
	if (has_option(options, "shared") || has_option(options, "rshared"))
		finding(out, "R6.15", source, "%.*s is mounted with shared propagation", SPANF(source));
}

void mounts_end(struct mounts *m)
{
	if (m->open && m->bind)
		mount_judge((struct span){ m->source.ptr, m->source.len }, m->read_only, m->out);
	m->open = false;
	buf_free(&m->source);
}

void mounts_value(void *ctx, const struct json_value *v)
{
	struct mounts *m = ctx;

	if (json_path_is(v, "/HostConfig/Mounts/*") && v->type == JSON_OBJECT) {
		mounts_end(m);
		m->open = true;
		m->bind = m->read_only = false;
	} else if (json_path_is(v, "/HostConfig/Mounts/*/Source") && v->type == JSON_STRING) {
		buf_reset(&m->source);
		buf_add(&m->source, v->text.ptr, v->text.len);
	} else if (json_path_is(v, "/HostConfig/Mounts/*/Type")) {
		m->bind |= span_eq(v->text, "bind");
	} else if (json_path_is(v, "/HostConfig/Mounts/*/ReadOnly")) {
		m->read_only = v->type == JSON_TRUE;
	} else if (json_path_is(v, "/HostConfig/Mounts/*/VolumeOptions/DriverConfig/Options/device") &&
		   v->type == JSON_STRING) {
		buf_reset(&m->source);
		buf_add(&m->source, v->text.ptr, v->text.len);
		m->bind = true;
	}
}

void volume_value(void *ctx, const struct json_value *v)
{
	struct mounts *m = ctx;

	if (v->type != JSON_STRING)
		return;
	if (json_path_is(v, "/DriverOpts/device")) {
		buf_reset(&m->source);
		buf_add(&m->source, v->text.ptr, v->text.len);
		m->open = true;
	} else if (json_path_is(v, "/DriverOpts/o")) {
		m->bind |= has_option(v->text, "bind") || has_option(v->text, "rbind");
		m->read_only |= has_option(v->text, "ro");
	}
}
