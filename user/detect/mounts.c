/* mounts.c: judges the host paths of bind mounts and local volumes. */
#include <string.h>
#include "mounts.h"
#include "place.h"

#define SUBJECT_MAX 256

const char *key_note(const struct json_value *v)
{
	return v->folded ? " (oddly folded key)" : v->duplicate ? " (duplicate key)" : "";
}

static bool under(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(path, dir, n) && (!path[n] || path[n] == '/' || !strcmp(dir, "/"));
}

static bool is_socket_name(const char *path)
{
	static const char *const names[] = { "docker.sock", "containerd.sock", "podman.sock",
					     "crio.sock" };
	const char *base = strrchr(path, '/');

	base = base ? base + 1 : path;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(base, names[i]))
			return true;
	return false;
}

static bool is_socket(const char *path)
{
	static const char *const dirs[] = {
		"/",           "/var",      "/run",     "/run/docker", "/run/containerd",
		"/run/podman", "/run/crio", "/run/user"
	};
	const char *user = "/run/user/";

	if (is_socket_name(path))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (!strcmp(path, dirs[i]))
			return true;
	/* Of rootless engines: /run/user/UID and /run/user/UID/podman. */
	if (strncmp(path, user, strlen(user)))
		return false;
	path += strlen(user);
	path += strspn(path, "0123456789");
	return !*path || !strcmp(path, "/podman");
}

static bool is_sensitive(const char *path)
{
	/* These and whatever contains them ... */
	static const char *const places[] = { "/etc", "/boot", "/dev",  "/proc",
					      "/sys", "/root", "/home", "/var/lib/docker",
					      "/run" };
	/* ... these and what is below them ... */
	static const char *const below[] = { "/etc/shadow", "/etc/ssh", "/etc/docker",
					     "/etc/kubernetes" };
	/* ... and steps anywhere. */
	static const char *const steps[] = { ".ssh", ".docker", ".aws", ".kube" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (under(places[i], path))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(below); i++)
		if (under(path, below[i]))
			return true;
	if (!strcmp(path, "/var") || !strncmp(path, "/etc/sudoers", 12))
		return true;
	while (*path) {
		size_t n = strcspn(++path, "/");

		for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
			if (n == strlen(steps[i]) && !memcmp(path, steps[i], n))
				return true;
		path += n;
	}
	return false;
}

static void mount_judge(struct span source, struct span target, bool read_only, const char *note,
			struct report *out)
{
	struct buf path = { 0 }, to = { 0 };
	struct span subject;

	if (!source.len || source.ptr[0] != '/')
		return; /* a volume's name */
	path_clean(source, &path);
	path_clean(target, &to);
	subject = (struct span){ path.ptr, path.len > SUBJECT_MAX ? SUBJECT_MAX : path.len };
	if (is_socket(path_place(path.ptr)))
		finding(out, "R6.2", subject, "%.*s is mounted%s", SPANF(subject), note);
	else if (is_socket_name(to.ptr))
		finding(out, "R6.2", subject, "%.*s is mounted as %.*s%s", SPANF(subject),
			SPANF(((struct span){ to.ptr, to.len })), note);
	if (is_sensitive(path_place(path.ptr)))
		finding(out, read_only ? "R6.14" : "R6.3", subject, "%.*s is mounted %s%s",
			SPANF(subject), read_only ? "read-only" : "writable", note);
	buf_free(&path);
	buf_free(&to);
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

static void shared_note(struct span source, const char *note, struct report *out)
{
	struct span subject = { source.ptr, source.len > SUBJECT_MAX ? SUBJECT_MAX : source.len };

	finding(out, "R6.15", subject, "%.*s is mounted with shared propagation%s", SPANF(subject),
		note);
}

void mount_bind(struct span bind, const char *note, struct report *out)
{
	const char *colon = bind.len ? memchr(bind.ptr, ':', bind.len) : NULL,
		   *end = bind.ptr + bind.len, *second;
	struct span source, target, options = { NULL, 0 };

	if (!colon)
		return; /* an anonymous volume: nothing of the host */
	source = (struct span){ bind.ptr, (size_t)(colon - bind.ptr) };
	second = memchr(colon + 1, ':', (size_t)(end - colon - 1));
	target = (struct span){ colon + 1, (size_t)((second ? second : end) - colon - 1) };
	if (second)
		options = (struct span){ second + 1, (size_t)(end - second - 1) };
	mount_judge(source, target, has_option(options, "ro"), note, out);
	if (has_option(options, "shared") || has_option(options, "rshared"))
		shared_note(source, note, out);
}

/* The n-th NUL ended string; false behind the last. */
static bool string_next(const struct buf *b, size_t *at, struct span *s)
{
	if (*at >= b->len)
		return false;
	*s = (struct span){ b->ptr + *at, strlen(b->ptr + *at) };
	*at += s->len + 1;
	return true;
}

static void string_add(struct buf *b, struct span s)
{
	const char *nul = s.len ? memchr(s.ptr, 0, s.len) : NULL;

	if (s.len)
		buf_add(b, s.ptr, nul ? (size_t)(nul - s.ptr) : s.len);
	buf_byte(b, 0);
}

/* A member that the Engine may take last or first: every one given is judged. */
static void mount_sources(struct mounts *m, const struct buf *sources)
{
	bool read_only = m->read_only && !m->writable;
	size_t at = 0, to = 0;
	struct span source, target, worst = { NULL, 0 };

	while (string_next(&m->targets, &to, &target))
		if (!worst.len || is_socket_name(target.ptr))
			worst = target;
	while (string_next(sources, &at, &source)) {
		mount_judge(source, worst, read_only, m->note, m->out);
		if (m->shared)
			shared_note(source, m->note, m->out);
	}
}

/* A local volume that is not a bind mounts the device's own file system. */
static void mount_devices(struct mounts *m)
{
	size_t at = 0;
	struct span device;

	while (string_next(&m->devices, &at, &device))
		if (span_starts(device, "/dev/"))
			finding(m->out, "R6.8",
				(struct span){ device.ptr, device.len > SUBJECT_MAX ? SUBJECT_MAX
										    : device.len },
				"a volume mounts the device %.*s%s", SPANF(device), m->note);
}

void mounts_end(struct mounts *m)
{
	if (m->open && m->bind)
		mount_sources(m, &m->sources);
	if (m->open && !m->other_driver) {
		if (m->local_bind)
			mount_sources(m, &m->devices);
		else
			mount_devices(m);
	}
	buf_free(&m->sources);
	buf_free(&m->devices);
	buf_free(&m->targets);
	*m = (struct mounts){ .out = m->out };
}

static void mount_open(struct mounts *m)
{
	mounts_end(m);
	m->open = true;
	m->note = "";
}

/* Members of a local volume's options, wherever they stand. */
static void option_value(struct mounts *m, const struct json_value *v, struct span key)
{
	if (v->type != JSON_STRING)
		return;
	/* Keys of a map are not folded: only "device" and "o" mean anything to the driver. */
	if (span_eq(key, "device")) {
		string_add(&m->devices, v->text);
	} else if (span_eq(key, "o")) {
		m->local_bind |= has_option(v->text, "bind") || has_option(v->text, "rbind");
		if (has_option(v->text, "ro"))
			m->read_only = true;
		m->shared |= has_option(v->text, "shared") || has_option(v->text, "rshared");
	} else if (span_eq(key, "type")) {
		m->local_bind |= span_eq(v->text, "bind");
	}
}

static void driver_value(struct mounts *m, const struct json_value *v)
{
	m->other_driver = v->type == JSON_STRING && v->text.len && !span_eq(v->text, "local");
}

void mounts_value(void *ctx, const struct json_value *v)
{
	struct mounts *m = ctx;

	if (v->depth < 3 || !json_key_is(v->path[0].key, "HostConfig") ||
	    !json_key_is(v->path[1].key, "Mounts"))
		return;
	if (v->depth == 3) {
		mount_open(m);
		return;
	}
	if (*key_note(v))
		m->note = key_note(v);
	if (json_path_is(v, "/HostConfig/Mounts/*/Source") && v->type == JSON_STRING)
		string_add(&m->sources, v->text);
	else if (json_path_is(v, "/HostConfig/Mounts/*/Target") && v->type == JSON_STRING)
		string_add(&m->targets, v->text);
	else if (json_path_is(v, "/HostConfig/Mounts/*/Type"))
		m->bind |= span_eq(v->text, "bind");
	else if (json_path_is(v, "/HostConfig/Mounts/*/ReadOnly")) {
		m->read_only |= v->type == JSON_TRUE;
		m->writable |= v->type == JSON_FALSE;
	} else if (json_path_is(v, "/HostConfig/Mounts/*/BindOptions/Propagation"))
		m->shared |= span_eq(v->text, "shared") || span_eq(v->text, "rshared");
	else if (json_path_is(v, "/HostConfig/Mounts/*/VolumeOptions/DriverConfig/Name"))
		driver_value(m, v);
	else if (json_path_is(v, "/HostConfig/Mounts/*/VolumeOptions/DriverConfig/Options/*"))
		option_value(m, v, v->path[6].key);
}

void volume_value(void *ctx, const struct json_value *v)
{
	struct mounts *m = ctx;

	if (!v->depth)
		mount_open(m);
	if (*key_note(v))
		m->note = key_note(v);
	if (json_path_is(v, "/Driver"))
		driver_value(m, v);
	else if (json_path_is(v, "/DriverOpts/*"))
		option_value(m, v, v->path[1].key);
}
