/* environment.bpf.c: environment variables read by name, at the functions that runtimes read them with. */
#include "environment.bpf.h"

const volatile bool can_sleep;    /* programs may fault pages in */
const volatile __u64 env_seed[2]; /* random: nobody can choose names that share a hash */
__u64 env_epoch = 1;              /* nothing kept has 0 */

#define ROTATE(x, n) ((x) << (n) | (x) >> (64 - (n)))
#define SIP_ROUND                                                                                  \
	do {                                                                                       \
		a += b;                                                                            \
		b = ROTATE(b, 13) ^ a;                                                             \
		a = ROTATE(a, 32);                                                                 \
		c += d;                                                                            \
		d = ROTATE(d, 16) ^ c;                                                             \
		a += d;                                                                            \
		d = ROTATE(d, 21) ^ a;                                                             \
		c += b;                                                                            \
		b = ROTATE(b, 17) ^ c;                                                             \
		c = ROTATE(c, 32);                                                                 \
	} while (0)

/* SipHash-1-3 (Aumasson, Bernstein). */
__attribute__((noinline)) u64 env_hash(const union env_name *name, u64 n, u64 generation, u64 place)
{
	u64 a = env_seed[0] ^ 0x736f6d6570736575, b = env_seed[1] ^ 0x646f72616e646f6d;
	u64 c = env_seed[0] ^ 0x6c7967656e657261, d = env_seed[1] ^ 0x7465646279746573;

	if (!name)
		return 1;
	for (u32 i = 0; i < EV_VAR_MAX / 8; i++) {
		if (i * 8 >= n)
			break;
		d ^= name->word[i];
		SIP_ROUND;
		a ^= name->word[i];
	}
	d ^= place;
	SIP_ROUND;
	a ^= place;
	d ^= generation << 16 | n;
	SIP_ROUND;
	a ^= generation << 16 | n;
	c ^= 0xff;
	SIP_ROUND;
	SIP_ROUND;
	SIP_ROUND;
	return (a ^ b ^ c ^ d) | 1;
}

#ifndef PLAIN

__attribute__((noinline)) int last_is(const struct last_read *last, const union env_name *name,
				      u64 n)
{
	if (!last || !name)
		return 0;
#pragma unroll
	for (u32 i = 0; i < LAST_WORDS; i++)
		if (i * 8 < n && last->word[i] != name->word[i])
			return 0;
	return 1;
}

/* One that is too long is kept as one that nobody has. */
__attribute__((noinline)) int last_set(struct last_read *last, const union env_name *name, u64 n)
{
	if (!last || !name)
		return 0;
	last->n = n > sizeof(last->word) ? ~0ull : n;
#pragma unroll
	for (u32 i = 0; i < LAST_WORDS; i++)
		last->word[i] = i * 8 < n ? name->word[i] : 0;
	return 0;
}

#endif

/* n bytes at src; a page that was never touched is faulted in where that is allowed. */
static __always_inline long user_bytes(void *dst, u64 n, u64 src)
{
	long err = bpf_probe_read_user(dst, n, (void *)src);

	return err && can_sleep ? bpf_copy_from_user(dst, n, (void *)src) : err;
}

#define ONES 0x0101010101010101ull

/*
 * dash has "NAME=" and what stands behind it in the script: the name's length; what is behind it in the
 * last word that is hashed becomes zeroes.
 */
__attribute__((noinline)) u64 shell_name(union env_name *name)
{
	u64 n, hit = 0;
	u32 i;

	if (!name)
		return 0;
	for (i = 0; i < EV_VAR_MAX / 8 - 1; i++) {
		u64 word = name->word[i], sign = word ^ 0x3d3d3d3d3d3d3d3d;

		/* The lowest byte so marked is zero, or '='. */
		hit = (((word - ONES) & ~word) | ((sign - ONES) & ~sign)) & ONES << 7;
		if (hit)
			break;
	}
	/* Of a lowest mark 0x80 << 8 * k, what is below has k + 1 odd bytes, which the product sums up. */
	n = i * 8 + ((((hit & -hit) - 1) & ONES) * ONES >> 56) - 1;
	CLAMP(n, EV_VAR_MAX - 1);
	name->word[n / 8] &= (1ull << n % 8 * 8) - 1;
	return n;
}

/* A name whose page could not be read at the function's entry: by then the function has. */
struct unread {
	u64 name;
	u64 mechanism;
};

/* By thread, where programs cannot sleep. Full: counted as lost. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, struct unread);
} unreads SEC(".maps");

/* n: bytes with the NUL; less than 0: it could not be read. */
static __always_inline void name_tell(struct member *m, u64 mechanism, union env_name *name, long n)
{
#ifndef PLAIN /* none of its programs stands in a shell */
	if (n > 1 && mechanism == ENV_SHELL)
		n = shell_name(name) + 1;
#endif
	if (n > 1)
		env_read(m, mechanism, name, n - 1, n == EV_VAR_MAX ? n : n - 1);
}

static __always_inline void name_later(u64 name, u64 mechanism)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct unread later = { name, mechanism };

	if (can_sleep || bpf_map_update_elem(&unreads, &tid, &later, BPF_ANY))
		count_lost(EV_ENV);
}

/* The name is the first argument. */
static __always_inline void name_read(struct member *m, struct pt_regs *ctx, u64 mechanism)
{
	union env_name name;
	long n = user_string(&name, PT_REGS_PARM1(ctx));

	if (n < 0)
		name_later(PT_REGS_PARM1(ctx), mechanism);
	name_tell(m, mechanism, &name, n);
}

/* The mechanism is the attach cookie; asked for when it is needed, for all others pay for what comes before. */
SEC("uprobe")
int on_getenv(struct pt_regs *ctx)
{
	struct member *m = member_of_thread();

	if (m)
		name_read(m, ctx, bpf_get_attach_cookie(ctx));
	return 0;
}

/* Without cookies (before 5.15) each has a program of its own. */
SEC("uprobe")
int on_getenv_libc(struct pt_regs *ctx)
{
	struct member *m = member_of_thread();

	if (m)
		name_read(m, ctx, ENV_GETENV);
	return 0;
}

SEC("uprobe")
int on_getenv_secure(struct pt_regs *ctx)
{
	struct member *m = member_of_thread();

	if (m)
		name_read(m, ctx, ENV_SECURE);
	return 0;
}

SEC("uretprobe")
int on_getenv_return(struct pt_regs *ctx)
{
	struct member *m = member_of_thread();
	u32 tid = bpf_get_current_pid_tgid();
	struct unread *found = m ? bpf_map_lookup_elem(&unreads, &tid) : NULL, later;
	union env_name name;
	long n;

	if (!found)
		return 0;
	later = *found;
	bpf_map_delete_elem(&unreads, &tid);
	n = user_string(&name, later.name);
	if (n < 0)
		count_lost(EV_ENV);
	name_tell(m, later.mechanism, &name, n);
	return 0;
}

/* Go's register ABI (cmd/compile/abi-internal.md): a string is a pointer and a length. */
#if defined(__TARGET_ARCH_x86)
#define GO_PTR(ctx) ((ctx)->ax)
#define GO_LEN(ctx) ((ctx)->bx)
#else
#define GO_PTR(ctx) PT_REGS_PARM1(ctx)
#define GO_LEN(ctx) PT_REGS_PARM2(ctx)
#endif

SEC("uprobe")
int on_go_getenv(struct pt_regs *ctx)
{
	u64 n = GO_LEN(ctx), want = n;
	struct member *m = member_of_thread();
	union env_name name = {};

	if (!m || !n)
		return 0;
	CLAMP(n, EV_VAR_MAX);
	if (user_bytes(name.text, n, GO_PTR(ctx)))
		count_lost(EV_ENV);
	else
		env_read(m, ENV_GO, &name, n, want);
	return 0;
}

/* The whole environment is copied: no name. */
SEC("uprobe")
int on_env_copy(struct pt_regs *ctx)
{
	struct member *m = member_of_thread();
	union env_name none = {};

	if (m)
		env_read(m, ENV_COPY, &none, 0, 0);
	return 0;
}
