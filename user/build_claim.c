/* build_claim.c: which build steps another invigil of this machine looks for, by locks on the bytes of a file. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "build_claim.h"
#include "build_step.h"
#include "message.h"

/*
 * tracefs has one superblock (fs/tracefs/inode.c: get_tree_single, mount_single before): its files are the same in
 * every mount namespace and container. Where it is not mounted, a file of our own.
 */
#define CLAIMS_KERNEL "/sys/kernel/tracing/README"
#define CLAIMS_FILE   RUN_FOLDER "/builds"

int claims_open(void)
{
	int fd = open(CLAIMS_KERNEL, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (mkdir(RUN_FOLDER, 0755) && errno != EEXIST)
		return -errno;
	fd = open(CLAIMS_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? -errno : fd;
}

/* FNV-1a of 64 bits. Two steps that share a byte are said to be one: never too little is said. */
static off_t place_of(const struct build_step *s)
{
	const unsigned char *at = (const void *)s;
	uint64_t hash = 14695981039346656037u;

	for (size_t i = 0; i < sizeof(*s); i++)
		hash = (hash ^ at[i]) * 1099511628211u;
	return (off_t)(hash >> 2);
}

/* Of an open file, not of a process: what a child closes stays locked (fcntl(2), F_OFD_SETLK). */
void claim_set(int fd, const struct build_step *s, bool on)
{
	struct flock lock = { .l_type = on ? F_RDLCK : F_UNLCK,
			      .l_start = place_of(s),
			      .l_len = 1 };

	if (fd >= 0)
		fcntl(fd, F_OFD_SETLK, &lock);
}

/* A lock for writing would meet those of others; n = 0: up to the end. */
static bool is_locked(int fd, off_t start, off_t n)
{
	struct flock lock = { .l_type = F_WRLCK, .l_start = start, .l_len = n };

	return fd >= 0 && !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
}

bool claimed(int fd, const struct build_step *s)
{
	return is_locked(fd, place_of(s), 1);
}

bool claimed_any(int fd)
{
	return is_locked(fd, 0, 0);
}
