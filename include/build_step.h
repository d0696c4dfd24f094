/* build_step.h: what a step of an image build will execute, as far as both sides compare it. */
#ifndef INVIGIL_BUILD_STEP_H
#define INVIGIL_BUILD_STEP_H

#include <linux/types.h>

#define BUILD_STEP_ARGS 252

/* In build_step.len, beside the length: */
#define BUILD_STEP_PART                                                                            \
	0x80000000u /* args is a beginning of 16, 32, 64, 128 or 192 bytes: a secret stands behind it */
#define BUILD_STEP_TEXT                                                                            \
	0x40000000u /* of the last argument alone, behind one that ends in c: the shell is the image's */

/* Two steps with the same beginning and length are one: the value of a map counts them. */
struct build_step {
	__u32 len;                  /* of all arguments, each with its NUL, bytes */
	char args[BUILD_STEP_ARGS]; /* their beginning, zeroes behind them */
};

/* struct build_user.run, when several runs build it at this moment: */
#define BUILD_STEP_MANY 0xffffffffu /* of several processes: nobody's */
#define BUILD_STEP_ASK                                                                             \
	0xfffffffeu /* of one: user space, which knows all of it and its secrets, tells by a ticket whose */

struct build_user {
	__u32 run;
	__u32 builds;
};

#define BUILDERS 8

/* A run that has builds under way. */
struct builder {
	__u32 run;
	__u32 builds;
	__u32 told; /* a stranger was, since the last build began */
};

#endif
