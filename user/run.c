/* run.c: what a run knows of its users. */
#include <sys/stat.h>
#include "run.h"

const char *run_user_name(const struct run *r, uint32_t uid)
{
	for (unsigned i = 0; i < r->n_users; i++)
		if (r->users[i].uid == uid)
			return r->users[i].name;
	return uid == r->uid ? r->user : NULL;
}

static bool is_other(const struct run *r, uint32_t id)
{
	return id != 0 && id != r->uid;
}

/*
 * A group's members are not known here. Root's group and one numbered like the run's user (a user's
 * private group) have no others in them; any other group is taken to have.
 */
bool others_can_write(const struct run *r, uint32_t mode, uint32_t uid, uint32_t gid)
{
	/* An owner can give himself any permission. */
	return is_other(r, uid) || mode & S_IWOTH || (mode & S_IWGRP && is_other(r, gid));
}

bool others_can_enter(const struct run *r, uint32_t mode, uint32_t uid, uint32_t gid)
{
	return is_other(r, uid) || mode & S_IXOTH || (mode & S_IXGRP && is_other(r, gid));
}

bool others_can_read(const struct run *r, uint32_t mode, uint32_t uid, uint32_t gid)
{
	return is_other(r, uid) || mode & S_IROTH || (mode & S_IRGRP && is_other(r, gid));
}
